"""Everything that listens: to Slack (HTTP, Socket Mode), browsers, providers' webhooks and monitoring."""
