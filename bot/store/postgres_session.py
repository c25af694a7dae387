"""Opens a connection to PostgreSQL, reconnects when it is lost, and handles its locks, errors and schema."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from math import inf
from select import POLLIN, poll
from socket import SHUT_RDWR, socket
from threading import Timer
from time import monotonic, sleep
from typing import Any, ClassVar, Final

import psycopg
import structlog
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from bot.store import schema
from bot.store.postgres_errors import (
    FIRST_STATEMENT_UNANSWERED,
    POOLED,
    STANDBY,
    describe_url,
    make_open_error,
    translate,
)
from bot.store.postgres_servers import TIMELINE, Servers
from bot.store.postgres_transaction import CLOCK_QUERY, OF_SCHEMA, DatabaseClock, PostgresTransaction
from bot.store.transaction import Row, StoreTime
from bot.support.clock import Ids
from bot.support.errors import StoreAway, StoreBusy, StoreError, StoreRefused, StoreUnavailable
from bot.support.settings.database import read_sign_in_again

log = structlog.get_logger(__name__)

#: The oldest PostgreSQL version that is still maintained.
OLDEST_VERSION = 140_000
#: Seconds to wait before reconnecting. If a server answers but can't be used, ``REFUSED_SECONDS`` applies.
RETRY_SECONDS, REFUSED_SECONDS = 0.1, 1.0
#: Timeout, in seconds, for the first statement on a new connection.
FIRST_STATEMENT_SECONDS = 5.0
#: If the connection is lost during a commit, Usher keeps checking for this many seconds whether the commit
#: took effect. By then, any lease taken in it has expired, and another process may do the work.
OUTCOME_SECONDS = 60.0

#: PostgreSQL settings for each connection. Waits for locks are short, so that a transaction whose caller has
#: given up doesn't hold up others. If a process hangs in the middle of a transaction, or its machine
#: disappears, its locks are released. Query plans are reused for all parameter values.
_SETTINGS = (
    "SET lock_timeout = '1s'; SET statement_timeout = '20s'; "
    "SET idle_in_transaction_session_timeout = '10s'; SET plan_cache_mode = force_generic_plan; "
    "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3; "
    # An acknowledged commit must survive a crash. The other values are kept, because with them a commit also
    # waits for a standby.
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') IN ('off', 'local')"
)
#: SQL that limits how long a transaction may take, on servers that can do so (PostgreSQL 17 and newer).
#: Without it, a transaction whose process or connection hangs while its pipeline is open keeps its locks,
#: because the session counts as active and no other timeout runs.
_LIMIT = (
    "SELECT set_config('transaction_timeout', '{seconds}s', {is_local}) "
    "WHERE current_setting('transaction_timeout', true) IS NOT NULL"
)
_UNLIMITED = f"SET LOCAL statement_timeout = 0; {_LIMIT.format(seconds=0, is_local=True)}"
_NOT_TAKEN = "{name} doesn't take what {table} has: {said}. Nothing was copied."
_NOT_EMPTY = "{name} isn't empty: create a new database and copy into that. Nothing was copied."
_SERVER_COLUMNS = f"{CLOCK_QUERY}, pg_is_in_recovery() AS is_standby, {TIMELINE}"
#: Key of an installation's advisory lock. All serving processes share the lock. It can be taken exclusively
#: only while none of them is running.
SERVING: Final = 1_970_497_907
_ALONE, _SHARED = "", "_shared"
_CLOSED_TO_SERVERS = "the database is closed to who serves from it"
_PAST = (
    "this server lives in the past: another one has taken its place, and doesn't answer. Start that one "
    "again; if it is lost, restart Usher"
)
_HALF = "another connection of this process is away"


class PostgresSession:
    """The connection of one of the engine's threads. It is re-established whenever it is lost."""

    errors: ClassVar[tuple[type[Exception], ...]] = (psycopg.Error,)

    def __init__(
        self,
        url: str,
        clock: DatabaseClock,
        time: StoreTime,
        ids: Ids,
        servers: Servers,
        is_allowed: Callable[[], bool] | None = None,
    ) -> None:
        """``is_allowed`` returns whether this session may still write in parallel with other sessions."""
        self._url = url
        self._servers = servers
        self._is_allowed = is_allowed
        self._clock = clock
        self._connection: psycopg.Connection[Row] | None = None
        #: Why there is no connection, or "" if there is one.
        self.problem = ""
        #: Why the last server that answered couldn't be used. Until ``_asks_at``, the session raises this
        #: error again instead of trying to connect.
        self._refusal: StoreUnavailable | None = None
        self._asks_at = 0.0
        #: When servers began to refuse the sign-in. None if the last attempt to connect wasn't refused.
        self._refused_since: float | None = None
        #: The modes in which this connection holds the installation's advisory lock (``SERVING``).
        self._locks: set[str] = set()
        #: The id of the database system and its timeline (see ``TIMELINE``). ``is_compared`` says whether
        #: they have been compared with the values stored in the database.
        self.timeline, self.is_compared = "", False
        self.transaction = PostgresTransaction(clock, time, ids)
        #: How long a transaction may take, in seconds, or 0 for any length.
        self.limit_seconds = 60

    def open(self) -> None:
        """Connect. If that fails, raise StoreUnavailable with the cause, in words for operators."""
        try:
            self._connect()
        except psycopg.Error as error:
            raise make_open_error(self._url, error) from None
        except StoreUnavailable as error:
            raise type(error)(f"{describe_url(self._url)}: {error}") from None

    def begin(self, *, writes: bool, subjects: Sequence[str] = ()) -> None:
        """Begin a transaction. If it writes, it waits for its turn and reads the database's clock.

        All of this is sent together with the first statement, so this call itself doesn't wait.
        """
        if self.is_away or not self._servers.note(self.timeline):
            self._connect_again()
        if writes and not (self._is_allowed is None or self._is_allowed()):
            # Behave as if this session's own connection were down.
            sleep(RETRY_SECONDS)
            raise psycopg.errors.CannotConnectNow(_HALF)
        self.transaction.begin(writes=writes, is_alone=self._is_allowed is None, subjects=subjects)

    def commit(self) -> None:
        """Commit the transaction. Raise StoreBusy if the connection was lost and nothing was written."""
        if self.transaction.is_finished:
            return
        try:
            self.transaction.commit()
        except psycopg.OperationalError:
            if not self.is_away:
                raise
            if not self.transaction.id:
                raise StoreBusy("the connection to the database was lost; nothing was done") from None
            self._find_outcome(self.transaction.id, self.timeline)

    def rollback(self) -> None:
        """Roll back if a transaction is open."""
        self.transaction.abandon()
        connection = self._connection
        if connection is None or self.is_away or self._is_idle(connection):
            return
        with suppress(psycopg.Error):
            # A rollback sent through psycopg makes it forget its prepared statements. A migration may have
            # changed their tables.
            connection.execute("ROLLBACK")

    def translated(self, error: Exception) -> Exception:
        """Translate a PostgreSQL error into one of the store's errors. Return other exceptions unchanged."""
        return translate(error, is_away=self.is_away)

    def close(self) -> None:
        """Close the connection, releasing its locks first.

        Otherwise, the locks would be held until the server notices that the connection is closed.
        """
        if self._connection is not None:
            with suppress(psycopg.Error):
                for mode in sorted(self._locks):
                    _ask_lock(self._cursor(), f"pg_advisory_unlock{mode}")
            self._connection.close()

    @property
    def is_away(self) -> bool:
        """Return whether there is no connection."""
        return self._connection is None or self._connection.closed

    @property
    def is_cut(self) -> bool:
        """Return whether the server has sent something unprompted.

        This usually means that it is disconnecting.
        """
        connection, said = self._connection, poll()
        assert connection is not None  # opened before any work
        with suppress(psycopg.Error):
            said.register(connection.fileno(), POLLIN)
        return self._is_idle(connection) and bool(said.poll(0))

    def take_lock(self, *, alone: bool = False) -> bool:
        """Take the lock for serving, which all serving processes share, and keep it.

        If ``alone`` is true, take the lock exclusively, which is possible only if no other process is
        serving. Return False if the lock isn't available now.
        """
        mode = _ALONE if alone else _SHARED
        if mode not in self._locks and not _ask_lock(self._cursor(), f"pg_try_advisory_lock{mode}"):
            return False
        self._locks.add(mode)
        return True

    def is_alone(self) -> bool:
        """Return whether no other process is serving, and none can begin until the open transaction ends."""
        return _ask_lock(self._cursor(), "pg_try_advisory_xact_lock")

    def applied(self) -> dict[str, str]:
        """Map each migration that ran on this database to the release that ran it.

        If the release wasn't recorded, it is "".
        """
        found: dict[str, str] = {}
        for table, release in (("migrations", "''"), ("schema_changes", "oldest")):
            row = (
                self._cursor().execute(b"SELECT to_regclass($1) IS NOT NULL AS is_there", [table]).fetchone()
            )
            if row is not None and row["is_there"]:
                # Other tools' tables of this name lack the column applied_at.
                columns = f"name, applied_at, {release} AS release"
                rows = self._cursor().execute(f"SELECT {columns} FROM {table}".encode())  # noqa: S608
                found |= {row["name"]: row["release"] for row in rows}
        return found

    def apply(self, name: str, script: str) -> None:
        """Run a migration and record it, both in the open transaction."""
        self._cursor().execute(_UNLIMITED)
        for statements in (*schema.CREATE_MIGRATIONS, script):
            # With this collation, strings compare as in SQLite, whatever the database's default is.
            self._cursor().execute(schema.TEXT_PATTERN.sub('TEXT COLLATE "C"', statements).encode())
        schema.record_migration(self.transaction, name, script)

    def fill(self, tables: Iterator[schema.TableCopy], name: str) -> dict[str, int]:
        """Copy tables into an empty database, within the open transaction. Return each table's row count."""
        self._cursor().execute(_UNLIMITED)
        if self._count("audit WHERE seq > 0"):
            raise StoreError(_NOT_EMPTY.format(name=name))
        self._cursor().execute("DELETE FROM audit")
        counts: dict[str, int] = {}
        for table, names, rows in tables:
            if self._count(table):
                raise StoreError(_NOT_EMPTY.format(name=name))
            columns, number = ", ".join(f'"{column}"' for column in names), 0
            try:
                with self._cursor().copy(f"COPY {table} ({columns}) FROM STDIN".encode()) as copy:
                    for number, row in enumerate(rows, 1):  # noqa: B007 - the last one is the count
                        copy.write_row(row)
            except psycopg.DataError as error:
                said = error.diag.message_primary or error
                raise StoreError(_NOT_TAKEN.format(name=name, table=table, said=said)) from None
            if self._count(table) != number:
                raise StoreError(f"{name} has not taken every row of {table}; nothing was copied.")
            counts[table] = number
        return counts

    def _count(self, rows: str) -> int:
        row = self._cursor().execute(f"SELECT COUNT(*) AS count FROM {rows}".encode()).fetchone()  # noqa: S608
        return int(row["count"]) if row is not None else 0

    # -- the connection --------------------------------------------------------------------------------------

    def _cursor(self) -> psycopg.Cursor[Row]:
        """Return a cursor on which each statement waits for its result."""
        self.transaction.wait_for_each()
        assert self._connection is not None  # opened before any work
        return self._connection.cursor()

    @staticmethod
    def _is_idle(connection: psycopg.Connection[Row]) -> bool:
        return connection.info.transaction_status is TransactionStatus.IDLE

    def _connected(self) -> psycopg.Connection[Row]:
        connection = psycopg.Connection[dict[str, object]].connect(
            self._servers.choose(self._url),
            autocommit=True,
            row_factory=dict_row,
            cursor_factory=psycopg.RawCursor,
        )
        # None: all statements stay prepared.
        connection.prepared_max = None
        return connection

    def _connect(self) -> None:
        if self._connection is not None:
            self.transaction.abandon()
            self._connection.close()
        connection = self._connected()
        try:
            if refusal := _explain_refusal(connection.info):
                raise StoreUnavailable(refusal)
            with _cut_unless_answered(connection):
                limit = _LIMIT.format(seconds=self.limit_seconds, is_local=False)
                connection.execute(f"{_SETTINGS}; {limit}".encode())
                self._clock.answer_seconds = inf
                before = self._clock.monotonic()
                server = self._clock.take(before, connection.execute(_SERVER_COLUMNS.encode()))
            if server["is_standby"]:
                raise StoreAway(STANDBY)
            if not self._servers.note(server["timeline"]):
                raise StoreUnavailable(_PAST)
            self.timeline, self.is_compared = server["timeline"], False
            for mode in sorted(self._locks):
                if not _ask_lock(connection.cursor(), f"pg_try_advisory_lock{mode}"):
                    raise psycopg.OperationalError(_CLOSED_TO_SERVERS)
        except (psycopg.Error, StoreUnavailable):
            # Nothing may be written on a connection that lacks these settings or the lock.
            connection.close()
            raise
        self._connection = self.transaction.connection = connection

    def _connect_again(self) -> None:
        if self._refusal is not None and monotonic() < self._asks_at:
            # Raise the known refusal immediately, so that callers get the reason before they time out.
            raise type(self._refusal)(str(self._refusal))
        try:
            self._connect()
        except (psycopg.Error, StoreUnavailable) as error:
            failed = make_open_error(self._url, error) if isinstance(error, psycopg.Error) else error
            if not self.problem:
                # If several attempts in a row fail, log only the first.
                log.warning("the connection to the database was lost", problem=str(failed))
            now, self.problem = monotonic(), str(failed)
            before, self._url = self._url, read_sign_in_again(self._url)
            self._refused_since = (self._refused_since or now) if isinstance(failed, StoreRefused) else None
            # A server that refuses the sign-in may still be starting, or have no free connections for the
            # moment.
            lasts = self._refused_since is not None and now - self._refused_since >= REFUSED_SECONDS
            if error is failed or (lasts and self._url == before):
                self._refusal, self._asks_at = failed, now + REFUSED_SECONDS
                raise failed from None
            sleep(RETRY_SECONDS)
            raise
        if self.problem:
            log.info("the database is back", database=describe_url(self._url))
        self.problem, self._refused_since = "", None

    def _find_outcome(self, transaction: str, timeline: str) -> None:
        """Find out whether a commit took effect when its connection was lost. Raise StoreBusy if it didn't.

        On another timeline, the transaction's number may have been given to a different transaction, so only
        the audit row can tell.
        """
        until = monotonic() + OUTCOME_SECONDS
        while monotonic() < until:
            with suppress(psycopg.Error, StoreUnavailable):
                if self.is_away:
                    self._connect_again()
                if self.timeline != timeline:
                    if not self.transaction.audited:
                        break
                    if self.transaction.one("was_audited", **self.transaction.audited) is not None:
                        return
                    raise StoreBusy("the database has lost its last seconds; nothing was done")
                cursor = self._cursor().execute(b"SELECT pg_xact_status($1::xid8) AS status", [transaction])
                row = cursor.fetchone()
                if row is not None and row["status"] == "committed":
                    return
                if row is None or row["status"] != "in progress":
                    raise StoreBusy("the connection to the database was lost; nothing was done")
            sleep(RETRY_SECONDS)
        raise StoreUnavailable("the connection to the database was lost; it may or may not have been done")


