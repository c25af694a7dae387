"""Errors from PostgreSQL and poolers: when to retry, whether the server is down, and what to tell operators.

The server may answer in any language, so errors are classified by SQLSTATE. An error without a SQLSTATE means
that the server is down. The wording of an error is used only to choose the message.
"""

import re
from collections.abc import Sequence
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bot.support.environment import PROGRAM_NAME
from bot.support.errors import (
    StoreAway,
    StoreBusy,
    StoreError,
    StoreNotMigrated,
    StoreRefused,
    StoreUnavailable,
)

#: Shown to operators when a pooler might hand the connection to another client after each transaction.
POOLED = (
    "a pooler in front of the database shares connections between transactions: use session pooling "
    "(PgBouncer: pool_mode = session)"
)
#: Shown to operators when the server is a standby, which may be promoted later.
STANDBY = (
    "the database is a standby, which can only be read: give the address of the primary, or those of all "
    "servers with target_session_attrs=read-write"
)
_POSTGRES_CAUSES = {
    "25006": "the database is read-only",
    "3F000": "there is no schema to keep the tables in: correct the user's search_path",
    "26000": POOLED,
    "42501": "its user may not do this: make that user the owner of the database",
    "42P05": POOLED,
    "53100": "the disk of the database is full",
    "57014": "the database took too long",
}
#: Prefixes of SQLSTATEs after which a retry may help: a lost connection or a pooler's error (08), a lock
#: conflict, a transaction that was idle or took too long (25), a server that is starting or stopping, too
#: many connections, and a statement that was prepared before a migration changed its table (0A000).
_PASSING_CODES = (
    *("08", "0A000", "25P03", "25P04", "40001", "40P01"),
    *("53300", "55P03", "57P01", "57P02", "57P03"),
)
#: SQLSTATE classes that indicate a problem with the server rather than the query. The server counts as down
#: until the problem is fixed.
_AWAY_CLASSES = ("08", "25", "28", "3D", "53", "55", "57", "58")
_NO_SERVER = "no server answers there: start it, or correct the address"
_TOO_LATE = "no server answers there in time"
_TOO_MANY_CONNECTIONS = "the server has no free connection"
#: Error message used if the server doesn't answer the first statement on a new connection.
FIRST_STATEMENT_UNANSWERED = "the first statement was not answered"
_NOT_SERVED = (
    "it accepts connections, and doesn't answer: if there is a pooler in between, let it keep enough of them "
    "to the server, ten for each process of Usher"
)
_RESTARTS = "the server is starting or stopping"
_WRONG_SIGN_IN = "the user or the password in it is wrong"
_SEE_LOG = "see the log of the PostgreSQL server"
#: Patterns for the messages that servers and poolers send when they reject a login. Each is paired with the
#: cause that is shown to operators.
_SAID = (
    (r"authentication failed", _WRONG_SIGN_IN),
    (r"role .* does not exist", "there is no such user"),
    (r"database .* does not exist", "there is no such database: create it first"),
    (
        r"permission denied for database|is not permitted to log in",
        "its user may not connect to that database",
    ),
    (
        r"no pg_hba.conf entry|pg_hba.conf rejects",
        "the server admits no such connection: see its pg_hba.conf",
    ),
    (r"query_wait_timeout", _NOT_SERVED),
    (r"server login has been failing", _NO_SERVER),
    (r"too many connections for \S+ \S+", f"{_TOO_MANY_CONNECTIONS}, it says: {{said}}"),
    (r"too many clients|remaining connection slots|no more connections", _TOO_MANY_CONNECTIONS),
    (r"starting up|shutting down|recovery mode|not (yet )?accepting connections", _RESTARTS),
    (r"terminating connection", _RESTARTS),
)
_PASSING: Final = (_NOT_SERVED, _NO_SERVER, _TOO_MANY_CONNECTIONS, _RESTARTS)
#: Patterns for the client library's messages about failed connections. Each is paired with the cause that is
#: shown to operators.
_NOT_REACHED = (
    (r"no password supplied", _WRONG_SIGN_IN),
    (FIRST_STATEMENT_UNANSWERED, _NOT_SERVED),
    (r"refused|No such file", _NO_SERVER),
    (r"timeout|timed out", _TOO_LATE),
    (r"closed the connection|reset by peer|Broken pipe", _RESTARTS),
)
#: Patterns for the client library's messages about problems that waiting doesn't solve, such as a wrong
#: certificate. Each is paired with the cause that is shown to operators.
_NEVER_REACHED = (
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
    (r"could not translate host name|failed to resolve host", "there is no such host"),
    (r"certificate|SSL", "no secure connection can be made: see sslmode and the server's certificate"),
)
#: Matches the text of a server's message, after the severity. It works in any language, because libpq always
#: puts a colon and two spaces after the severity.
_WORDS_PATTERN: Final = re.compile(r"(?:^|failed: )\w+:  (.+)", re.MULTILINE)
#: Errors raised if a migration creates something that already exists.
_DUPLICATE_ERRORS: Final = (
    psycopg.errors.DuplicateTable,
    psycopg.errors.DuplicateColumn,
    psycopg.errors.DuplicateObject,
)
_ALREADY_THERE: Final = (
    "The database holds more than this release has put there ({found}), such as tables of a newer one over "
    "which a backup was restored. Restore it into an empty database: `usher docs operate#on-postgresql`."
)

