"""The command that sets up a new Usher, from the first setting to the first workspace.

It asks one question at a time, tries each answer immediately, and saves it before the next question. Settings
that are already saved are only checked, so an interrupted setup continues where it stopped.
"""

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from getpass import getpass
from pathlib import Path
from typing import Final

from aiohttp import web
from cryptography.fernet import Fernet
from pydantic import SecretStr

from bot.app import Process
from bot.app import serve as serve_as
from bot.commands import interrupt_at_once, load
from bot.commands.connection_checks import check_account, check_connection
from bot.commands.doctor import check_address
from bot.commands.setting_checks import check_settings
from bot.commands.slack_checks import REACH, check_slack
from bot.commands.store_checks import check_team
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.people import Principal
from bot.domain.user_groups import is_group
from bot.messages.blocks import replies, stored
from bot.messages.texts import answers
from bot.providers import base, build, build_providers, facets, read_connections
from bot.providers.connection import ConnectionSettings
from bot.providers.registry import find_provider_class, list_installed
from bot.services import linking
from bot.services.checks import Check, as_text, exit_status, format_plain
from bot.slack.manifest import create_url, socket_manifest
from bot.store import audit, notices
from bot.support.environment import (
    ENV_FILE,
    command,
    explain_exposed_env_file,
    find_connections_source,
    give,
    read_variable,
)
from bot.support.errors import NotDone, ProviderError, Refused
from bot.support.http import Http
from bot.support.logs import write_to
from bot.support.settings import Settings, SettingsError, find_problem, read_settings
from bot.support.vault import Vault
from bot.web.app import listening, proving, why_not_listening
from handlers.helping import list_first_steps

Ask = Callable[[str], str]
Look = Callable[[Settings, Http], Awaitable[Sequence[Check]]]

_KEY: Final = "It opens what people link: keep a copy elsewhere"
_BEGIN: Final = "Each answer is tried at once and saved here: if you stop, the next run goes on from there."
_ASK_CONNECTION: Final = (
    "Where are your workspaces? Type one of {known}, and its address, such as saturn https://…"
)
_ASK_ADDRESS_AGAIN: Final = (
    "Type it again with the server's own address, such as {kind} https://{kind}.example.org."
)
_OWN_ACCOUNT_QUESTION: Final = (
    "Your own token there, which isn't shown or written down (Enter to link later, in Slack)"
)
_PROOF_QUESTION: Final = (
    "Your own token there, which isn't shown or written down (Enter if that address is wrong)"
)
_OPENS_IN_PAGE: Final = (
    "{title} workspaces open in a page of Usher's, where people sign in with Slack. That needs an https "
    "address and more settings than are asked for here: `usher docs connections`."
)
_ASK_PUBLIC_URL: Final = (
    "Usher's own https address for browsers (Enter for one that only this computer reaches)"
)
_BOT_QUESTION: Final = "Bot User OAuth Token (xoxb-…, from Install App)"
_APP_QUESTION: Final = "App-level token with the scope connections:write (xapp-…, from Basic Information)"
_ASK_MEMBER_ID: Final = "Your member ID in Slack (your profile, ⋮, Copy member ID)"
_CREATE_APP: Final = """
Open this link, choose your Slack workspace, and press Next and Create:

{link}

If the form is empty, choose From a manifest instead, and paste what {manifest} prints in this folder.
Then copy two tokens from your new app's pages. What you paste here isn't shown.
  Install App: install it, and copy the Bot User OAuth Token.
  Basic Information, App-Level Tokens: generate one with the scope connections:write, and copy it.
"""
_GROUP: Final = "only user groups, and Usher will write to one person first: to you"
_YOURS: Final = "Put your own member ID first: it begins with U or W. Groups can follow it, after a comma."
_WRITTEN: Final = (
    "Usher is running and has written to you in Slack: link your account there, then start a workspace. "
    "Its log is {log} in this folder."
)
_LINK_BY_BROWSER: Final = """
Usher is running. To link your account, open this within ten minutes; it works once:

  {url}

If the page shows a code, enter it in the message that Usher has sent you in Slack. Then start a workspace.
After ten minutes your token is deleted: to link later, type link to Usher in Slack. The log is {log}."""
_OTHER_INSTANCE: Final = (
    "Slack counts more connections of this app than this Usher has ({count} more). Another one that uses it "
    "gets some of what you press: stop it, or give it its own app. If you just did, wait a few minutes."
)
_WORKSPACE_READY: Final = """
Your workspace is ready. This is what a team still needs; {doctor} keeps checking it:
{team}
Usher keeps running until you press Ctrl+C. After that, start it in this folder with {serve}."""
_CORRECT: Final = "Correct that, and run it again to go on."
_SLACK_UNREACHABLE: Final = "Slack can't be reached. What you answered is kept: run this again later."
_LOG: Final = "usher.log"
#: Pairs of an audit action and its result that show that a workspace has been started.
_STARTED_ACTIONS: Final = frozenset(
    (f"operation.{verb}", "fulfilled") for verb in OperationVerb if not verb.brings_down
)
#: Matches lines of the example settings file that contain placeholders rather than default values.
_PLACEHOLDERS: Final = re.compile(r"^(SLACK_BOT_TOKEN|USHER_CONNECTIONS|USHER_PUBLIC_URL)=.*$", re.MULTILINE)
#: Fields of a connection that aren't listed as options, because the user's answers already set them.
_ASKED_FIELDS: Final = frozenset({"name", "provider", "source", "title", "base_url"})


