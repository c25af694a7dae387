"""Everything about Slack's Web API: its methods and rate limits, people, and all messages Usher sends."""
