"""The commands of whoever sets Usher up: first settings, the manifest, and what is wrong with them."""

import argparse
import asyncio
import sys
from getpass import getpass

from cryptography.fernet import Fernet

from bot.commands import complain
from bot.commands.common import read
from bot.providers.connections import build_providers, read_connections, runs_commands
from bot.slack.manifest import http_manifest, render, socket_manifest
from bot.support.environment import command, connections_file, exposed_env_file
from bot.support.http import Http
from bot.upkeep import doctor as checks
from bot.upkeep.first_settings import write_first_settings
from handlers.routes import names


def init(arguments: argparse.Namespace) -> int:
    """Write the first settings after a few questions."""
    ask_secret = getpass if sys.stdin.isatty() else input
    written = write_first_settings(arguments.folder, input, ask_secret, print)
    print("Written:", *written, sep="\n  ")
    print(f"Fill in what is missing, and run {command('doctor')} in that folder.")
    return 0


def doctor(arguments: argparse.Namespace) -> int:
    """Check everything, and say what is wrong."""
    reading, connections, problems = read()

    async def run() -> list[checks.Check]:
        async with Http.new_session(reading.settings.proxy()) as session:
            http = Http(session)
            return await checks.run_checks(
                reading.settings, http, build_providers(connections, http), reading.wrong
            )

    found = [*checks.check_settings(problems, reading.unknown, exposed_env_file()), *asyncio.run(run())]
    print(checks.as_json(found) if arguments.json else checks.as_text(found))
    return 2 if problems else checks.exit_status(found)


def routes(_arguments: argparse.Namespace) -> int:
    """Print what was found in the handlers."""
    for kind, found in names().items():
        print(f"{kind}: {', '.join(found)}")
    return 0


def manifest(arguments: argparse.Namespace) -> int:
    """Print the app manifest."""
    names = {"command": arguments.command, "job_command": arguments.job_command}
    by_oauth = arguments.by_oauth
    if by_oauth and arguments.url is None:
        complain("--by-oauth needs --url: Slack sends people back there.")
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
        complain(f"Can't create a manifest from this: {wrong}.")
        return 2
    print(render(made), end="")
    return 0


def new_key(_arguments: argparse.Namespace) -> int:
    """Print a new key."""
    print(Fernet.generate_key().decode())
    return 0
