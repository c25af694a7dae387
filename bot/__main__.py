"""The command line: ``python -m bot COMMAND``; ``python -m bot --help`` lists the commands.

Exit status: 0 done, 1 not done (a sentence says why), 2 wrong settings or words.
"""

import argparse
import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, time
from getpass import getpass
from pathlib import Path
from typing import Final

import structlog
from cryptography.fernet import Fernet

from bot.app import Role, StartError, serve
from bot.providers.connection import ConnectionSettings
from bot.providers.connections import build_providers, read_connections, runs_commands, secrets_of
from bot.slack.manifest import JOB_COMMAND, WORKSPACE_COMMAND, http_manifest, render, socket_manifest
from bot.store import name_of, open_store
from bot.store.copying import copy_store
from bot.store.store import Store
from bot.support.addresses import database_file, is_postgres, passwords_of, wrong_database
from bot.support.clock import SystemClock, SystemIds
from bot.support.environment import (
    NAME,
    command,
    connections_file,
    exposed_env_file,
    load_env_file,
    resolve_secret,
)
from bot.support.errors import StoreError
from bot.support.http import Http
from bot.support.logs import Redactor, configure
from bot.support.settings import Reading, Settings, SettingsError, read_settings
from bot.support.vault import Vault
from bot.upkeep import doctor
from bot.upkeep.archives import ArchiveError, archive, check_archives
from bot.upkeep.first_settings import NotWrittenError, write_first_settings
from bot.upkeep.importing import ImportProblem, as_lines, import_rows, read_rows
from bot.upkeep.keys import rotate, secrets
from handlers import routes

log = structlog.get_logger(__name__)
_ONE_PROCESS: Final = (
    f"USHER_DATABASE_URL: one process serves a SQLite file: run {command('serve')} instead, or move to "
    "PostgreSQL"
)


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    arguments = _parser().parse_args(sys.argv[1:] if words is None else words)
    # Files created by this process (database, logs) are accessible to its owner only.
    os.umask(0o077)
    try:
        _load_env_file()
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has enough, as ``head`` does. What is left of it must not fail at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except SettingsError as wrong:
        _complain("These settings need fixing:", *(f"  {problem}" for problem in wrong.problems))
        return 2
    except (StartError, StoreError, NotWrittenError, ArchiveError) as failed:
        _complain(str(failed))
        return 1
    except OSError as failed:
        _complain(f"Usher can't start: {failed.strerror or failed}")
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=NAME, description="Usher, a Slack bot for workspaces.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: object, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    add("serve", _serve, "run everything in one process").set_defaults(role=Role.SERVE)
    web = "take requests and show pages; with PostgreSQL, beside others and at least one worker"
    add("web", _serve, web).set_defaults(role=Role.WEB)
    worker = "do the work in the background; with PostgreSQL, beside others and at least one web"
    add("worker", _serve, worker).set_defaults(role=Role.WORKER)
    init = add("init", _init, "write the first settings and connections file from a few questions")
    init.add_argument("folder", type=Path, nargs="?", default=Path(), help="where to; here by default")
    add("migrate", _migrate, "bring the database up to date")
    add("doctor", _doctor, "check the settings, Slack, the connections and the database").add_argument(
        "--json", action="store_true", help="answer as one JSON object"
    )
    add("routes", _routes, "print the commands, buttons, forms and events that were found")
    manifest = add("manifest", _manifest, "print the app manifest for Slack")
    manifest.add_argument("--url", help="the https address that Slack can reach; prints the HTTP form")
    manifest.add_argument(
        "--socket", action="store_true", help="print the Socket Mode form; add --url for Sign in with Slack"
    )
    manifest.add_argument(
        "--by-oauth",
        action="store_true",
        help="for several Slack workspaces, in which Usher is installed at /slack/install",
    )
    manifest.add_argument("--command", default=WORKSPACE_COMMAND, help="the slash command")
    manifest.add_argument("--job-command", default=JOB_COMMAND, help="the slash command for jobs")
    keys = add("keys", None, "create or rotate encryption keys").add_subparsers(required=True, metavar="WHAT")
    keys.add_parser("new", help="print a new key").set_defaults(run=_new_key)
    rotating = keys.add_parser("rotate", help="encrypt every secret with the newest key")
    rotating.add_argument(
        "--forget", action="store_true", help="end the links that no key opens, and ask people to link again"
    )
    rotating.set_defaults(run=_rotate)
    accounts = add("accounts", None, "link people to users").add_subparsers(required=True, metavar="WHAT")
    importing = accounts.add_parser(
        "import", help="link people to the users that a file names, after checking with the provider"
    )
    importing.add_argument("file", type=Path, help="CSV with the columns slack_user, connection, username")
    importing.add_argument("--apply", action="store_true", help="link them; without it nothing is written")
    importing.set_defaults(run=_import_accounts)
    moving = add("store", None, "move to another database").add_subparsers(required=True, metavar="WHAT")
    copying = moving.add_parser("copy", help="copy a SQLite file into an empty PostgreSQL database")
    copying.add_argument("source", help="sqlite:///PATH")
    copying.add_argument("target", help="postgresql://…, or file:PATH, env:NAME or credential:NAME")
    copying.set_defaults(run=_copy)
    audit = add("audit", None, "check the record of who did what").add_subparsers(
        required=True, metavar="WHAT"
    )
    verifying = audit.add_parser("verify", help="find the first bad row, here and in archives")
    verifying.add_argument("archives", type=Path, nargs="*", metavar="ARCHIVE", help="all that were written")
    verifying.set_defaults(run=_verify_audit)
    archiving = audit.add_parser("archive", help="move old entries into a file")
    archiving.add_argument(
        "--before", type=_day, required=True, metavar="DATE", help="such as 2026-01-01; begins at 0:00 UTC"
    )
    archiving.add_argument("file", type=Path, help="a new file")
    archiving.set_defaults(run=_archive_audit)
    return parser


