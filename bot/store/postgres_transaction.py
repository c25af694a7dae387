"""The statements of a PostgreSQL transaction, which are sent in a pipeline.

Every parameter is sent as text and takes its type from the columns in the statement, so each query is
prepared only once, whatever its values. A statement that runs for many rows receives them as one JSON array
of objects, ``:each``. Its other parameters are named after the keys of these objects, with ``_`` appended.
One statement is therefore enough even if each row gets different values. Callers wait for the server only if
they need rows or the number of changed rows, and then for the results of everything sent so far.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from functools import cache
from math import inf
from threading import Lock
from typing import Any, Final

import psycopg
from psycopg import Cursor

from bot.store.audit import append_rows
from bot.store.postgres_errors import STANDBY
from bot.store.queues import KINDS_BY_TABLE
from bot.store.statements import OWN_COMMENT_PATTERN, PARAMETER_PATTERN, find_query, number_parameters
from bot.store.transaction import (
    NotAlone,
    Parameters,
    Row,
    StoreTime,
    Transaction,
    as_json,
    clean,
    find_written_table,
)
from bot.support.clock import Clock, Ids
from bot.support.errors import StoreAway, StoreBusy, StoreMigrated
from bot.support.release import RELEASE

CLOCK_QUERY = "SELECT extract(epoch FROM clock_timestamp())::float8 AS epoch"
_NEWEST_MIGRATION = "(SELECT max(name) FROM migrations) AS newest_migration"
#: Key of the advisory lock for transactions that write. A transaction that must run alone holds the lock
#: exclusively, and all others share it. Each database schema has its own lock.
WRITING: Final = 1_970_497_906
OF_SCHEMA = "hashtext(coalesce(current_schema(), ''))"
_BEGIN_WRITE: Final = b"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
LOCK_ALONE, _LOCK_BESIDE = (
    f"SELECT {lock}({WRITING}, {OF_SCHEMA})".encode()
    for lock in ("pg_advisory_xact_lock", "pg_advisory_xact_lock_shared")
)
#: SQL that locks a transaction's subjects, meaning the people or other things whose rows it touches. They are
#: always locked in the same order, so that deadlocks can't occur.
_LOCK_SUBJECTS: Final = (
    b"SELECT pg_advisory_xact_lock(1970497908, wanted.key) FROM ("
    b"SELECT DISTINCT hashtext(coalesce(current_schema(), '') || name) AS key FROM ("
    b"SELECT unnest($1::text[]) AS name "
    b"UNION ALL SELECT principal FROM workspaces WHERE id = ANY ($1::text[])) named ORDER BY key) wanted"
)
#: The first query of a transaction that writes. It returns the time and the transaction's id. If a commit
#: gets no answer, the id later shows whether the commit took effect.
_BEGUN: Final = f"{CLOCK_QUERY}, pg_current_xact_id()::text AS id"
#: SQL that makes the commit fail, by dividing by zero, if a newer release has migrated the database.
_REFUSE_MIGRATED: Final = b"SELECT 1 / (max(name) <= $1)::int AS is_known FROM migrations"
_MIGRATED = (
    "The database was migrated by a newer release of Usher ({name}), and this is {release}: this process has "
    "stopped. Nothing that was asked for is lost: start the newer release."
)
_BEGIN_READ: Final = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

#: Name of the parameter in which ``run_each`` passes its rows, as one JSON array.
_EACH = "each"
_WRITTEN_PATTERN = re.compile(r"\b(?:UPDATE|INSERT INTO|DELETE FROM) (\w+)")


@cache
def translate_query(query: str) -> tuple[str, tuple[str, ...]]:
    """Return a query in PostgreSQL's syntax (``$1``, ``$2`` …), and its parameters' names in order."""
    query = OWN_COMMENT_PATTERN.sub(r"\1", find_query(query))
    if f"(:{_EACH})" in query:
        query = PARAMETER_PATTERN.sub(
            lambda found: f"given.{found[1]}_" if found[1] != _EACH else found[0], query
        )
    return number_parameters(query, "$")


class PostgresTransaction(Transaction):
    """The transaction that is open on a connection, with its statements sent in a pipeline.

    Its session opens the connection, and begins and ends the transaction.
    """

    def __init__(self, clock: DatabaseClock, time: StoreTime, ids: Ids) -> None:
        super().__init__(time, ids)
        self._clock = clock
        #: The database connection. If it is lost, the session replaces it.
        self.connection: psycopg.Connection[Row] | None = None
        #: The open pipeline. ``_sync`` waits for everything that was sent through it.
        self._pipeline: AbstractContextManager[psycopg.Pipeline] | None = None
        self._sync: Callable[[], None] = lambda: None
        #: Whether commits tell listening processes which tables were written.
        self.notifies = True
        #: The newest migration that this release knows. If it is set, commits fail once the database has a
        #: newer migration.
        self.newest_known = ""
        #: Number of rows changed on this connection, not counting statements whose results haven't arrived
        #: yet.
        self._changes = 0
        self._forget()

    def _forget(self) -> None:
        """Reset everything known about the previous transaction."""
        self._writes = False
        self._is_alone = True
        #: The transaction's id, or "" until it is known. It can later show whether the commit took effect.
        self.id = ""
        #: The monotonic time at which the transaction asked for the database's time, and the cursor for the
        #: answer. None once the answer has been read.
        self._asked: tuple[float, Cursor[Row]] | None = None
        #: Statements in flight that may have written rows, each with its SQL text.
        self._under_way: list[tuple[Cursor[Row], str]] = []
        #: The cursor of each prefetched query, keyed by the query's SQL and parameters.
        self._ahead: dict[tuple[str, tuple[str | None, ...]], Cursor[Row]] = {}
        self.audit_rows = []
        self.audited = {}
        self.may_commit = None
        #: Whether the commit has already been sent together with the last statement.
        self.is_finished = False
        self.written = set()

    def begin(self, *, writes: bool, is_alone: bool, subjects: Sequence[str] = ()) -> None:
        """Begin a transaction. BEGIN is sent together with the first statement, so this call doesn't wait.

        If ``is_alone`` is true, no other transaction that makes decisions runs at the same time. Otherwise,
        transactions wait for each other only if they have a subject in common (see ``concerns``).
        """
        self._forget()
        self._writes, self._is_alone = writes, is_alone
        assert self.connection is not None  # made before any work
        self._pipeline = self.connection.pipeline()
        self._sync = self._pipeline.__enter__().sync
        if not writes:
            self._send(_BEGIN_READ)
            return
        self._send(_BEGIN_WRITE)
        self._send(LOCK_ALONE if is_alone else _LOCK_BESIDE)
        if subjects and not is_alone:
            self._send(_LOCK_SUBJECTS, [list(subjects)])
        newest = f", {_NEWEST_MIGRATION}" if self.newest_known else ""
        self._asked = self._clock.monotonic(), self._send(f"{_BEGUN}{newest}".encode())

    @property
    def _begins(self) -> bool:
        """Return whether this transaction writes and the server hasn't yet confirmed that it has begun."""
        return self._writes and not self.id

    # -- sending and waiting ---------------------------------------------------------------------------------

    def _send(self, statement: bytes, params: Sequence[object] = ()) -> Cursor[Row]:
        """Send a prepared statement. Its result is available after the next wait."""
        assert self.connection is not None  # made before any work
        try:
            return self.connection.cursor().execute(statement, params, prepare=True)
        except psycopg.Error as error:
            # The error may come from an earlier statement in the pipeline.
            self._explain(error)
            raise

    def _catch_up(self, *, leaves: bool = False) -> None:
        """Wait for everything in flight. Record which tables and how many rows it changed.

        If ``leaves`` is true, also leave the pipeline. Callers then wait for each later statement.
        """
        try:
            if leaves:
                self._leave_pipeline()
            elif self._pipeline is not None:
                self._sync()
        except psycopg.Error as error:
            self._explain(error)
            raise
        if self._asked is not None:
            self._note_begun(*self._asked)
        for sent, text in self._under_way:
            if sent.rowcount > 0:
                self._changes += sent.rowcount
                self.written |= find_written_table(text)
        self._under_way.clear()

    def _explain(self, error: psycopg.Error) -> None:
        """If an error occurs while the transaction is still beginning, raise a clearer error if possible."""
        if self._asked is not None and self._asked[1].pgresult is not None:
            self._note_begun(*self._asked)
        elif self._begins and isinstance(error, psycopg.errors.FeatureNotSupported):
            # No query plan can be stale this early, so the server must be a standby, which refuses to begin
            # the transaction. It is tried again after reconnecting.
            assert self.connection is not None  # made before any work
            self.connection.close()
            raise StoreAway(STANDBY) from None

    def _note_begun(self, before: float, asked: Cursor[Row]) -> None:
        """Read the transaction's id and the database's time from the result of its first query.

        Raise StoreMigrated if a newer release has migrated the database.
        """
        self._asked = None
        begun = self._clock.take(before, asked)
        self.id = begun["id"]
        self._time.catch_up()
        if self.newest_known and (newest := begun["newest_migration"]) > self.newest_known:
            raise StoreMigrated(_MIGRATED.format(name=newest, release=RELEASE)) from None

    def _leave_pipeline(self) -> None:
        if self._pipeline is not None:
            pipeline, self._pipeline = self._pipeline, None
            pipeline.__exit__(None, None, None)

    def wait_for_each(self) -> None:
        """Wait for everything in flight. From now on, also wait for each statement."""
        if self._pipeline is not None:
            self._catch_up(leaves=True)

    def settle(self, *, waits: bool) -> None:
        """Wait until the transaction has begun. If ``waits`` is true, also wait for all writes in flight."""
        if self._begins or (waits and self._under_way):
            self._catch_up()

    def commit(self) -> None:
        """Send the audit rows and the commit along with all statements in flight, and wait for everything."""
        append_rows(self)
        if self.newest_known and self._begins:
            self._send(_REFUSE_MIGRATED, [self.newest_known])
        self.written.update(*(find_written_table(text) for _, text in self._under_way))
        # Send a hint only if the tables can make work due, because commits that notify wait for one another.
        if self.notifies and (tables := self.written & KINDS_BY_TABLE.keys()):
            # This is sent together with the commit, so it costs no extra round trip.
            self._send(b"SELECT pg_notify('usher', $1)", [" ".join(sorted(tables))])
        self._send(b"COMMIT")
        self._catch_up(leaves=True)

    def abandon(self) -> None:
        """Leave the pipeline and ignore its results. Its statements have failed or are being rolled back."""
        with suppress(psycopg.Error):
            self._leave_pipeline()

    def finish(self) -> None:
        """Send the commit along with everything in flight, and wait for both."""
        if self.may_commit is None or self.audit_rows:
            return
        if not self.may_commit():
            raise StoreBusy("nobody waits for it any more; nothing was done")
        self.commit()
        self.is_finished = True

    # -- statements ------------------------------------------------------------------------------------------

    def _execute(self, query: str, params: dict[str, Any]) -> Cursor[Row]:
        assert not self.is_finished, "nothing may follow"
        text, given = _number(query, params)
        sent = self._send(text.encode(), given)
        if not text.startswith("SELECT"):
            self._under_way.append((sent, text))
            for key in [
                key for key in self._ahead if key[0].startswith("SELECT") and _writes_to(text, key[0])
            ]:
                del self._ahead[key]
        return sent

    def all(self, query: str, **params: Any) -> list[Row]:
        """Return all rows of a query."""
        asked = self._ahead.pop(_number(query, params), None) if self._ahead else None
        if asked is None or asked.pgresult is None:
            asked = asked or self._execute(query, params)
            self._catch_up()
        return asked.fetchall()

    def run(self, query: str, **params: Any) -> None:
        """Send a statement without waiting for its result."""
        self._execute(query, params)

    def count(self, query: str, **params: Any) -> int:
        """Run a statement, and return how many rows it wrote."""
        sent = self._execute(query, params)
        self._catch_up()
        return sent.rowcount

    def ask(self, query: str, **params: Any) -> None:
        """Prefetch a query. A later ``all`` or ``one`` with the same text and parameters uses the result."""
        self._ahead[_number(query, params)] = self._execute(query, params)

    def run_each(self, query: str, params: Sequence[Parameters]) -> None:
        """Run a statement for many sets of parameters at once."""
        if params:
            each = [{f"{name}_": clean(value) for name, value in one.items()} for one in params]
            self._execute(query, {_EACH: as_json(each)})

    def be_alone(self) -> None:
        """Raise NotAlone if other transactions that make decisions can run at the same time."""
        if not self._is_alone:
            raise NotAlone

    @property
    def changes(self) -> int:
        """Return how many rows were changed on this connection.

        Audit rows that are still to be written count, too.
        """
        if self._under_way:
            self._catch_up()
        return self._changes + len(self.audit_rows)


