"""The slash commands: a folder per command, in it a file per verb."""