def init(_arguments: argparse.Namespace) -> int:
    """Tell users of earlier releases the new name of this command."""
    raise NotDone(f"This is now {command('up --no-serve')}: it asks the same, and doesn't serve.")


def up(arguments: argparse.Namespace) -> int:
    """Ask for missing settings, check and save them, then serve until stopped."""
    if not arguments.serves:
        _hold_conversation(look_ahead)
        written = f"{ENV_FILE} and {read_variable('USHER_CONNECTIONS')}"
        print(f"Written: {written}. Next, in this folder: {command('doctor')}, then {command('serve')}.")
        return 0
    own = _hold_conversation(look_at_address).own
    settings, connections = load()
    write_to(Path(_LOG))
    asyncio.run(serve_as(settings, connections, beside=partial(_first_workspace, settings, own)))
    return 0


def _hold_conversation(look: Look) -> "Conversation":
    ask_secret = interrupt_at_once(getpass if sys.stdin.isatty() else input)
    conversation = Conversation(input, ask_secret, print, look)
    try:
        conversation.run()
    except (EOFError, KeyboardInterrupt):
        raise NotDone("\nWhat was settled is saved: run it again to go on.") from None
    return conversation


def _stop(_question: str) -> str:
    raise NotDone(_CORRECT)


class Conversation:
    """Asks for each setting that hasn't been saved in this folder yet."""

    def __init__(self, ask: Ask, ask_secret: Ask, tell: Callable[[str], None], look: Look) -> None:
        self._ask = ask
        self._ask_secret = ask_secret
        self._tell = tell
        self._look_at_address = look
        #: The name of a connection, and the user's own token for it. The token is kept only in memory.
        self.own: tuple[str, str] | None = None

    def run(self) -> None:
        """Ask for settings, check and save them.

        Raise EOFError if the input ends, and NotDone if the setup can't continue.
        """
        if not read_variable("USHER_ENCRYPTION_KEYS"):
            keep("USHER_ENCRYPTION_KEYS", Fernet.generate_key().decode(), _KEY)
        if exposed := explain_exposed_env_file():
            self._tell(as_text(check_settings((), (), (), exposed)))
        self._connect()
        self._settle("USHER_PUBLIC_URL", _ASK_PUBLIC_URL, self._ask_address, self._look_at_address)
        if not read_variable("SLACK_BOT_TOKEN"):
            self._tell(_explain_app_creation())
        look = _check_slack_for("slack token", "slack scopes")
        self._settle("SLACK_BOT_TOKEN", _BOT_QUESTION, self._ask_secret, look)
        if not read_variable("SLACK_SIGNING_SECRET"):
            look = _check_slack_for("slack app token")
            self._settle("SLACK_APP_TOKEN", _APP_QUESTION, self._ask_secret, look)
        # If USHER_ADMINS is set but its check fails, stop: one answer would replace the whole list.
        ask = _stop if read_variable("USHER_ADMINS") else self._ask
        self._settle("USHER_ADMINS", _ASK_MEMBER_ID, ask, _look_at_person)

    def _ask_address(self, question: str) -> str:
        """Ask for the public URL. An empty answer means localhost with a free port."""
        return self._ask(question) or f"http://localhost:{asyncio.run(free_port(read_settings().settings))}"

    def _settle(self, name: str, question: str, ask: Ask, look: Look) -> None:
        """Ask for a setting unless it already has a valid value."""

        def problem(value: str) -> str:
            if wrong := find_problem(name, value):
                return wrong.removeprefix(f"{name}: ")
            give(name, value)
            wrong = self._find_failed_checks(look)
            if value == before and REACH in wrong:
                raise NotDone(f"{wrong}\n{_SLACK_UNREACHABLE}")
            return wrong

        before = read_variable(name)
        value = self._answer(ask, question, problem, before)
        if value != before:
            keep(name, value, question)

    def _answer(self, ask: Ask, question: str, problem: Callable[[str], str], value: str = "") -> str:
        while not value or (wrong := problem(value)):
            if value:
                self._tell(wrong)
            value = ask(f"{question}: ").strip()
        return value

    def _find_failed_checks(self, look: Look) -> str:
        """Run the checks. If any failed, return them all as text. Otherwise, print them and return ""."""

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
        place = find_connections_source() or Path("connections.toml").absolute()
        known = (f"{kind} ({whose})" if whose else kind for kind, whose in sorted(list_installed().items()))
        question = _ASK_CONNECTION.format(known=", ".join(known))
        if isinstance(place, Path) and not place.exists():
            self._tell(_BEGIN)
            self._answer(self._ask, question, partial(self._add_connection, place))
        elif wrong := self._find_connection_problems(place):
            raise NotDone(f"{wrong}\n{_CORRECT}")
        if find_connections_source() is None:
            keep("USHER_CONNECTIONS", str(place), "Where your workspaces are")

    def _add_connection(self, place: Path, value: str) -> str:
        """Write a connections file if the server named in the answer responds. If not, return the problem."""
        word, _, url = (part.strip() for part in value.partition(" "))
        kind, known = word.casefold(), list_installed()
        if kind not in known:
            # The typed text may be a secret, so don't repeat it.
            return f"Type one of {', '.join(sorted(known))}, and its address."
        source = known[kind].partition(" ")[0]
        try:
            provider = find_provider_class(kind, source)
        except SettingsError as refused:
            return "\n".join(refused.problems)
        text, secrets = _build_table(provider, source, url, self._ask_secret)
        for name, secret in secrets.items():
            give(name, secret)
        if wrong := self._find_connection_problems(text):
            problem = wrong.removeprefix(f"connections.{kind}.base_url: ")
            return f"{problem}\n{_ASK_ADDRESS_AGAIN.format(kind=kind)}"
        for name, secret in secrets.items():
            keep(name, secret, "The connections file refers to it")
        _write(place, text)
        if issubclass(provider, facets.EmbeddedPage):
            self._tell(_OPENS_IN_PAGE.format(title=provider.title))
        return ""

    def _find_connection_problems(self, place: Path | str) -> str:
        """Return the problems of a connections file or its servers as text, or "" if there are none."""
        found, problems = read_connections(place)

        async def look(_settings: Settings, http: Http) -> list[Check]:
            return [await check_connection(*one) for one in build_providers(found, http).items()]

        wrong = "\n".join(problems) or self._find_failed_checks(look)
        name = next((name for name, one in found.items() if "token" in one.linking), "")
        if wrong or not name or read_variable("USHER_ADMINS"):
            return wrong
        return self._find_failed_checks(partial(self._ask_own_token, found[name]))

    async def _ask_own_token(
        self, connection: ConnectionSettings, _settings: Settings, http: Http
    ) -> list[Check]:
        """Ask for the user's own token until one is accepted. If none is given, check only the server."""
        name, provider = connection.name, build(connection, http)
        guide = provider.require_facet(facets.Tokens).token_help()
        steps = "\n".join(guide.steps)
        self._tell(steps.replace(f"Press Open {connection.title}", f"Open {guide.url}"))
        known = await check_connection(name, provider)
        question = _PROOF_QUESTION if known.is_warning else _OWN_ACCOUNT_QUESTION
        while token := provider.clean_token(self._ask_secret(f"{question}: ")):
            found = await check_account(provider, token)
            if found.is_good:
                self.own = name, token
                return [found]
            self._tell(as_text([found]))
        return [replace(known, is_good=not known.is_warning)]


