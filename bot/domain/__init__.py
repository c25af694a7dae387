"""The domain: models, plans and rules, without I/O except for the file that ``transcript`` writes."""
