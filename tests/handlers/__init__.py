"""Tests of the commands that people type and the buttons they press."""
