"""Messages to people: their wording, and the Block Kit that displays them."""
