"""Tests of the code that calls Slack: rate limits, errors, tokens, and what Slack says about people."""
