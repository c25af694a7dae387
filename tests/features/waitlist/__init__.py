"""Tests of waitlist."""
