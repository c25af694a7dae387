"""Slack's AI assistant, which acts through Usher on the user's behalf."""
