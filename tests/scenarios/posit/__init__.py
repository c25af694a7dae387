"""The bot at a Workbench, as a whole."""
