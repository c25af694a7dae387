"""The clock of a database server, which all processes on it share."""

from __future__ import annotations

from threading import Lock

from bot.support.clock import Clock


class DatabaseClock:
    """Tell the database's time: its last reading, carried on by the machine's monotonic clock."""

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self._lock = Lock()
        self._ahead = machine.now() - machine.monotonic()
        self._is_known = False

    def note(self, before: float, epoch: float, after: float) -> None:
        """Take over a reading that was made between two moments of the monotonic clock.

        What is known is kept as far as the reading allows, so a slow answer doesn't look like a moved clock.
        At first nothing is, however right the machine's clock looks, and the earliest time that it can be is
        taken: ahead of the database's time, gates and limits of others would open too early here.
        """
        with self._lock:
            known = self._ahead if self._is_known else epoch - after
            self._ahead = min(max(known, epoch - after), epoch - before)
            self._is_known = True

    def now(self) -> float:
        """Return epoch seconds."""
        return self._ahead + self._machine.monotonic()

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return self._machine.monotonic()

    def boot(self) -> str:
        """Identify the boot of this machine."""
        return self._machine.boot()

    def slept(self) -> float:
        """Return how many seconds this machine has slept since then."""
        return self._machine.slept()
