"""The command that moves an installation from SQLite to PostgreSQL."""

import argparse
import asyncio

from bot.commands import complain
from bot.support.environment import resolve_secret
from bot.support.logs import Redactor, configure
from bot.support.settings.database import explain_wrong_url, find_database_file, is_postgres, list_passwords
from handlers.loading import load


def copy(arguments: argparse.Namespace) -> int:
    """Copy a SQLite file into a PostgreSQL database."""
    from bot.store.postgres import copy_store  # noqa: PLC0415 - imports a driver that SQLite doesn't need

    load()
    try:
        target = resolve_secret(arguments.target)
    except ValueError as wrong:
        complain(f"The target {wrong}.")
        return 2
    source = find_database_file(arguments.source)
    if not arguments.source.startswith("sqlite:///") or source is None or not is_postgres(target):
        complain("A copy goes from sqlite:///PATH to postgresql://USER:PASSWORD@HOST:PORT/DATABASE.")
        return 2
    if refused := explain_wrong_url(target):
        complain(f"The target is not a good URL: {refused}.")
        return 2
    if not source.exists():
        complain(f"There's no database in {source.absolute()}.")
        return 1
    configure("info", Redactor(list_passwords(target)))
    copied = asyncio.run(copy_store(source, target))
    print(f"Copied {sum(copied.counts.values())} rows of {len(copied.counts)} tables; nothing differs.")
    if copied.others:
        print(f"Not copied, as it isn't Usher's: {', '.join(copied.others)}.")
    print(f"Now set USHER_DATABASE_URL to the new database, and don't start Usher on {source} again.")
    if copied.broken_at is not None:
        complain(f"The audit record was already broken at row {copied.broken_at}, and so is its copy.")
    return 0
