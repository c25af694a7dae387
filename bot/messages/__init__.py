"""What people read: the texts, and the Block Kit that shows them."""
