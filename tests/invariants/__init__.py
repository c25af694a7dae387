"""Random histories, and checks of what must hold after them.

See "Invariants of random histories" in ``docs/internals/security.md``.
"""
