"""Messages to people: their texts, and the Block Kit that shows them."""
