"""Tests of the local servers against the documentation of the real ones."""
