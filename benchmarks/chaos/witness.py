"""When each request was really recorded: read from the database, by a clock that isn't changed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing

from bot.support.settings.database import find_database_file

_EVERY = 0.05


class Witness:
    """A continuous check for new rows; ``asked`` has the earliest time at which each can have existed."""

    def __init__(self, url: str, now: Callable[[], float]) -> None:
        self._database = find_database_file(url)
        self._now = now
        self._last = 0
        self._looked = now()
        self.asked: dict[str, float] = {}

    async def watch(self) -> None:
        """Check until cancelled. On a server, there is nothing to do, since its clock isn't changed."""
        if self._database is None:
            return
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, timeout=10)) as database:
            while True:
                self._look(database)
                await asyncio.sleep(_EVERY)

    def _look(self, database: sqlite3.Connection) -> None:
        now = self._now()
        try:
            found = database.execute(
                "SELECT rowid, id FROM operations WHERE rowid > ? ORDER BY rowid", (self._last,)
            ).fetchall()
        except sqlite3.OperationalError:
            return
        for row, key in found:
            self._last, self.asked[key] = row, self._looked
        self._looked = now
