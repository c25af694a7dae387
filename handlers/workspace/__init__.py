"""Verbs, buttons and forms for workspaces: one function for each, with a separate route."""
