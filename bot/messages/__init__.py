"""The messages to people: the texts, and the Block Kit that shows them."""
