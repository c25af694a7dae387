"""Promises of the rules, broken one by one: a test must notice each."""
