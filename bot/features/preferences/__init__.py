"""Preferences: messages that people choose to get."""
