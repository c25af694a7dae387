"""Use cases, and the parsing of user input (names, forms, times), independent of Slack's payloads."""
