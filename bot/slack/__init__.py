"""Everything about Slack's Web API: its methods and rate limits, its people, and all messages sent to it."""