def _check_slack_for(*names: str) -> Look:
    """Return a function that runs the Slack checks with these names, or all of them if none match."""

    async def look(settings: Settings, http: Http) -> list[Check]:
        checks = await check_slack(settings, http)
        return [one for one in checks if one.name in names] or checks

    return look


async def _look_at_person(settings: Settings, http: Http) -> Sequence[Check]:
    """Check Usher's administrators. At least one of them must be a person rather than a group."""
    if all(map(is_group, settings.admin_ids())):
        return [Check("administrators", False, _GROUP, _YOURS)]
    return await _check_slack_for("administrators")(settings, http)


async def free_port(settings: Settings) -> int:
    """Return a free port. Raise NotDone if there is none."""
    ports = range(settings.port, settings.port + (1 if read_variable("PORT") else 10))
    try:
        async with listening(web.Application(), settings.host, *ports) as port:
            return port
    except OSError as error:
        raise NotDone(why_not_listening(error, settings.host, ports[-1])) from None


async def look_at_address(settings: Settings, http: Http) -> list[Check]:
    """Serve the public address for a moment, as ``serve`` would, to see whether it leads here.

    Behind a proxy, any local port will do, so if the usual one is taken, a free one is chosen and saved.
    Raise NotDone if this Usher is already running.
    """
    app = web.Application()
    app.router.add_routes([proving(Vault(settings.keys()))])
    try:
        async with listening(app, settings.host, *settings.ports()):
            return [await check_address(settings, http)]
    except OSError as error:
        wrong = why_not_listening(error, settings.host, settings.ports()[-1])
    found = await check_address(settings, http)
    if found.is_good:
        raise NotDone(f"This Usher is already running: {settings.public_url} leads to it. Stop it first.")
    if read_variable("PORT") or not (settings.public_url or "").startswith("https:"):
        return [Check("port", False, wrong)]
    keep("PORT", str(await free_port(settings)), f"{settings.ports()[0]} was in use")
    return await look_at_address(read_settings().settings, http)


