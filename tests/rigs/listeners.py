"""Who listens to the reconciler, for tests that step it themselves and look at something else."""


class Unobserved:
    """Count nothing."""

    def polled(self, _connection: str, _count: int = 1) -> None:
        """Do nothing."""

    def claimed(self, _connection: str, _seconds: float) -> None:
        """Do nothing."""

    def provider_failed(self, _connection: str, _kind: str) -> None:
        """Do nothing."""
