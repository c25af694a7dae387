"""Random histories, and what holds after them (``docs/security.md``, "Invariants of random histories")."""
