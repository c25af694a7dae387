"""Attacks of ``docs/internals/security.md``, each with the proof that it fails; a row is one of its table."""
