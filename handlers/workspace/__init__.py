"""Verbs, buttons and forms of workspaces, each a function with its route."""
