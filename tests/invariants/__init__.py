"""Random histories, and what holds after them.

``docs/internals/security.md``, "Invariants of random histories".
"""
