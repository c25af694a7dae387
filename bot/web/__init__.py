"""All that listens: Slack's requests over HTTP and Socket Mode, pages for browsers, and health checks."""
