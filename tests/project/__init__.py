"""Tests of the repository itself: sizes, imports, locks, the manifest, and commands in the documentation."""
