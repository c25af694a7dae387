"""Mutation tests: small wrong changes of the code, each of which a test must notice."""
