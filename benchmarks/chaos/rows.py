"""The bot's database, read beside it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


def rows(database: Path, query: str) -> list[dict[str, Any]]:
    """Return rows of the bot's database."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


def waits_for_answer(row: dict[str, Any]) -> bool:
    """Say whether its person was asked what to do, because nobody can tell what became of a call."""
    return row.get("asked_at") is not None


def unsettled(database: Path) -> tuple[int, int, int]:
    """Return how many operations and runs are open, and how many notices are still to be sent."""
    operations = rows(database, "SELECT * FROM operations WHERE outcome IS NULL")
    runs = rows(database, "SELECT * FROM runs WHERE outcome IS NULL AND reference != ''")
    left = rows(database, "SELECT 1 FROM notices WHERE state NOT IN ('sent', 'dead')")
    opened = [sum(not waits_for_answer(row) for row in found) for found in (operations, runs)]
    return opened[0], opened[1], len(left)
