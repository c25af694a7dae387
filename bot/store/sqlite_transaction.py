"""The queries of ``queries.sql`` by name, within the SQLite engine's open transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.store.queries import named_queries
from bot.store.text import clean

if TYPE_CHECKING:
    import sqlite3

    from bot.store.store_time import StoreTime
    from bot.store.transaction import Row
    from bot.support.clock import Ids


class SqliteTransaction:
    """Run named queries on the connection; the engine begins and ends the transaction."""

    def __init__(self, connection: sqlite3.Connection, time: StoreTime, ids: Ids) -> None:
        self.ids = ids
        self._connection = connection
        self._time = time
        self._queries = named_queries()
        #: The column names of each query, as SQLite gave them.
        self._columns: dict[str, list[str]] = {}

    def _execute(self, query: str, params: dict[str, Any]) -> sqlite3.Cursor:
        cleaned = {name: clean(value) for name, value in params.items()}
        return self._connection.execute(self._queries[query], cleaned)

    def all(self, query: str, **params: Any) -> list[Row]:
        """Return all rows."""
        cursor = self._execute(query, params)
        columns = self._columns.get(query)
        if columns is None:
            columns = self._columns[query] = [column[0] for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor]

    def one(self, query: str, **params: Any) -> Row | None:
        """Return the first row."""
        rows = self.all(query, **params)
        return rows[0] if rows else None

    def run(self, query: str, **params: Any) -> int:
        """Run a statement; return how many rows were written."""
        return self._execute(query, params).rowcount

    def now(self) -> float:
        """Return the store's epoch seconds."""
        return self._time.now()
