"""The assistant: Slack's own, which acts through Usher."""
