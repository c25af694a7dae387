"""The reachability of a connection or of Slack: by this process's calls, and in the row of all processes."""

import math
from typing import Final

from bot.store import outages
from bot.store.store import Store

#: How often it is written that something still answers, in seconds.
WRITE_INTERVAL_SECONDS: Final = 10.0


class Reachability:
    """The times of the last answer and of the first silence since, in epoch seconds; ``write`` stores them.

    In memory. Restart: the next call says. Several processes: what answered last, and since when it doesn't,
    is a row of ``reached``.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.answered_at: float | None = None
        self.silent_since: float | None = None
        self.failed_at = -math.inf
        #: What the row says, as far as this process has written it.
        self.row_since: float | None = None
        self._row_at = -math.inf

    def record_answer(self, now: float) -> None:
        """Record an answer."""
        self.answered_at, self.silent_since = now, None

    def record_failure(self, since: float) -> None:
        """Record a call without an answer."""
        self.failed_at = max(self.failed_at, since)
        self.silent_since = since if self.silent_since is None else min(self.silent_since, since)

    @property
    def is_restless(self) -> bool:
        """Return whether there is no answer, or one to write."""
        at = self.answered_at
        is_noted = at is None or (
            self.row_since is None and 0.0 <= at - self._row_at < WRITE_INTERVAL_SECONDS
        )
        return self.silent_since is not None or not is_noted

    async def write(self, store: Store) -> bool:
        """Store a change; return whether it begins or ends a silence. Raises StoreError."""
        since, at = self.silent_since, self.answered_at
        if since is not None and since != self.row_since:
            self.row_since = await store.write(outages.note_silence, self.name, since, at)
            if self.silent_since is not None:
                # Another process may have been there before.
                self.record_failure(self.row_since)
            return self.row_since == since
        if since is not None or at is None or not self.is_restless:
            return False
        is_over = await store.write(outages.note_answer, self.name, at)
        self.row_since, self._row_at = None, at
        return is_over
