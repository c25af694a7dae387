"""The verbs of the workspace command: each file is one verb, found by its name."""
