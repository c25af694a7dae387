"""The buttons that are no verb of their own: each file is one, found by its name."""
