"""Slack's Web API: its methods and rate limits, the people in Slack, and Usher's messages."""
