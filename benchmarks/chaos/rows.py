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


def unsettled(database: Path) -> tuple[int, int, int]:
    """Return how many wishes and runs are open, and how many notices are still to be sent."""
    (found,) = rows(
        database,
        "SELECT (SELECT count(*) FROM wishes WHERE outcome IS NULL) AS wishes,"
        " (SELECT count(*) FROM jobs WHERE outcome IS NULL AND reference != '') AS runs,"
        " (SELECT count(*) FROM notices WHERE state NOT IN ('sent', 'dead')) AS notices",
    )
    return found["wishes"], found["runs"], found["notices"]
