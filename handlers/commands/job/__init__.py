"""The verbs of the slash command for jobs: each file is one, found by its name."""
