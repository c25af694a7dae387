"""What Usher says to people: the wording, and the Block Kit that displays it."""