def _day(text: str) -> float:
    return datetime.combine(date.fromisoformat(text), time(), UTC).timestamp()


def _load(*, is_split: bool = False) -> tuple[Settings, dict[str, ConnectionSettings]]:
    """Read settings and connections and set up the logs; raise SettingsError with the problems of both.

    ``is_split``: requests and work have processes of their own.
    """
    reading, connections, problems = _read()
    is_file = "USHER_DATABASE_URL" not in reading.wrong and not is_postgres(reading.settings.database_url)
    if is_split and is_file:
        problems.insert(0, _ONE_PROCESS)
    if problems:
        raise SettingsError(problems)
    for name in reading.unknown:
        log.warning("no such setting", variable=name)
    if exposed := exposed_env_file():
        log.warning("settings not protected", problem=exposed)
    return reading.settings, connections


def _load_env_file() -> None:
    try:
        load_env_file()
    except ValueError as wrong:
        raise SettingsError([str(wrong)]) from None


def _read() -> tuple[Reading, dict[str, ConnectionSettings], list[str]]:
    """Read settings and connections as far as they are valid, with the problems of both; set up the logs."""
    reading = read_settings()
    connections: dict[str, ConnectionSettings] = {}
    problems: list[str] = []
    place = connections_file()
    if place is not None:
        is_one = reading.settings.slack_bot_token is not None or "SLACK_BOT_TOKEN" in reading.wrong
        connections, problems = read_connections(place, has_several=not is_one)
    settings = reading.settings
    configure(settings.log_level, settings.log_format, Redactor(settings.secrets() + secrets_of(connections)))
    return reading, connections, reading.problems + problems


def _init(arguments: argparse.Namespace) -> int:
    ask_secret = getpass if sys.stdin.isatty() else input
    written = write_first_settings(arguments.folder, input, ask_secret, print)
    print("Written:", *written, sep="\n  ")
    print(f"Fill in what is missing, and run {command('doctor')} in that folder.")
    return 0


def _serve(arguments: argparse.Namespace) -> int:
    role: Role = arguments.role
    settings, connections = _load(is_split=role is not Role.SERVE)
    _collect_less()
    asyncio.run(serve(settings, connections, role))
    return 0


