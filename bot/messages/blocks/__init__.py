"""Pure functions that render rows and text as Block Kit, escaped once and within Slack's limits."""
