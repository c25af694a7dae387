"""Everything that deals with Slack's Web API: its methods and rate limits, people, and Usher's messages."""
