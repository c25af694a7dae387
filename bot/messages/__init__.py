"""The messages that Usher sends: their wording, and the Block Kit that displays it."""
