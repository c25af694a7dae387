"""Usher's commands. Each module is imported only when its command runs, so ``--help`` loads none of them.

This module contains the code that the commands share: running a command, reading settings and connections,
and opening the database.
"""

import argparse
import asyncio
import gc
import os
import pkgutil
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Final, TextIO

import structlog

from bot.providers import list_secrets, read_connections
from bot.providers.connection import ConnectionSettings
from bot.services.checks import Check, as_json
from bot.store import name_of, open_store
from bot.store.schema import OLDER
from bot.store.store import Store
from bot.support.clock import SystemClock, SystemIds
from bot.support.core_files import forbid_core_files
from bot.support.environment import (
    command,
    explain_exposed_env_file,
    find_connections_source,
    list_variables,
    load_env_file,
)
from bot.support.errors import NotDone, StoreError, StoreTooNew, StoreTooOld
from bot.support.logs import Redactor, configure
from bot.support.settings import (
    PREFIXES,
    REMOVED_SETTINGS,
    ParsedSettings,
    Settings,
    SettingsError,
    leave_out_service_variables,
    read_settings,
)
from bot.support.settings.database import find_database_file, is_postgres
from bot.support.zones import choose_zones

log = structlog.get_logger(__name__)
_ONE_PROCESS: Final = (
    f"USHER_DATABASE_URL: one process serves a SQLite file: run {command('serve')} instead, or move to "
    "PostgreSQL"
)

RUN_WHERE_USHER_RUNS: Final = (
    f"Run it where Usher runs: `usher docs incidents` shows how. If there's none yet, {command('up')} begins."
)
_NEXT_STEP: Final = (
    f"{command('doctor')} says what to do about each; {command('up')} asks for what is missing."
)
#: Advice if the settings file can't be read. Every command reads that file first, even `usher docs`.
_CORRECT_FILE: Final = "Correct that file, then try again. Each line sets a variable: NAME='value'."


def run(arguments: argparse.Namespace) -> int:
    """Run the parsed command and return its exit status."""
    forbid_core_files()
    try:
        _load_env_file()
        choose_zones()
        chosen = pkgutil.resolve_name(f"{__name__}.{arguments.run}")
        # The objects imported so far live until the process ends, so exempt them from garbage collection.
        gc.freeze()
        gc.enable()
        status: int = chosen(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The program that reads the output has closed the pipe, as ``head`` does.
        _lead_nowhere(sys.stdout)
        return 128 + signal.SIGPIPE
    except SettingsError as wrong:
        then = wrong.advice or (_NEXT_STEP if has_settings() else RUN_WHERE_USHER_RUNS)
        if getattr(arguments, "json", False):
            print(as_json([Check("settings", False, problem, then) for problem in wrong.problems]))
        else:
            complain("These settings need fixing:", *(f"  {problem}" for problem in wrong.problems), then)
        return 2
    except (StoreTooNew, StoreTooOld) as failed:
        complain(str(failed))
        return 2
    except (NotDone, StoreError) as failed:
        complain(str(failed))
        return 1
    except OSError as failed:
        complain(f"Usher can't go on: {failed.strerror or failed}")
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def has_settings() -> bool:
    """Return whether any of Usher's settings is present in the environment."""
    return any(name.startswith(PREFIXES) for name in leave_out_service_variables(list_variables()))


def _load_env_file() -> None:
    try:
        load_env_file()
    except ValueError as wrong:
        raise SettingsError([str(wrong)], _CORRECT_FILE) from None


def complain(*lines: str) -> None:
    """Write lines to standard error. If the reader has gone away, ignore that and keep the exit status."""
    try:
        print("\n".join(lines), file=sys.stderr, flush=True)
    except OSError:
        _lead_nowhere(sys.stderr)


def _lead_nowhere(stream: TextIO) -> None:
    """Discard a broken stream's remaining output, because flushing it at exit would fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def interrupt_at_once(ask: Callable[[str], str]) -> Callable[[str], str]:
    """Wrap an input function so that Ctrl+C interrupts it immediately, even inside an event loop."""

    def asking(question: str) -> str:
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return ask(question)
        finally:
            signal.signal(signal.SIGINT, before)

    return asking


def load(*, is_split: bool = False) -> tuple[Settings, dict[str, ConnectionSettings]]:
    """Read settings and connections and set up logging. Raise SettingsError listing all their problems.

    ``is_split`` means that requests and background work run in separate processes.
    """
    reading, connections, problems = read()
    is_file = "USHER_DATABASE_URL" not in reading.wrong and not is_postgres(reading.settings.database_url)
    if is_split and is_file:
        problems.insert(0, _ONE_PROCESS)
    if problems:
        raise SettingsError(problems)
    for name in reading.unknown:
        log.warning("no such setting", variable=name)
    for name in reading.removed:
        log.warning("setting removed", variable=name, advice=REMOVED_SETTINGS[name])
    if exposed := explain_exposed_env_file():
        log.warning("settings not protected", problem=exposed)
    return reading.settings, connections


def read() -> tuple[ParsedSettings, dict[str, ConnectionSettings], list[str]]:
    """Read the valid settings and connections, collect the problems with both, and set up logging.

    This also loads all modules, because every command that opens a database reads its settings first.
    """
    from handlers.loading import load as load_all  # noqa: PLC0415 - takes longer than `keys new` itself

    load_all()
    reading = read_settings()
    connections: dict[str, ConnectionSettings] = {}
    problems: list[str] = []
    place = find_connections_source()
    if place is not None:
        is_one = reading.settings.slack_bot_token is not None or "SLACK_BOT_TOKEN" in reading.wrong
        connections, problems = read_connections(place, has_several=not is_one)
    settings = reading.settings
    configure(settings.log_level, Redactor(settings.secrets() + list_secrets(connections)))
    return reading, connections, reading.problems + problems


def with_store(
    settings: Settings,
    run: Callable[[Store], Awaitable[int]],
    *,
    may_be_new: bool = False,
    may_be_older: bool = False,
) -> int:
    """Open the store and run a command with it. Return the exit status.

    Raise NotDone if the database is from an earlier release, unless ``may_be_older``. A missing database is
    created only if ``may_be_new``. Only ``migrate`` and ``restored`` migrate a database, because a migration
    can be undone only by restoring a backup.
    """
    path = find_database_file(settings.database_url)
    if not may_be_new and path is not None and not path.exists():
        complain(f"There's no database yet ({path.absolute()}). {command('serve')} creates it.")
        return 1

    async def opened() -> int:
        store = await open_store(settings.database_url, SystemClock(), SystemIds())
        try:
            name = name_of(settings.database_url)
            if not may_be_older and await store.list_missing_migrations(name):
                raise NotDone(OLDER.format(name=name))
            return await run(store)
        finally:
            await store.close()

    return asyncio.run(opened())
