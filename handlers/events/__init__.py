"""The Slack events that Usher handles."""
