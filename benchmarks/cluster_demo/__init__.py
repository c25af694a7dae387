"""``make demo-cluster``: web and worker processes are killed, and two Slack workspaces don't notice."""
