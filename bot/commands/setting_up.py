"""The commands of whoever sets Usher up: first settings, the manifest, and what is wrong with them.

The first settings and the connections file come from a few questions. What isn't answered is left to fill in.
"""

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Callable, Mapping
from functools import partial
from getpass import getpass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from cryptography.fernet import Fernet
from pydantic import ValidationError

from bot.commands import complain, read
from bot.providers import NAME, build_providers, provider_classes, read_connections, runs_commands
from bot.providers.connection import ConnectionSettings
from bot.slack.manifest import http_manifest, render, socket_manifest
from bot.support.environment import command, connections_source, exposed_env_file
from bot.support.errors import NotDone
from bot.support.http import Http
from bot.support.settings import problem_with, read_settings
from bot.upkeep.checks import Check, as_json, as_text, exit_status
from bot.upkeep.doctor import run_checks
from bot.upkeep.setting_checks import check_settings
from handlers.routes import names

SETTINGS: Final = ".env"
CONNECTIONS: Final = "connections.toml"
#: What is asked, in this order, and whether the answer is a secret.
_QUESTIONS: Final = (
    ("SLACK_BOT_TOKEN", "Bot User OAuth Token (OAuth & Permissions; none for several workspaces)", True),
    ("SLACK_APP_TOKEN", "App-level token, for Socket Mode (Basic Information)", True),
    ("SLACK_SIGNING_SECRET", "Signing Secret, for HTTP instead (Basic Information)", True),
    (
        "SLACK_CLIENT_ID",
        "Client ID, for Sign in with Slack and several workspaces (Basic Information)",
        False,
    ),
    ("SLACK_CLIENT_SECRET", "Client Secret (Basic Information)", True),
    ("USHER_PUBLIC_URL", "The https address that people's browsers use", False),
    ("USHER_SLACK_WORKSPACES", "Ids of the Slack workspaces that may install it, separated by commas", False),
    ("USHER_ADMINS", "Slack user ids of Usher's admins, separated by commas", False),
)
#: Fields of a connection that are asked for, and so aren't among its options.
_ASKED: Final = frozenset({"name", "provider", "title", "base_url"})

Ask = Callable[[str], str]


class NotWrittenError(NotDone):
    """Say in one sentence why nothing was written."""


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

    async def run() -> list[Check]:
        async with Http.new_session(reading.settings.proxy()) as session:
            http = Http(session)
            return await run_checks(reading.settings, http, build_providers(connections, http), reading.wrong)

    found = [*check_settings(problems, reading.unknown, exposed_env_file()), *asyncio.run(run())]
    print(as_json(found) if arguments.json else as_text(found))
    return 2 if problems else exit_status(found)


def routes(_arguments: argparse.Namespace) -> int:
    """Print what was found in the handlers."""
    for kind, found in names().items():
        print(f"{kind}: {', '.join(found)}")
    return 0


def manifest(arguments: argparse.Namespace) -> int:
    """Print the app manifest."""
    settings = read_settings().settings
    names: dict[str, Any] = {
        "command": arguments.command or settings.command,
        "job_command": arguments.job_command or settings.job_command,
    }
    by_oauth = arguments.by_oauth
    if by_oauth and arguments.url is None:
        complain("--by-oauth needs --url: Slack sends people back there.")
        return 2
    place = connections_source()
    # Problems with a connection are for doctor to report: its provider is enough here.
    commanding = runs_commands(read_connections(place)[0]) if place is not None else False
    try:
        if arguments.url is None or arguments.socket:
            if arguments.assistant:
                raise ValueError("Slack's assistant needs --url, without --socket")
            made = socket_manifest(arguments.url, runs_commands=commanding, by_oauth=by_oauth, **names)
        else:
            ways = {"by_oauth": by_oauth, "with_assistant": arguments.assistant}
            made = http_manifest(arguments.url, runs_commands=commanding, **ways, **names)
    except ValueError as wrong:
        complain(f"Can't create a manifest from this: {wrong}.")
        return 2
    print(render(made), end="")
    return 0


def new_key(_arguments: argparse.Namespace) -> int:
    """Print a new key."""
    print(Fernet.generate_key().decode())
    return 0


# -- the first settings --------------------------------------------------------------------------------------


def write_first_settings(folder: Path, ask: Ask, ask_secret: Ask, tell: Callable[[str], None]) -> list[Path]:
    """Ask, then write both files, readable by their owner alone; return their paths.

    ``ask`` and ``ask_secret`` return an answer, empty for none. Raises NotWrittenError.
    """
    settings, connections = (folder.resolve() / SETTINGS, folder.resolve() / CONNECTIONS)
    for path in (settings, connections):
        if path.exists():
            raise NotWrittenError(f"{path} is already there. Move it away, or name another folder.")
    try:
        given, tables, secrets = _asked(connections, ask, ask_secret, tell)
    except EOFError:
        raise NotWrittenError("The answers ended before the questions, so nothing was written.") from None
    _write(settings, _filled(given, secrets))
    _write(connections, tables)
    return [settings, connections]


