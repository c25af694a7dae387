"""Undo: what takes back a request."""
