"""Tests with a fault at every call that leaves the process, and with a database that can't be written."""
