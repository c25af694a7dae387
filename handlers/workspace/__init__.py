"""Verbs, buttons and forms of workspaces: one function for each, with a separate route."""
