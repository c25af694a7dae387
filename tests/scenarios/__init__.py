"""Scenarios: what people live through with the real bot, step by step."""
