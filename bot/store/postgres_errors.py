"""What PostgreSQL's errors mean to the store's callers. Its own words may hold values: none is kept."""

from __future__ import annotations

import re

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bot.support.environment import NAME
from bot.support.errors import StoreAway, StoreBusy, StoreError, StoreNotMigrated, StoreUnavailable

_POOLED = (
    "a pooler in front of the database shares connections between transactions: use session pooling "
    "(PgBouncer: pool_mode = session)"
)
_CAUSES = {
    "25006": "the database is read-only",
    "3F000": "there is no schema to keep the tables in: correct the user's search_path",
    "26000": _POOLED,
    "42501": "its user may not do this: make that user the owner of the database",
    "42P05": _POOLED,
    "53100": "the disk of the database is full",
    "57014": "the database took too long",
}
#: The same work may succeed in a moment: a lock, a server that is starting or stopping, too many connections.
_PASSING = frozenset({"55P03", "40P01", "40001", "25P03", "53300", "57P01", "57P02", "57P03"})
#: ``feature_not_supported``: what a prepared statement gets once a migration has changed its table.
STALE_PLAN = "0A000"
_NO_SERVER = "no server answers there: start it, or correct the address"
_TOO_LATE = "no server answers there in time"
_FULL = "the server has no free connection"
#: What is said of a connection whose first statement wasn't answered.
UNANSWERED = "the first statement was not answered"
_NOT_SERVED = (
    "it accepts connections, and doesn't answer: if there is a pooler in between, let it keep enough of them "
    "to the server, five for each process of Usher"
)
_RESTARTS = "the server is starting or stopping"
#: By what the client library says when it can't connect.
_NOT_OPENED = (
    (r"root certificate file", "the file of sslrootcert can't be read"),
    (
        r"does not match host name",
        "its certificate is for another host: write the name that it is for in the URL",
    ),
    (
        r"certificate verify failed|self.signed",
        "its certificate can't be verified: set sslrootcert to the certificate of who signed it",
    ),
    (
        r"does not support SSL",
        "it doesn't encrypt connections, which sslmode asks for: switch ssl on at the server",
    ),
    (r"password authentication failed|no password supplied", "the user or the password in it is wrong"),
    (r"role .* does not exist", "there is no such user"),
    (r"database .* does not exist", "there is no such database: create it first"),
    (r"permission denied for database", "its user may not connect to that database"),
    (r"no pg_hba.conf entry", "the server admits no such connection: see its pg_hba.conf"),
    (r"could not translate host name|failed to resolve host", "there is no such host"),
    (rf"{UNANSWERED}|query_wait_timeout", _NOT_SERVED),
    (r"refused|No such file|server login has been failing", _NO_SERVER),
    (r"timeout|timed out", _TOO_LATE),
    (r"too many clients|remaining connection slots|no more connections", _FULL),
    (r"starting up|shutting down|recovery mode|not (yet )?accepting connections", _RESTARTS),
    (r"closed the connection|terminating connection|reset by peer|Broken pipe", _RESTARTS),
    (r"certificate|SSL", "no secure connection can be made: see sslmode and the server's certificate"),
)


def is_passing(error: psycopg.Error) -> bool:
    """Return whether the same work may succeed in a moment."""
    return error.sqlstate in _PASSING or error.sqlstate == STALE_PLAN


def translated(error: Exception) -> Exception:
    """Translate an error of PostgreSQL to one that callers know; return others unchanged."""
    if not isinstance(error, psycopg.Error):
        return error
    if isinstance(error, psycopg.IntegrityError):
        return StoreError(f"the data's own rules forbid it ({error.diag.constraint_name or error.sqlstate})")
    if error.sqlstate is None or is_passing(error):
        return StoreBusy("the connection to the database was lost; nothing was done")
    if isinstance(error, psycopg.errors.UndefinedTable):
        return StoreNotMigrated(f"the database is not migrated; run: {NAME} migrate")
    return StoreUnavailable(_CAUSES.get(error.sqlstate) or f"the database failed (SQLSTATE {error.sqlstate})")


def standby_error() -> StoreAway:
    """Return the error for a server that only follows another one; it may take that one's place."""
    return StoreAway(
        "the database is a standby, which can only be read: give the address of the primary, or those of all "
        "servers with target_session_attrs=read-write"
    )


def pooling_error() -> StoreUnavailable:
    """Return the error for connections that others use between two transactions."""
    return StoreUnavailable(_POOLED)


def label(url: str) -> str:
    """Return what may be said of a database's URL: the server and the name, nothing that opens it."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error:
        return "USHER_DATABASE_URL"
    host, port, name = (str(parts.get(key) or "") for key in ("host", "port", "dbname"))
    return f"postgresql://{host}{':' if port else ''}{port}/{name}"


def not_opened(url: str, error: psycopg.Error) -> StoreUnavailable:
    """Return the error for operators when a database can't be opened."""
    why = why_not_opened(url, error)
    is_away = why.endswith((_NO_SERVER, _TOO_LATE, _FULL, _NOT_SERVED, _RESTARTS))
    return StoreAway(why) if is_away else StoreUnavailable(why)


def why_not_opened(url: str, error: psycopg.Error) -> str:
    """Return the cause for operators when a database can't be opened."""
    if isinstance(error, psycopg.ProgrammingError):
        cause = "the URL is not understood: write postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    else:
        text = str(error)
        causes = (cause for pattern, cause in _NOT_OPENED if re.search(pattern, text, re.IGNORECASE))
        cause = next(causes, "see the log of the PostgreSQL server")
    return f"{label(url)} can't be opened: {cause}"