async def look_ahead(settings: Settings, http: Http) -> list[Check]:
    """Check the public address. A problem is only a warning, because a proxy may be added later."""
    checks = await look_at_address(settings, http)
    return [one if one.is_good else replace(one, is_good=True, is_warning=True) for one in checks]


def _explain_app_creation() -> str:
    settings = read_settings().settings
    url = settings.public_url if (settings.public_url or "").startswith("https:") else None
    made = socket_manifest(url, command=settings.command, job_command=settings.job_command)
    words = f"manifest --socket --url {url}" if url else "manifest"
    return _CREATE_APP.format(link=create_url(made), manifest=command(words))


async def _waiting(process: Process, person: Principal, own: tuple[str, str] | None) -> str:
    """Store the token's account until its owner proves who they are. Return the URL for the proof, or ""."""
    if own is None:
        return ""
    name, token = own
    try:
        identity = await process.providers[name].check_credential(base.Credential(SecretStr(token)))
        return await process.services.create_caller(person).run(linking.wait_for_proof, name, identity, token)
    except (ProviderError, Refused) as failed:
        print(format_plain(failed), flush=True)
        return ""


async def _first_workspace(settings: Settings, own: tuple[str, str] | None, process: Process) -> None:
    """Send the user a Slack message, and wait until one of their workspaces is ready."""
    names = (name.strip() for name in settings.administrators.split(","))
    installation, name = process.context.installation, next(one for one in names if one and not is_group(one))
    person = installation.resolve_principal(installation.parse_principal(name))
    store, seen, is_other = process.store, 0, False
    url = await _waiting(process, person, own)
    here = replies.hint(answers.HERE, await list_first_steps(process.services.limit_to(person), person))
    if url and not process.context.sign_in:
        here = replies.code_question()
    occasion = linking.compute_digest(url)[:12] if url else "here"
    notice = NewNotice(f"up:{person.key}", NoticeKind.MESSAGE, occasion, person, stored.to_body(here))
    await store.write(notices.add_notices, [notice])
    print((_LINK_BY_BROWSER if url else _WRITTEN).format(url=url, log=_LOG), flush=True)
    while True:
        rows = await store.read(audit.read_audit, after=seen, limit=100)
        if _STARTED_ACTIONS & {(row["action"], row["result"]) for row in rows if row["actor"] == person.key}:
            team = as_text(await check_team(store, settings))
            ready = _WORKSPACE_READY.format(doctor=command("doctor"), team=team, serve=command("serve"))
            print(ready, flush=True)
            return
        seen = rows[-1]["seq"] if rows else seen
        count = await process.others.excess() if process.others is not None else 0
        if count and not is_other:
            print(_OTHER_INSTANCE.format(count=count), flush=True)
        is_other = count > 0
        await asyncio.sleep(0.0 if rows else 1.0)


