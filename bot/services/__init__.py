"""Use cases and the parsing of user input (names, forms, times). None of it depends on Slack's payloads."""
