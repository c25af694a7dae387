"""Slack's assistant, which acts through Usher."""
