"""Third-party clients of the protocol that Slack's assistant speaks, each in its own environment."""
