"""Tests of the store besides its contract."""
