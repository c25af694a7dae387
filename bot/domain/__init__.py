"""The domain: models, plans and rules. Only ``transcript`` does any I/O, by writing a file."""
