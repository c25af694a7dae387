"""What verbs share: a request read from a payload or a command line, and where its answer goes."""
