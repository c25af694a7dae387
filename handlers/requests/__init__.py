"""Code that all verbs share: the request read from a payload or command line, and where its answer goes."""
