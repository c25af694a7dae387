"""Scenarios of the whole bot with a Workbench."""
