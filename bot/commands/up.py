"""The commands with which Usher begins: first settings (``init``), up to the first workspace (``up``).

One conversation: each answer is tried at once, and written before the next question. What is written is
tried, not asked, so whoever was interrupted goes on where they were.
"""

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from getpass import getpass
from importlib.resources import files
from pathlib import Path
from typing import Final

from aiohttp import web
from cryptography.fernet import Fernet

from bot.app import Process
from bot.app import serve as serve_as
from bot.commands import load
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import OperationVerb
from bot.messages.blocks import replies
from bot.messages.texts import home
from bot.providers import build_providers, provider_classes, read_connections, runs_commands
from bot.slack.manifest import create_url, socket_manifest
from bot.support.environment import ENV_FILE, command, connections_source, give, given
from bot.support.errors import NotDone
from bot.support.http import Http
from bot.support.settings import Settings, problem_with, read_settings
from bot.support.vault import Vault
from bot.upkeep.checks import Check, as_text, exit_status
from bot.upkeep.connection_checks import check_connection
from bot.upkeep.doctor import check_address
from bot.upkeep.setting_checks import check_settings
from bot.upkeep.slack_checks import check_slack
from bot.upkeep.store_checks import check_team
from bot.web.app import listening, proving, why_not_listening
from handlers.helping import first_steps

Ask = Callable[[str], str]
Look = Callable[[Settings, Http], Awaitable[Sequence[Check]]]

_KEY: Final = "It opens what people link: keep a copy elsewhere"
_WHERE: Final = "Where are your workspaces? Type one of {known}, and its address, as saturn https://…"
_ADDRESS: Final = "Usher's own https address for browsers (Enter for one that only this computer reaches)"
_BOT: Final = "Bot User OAuth Token (Install App)"
_APP: Final = "App-level token with the scope connections:write (Basic Information)"
_PERSON: Final = "Your member ID in Slack (your profile, ⋮, Copy member ID)"
_CREATE: Final = """
Open this link, choose your Slack workspace, and press Next and Create:

{link}

If the form is empty, choose From a manifest and paste what {manifest} prints in this folder.
Then, on the app's page: press Install App and copy the token there; under Basic Information, App-Level
Tokens, generate one with the scope connections:write.
"""
_WRITTEN: Final = (
    "Usher runs, and has written to you in Slack: link your account there, and start a workspace."
)
_OTHER: Final = (
    "Slack counts more connections of this app than this Usher has ({count} more). Another one that uses it "
    "gets a part of what you press: stop it, or give it its own app. If you just did, wait some minutes."
)
_READY: Final = """
Your workspace is ready. What a team still needs, which {doctor} goes on ticking off:
{team}
Usher serves until you press Ctrl+C. From then on, start it with {serve}."""
#: What the audit says of a workspace that somebody has running.
_UP: Final = frozenset((f"operation.{verb}", "fulfilled") for verb in OperationVerb if not verb.brings_down)
#: The example's values that aren't defaults.
_PLACEHOLDERS: Final = re.compile(r"^(SLACK_BOT_TOKEN|USHER_CONNECTIONS|USHER_PUBLIC_URL)=.*$", re.MULTILINE)
#: Fields of a connection that are asked for, and so aren't among its options.
_ASKED: Final = frozenset({"name", "provider", "title", "base_url"})


def init(_arguments: argparse.Namespace) -> int:
    """Ask for what is missing, try and write it."""
    try:
        Conversation(input, getpass if sys.stdin.isatty() else input, print).hold()
    except EOFError:
        raise NotDone("The answers ended. All are written: run it again to go on.") from None
    return 0


def up(arguments: argparse.Namespace) -> int:
    """Do what ``init`` does, and serve; say when somebody's first workspace is ready."""
    init(arguments)
    # Among sentences for a person, the log only says what is wrong.
    give("USHER_LOG_LEVEL", "warning")
    give("USHER_LOG_FORMAT", "text")
    settings, connections = load()
    asyncio.run(serve_as(settings, connections, beside=partial(_first_workspace, settings)))
    return 0


