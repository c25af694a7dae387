"""Uses Slack's Web API, within its rate limits, to look up people and to send Usher's messages."""
