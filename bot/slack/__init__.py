"""Everything about Slack's Web API: its methods and limits, who people are, and all that is sent."""
