"""Listeners of the reconciler that do nothing, for tests that step it themselves and check other things."""


class Unobserved:
    """A listener that ignores everything."""

    def count_reads(self, _connection: str, _count: int = 1) -> None:
        """Do nothing."""

    def note_claim(self, _connection: str, _seconds: float) -> None:
        """Do nothing."""

    def count_failure(self, _connection: str, _kind: str) -> None:
        """Do nothing."""
