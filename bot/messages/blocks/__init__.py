"""Rendering without side effects: rows and texts become Block Kit, escaped once and within Slack's limits."""
