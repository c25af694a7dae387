"""Other people's clients for the protocol of Slack's assistant, each in its own environment."""
