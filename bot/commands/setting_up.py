"""Commands for setting up Usher: print the app manifest, a new key or the routes, and run all checks."""

import argparse
import asyncio
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from bot.commands import RUN_WHERE_USHER_RUNS, complain, has_settings, read
from bot.commands.doctor import run_checks
from bot.commands.setting_checks import check_settings
from bot.providers import build_providers
from bot.services.checks import Check, as_json, as_text, exit_status
from bot.slack.manifest import http_manifest, render, socket_manifest
from bot.support.environment import explain_exposed_env_file
from bot.support.http import Http
from bot.support.settings import read_settings
from handlers.loading import load
from handlers.requests.routes import list_routes


def doctor(arguments: argparse.Namespace) -> int:
    """Check everything and print the problems."""
    if not has_settings():
        found = [Check("settings", False, f"there are none here ({Path.cwd()})", RUN_WHERE_USHER_RUNS)]
        print(as_json(found) if arguments.json else as_text(found))
        return 2
    reading, connections, problems = read()

    async def run() -> list[Check]:
        async with Http.new_session(reading.settings.proxy()) as session:
            http = Http(session)
            return await run_checks(reading.settings, http, build_providers(connections, http), reading.wrong)

    found = check_settings(problems, reading.unknown, reading.removed, explain_exposed_env_file())
    found += asyncio.run(run())
    print(as_json(found) if arguments.json else as_text(found))
    return 2 if problems else exit_status(found)


def routes(_arguments: argparse.Namespace) -> int:
    """Print the Slack commands, buttons, forms and events that have a handler."""
    load()
    for kind, found in list_routes().items():
        print(f"{kind}: {', '.join(found)}")
    return 0


def manifest(arguments: argparse.Namespace) -> int:
    """Print the Slack app's manifest."""
    settings = read_settings().settings
    names: dict[str, Any] = {
        "command": arguments.command or settings.command,
        "job_command": arguments.job_command or settings.job_command,
    }
    by_oauth = arguments.by_oauth
    if by_oauth and arguments.url is None:
        complain("--by-oauth needs --url: Slack sends people back there.")
        return 2
    try:
        if arguments.url is None or arguments.socket:
            if arguments.assistant:
                raise ValueError("Slack's assistant needs --url, without --socket")
            made = socket_manifest(arguments.url, by_oauth=by_oauth, **names)
        else:
            ways = {"by_oauth": by_oauth, "with_assistant": arguments.assistant}
            made = http_manifest(arguments.url, **ways, **names)
    except ValueError as wrong:
        complain(f"Can't create a manifest from this: {wrong}.")
        return 2
    print(render(made), end="")
    return 0


def new_key(_arguments: argparse.Namespace) -> int:
    """Print a new encryption key."""
    print(Fernet.generate_key().decode())
    return 0
