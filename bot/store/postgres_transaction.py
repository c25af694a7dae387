"""The statements of one transaction of PostgreSQL, which are sent in a pipeline.

Every parameter is sent as text, and the statement's own columns say what it is: one prepared statement for
each query, whatever the values. A statement that is run for many rows gets them as one array of JSON objects,
``:each``, and its other parameters are columns of theirs, with a ``_`` behind their names: rows that differ
cost one statement, not one each. Only who asks for rows, or for their number, waits for the server, and then
for all that was sent until there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from psycopg import Cursor

from bot.domain.audit import AuditEntry
from bot.store.statements import read_queries
from bot.store.transaction import NotAlone, Parameters, Row, StoreTime, as_json, clean, find_written_table
from bot.support.clock import Ids
from bot.support.errors import StoreBusy

_PARAMETER_PATTERN = re.compile(r"(?<!:):(\w+)")
#: The parameter that stands for all rows.
_EACH = "each"
_WRITTEN_PATTERN = re.compile(r"\b(?:UPDATE|INSERT INTO|DELETE FROM) (\w+)")
#: What only this engine is told; for SQLite it is a comment.
_OWN_COMMENT_PATTERN = re.compile(r"/\* postgresql: (.*?)\s\*/", re.DOTALL)


@cache
def number_parameters(query: str) -> tuple[str, tuple[str, ...]]:
    """Return a query with ``$1``, ``$2`` … in place of the names, and the names in that order."""
    query = _OWN_COMMENT_PATTERN.sub(r"\1", read_queries().get(query, query))
    names = tuple(dict.fromkeys(_PARAMETER_PATTERN.findall(query)))
    if _EACH in names:
        query = _PARAMETER_PATTERN.sub(
            lambda found: f"given.{found[1]}_" if found[1] != _EACH else found[0], query
        )
        names = (_EACH,)
    return _PARAMETER_PATTERN.sub(lambda found: f"${names.index(found[1]) + 1}", query), names


class PostgresTransaction:
    """One transaction of PostgreSQL, with queries by name; the engine begins and ends the transaction."""

    def __init__(
        self,
        send: Callable[[bytes, Sequence[object]], Cursor[Row]],
        wait: Callable[[], None],
        commit: Callable[[], None],
        time: StoreTime,
        ids: Ids,
    ) -> None:
        self.ids = ids
        self._send = send
        self._wait = wait
        self._commit = commit
        self._time = time
        #: How many rows were changed on this connection, as far as it was waited for.
        self._changes = 0
        #: What was sent and may have written, and wasn't waited for.
        self._under_way: list[tuple[Cursor[Row], str]] = []
        self.begin(writes=False, is_alone=True)

    def begin(self, *, writes: bool, is_alone: bool) -> None:
        """Forget the former transaction. ``is_alone``: nobody else decides anything meanwhile."""
        self._is_alone = is_alone
        #: Whether it is known to have its turn.
        self._has_begun = not writes
        self._under_way.clear()
        #: What was asked and not taken, by its text and its parameters.
        self._ahead: dict[tuple[str, tuple[str | None, ...]], Cursor[Row]] = {}
        self.audit_entries: list[AuditEntry] = []
        self.audited: Row = {}
        self.may_commit: Callable[[], bool] | None = None
        #: Whether its commit was sent with its last statement.
        self.is_finished = False
        self.written: set[str] = set()

    def _execute(self, query: str, params: dict[str, Any]) -> Cursor[Row]:
        assert not self.is_finished, "nothing may follow"
        text, names = number_parameters(query)
        sent = self._send(text.encode(), [_encode_text(params[name]) for name in names])
        if not text.startswith("SELECT"):
            self._under_way.append((sent, text))
            for key in [
                key for key in self._ahead if key[0].startswith("SELECT") and _writes_to(text, key[0])
            ]:
                del self._ahead[key]
        return sent

    def settle(self) -> None:
        """Wait for all that may have written, if anything was sent since the last wait."""
        if self._under_way or not self._has_begun:
            self._catch_up()

    def expect_writes(self) -> None:
        """Note what may be written by what is under way."""
        self.written.update(*(find_written_table(text) for _, text in self._under_way))

    def _catch_up(self) -> None:
        """Wait for all that is under way, and note what it has written."""
        self._wait()
        self._note_written()

    def _note_written(self) -> None:
        self._has_begun = True
        for sent, text in self._under_way:
            if sent.rowcount > 0:
                self._changes += sent.rowcount
                self.written |= find_written_table(text)
        self._under_way.clear()

    def all(self, query: str, **params: Any) -> list[Row]:
        """Return all rows."""
        text, names = number_parameters(query)
        given = tuple(_encode_text(params[name]) for name in names)
        if self._ahead and (asked := self._ahead.pop((text, given), None)) is not None:
            if asked.pgresult is None:
                self._catch_up()
            return asked.fetchall()
        sent = self._execute(query, params)
        self._catch_up()
        return sent.fetchall()

    def one(self, query: str, **params: Any) -> Row | None:
        """Return the first row."""
        rows = self.all(query, **params)
        return rows[0] if rows else None

    def run(self, query: str, **params: Any) -> None:
        """Run a statement, without waiting for it."""
        self._execute(query, params)

    def count(self, query: str, **params: Any) -> int:
        """Run a statement; return how many rows were written."""
        sent = self._execute(query, params)
        self._catch_up()
        return sent.rowcount

    def ask(self, query: str, **params: Any) -> None:
        """Send a query for a later ``all`` or ``one`` of the same."""
        text, names = number_parameters(query)
        given = tuple(_encode_text(params[name]) for name in names)
        self._ahead[text, given] = self._execute(query, params)

    def finish(self) -> None:
        """Send the commit with all that is under way, and wait for both."""
        if self.may_commit is None or self.audit_entries:
            return
        if not self.may_commit():
            raise StoreBusy("nobody waits for it any more; nothing was done")
        self._commit()
        self.is_finished = True
        self._note_written()

    def run_each(self, query: str, params: Sequence[Parameters]) -> None:
        """Run a statement for each set of parameters, all at once."""
        if params:
            each = [{f"{name}_": clean(value) for name, value in one.items()} for one in params]
            self._execute(query, {_EACH: as_json(each)})

    def now(self) -> float:
        """Return the store's epoch seconds."""
        return self._time.now()

    def be_alone(self) -> None:
        """Return if nobody else decides anything meanwhile; else raise NotAlone."""
        if not self._is_alone:
            raise NotAlone

    @property
    def changes(self) -> int:
        """The number of rows changed on this connection, or to be added to the audit."""
        if self._under_way:
            self._catch_up()
        return self._changes + len(self.audit_entries)


@cache
def _writes_to(statement: str, query: str) -> bool:
    """Return whether a statement writes to a table that a query reads."""
    return any(re.search(rf"\b{table}\b", query) for table in _WRITTEN_PATTERN.findall(statement))


def _encode_text(value: Any) -> str | None:
    cleaned = clean(value)
    return cleaned if cleaned is None or isinstance(cleaned, str) else repr(cleaned)