_OTHER_COLUMNS: Final = (
    "a table in the database isn't as Usher makes it ({found}): if another tool keeps its tables there, such "
    "as its own migrations, give Usher a database of its own: `usher docs operate#postgresql`"
)


def translate(error: Exception, *, is_away: bool = False) -> Exception:
    """Translate a PostgreSQL error into one of the store's errors. Return other exceptions unchanged.

    ``is_away`` means that the error closed the connection, so the same work may succeed on a new one.
    """
    if not isinstance(error, psycopg.Error):
        return error
    if isinstance(error, psycopg.IntegrityError):
        return StoreError(f"the data's own rules forbid it ({error.diag.constraint_name or error.sqlstate})")
    if is_away or error.sqlstate is None or error.sqlstate.startswith(_PASSING_CODES):
        return StoreBusy("the connection to the database was lost; nothing was done")
    if isinstance(error, psycopg.errors.UndefinedTable):
        return StoreNotMigrated(f"the database is not migrated; run: {PROGRAM_NAME} migrate")
    if isinstance(error, _DUPLICATE_ERRORS):
        return StoreError(_ALREADY_THERE.format(found=error.diag.message_primary))
    if isinstance(error, psycopg.errors.UndefinedColumn):
        return StoreUnavailable(_OTHER_COLUMNS.format(found=error.diag.message_primary))
    cause = _POSTGRES_CAUSES.get(error.sqlstate)
    if cause is None and error.sqlstate.startswith(_AWAY_CLASSES):
        cause = f"the database says: {error.diag.message_primary}"
    if cause is not None:
        return StoreAway(cause)
    return StoreUnavailable(f"the database failed (SQLSTATE {error.sqlstate})")


def describe_url(url: str) -> str:
    """Return the parts of a database URL that aren't secret: the server and the database's name."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error:
        return "USHER_DATABASE_URL"
    host, port, name = (str(parts.get(key) or "") for key in ("host", "port", "dbname"))
    return f"postgresql://{host}{':' if port else ''}{port}/{name}"


def make_open_error(url: str, error: psycopg.Error) -> StoreUnavailable:
    """Return the error that tells operators why a database can't be opened.

    It is StoreAway if the problem may go away by itself, without a change to the URL, a certificate or a
    setting on this machine. It is StoreRefused if a server responds but refuses the sign-in, unless the
    refusal is known to be temporary.
    """
    kind: type[StoreUnavailable] = StoreUnavailable
    words = [error.diag.message_primary or ""] if error.sqlstate else _WORDS_PATTERN.findall(str(error))
    if isinstance(error, psycopg.ProgrammingError):
        cause = "the URL is not understood: write postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    elif words:
        said = "; ".join(dict.fromkeys(words))
        cause = _find_cause(_SAID, said) or f"it says: {said}; {_SEE_LOG}"
        kind = StoreAway if cause.startswith(_PASSING) else StoreRefused
    elif cause := _find_cause(_NOT_REACHED, str(error)):
        kind = StoreRefused if cause == _WRONG_SIGN_IN else StoreAway
    elif not (cause := _find_cause(_NEVER_REACHED, str(error))):
        # The client library's own messages contain no password.
        last = str(error).strip().rpartition("\n")[2]
        kind, cause = StoreAway, f"{last.rpartition('failed: ')[2]}; {_SEE_LOG}"
    return kind(f"{describe_url(url)} can't be opened: {cause}")


def _find_cause(causes: Sequence[tuple[str, str]], text: str) -> str:
    """Return the cause that belongs to the first pattern that matches a string, or "" if none matches."""
    found = ((re.search(pattern, text, re.IGNORECASE), cause) for pattern, cause in causes)
    return next((cause.format(said=match[0]) for match, cause in found if match), "")