def _explain_refusal(server: psycopg.ConnectionInfo) -> str:
    """Return why this server or database can't be used, or "" if it can."""
    if server.server_version < OLDEST_VERSION:
        return f"the database is PostgreSQL {server.server_version // 10_000}: Usher needs 14 or newer"
    if server.parameter_status("server_encoding") != "UTF8":
        return "the database can't store every text: create it with ENCODING 'UTF8'"
    return ""


def _ask_lock(cursor: psycopg.Cursor[Row], function: str) -> bool:
    row = cursor.execute(f"SELECT {function}({SERVING}, {OF_SCHEMA}) AS done".encode()).fetchone()
    return bool(row and row["done"])


@contextmanager
def _cut_unless_answered(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Abort a connection if its first statement isn't answered in time.

    Neither poolers nor libpq do this.
    """
    cuts = []

    def cut() -> None:
        cuts.append(connection)
        with suppress(OSError, psycopg.Error), socket(fileno=os.dup(connection.fileno())) as line:
            line.shutdown(SHUT_RDWR)

    timer = Timer(FIRST_STATEMENT_SECONDS, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except psycopg.OperationalError:
        if not cuts:
            raise
        raise psycopg.OperationalError(FIRST_STATEMENT_UNANSWERED) from None
    finally:
        timer.cancel()
        timer.join()


def refuse_pooling(url: str, servers: Servers) -> None:
    """Raise StoreAway if a pooler assigns connections per transaction rather than per session.

    With such a pooler, several server processes serve one of Usher's connections, or two of Usher's
    connections share one server process. Check this before changing any settings, because they would still
    apply to the server process's next client.
    """
    try:
        with ExitStack() as stack:
            one, other = (
                stack.enter_context(psycopg.connect(servers.choose(url), autocommit=True)) for _ in range(2)
            )
            first, again, others, last = (_ask_pid(each) for each in (one, one, other, one))
    except psycopg.Error as error:
        raise make_open_error(url, error) from None
    if first != again or first == others or first != last:
        raise StoreAway(f"{describe_url(url)}: {POOLED}")


def _ask_pid(connection: psycopg.Connection[tuple[int]]) -> int:
    with _cut_unless_answered(connection):
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return row[0] if row is not None else 0
