"""Tracks whether a connection or Slack is reachable, judging by this process's calls."""

import math
from typing import Final

from bot.store import outages
from bot.store.store import Store

#: While a connection or Slack keeps responding, the time of its latest response is stored in the database.
#: This is the minimum interval, in seconds, between two of these writes.
WRITE_INTERVAL_SECONDS: Final = 60.0


class Reachability:
    """Records when a connection or Slack last responded, and when it then fell silent (epoch seconds).

    ``write`` stores both times in a row of ``reached``, which all processes share. After a restart, the next
    call shows whether the other side responds.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.answered_at: float | None = None
        self.silent_since: float | None = None
        self.failed_at = -math.inf
        #: When the current silence began, as stored in the database, or None if this process hasn't stored it
        #: yet.
        self.row_since: float | None = None
        self._row_at = -math.inf

    def record_answer(self, now: float) -> None:
        """Record a response."""
        self.answered_at, self.silent_since = now, None

    def record_failure(self, since: float) -> None:
        """Record that a call got no response."""
        self.failed_at = max(self.failed_at, since)
        self.silent_since = since if self.silent_since is None else min(self.silent_since, since)

    @property
    def is_restless(self) -> bool:
        """Return whether the other side is silent, or its latest response hasn't been stored yet."""
        at = self.answered_at
        is_noted = at is None or (
            self.row_since is None and 0.0 <= at - self._row_at < WRITE_INTERVAL_SECONDS
        )
        return self.silent_since is not None or not is_noted

    async def write(self, store: Store) -> bool:
        """Store any changes. Return whether a silence began or ended. Raises StoreError."""
        since, at = self.silent_since, self.answered_at
        if since is not None and since != self.row_since:
            self.row_since = await store.write(outages.note_silence, self.name, since, at)
            if self.silent_since is not None:
                # Another process may have recorded that the silence began earlier.
                self.record_failure(self.row_since)
            return self.row_since == since
        if since is not None or at is None or not self.is_restless:
            return False
        is_silent = await store.write(outages.note_answer, self.name, at)
        is_over = is_silent and await store.write(outages.end_silence, self.name, at)
        self.row_since, self._row_at = None, at
        return is_over
