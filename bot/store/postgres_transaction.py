"""The store's queries, by name or as they are, within the PostgreSQL engine's open transaction.

Every parameter is sent as text, and the statement's own columns say what it is: one prepared statement for
each query, whatever the values. A statement that is run for many rows gets them as one array of JSON objects,
``:each``, and its other parameters are columns of theirs, with a ``_`` behind their names: rows that differ
cost one statement, not one each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from psycopg import Cursor

from bot.store.queries import named_queries
from bot.store.store_time import StoreTime
from bot.store.text import as_json, clean
from bot.store.transaction import Parameters, Row
from bot.support.clock import Ids

_PARAMETER = re.compile(r"(?<!:):(\w+)")
#: The parameter that stands for all rows.
_EACH = "each"
#: What only this engine is told; for SQLite it is a comment.
_OURS = re.compile(r"/\* postgresql: (.*?)\s\*/", re.DOTALL)


@cache
def numbered(query: str) -> tuple[str, tuple[str, ...]]:
    """Return a query with ``$1``, ``$2`` … in place of the names, and the names in that order."""
    query = _OURS.sub(r"\1", named_queries().get(query, query))
    names = tuple(dict.fromkeys(_PARAMETER.findall(query)))
    if _EACH in names:
        query = _PARAMETER.sub(lambda found: f"given.{found[1]}_" if found[1] != _EACH else found[0], query)
        names = (_EACH,)
    return _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", query), names


class PostgresTransaction:
    """Run named queries on the connection; the engine begins and ends the transaction."""

    def __init__(self, cursor: Callable[[], Cursor[Row]], time: StoreTime, ids: Ids) -> None:
        self.ids = ids
        self._cursor = cursor
        self._time = time
        #: How many rows were changed on this connection.
        self.changes = 0

    def _execute(self, query: str, params: dict[str, Any]) -> Cursor[Row]:
        text, names = numbered(query)
        done = self._cursor().execute(text.encode(), [_sent(params[name]) for name in names], prepare=True)
        if done.rowcount > 0 and not (done.statusmessage or "").startswith("SELECT"):
            self.changes += done.rowcount
        return done

    def all(self, query: str, **params: Any) -> list[Row]:
        """Return all rows."""
        return self._execute(query, params).fetchall()

    def one(self, query: str, **params: Any) -> Row | None:
        """Return the first row."""
        rows = self.all(query, **params)
        return rows[0] if rows else None

    def run(self, query: str, **params: Any) -> int:
        """Run a statement; return how many rows were written."""
        return self._execute(query, params).rowcount

    def run_each(self, query: str, params: Sequence[Parameters]) -> None:
        """Run a statement for each set of parameters, all at once."""
        if params:
            each = [{f"{name}_": clean(value) for name, value in one.items()} for one in params]
            self._execute(query, {_EACH: as_json(each)})

    def notify(self) -> None:
        """Wake whoever listens, once the transaction ends."""
        self._cursor().execute(b"NOTIFY usher")

    def now(self) -> float:
        """Return the store's epoch seconds."""
        return self._time.now()


def _sent(value: Any) -> str | None:
    cleaned = clean(value)
    return cleaned if cleaned is None or isinstance(cleaned, str) else repr(cleaned)
