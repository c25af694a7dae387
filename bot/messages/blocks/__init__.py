"""Pure functions that render rows and texts as Block Kit, escaped once and within Slack's limits."""