def _collect_less() -> None:
    """Exempt what was imported from garbage collection, and collect less often.

    Reference counts free what requests and polls allocate; looking for cycles took a twelfth of a start.
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def _migrate(_arguments: argparse.Namespace) -> int:
    settings, _ = _load()

    async def run(store: Store) -> int:
        log.info("database opened", database=name_of(settings.database_url))
        applied = await store.migrate()
        print("\n".join(applied) if applied else "The database is up to date.")
        return 0

    return _with_store(settings, run, may_be_new=True)


def _doctor(arguments: argparse.Namespace) -> int:
    reading, connections, problems = _read()

    async def run() -> list[doctor.Check]:
        async with Http.new_session(reading.settings.proxy()) as session:
            http = Http(session)
            return await doctor.run_checks(
                reading.settings, http, build_providers(connections, http), reading.wrong
            )

    checks = [*doctor.check_settings(problems, reading.unknown, exposed_env_file()), *asyncio.run(run())]
    print(doctor.as_json(checks) if arguments.json else doctor.as_text(checks))
    return 2 if problems else doctor.exit_status(checks)


def _routes(_arguments: argparse.Namespace) -> int:
    for kind, names in routes.names().items():
        print(f"{kind}: {', '.join(names)}")
    return 0


def _manifest(arguments: argparse.Namespace) -> int:
    names = {"command": arguments.command, "job_command": arguments.job_command}
    by_oauth = arguments.by_oauth
    if by_oauth and arguments.url is None:
        _complain("--by-oauth needs --url: Slack sends people back there.")
        return 2
    place = connections_file()
    # Problems with a connection are for doctor to report: its provider is enough here.
    commanding = runs_commands(read_connections(place)[0]) if place is not None else False
    try:
        if arguments.url is None or arguments.socket:
            made = socket_manifest(arguments.url, runs_commands=commanding, by_oauth=by_oauth, **names)
        else:
            made = http_manifest(arguments.url, runs_commands=commanding, by_oauth=by_oauth, **names)
    except ValueError as wrong:
        _complain(f"Can't create a manifest from this: {wrong}.")
        return 2
    print(render(made), end="")
    return 0


def _new_key(_arguments: argparse.Namespace) -> int:
    print(Fernet.generate_key().decode())
    return 0


def _rotate(arguments: argparse.Namespace) -> int:
    settings, connections = _load()
    unlinked = [name for name, one in connections.items() if "none" in one.linking]
    vault = Vault(settings.keys())

    async def run(store: Store) -> int:
        await store.migrate()
        rotation = await rotate(store, vault, forget=arguments.forget, unlinked=unlinked)
        print(f"{secrets(rotation.done)} encrypted with the newest key.")
        if rotation.forgotten:
            print(f"Links ended, whose people are asked to link again: {rotation.forgotten}.")
        if not rotation.is_whole:
            _complain(*rotation.problems())
        return 0 if rotation.is_whole else 1

    return _with_store(settings, run)


def _import_accounts(arguments: argparse.Namespace) -> int:
    settings, connections = _load()
    try:
        rows = read_rows(arguments.file)
    except ImportProblem as wrong:
        _complain(str(wrong))
        return 1

    async def run(store: Store) -> int:
        await store.migrate()
        results = await import_rows(settings, connections, store, rows, apply=arguments.apply)
        print("\n".join(as_lines(results, apply=arguments.apply)))
        return 1 if any(result.outcome == "problem" for result in results) else 0

    try:
        return _with_store(settings, run)
    except ImportProblem as wrong:
        _complain(str(wrong))
        return 1


def _copy(arguments: argparse.Namespace) -> int:
    try:
        target = resolve_secret(arguments.target)
    except ValueError as wrong:
        _complain(f"The target {wrong}.")
        return 2
    source = database_file(arguments.source)
    if not arguments.source.startswith("sqlite:///") or source is None or not is_postgres(target):
        _complain("A copy goes from sqlite:///PATH to postgresql://USER:PASSWORD@HOST:PORT/DATABASE.")
        return 2
    if refused := wrong_database(target):
        _complain(f"The target is not a good URL: {refused}.")
        return 2
    if not source.exists():
        _complain(f"There's no database in {source.absolute()}.")
        return 1
    configure("info", "text", Redactor(passwords_of(target)))
    copied = asyncio.run(copy_store(source, target))
    print(f"Copied {sum(copied.counts.values())} rows of {len(copied.counts)} tables; nothing differs.")
    print(f"Now set USHER_DATABASE_URL to the new database, and don't start Usher on {source} again.")
    if copied.broken_at is not None:
        _complain(f"The audit record was already broken at row {copied.broken_at}, and so is its copy.")
    return 0


def _verify_audit(arguments: argparse.Namespace) -> int:
    settings, _ = _load()

    async def run(store: Store) -> int:
        bad = await store.verify_audit()
        if bad is None:
            length, last = await store.audit_head()
            anchor = await store.audit_anchor()
            # The archives first: if one is bad, nothing is called intact.
            archives = check_archives(arguments.archives, anchor) if arguments.archives else []
            print(f"The audit record is intact: {length} rows, and the last one's hash is {last or 'empty'}.")
            if anchor[0]:
                print(f"Rows 1 to {anchor[0]} were archived, and the last of them has the hash {anchor[1]}.")
            for one in archives:
                print(f"{one.path} is intact: rows {one.begins[0] + 1} to {one.anchor[0]}.")
            return 0
        _complain(
            f"The audit record is broken at row {bad}: somebody edited, removed or added a row by hand. "
            "Compare it with an earlier backup."
        )
        return 1

    return _with_store(settings, run)


def _archive_audit(arguments: argparse.Namespace) -> int:
    settings, _ = _load()

    async def run(store: Store) -> int:
        await store.migrate()
        written = await archive(store, arguments.file, arguments.before)
        if written is None:
            print("No entry is as old as that, so there is nothing to archive.")
            return 0
        seq, last = written.anchor
        print(f"Moved {written.count} rows into {written.path.absolute()}: {written.begins[0] + 1} to {seq}.")
        print(f"The record goes on after row {seq}, whose hash is {last}.")
        print("Keep the file: it has the only copy of these rows.")
        return 0

    return _with_store(settings, run)


def _with_store(
    settings: Settings, run: Callable[[Store], Awaitable[int]], *, may_be_new: bool = False
) -> int:
    """Run with the store opened. A missing database is created only if ``may_be_new``."""
    path = database_file(settings.database_url)
    if not may_be_new and path is not None and not path.exists():
        _complain(f"There's no database yet ({path.absolute()}). {command('serve')} creates it.")
        return 1

    async def opened() -> int:
        store = await open_store(settings.database_url, SystemClock(), SystemIds())
        try:
            return await run(store)
        finally:
            await store.close()

    return asyncio.run(opened())


def _complain(*lines: str) -> None:
    print("\n".join(lines), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
