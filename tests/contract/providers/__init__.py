"""The contract of a provider, written against the ABC; every provider passes all of it."""
