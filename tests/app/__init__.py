"""Tests of the command line, and of how the process starts and stops."""
