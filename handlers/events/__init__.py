"""The events of Slack that matter here."""
