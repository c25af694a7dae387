"""When each request was really written down: seen from beside the database, by a clock that nobody shifts."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing

from bot.support.settings.database import find_database_file

_EVERY = 0.05


class Witness:
    """Look for new rows all the time; ``asked`` says since when at the earliest each has been there."""

    def __init__(self, url: str, now: Callable[[], float]) -> None:
        self._database = find_database_file(url)
        self._now = now
        self._last = 0
        self._looked = now()
        self.asked: dict[str, float] = {}

    async def watch(self) -> None:
        """Look until cancelled; a server's clock isn't shifted, so there is nothing to see beside it."""
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
