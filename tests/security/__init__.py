"""Attacks from ``docs/internals/security.md``, each with a proof that it fails."""
