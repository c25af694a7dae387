"""Everything that accepts connections from Slack, browsers, providers' webhooks and monitoring."""
