"""The output of runs. Everything except the spool is pure; nothing here knows about Slack or a provider."""
