"""The notifier's times, and that they fit together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Hold the notifier's numbers; times in seconds.

    ``settles``: how long a message of unknown outcome has to appear before it is looked for. ``looks_back``:
    how long before the attempt the search begins, by Slack's time.
    """

    lease: float = 60.0
    send_timeout: float = 10.0
    settles: float = 15.0
    looks_back: float = 120.0
    reply_lives: float = 60.0
    card_interval: float = 15.0
    #: What Slack did not take for so long is given up, and shown by doctor.
    gives_up_after: float = 86_400.0
    #: What can't be drawn for so long is said plainly.
    draws_for: float = 300.0
    batch: int = 20

    def check(self) -> None:
        """Raise ValueError when a send could still be under way after its lease: it would be sent twice."""
        if self.send_timeout >= self.lease:
            raise ValueError("the time-out of a send must be shorter than the lease of a notice")

    @property
    def last_start(self) -> float:
        """Return how long after its claim a send may begin: it has to end within the lease."""
        return self.lease - self.send_timeout - min(5.0, (self.lease - self.send_timeout) / 2)