def _asked(
    connections: Path, ask: Ask, ask_secret: Ask, tell: Callable[[str], None]
) -> tuple[dict[str, str], str, dict[str, str]]:
    """Return the settings, the connections file, and the variables in which that file's secrets are."""
    tell("Press Enter to leave an answer for later.")
    given = {"USHER_ENCRYPTION_KEYS": Fernet.generate_key().decode(), "USHER_CONNECTIONS": str(connections)}
    for name, question, is_secret in _QUESTIONS:
        is_needless = (
            (name == "SLACK_SIGNING_SECRET" and given["SLACK_APP_TOKEN"])
            or (name == "SLACK_CLIENT_SECRET" and not given["SLACK_CLIENT_ID"])
            or (name == "USHER_SLACK_WORKSPACES" and given["SLACK_BOT_TOKEN"])
        )
        put = ask_secret if is_secret else ask
        given[name] = "" if is_needless else _answer(put, question, tell, partial(problem_with, name))
    return given, *_connections(ask, ask_secret, tell)


def _answer(ask: Ask, question: str, tell: Callable[[str], None], problem: Callable[[str], str]) -> str:
    while True:
        value = ask(f"{question}: ").strip()
        wrong = problem(value) if value else ""
        if not wrong:
            return value
        tell(wrong)


def _connections(ask: Ask, ask_secret: Ask, tell: Callable[[str], None]) -> tuple[str, dict[str, str]]:
    """Return the connections file, and the variables in which its secrets are."""
    classes = provider_classes()
    known = ", ".join(sorted(classes))
    tables, secrets, taken = ["# docs/settings.md explains every key.\n"], dict[str, str](), set[str]()

    def kind_problem(value: str) -> str:
        return "" if value in classes else f"needs one of {known}"

    def name_problem(value: str) -> str:
        if value in taken:
            return "there is a connection of that name already"
        return "" if NAME.match(value) else "needs lower-case letters, digits, - and _, at most 31"

    while kind := _answer(ask, f"Provider ({known}; Enter when there is no more)", tell, kind_problem):
        model = classes[kind].settings_model
        name = _answer(ask, f"Its name in commands (Enter for {kind})", tell, name_problem) or kind
        if name in taken:
            tell(f"There is a connection {name} already: give this one another name.")
            continue
        taken.add(name)
        title = ask(f"Its title in Slack (Enter for {classes[kind].title}): ").strip()
        url = _answer(ask, "Its https address", tell, partial(_wrong_address, model, kind))
        rows = [f"[connections.{name}]", f"provider = {_toml(kind)}"]
        rows += [f"title = {_toml(title)}"] if title else []
        rows.append(f"base_url = {_toml(url)}")
        for key, field in model.model_fields.items():
            is_secret = "SecretStr" in str(field.annotation)
            variable = f"{name}_{key}".upper().replace("-", "_")
            if is_secret and field.is_required():
                secrets[variable] = ask_secret(f"Its {key}: ").strip()
            if is_secret:
                rows.append(f"{'' if field.is_required() else '# '}{key} = {_toml('env:' + variable)}")
            elif key not in _ASKED and isinstance(field.default, bool | int | str | tuple):
                rows.append(f"# {key} = {_toml(field.default)}")
        tables.append("\n".join(rows) + "\n")
    return "\n".join(tables), secrets


def _wrong_address(model: type[ConnectionSettings], kind: str, value: str) -> str:
    """Return what the provider finds wrong with its address; empty if nothing is."""
    try:
        model.model_validate({"name": "x", "provider": kind, "title": "x", "base_url": value})
    except ValidationError as invalid:
        wrong = (error for error in invalid.errors() if error["loc"] == ("base_url",))
        return next((str(error["msg"]).removeprefix("Value error, ") for error in wrong), "")
    return ""


def _toml(value: object) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    if isinstance(value, str):
        escaped = re.sub(r"[\x00-\x1f\x7f]", "", value).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)


def _filled(given: Mapping[str, str], secrets: Mapping[str, str]) -> str:
    """Return the example of the settings with the answers in it."""
    text = files("bot.upkeep").joinpath("env.example.txt").read_text(encoding="utf-8")
    text = re.sub(r"^(\w+)=(.*)$", lambda line: f"{line[1]}={_value(given, line)}", text, flags=re.MULTILINE)
    if secrets:
        text += "\n# The connections file refers to these.\n"
    return text + "".join(f"{name}={_quoted(value)}\n" for name, value in secrets.items())


def _value(given: Mapping[str, str], line: re.Match[str]) -> str:
    return _quoted(given[line[1]]) if line[1] in given else line[2]


def _quoted(value: str) -> str:
    """Return a value as ``.env`` has it, which shells and systemd read in the same way."""
    if re.fullmatch(r"[\w@%+=:,./-]*", value, re.ASCII):
        return value
    if not set("'\\") & set(value):
        return f"'{value}'"
    escaped = re.sub(r'(["\\])', r"\\\1", value)
    return f'"{escaped}"'


def _write(path: Path, text: str) -> None:
    """Write a new file that only its owner can read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
