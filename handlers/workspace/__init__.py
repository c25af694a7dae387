"""Verbs, buttons and forms of workspaces; each is a function with its own route."""
