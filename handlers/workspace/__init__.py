"""Verbs, buttons and forms for workspaces: one function for each, with a route of its own."""