# -- the files -----------------------------------------------------------------------------------------------


def keep(name: str, value: str, remark: str) -> None:
    """Save a setting to ``.env``, with the question as a comment above it, and set the variable."""
    path = Path(ENV_FILE)
    if path.exists():
        text = path.read_text(encoding="utf-8")
    else:
        # The example settings file is in the package or, in a checkout, at the top level.
        places = (folder / ".env.example" for folder in Path(__file__).parents[1:3])
        example = next(place for place in places if place.is_file())
        text = _PLACEHOLDERS.sub(r"\1=", example.read_text(encoding="utf-8"))
    line = f"# {remark}\n{name}={_quote(value)}"
    pattern = re.compile(f"^(?:# {re.escape(remark)}\n)?{name}=.*$", re.MULTILINE)
    text, count = pattern.subn(lambda _: line, text)
    _write(path, text if count else f"{text}\n{line}\n")
    give(name, value)


def _build_table(
    provider: type[base.Provider], source: str, url: str, ask_secret: Ask
) -> tuple[str, dict[str, str]]:
    kind, secrets = provider.kind, dict[str, str]()
    rows = ["# `usher docs connections` explains every key.", f"[connections.{kind}]"]
    rows += [f"provider = {_to_toml(kind)}", *([f"from = {_to_toml(source)}"] if source else ())]
    rows.append(f"base_url = {_to_toml(url)}")
    for key, field in provider.settings_model.model_fields.items():
        is_secret, variable = "SecretStr" in str(field.annotation), f"{kind}_{key}".upper()
        if is_secret and field.is_required():
            secrets[variable] = ask_secret(f"{provider.title}'s {key.replace('_', ' ')}: ").strip()
        if is_secret:
            rows.append(f"{'' if field.is_required() else '# '}{key} = {_to_toml('env:' + variable)}")
        elif key not in _ASKED_FIELDS and isinstance(field.default, bool | int | str | tuple):
            rows.append(f"# {key} = {_to_toml(field.default)}")
    return "\n".join(rows) + "\n", secrets


def _to_toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(_to_toml(one) for one in value)}]"
    if isinstance(value, str):
        escaped = re.sub(r"[\x00-\x1f\x7f]", "", value).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)


def _quote(value: str) -> str:
    """Quote a value for ``.env`` so that both shells and systemd read it correctly."""
    if re.fullmatch(r"[\w@%+=:,./-]*", value, re.ASCII):
        return value
    if not set("'\\") & set(value):
        return f"'{value}'"
    escaped = re.sub(r'(["\\])', r"\\\1", value)
    return f'"{escaped}"'


def _write(path: Path, text: str) -> None:
    """Write a file atomically, readable only by its owner."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)