def _number(query: str, params: dict[str, Any]) -> tuple[str, tuple[str | None, ...]]:
    """Return a query with numbered parameters, along with the parameters' values in order."""
    text, names = translate_query(query)
    return text, tuple(_encode_text(params[name]) for name in names)


@cache
def _writes_to(statement: str, query: str) -> bool:
    """Return whether a statement writes to a table that a query reads."""
    return any(re.search(rf"\b{table}\b", query) for table in _WRITTEN_PATTERN.findall(statement))


def _encode_text(value: Any) -> str | None:
    cleaned = clean(value)
    return cleaned if cleaned is None or isinstance(cleaned, str) else repr(cleaned)


class DatabaseClock:
    """Keeps the database's time: the last reading of its clock, advanced by the machine's monotonic clock."""

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self._lock = Lock()
        self._ahead = machine.now() - machine.monotonic()
        self._is_known = False
        #: Shortest response time since Usher last connected, in seconds. Longer times include delays on a
        #: busy machine, so the shortest is the best measure of the distance to the server.
        self.answer_seconds = inf

    def note(self, before: float, epoch: float, after: float) -> None:
        """Adjust to a reading of the database's clock, taken between two moments of the monotonic clock.

        The current offset is kept as far as the reading allows, so that a slow response doesn't look like a
        clock change. The first reading always replaces the machine's own offset, and counts as the earliest
        time that it allows. If this clock were ahead of the database's, gates and limits set by other
        processes would seem to open too early.
        """
        with self._lock:
            known = self._ahead if self._is_known else epoch - after
            self._ahead = min(max(known, epoch - after), epoch - before)
            self._is_known = True
            self.answer_seconds = min(self.answer_seconds, after - before)

    def take(self, before: float, asked: Cursor[Row]) -> Row:
        """Adjust to the clock reading in a query's result, and return the row.

        ``before`` is the monotonic time at which the query was sent.
        """
        row = asked.fetchone()
        assert row is not None  # a SELECT without a table always returns a row
        self.note(before, row["epoch"], self.monotonic())
        return row

    def now(self) -> float:
        """Return the current time by the database's clock, in epoch seconds."""
        return self._ahead + self._machine.monotonic()

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return self._machine.monotonic()

    def boot(self) -> str:
        """Return an id that identifies the machine's current boot."""
        return self._machine.boot()
