"""Scenarios: things that people experience with the real bot, step by step."""
