"""Tests about the repository itself: its sizes, fences, locks, manifest and commands."""