class Conversation:
    """Ask for each thing that isn't written in this folder; ``ask`` and ``ask_secret`` return an answer."""

    def __init__(self, ask: Ask, ask_secret: Ask, tell: Callable[[str], None]) -> None:
        self._ask = ask
        self._ask_secret = ask_secret
        self._tell = tell

    def hold(self) -> None:
        """Ask, try and write. Raises EOFError if nobody answers, and NotDone."""
        if not given("USHER_ENCRYPTION_KEYS"):
            keep("USHER_ENCRYPTION_KEYS", Fernet.generate_key().decode(), _KEY)
        self._connect()
        usual = "" if given("USHER_PUBLIC_URL") else asyncio.run(local_address(read_settings().settings))
        self._settle("USHER_PUBLIC_URL", _ADDRESS, self._ask, _look_at_address, usual)
        if not given("SLACK_BOT_TOKEN"):
            self._tell(_creating())
        self._settle("SLACK_BOT_TOKEN", _BOT, self._ask_secret, _of_slack("slack token", "slack scopes"))
        if not given("SLACK_SIGNING_SECRET"):
            self._settle("SLACK_APP_TOKEN", _APP, self._ask_secret, _of_slack("slack app token"))
        self._settle("USHER_ADMINS", _PERSON, self._ask, _of_slack("administrators"))

    def _settle(self, name: str, question: str, ask: Ask, look: Look, usual: str = "") -> None:
        """Ask for a setting, unless it is set already and good."""

        def problem(value: str) -> str:
            if wrong := problem_with(name, value):
                return wrong
            give(name, value)
            return self._judged(look)

        before = given(name)
        value = self._answer(ask, question, problem, before, usual)
        if value != before:
            keep(name, value, question)

    def _answer(
        self, ask: Ask, question: str, problem: Callable[[str], str], value: str = "", usual: str = ""
    ) -> str:
        """Return a value if there is no problem with it, otherwise the first answer with none."""
        while not value or (wrong := problem(value)):
            if value:
                self._tell(wrong)
            value = ask(f"{question}: ").strip() or usual
        return value

    def _judged(self, look: Look) -> str:
        """Return what is wrong, "" if nothing is, which is said."""

        async def looking() -> Sequence[Check]:
            settings = read_settings().settings
            async with Http.new_session(settings.proxy()) as session:
                return await look(settings, Http(session))

        checks = asyncio.run(looking())
        if exit_status(checks):
            return as_text(checks)
        self._tell(as_text(checks))
        return ""

    def _connect(self) -> None:
        place = connections_source() or Path("connections.toml").absolute()
        question = _WHERE.format(known=", ".join(sorted(provider_classes())))
        if isinstance(place, Path) and not place.exists():
            self._answer(self._ask, question, partial(self._connection, place))
        elif wrong := self._tried(place):
            raise NotDone(f"{wrong}\nCorrect that, and run it again to go on.")
        if connections_source() is None:
            keep("USHER_CONNECTIONS", str(place), question)

    def _connection(self, place: Path, value: str) -> str:
        """Write a file with the connection that was answered if its server answers; return what is wrong."""
        kind, _, url = (part.strip() for part in value.partition(" "))
        if kind not in provider_classes():
            return "needs one of these words, a space, and an address"
        text, secrets = _table(kind, url, self._ask_secret)
        for name, secret in secrets.items():
            give(name, secret)
        new = place.with_name(f"{place.name}.tried")
        _write(new, text)
        if wrong := self._tried(new):
            new.unlink()
            return wrong
        for name, secret in secrets.items():
            keep(name, secret, "The connections file refers to it")
        new.replace(place)
        return ""

    def _tried(self, place: Path | str) -> str:
        """Return what is wrong with a connections file, or at the servers that it names."""
        found, problems = read_connections(place)

        async def look(_settings: Settings, http: Http) -> list[Check]:
            return [await check_connection(*one) for one in build_providers(found, http).items()]

        return as_text(check_settings(problems, ())) if problems else self._judged(look)


def _of_slack(*names: str) -> Look:
    """Return the look at Slack of which only these checks count."""

    async def look(settings: Settings, http: Http) -> list[Check]:
        checks = await check_slack(settings, http)
        return [one for one in checks if one.name in names] or checks

    return look


async def local_address(settings: Settings) -> str:
    """Return an address on this machine that nobody has."""
    ports = range(settings.port, settings.port + (1 if given("PORT") else 10))
    async with listening(web.Application(), settings.host, *ports) as port:
        return f"http://localhost:{port}"


