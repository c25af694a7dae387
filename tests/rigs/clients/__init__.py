"""Clients of others for the protocol of Slack's assistant, each in an environment of its own."""
