"""The client of the Workbench API, piece by piece."""
