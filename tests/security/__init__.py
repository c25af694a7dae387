"""Attacks of ``docs/internals/security.md``, each with the proof that it fails."""
