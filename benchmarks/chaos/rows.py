"""Access to the bot's database from outside the bot."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from bot.support.settings.database import find_database_file

#: The order in which operations were accepted. The bot's clock may be changed if it uses a file, so there the
#: row ids decide. The clock of a PostgreSQL server isn't changed.
_IN_ORDER = "operations.rowid", "operations.created_at, operations.id"


def rows(url: str, query: str) -> list[dict[str, Any]]:
    """Run a query on the bot's database, and return its rows."""
    path = find_database_file(url)
    if path is None:
        # Only a cluster needs this driver.
        import psycopg  # noqa: PLC0415 - see above
        from psycopg.rows import dict_row  # noqa: PLC0415 - see above

        with psycopg.connect(url, row_factory=dict_row, application_name="chaos") as server:
            return list(server.execute(query.replace(*_IN_ORDER).encode()))
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


def waits_for_answer(row: dict[str, Any]) -> bool:
    """Return whether the person was asked what to do because the outcome of a call is unknown."""
    return row.get("question_since") is not None


def unsettled(url: str, until: float) -> tuple[int, int, int, int]:
    """Count the open operations, the open runs, the unsent messages, and the stops planned before ``until``.

    ``until`` is in epoch seconds. If a person presses *Start* within their hours, a stop is planned for the
    end of these hours, an hour later.
    """
    operations = rows(url, "SELECT * FROM operations WHERE outcome IS NULL")
    runs = rows(url, "SELECT * FROM runs WHERE outcome IS NULL AND reference != ''")
    left = rows(url, "SELECT 1 FROM notices WHERE state NOT IN ('sent', 'dead')")
    # The outcome of a stop is reported by its card, so cards that aren't up to date count as unsent messages.
    left += rows(
        url, "SELECT 1 FROM cards WHERE is_dirty = 1 AND message_ts IS NOT NULL AND changed_at IS NOT NULL"
    )
    opened = [sum(not waits_for_answer(row) for row in found) for found in (operations, runs)]
    planned = rows(url, "SELECT stop_at FROM workspaces WHERE stop_at IS NOT NULL")
    return opened[0], opened[1], len(left), sum(row["stop_at"] < until for row in planned)
