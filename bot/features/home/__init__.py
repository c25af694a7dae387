"""Home: the page of the app in Slack."""
