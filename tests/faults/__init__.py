"""Trouble at every way out of the process, as error and as kill, and a database that can't be written."""
