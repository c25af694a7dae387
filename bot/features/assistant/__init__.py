"""The declaration."""
