"""Drawing without side effects: rows and words become Block Kit, escaped once and within Slack's limits."""
