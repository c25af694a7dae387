"""Hours: workspaces that start and stop on days of the week."""
