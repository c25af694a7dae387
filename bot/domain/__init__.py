"""The domain: models, plans and rules. It does no I/O, except that ``transcript`` writes a file."""
