"""Slack's side."""
