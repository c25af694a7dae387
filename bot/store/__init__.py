"""The store, which holds all of Usher's data.

``open_store`` chooses the engine based on the database's URL.
"""

import os

import structlog

from bot.store import (  # noqa: F401 - imported for the queues and fan-outs that they declare
    accounts,
    cards,
    gates,
    notices,
    operations,
    outages,
    past_usage,
    pauses,
    refusals,
    runs,
    tasks,
    work_items,
    workspaces,
)
from bot.store.engine import Engine
from bot.store.sqlite import SqliteEngine, find_served_databases
from bot.store.store import Store
from bot.support.clock import Clock, Ids
from bot.support.errors import StoreUnavailable
from bot.support.settings.database import find_database_file, is_postgres

log = structlog.get_logger(__name__)
_SQLITE = "sqlite:///"


def name_of(url: str) -> str:
    """Return a database's name for operators: its path, or its server and database without the password."""
    path = find_database_file(url)
    if path is not None:
        return str(path.absolute())
    if is_postgres(url):
        from bot.store.postgres_errors import describe_url  # noqa: PLC0415 - only where it is used

        return describe_url(url)
    return "memory"


async def open_store(url: str, clock: Clock, ids: Ids) -> Store:
    """Open the database at a URL. Its schema must then be brought up to date with ``migrate``.

    For ``sqlite:///relative.db``, ``sqlite:////absolute.db`` and ``sqlite:///:memory:``, the folder must
    exist. A new file gets mode 0600. For ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE``, the database must
    exist. Raise StoreUnavailable, with the cause, if it can't be opened.
    """
    engine: Engine
    if is_postgres(url):
        # Import this only if it is needed, because loading the driver takes longer than opening a SQLite
        # file.
        from bot.store.postgres import PostgresEngine  # noqa: PLC0415 - only where it is used

        engine = PostgresEngine(url, clock, ids)
    elif url.startswith(_SQLITE) and url != _SQLITE:
        _report_other_databases(url)
        engine = SqliteEngine(url.removeprefix(_SQLITE), clock, ids)
    else:
        raise StoreUnavailable(
            "the database's URL is not understood: give sqlite:///PATH or "
            "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        )
    await engine.open()
    return Store(engine)


def _report_other_databases(url: str) -> None:
    """Warn if a new file would be created next to an existing database. The path may contain a typo."""
    path = find_database_file(url)
    if path is None or os.path.lexists(path):
        return
    if others := find_served_databases(path.absolute().parent):
        log.warning(
            "new database beside another one",
            database=path.name,
            others=others,
            advice="If people's links are in another one, stop Usher and correct USHER_DATABASE_URL.",
        )
