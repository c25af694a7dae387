"""``make demo-cluster``: webs and workers that are killed, and two Slack workspaces that don't notice."""
