"""What listens: Slack's requests over HTTP and Socket Mode, the pages that browsers reach, and health."""
