"""What all verbs share: the request read from a payload or a command line, and where its answer is sent."""
