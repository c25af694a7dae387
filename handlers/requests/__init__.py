"""Code that all verbs share: it reads requests from payloads and commands, and decides where answers go."""