async def _look_at_address(settings: Settings, http: Http) -> list[Check]:
    """Answer at the public address for a moment, as ``serve`` does, to see whether it leads here."""
    app = web.Application()
    app.router.add_routes([proving(Vault(settings.keys()))])
    try:
        async with listening(app, settings.host, *settings.ports()):
            return [await check_address(settings, http)]
    except OSError as error:
        return [Check("port", False, why_not_listening(error, settings.host, settings.ports()[-1]))]


def _creating() -> str:
    """Say how the app is created in Slack, which takes only https to come back to."""
    settings = read_settings().settings
    url = settings.public_url if (settings.public_url or "").startswith("https:") else None
    commanding = runs_commands(read_connections(settings.connections)[0])
    made = socket_manifest(
        url, command=settings.command, job_command=settings.job_command, runs_commands=commanding
    )
    words = f"manifest --socket --url {url}" if url else "manifest"
    return _CREATE.format(link=create_url(made), manifest=command(words))


async def _first_workspace(settings: Settings, process: Process) -> None:
    """Write to the person in Slack, and watch until a workspace of theirs is ready."""
    store, person, seen, is_other = process.store, process.context.installation.administrating()[0], 0, False
    here = replies.hint(home.HERE, await first_steps(process.services.of(person), person))
    notice = NewNotice(f"up:{person.key}", NoticeKind.MESSAGE, "here", person, here.as_body())
    await store.add_notices([notice])
    process.context.wake()
    print(_WRITTEN, flush=True)
    while True:
        rows = await store.audit_entries(after=seen, limit=100)
        if any(row["actor"] == person.key and (row["action"], row["result"]) in _UP for row in rows):
            team = as_text(await check_team(store, settings))
            print(_READY.format(doctor=command("doctor"), team=team, serve=command("serve")), flush=True)
            return
        seen = rows[-1]["seq"] if rows else seen
        count = await process.others.excess() if process.others is not None else 0
        if count and not is_other:
            print(_OTHER.format(count=count), flush=True)
        is_other = count > 0
        await asyncio.sleep(0.0 if rows else 1.0)


# -- the files -----------------------------------------------------------------------------------------------


def keep(name: str, value: str, remark: str) -> None:
    """Write a setting into its line in ``.env``, below what was asked for it, and set it."""
    path = Path(ENV_FILE)
    if path.exists():
        text = path.read_text(encoding="utf-8")
    else:
        example = files("bot.upkeep").joinpath("env.example.txt").read_text(encoding="utf-8")
        text = _PLACEHOLDERS.sub(r"\1=", example)
    line = f"# {remark}\n{name}={_quoted(value)}"
    pattern = re.compile(f"^(?:# {re.escape(remark)}\n)?{name}=.*$", re.MULTILINE)
    text, count = pattern.subn(lambda _: line, text)
    _write(path, text if count else f"{text}\n{line}\n")
    give(name, value)


def _table(kind: str, url: str, ask_secret: Ask) -> tuple[str, dict[str, str]]:
    """Return the connections file, and the variables of the secrets that it can't do without."""
    rows = ["# docs/settings.md explains every key.", f"[connections.{kind}]"]
    rows += [f"provider = {_toml(kind)}", f"base_url = {_toml(url)}"]
    secrets = dict[str, str]()
    for key, field in provider_classes()[kind].settings_model.model_fields.items():
        is_secret, variable = "SecretStr" in str(field.annotation), f"{kind}_{key}".upper()
        if is_secret and field.is_required():
            secrets[variable] = ask_secret(f"Its {key}: ").strip()
        if is_secret:
            rows.append(f"{'' if field.is_required() else '# '}{key} = {_toml('env:' + variable)}")
        elif key not in _ASKED and isinstance(field.default, bool | int | str | tuple):
            rows.append(f"# {key} = {_toml(field.default)}")
    return "\n".join(rows) + "\n", secrets


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


def _quoted(value: str) -> str:
    """Return a value as ``.env`` has it, which shells and systemd read in the same way."""
    if re.fullmatch(r"[\w@%+=:,./-]*", value, re.ASCII):
        return value
    if not set("'\\") & set(value):
        return f"'{value}'"
    escaped = re.sub(r'(["\\])', r"\\\1", value)
    return f'"{escaped}"'


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)
