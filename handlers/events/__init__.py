"""The events of Slack that matter here: each file is one, found by its name."""
