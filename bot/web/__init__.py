"""Everything that listens: for Slack (HTTP, Socket Mode), browsers, providers' webhooks and monitoring."""
