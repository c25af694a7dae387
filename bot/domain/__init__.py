"""The domain, which consists of models, plans and rules.

Only ``transcript`` does any I/O: it writes a file.
"""
