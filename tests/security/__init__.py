"""Attacks of security.md, each with the proof that it fails."""
