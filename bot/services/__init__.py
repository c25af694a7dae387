"""Use cases, and the parsing of people's input: names, forms, times; no payload of Slack is known here."""
