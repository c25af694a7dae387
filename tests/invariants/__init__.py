"""The invariants of the engine over random histories."""
