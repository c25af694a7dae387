"""Slack's side: its Web API and its limits, who people are, and all that is sent."""
