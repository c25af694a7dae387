"""The contract of providers, written against the abstract base class; every provider passes all of it."""
