"""The checks of ``python -m bot doctor``: one line each, with what to do.

Nothing is changed and nothing is sent to people. The exit status is 0 if every check is good, 2 if the
settings are wrong, otherwise 1.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bot.domain.outages import SLACK
from bot.domain.people import Person, Principal
from bot.output.transcript import TOTAL
from bot.providers import base
from bot.services.linking import return_address
from bot.slack.calls import Meaning, meaning_of
from bot.slack.installed import is_listed
from bot.slack.manifest import BOT_SCOPES, INSTALL_PATH
from bot.slack.people import person_of
from bot.store import name_of, open_store, schema
from bot.store.outages import TWICE
from bot.store.owners import ROLES
from bot.store.store import Store
from bot.support import errors
from bot.support.clock import SystemClock, SystemIds
from bot.support.environment import command
from bot.support.http import Http
from bot.support.responses import Response
from bot.support.settings import ANY_WORKSPACE, Settings, database_file, is_postgres
from bot.support.vault import Vault
from bot.upkeep.archives import HOLD_FIRST, OLDER, Witness
from bot.upkeep.keys import try_secrets

_SCRIPT_BYTES = 5_000_000
#: Hosts in a script, and those that only name the language of a picture.
_NAMED = re.compile(rb"(?:https?:)?//([0-9A-Za-z](?:[0-9A-Za-z-]*\.)+[A-Za-z]{2,}(?::\d+)?)(?=[/\"'`?])")
_NAMESPACES = {"www.w3.org"}


async def check_connection(name: str, provider: base.Provider) -> Check:
    """Ask a provider's server for its version, without any person's credential."""
    label = f"connection {name}"
    try:
        version, remark = await provider.probe(), await provider.remark()
    except errors.ProviderError as failed:
        advice = "Check base_url in the connections file."
        if isinstance(failed, errors.TemporaryError):
            advice = "Check base_url, and whether this machine reaches the server."
        elif isinstance(failed, errors.CredentialRefused):
            advice = "Check the connection's own token in the connections file."
        return Check(label, False, why(failed), advice)
    return Check(label, True, f"{provider.settings.base_url} answers ({plain(version)}). {remark}".strip())


def check_sign_in(settings: Settings, providers: Mapping[str, base.Provider]) -> list[Check]:
    """Check that people can be told apart on workspace pages, if a provider needs such pages."""
    needing = sorted(name for name, provider in providers.items() if isinstance(provider, base.Page))
    if not needing:
        return []
    if settings.slack_client_id is not None and settings.slack_client_secret is not None:
        return [Check("sign in with slack", True, "set up")]
    found = f"not set up, so nobody can open a workspace on {', '.join(needing)}"
    advice = "Set SLACK_CLIENT_ID and SLACK_CLIENT_SECRET (your app's page, Basic Information)."
    return [Check("sign in with slack", False, found, advice)]


async def check_page(name: str, provider: base.Provider) -> list[Check]:
    """Load the script of a page that shows workspaces; say which hosts it names that the page may not use."""
    if not isinstance(provider, base.Page):
        return []
    label, loads = f"connection {name} page", provider.embedding()
    try:
        answer = await provider.http.request("GET", loads.script, max_bytes=_SCRIPT_BYTES)
    except errors.ProviderError as failed:
        return [Check(label, False, f"{loads.script}: {why(failed)}", "Check sdk_base, and the network.")]
    if answer.status != 200:
        return [Check(label, False, f"{loads.script} answers HTTP {answer.status}", "Check sdk_base.")]
    named = sorted({host.decode().lower() for host in _NAMED.findall(answer.body)} - _NAMESPACES)
    others = [host for host in named if not loads.allows(host)]
    found = f"{loads.script} loads"
    if others:
        found += (
            f"; it also names {', '.join(others)}. If pages lack something from there, add it to page_hosts"
        )
    return [Check(label, True, found)]


async def check_way_in(name: str, provider: base.Provider, public_url: str) -> list[Check]:
    """Ask a provider at which people can sign in whether it knows Usher; say what is missing there."""
    if not isinstance(provider, base.SignIn) or not provider.links_by("token"):
        return []
    label, back = f"connection {name} sign-in", return_address(public_url, name)
    if provider.oauth is None:
        return [Check(label, True, "people paste a token. To let them sign in:", provider.registration(back))]
    try:
        is_known = await provider.oauth.is_known()
    except errors.ProviderError:
        return []  # A problem with the server is reported where its version is asked for.
    if not is_known:
        found = "it doesn't accept the client id and secret, so nobody can sign in"
        return [Check(label, False, found, provider.registration(back))]
    return [Check(label, True, f"people sign in there, and come back to {back}")]


async def run_checks(
    settings: Settings, http: Http, providers: Mapping[str, base.Provider], wrong: Collection[str] = ()
) -> list[Check]:
    """Run every check that the settings allow; ``wrong`` are the variables that have no good value."""
    checks: list[Check] = []
    if "USHER_PUBLIC_URL" not in wrong:
        checks.append(_check_address(settings))
    if not {"SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"} & set(wrong):
        checks += check_sign_in(settings, providers)
    if not {"SLACK_BOT_TOKEN", "USHER_SLACK_API_URL"} & set(wrong):
        checks += await check_slack(settings, http)
        checks += check_listed(settings, providers)
    for name, provider in providers.items():
        checks.append(await check_connection(name, provider))
        checks += await check_page(name, provider)
        if settings.public_url is not None:
            checks += await check_way_in(name, provider, settings.public_url)
    checks += check_spool(providers)
    if "USHER_DATABASE_URL" not in wrong:
        has_keys = "USHER_ENCRYPTION_KEYS" not in wrong
        checks += await check_store(settings, providers, http, has_keys=has_keys)
    return checks


def _check_address(settings: Settings) -> Check:
    if settings.public_url is not None:
        return Check("public address", True, settings.public_url)
    advice = "Set USHER_PUBLIC_URL to the https address that people's browsers reach."
    return Check("public address", False, "not set, so nobody can link an account", advice)


def check_spool(providers: Mapping[str, base.Provider]) -> list[Check]:
    """Check that there is enough disk space for the outputs of runs, if there are runs."""
    if not any(isinstance(provider, base.Runs) for provider in providers.values()):
        return []
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    found = f"{free // 1_000_000} MB free in {folder}, and outputs take up to {TOTAL // 1_000_000} MB"
    advice = "" if free >= TOTAL else "Free some space or set TMPDIR to another folder: long outputs get cut."
    return [Check("room for outputs", free >= TOTAL, found, advice)]


@dataclass(frozen=True, slots=True)
class Check:
    """Hold one finding; ``advice`` says what to do and is empty if all is well.

    What is good may still be worth a warning.
    """

    name: str
    is_good: bool
    found: str
    advice: str = ""
    is_warning: bool = False


def plain(value: object) -> str:
    """Return a text from outside for a terminal: one line, no control characters, not too long."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value or "")).split())
    return text[:120] or "nothing"


def why(failed: errors.ProviderError) -> str:
    """Return why a server's answer can't be used."""
    return f"no usable answer ({type(failed).__name__}): {plain(failed)}"


def exit_status(checks: Iterable[Check]) -> int:
    """Return 0 if every check is good, otherwise 1."""
    return 0 if all(check.is_good for check in checks) else 1


def as_text(checks: Sequence[Check]) -> str:
    """Write one line per check, with what to do below each that isn't good."""
    lines = []
    for check in checks:
        mark = "warn" if check.is_warning else "ok  " if check.is_good else "BAD "
        lines.append(f"{mark} {check.name}: {check.found}")
        if check.advice:
            lines.append(f"     {check.advice}")
    return "\n".join(lines)


def as_json(checks: Sequence[Check]) -> str:
    """Write the same as one JSON object."""
    return json.dumps({"ok": exit_status(checks) == 0, "checks": [asdict(check) for check in checks]})


_APP: Final = "your app's page at api.slack.com/apps"
#: What to do, by the variable that a problem begins with.
_SETTING_ADVICE: Final = {
    "SLACK_BOT_TOKEN": f"Copy the Bot User OAuth Token from {_APP}, OAuth & Permissions.",
    "SLACK_SIGNING_SECRET": f"Copy the Signing Secret from {_APP}, Basic Information.",
    "SLACK_APP_TOKEN": f"Create an app-level token with connections:write on {_APP}, Basic Information.",
    "SLACK_CLIENT_ID": f"Copy both from {_APP}, Basic Information.",
    "SLACK_CLIENT_SECRET": f"Copy both from {_APP}, Basic Information.",
    "USHER_ENCRYPTION_KEYS": (
        f"{command('keys new')} creates a key. Keep your old keys too: stored data needs them."
    ),
    "USHER_CONNECTIONS": "Set it to the path of your connections file: docs/install.md shows one.",
    "USHER_PUBLIC_URL": "Set it to the address that people's browsers use, such as https://usher.example.org.",
    "USHER_DATABASE_URL": (
        "Set it to a file, such as sqlite:////var/lib/usher/usher.db, or to a PostgreSQL database."
    ),
    "USHER_SLACK_WORKSPACES": (
        "Name the Slack workspaces that you serve, such as T0123ABCD,E0123ABCD: "
        "a browser shows a workspace's id in the address of app.slack.com."
    ),
    "USHER_GLOBAL_ADMINS": "Copy member ids from people's profiles in Slack, and join them with commas.",
    "USHER_ADMINS": "Copy member ids from people's profiles in Slack, and join them with commas.",
}
_OTHER: Final = "Correct or remove it: docs/settings.md lists the values each one takes."
_CONNECTIONS: Final = "Correct it in the connections file: docs/settings.md lists every key."
_MISSPELT: Final = "Correct its name, or remove it."
_UNKNOWN: Final = "Remove it, or correct its name: docs/settings.md lists them all."


def check_settings(problems: Sequence[str], unknown: Sequence[str], exposed: str = "") -> list[Check]:
    """Return a check for each problem of the settings, or the one that all is well.

    ``exposed`` says what others may do with their file.
    """
    checks = [Check("settings", False, problem, _setting_advice(problem)) for problem in problems]
    checks += [
        Check("settings", False, f"{name}: there is no such setting, so it does nothing", _UNKNOWN)
        for name in unknown
    ]
    if exposed:
        checks.append(Check("settings", False, exposed, "Make it yours alone: chmod 600."))
    return checks or [Check("settings", True, "all there")]


def _setting_advice(problem: str) -> str:
    if "there is no such setting" in problem:
        return _MISSPELT
    if problem.startswith("connections."):
        return _CONNECTIONS
    return _SETTING_ADVICE.get(problem.split(":", maxsplit=1)[0].split(maxsplit=1)[0], _OTHER)


_REACH: Final = "Check that this machine can reach Slack."
_ADMINS: Final = (
    "Correct USHER_ADMINS and USHER_GLOBAL_ADMINS: copy member ids from people's profiles in Slack."
)


async def check_slack(settings: Settings, http: Http) -> list[Check]:
    """Ask Slack who the bot token belongs to and which scopes it has; try the app token if one is set."""
    checks = []
    if settings.slack_bot_token is not None:
        checks += await check_token(settings, http, settings.slack_bot_token.get_secret_value())
    if settings.slack_app_token is not None:
        checks.append(await _check_app_token(settings, http))
    return checks


async def check_token(settings: Settings, http: Http, token: str, place: str = "") -> list[Check]:
    """Ask Slack whose token this is, and which scopes it has; ``place`` names one of several workspaces."""
    of = f" of {place}" if place else ""
    advice = f"Install Usher there again: {settings.public_url}{INSTALL_PATH}" if place else ""
    checks = []
    try:
        answer, body = await _asked(settings, http, token, "auth.test")
    except errors.ProviderError as failed:
        return [Check(f"slack token{of}", False, why(failed), _REACH)]
    if body.get("ok") is not True:
        copy = "Copy the Bot User OAuth Token from your app's page, OAuth & Permissions."
        return [Check(f"slack token{of}", False, f"Slack says {plain(body.get('error'))}", advice or copy)]
    checks.append(Check(f"slack token{of}", True, f"{plain(body.get('user'))} in {plain(body.get('team'))}"))
    scopes = answer.headers.get("X-OAuth-Scopes")
    granted = {scope.strip() for scope in (scopes or "").split(",")}
    missing = sorted(set(BOT_SCOPES) - granted)
    if scopes is None:
        unknown = "Compare them with manifest.yml on your app's page, OAuth & Permissions."
        checks.append(
            Check(f"slack scopes{of}", True, "unknown: Slack doesn't say", unknown, is_warning=True)
        )
    elif missing:
        paste = "Add them by pasting manifest.yml into your app's manifest page, then reinstall the app."
        checks.append(Check(f"slack scopes{of}", False, f"missing: {', '.join(missing)}", advice or paste))
    else:
        checks.append(Check(f"slack scopes{of}", True, "all there"))
    if scopes is None or not missing:
        places = [str(body.get(key) or "") for key in ("team_id", "enterprise_id")]
        checks += await _check_administrators(settings, http, token, places, of)
    return checks


async def _asked(
    settings: Settings, http: Http, token: str, method: str, **query: str
) -> tuple[Response, dict[str, Any]]:
    """Call a method of Slack's with a token; return the answer and its body. Raises ProviderError."""
    url, headers = f"{settings.slack_api_url}{method}", {"Authorization": f"Bearer {token}"}
    answer = await http.request("GET" if query else "POST", url, headers=headers, query=query)
    return answer, answer.json_object()


def check_listed(settings: Settings, providers: Mapping[str, base.Provider]) -> list[Check]:
    """Warn where Usher is installed by OAuth and any Slack workspace may do that, at whose cost."""
    if settings.slack_bot_token is not None or ANY_WORKSPACE not in settings.workspace_ids():
        return []
    found = "any Slack workspace of the world may install Usher and use its connections"
    advice = "Name yours in USHER_SLACK_WORKSPACES, unless you mean that."
    costly = sorted(
        name
        for name, provider in providers.items()
        if provider.links_by("none") and provider.settings.workspaces is None
    )
    if costly:
        found += f", and workspaces of {', '.join(costly)} are made on your account"
        advice += " Limit those connections with their key workspaces."
    return [Check("slack workspaces", True, found, advice, is_warning=True)]


async def _check_administrators(
    settings: Settings, http: Http, token: str, places: Sequence[str], of: str
) -> list[Check]:
    """Look up Usher's admins; with several workspaces those of ``places``, where the token is from."""
    label, known, unknown = f"administrators{of}", [], []
    for name in sorted(settings.admin_ids() | settings.global_admin_ids()):
        place, _, user = name.rpartition(":")
        if of and place not in places:
            continue
        try:
            _, body = await _asked(settings, http, token, "users.info", user=user)
        except errors.ProviderError as failed:
            return [Check(label, False, why(failed), _REACH)]
        found = body.get("user")
        if body.get("ok") is not True or not isinstance(found, dict):
            unknown.append(f"{name} (Slack says {plain(body.get('error'))})")
            continue
        person = person_of(found, Principal(None, place or places[0], user), 0.0)
        problem = _cannot_administer(person)
        if problem is None:
            known.append(f"{plain(person.name)} ({name})")
        else:
            unknown.append(f"{name} ({plain(person.name)} {problem})")
    if unknown:
        return [Check(label, False, f"not people who can act: {', '.join(unknown)}", _ADMINS)]
    return [Check(label, True, ", ".join(known))] if known else []


def _cannot_administer(person: Person) -> str | None:
    """Return why Usher wouldn't listen to somebody."""
    reasons = {
        "is deactivated": person.is_deleted,
        "is a bot": person.is_bot,
        "is a guest": person.is_guest,
        "belongs to another Slack workspace": person.is_stranger,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


async def check_installations(settings: Settings, http: Http, store: Store) -> list[Check]:
    """Check the tokens of installations by OAuth; the environment may have one instead. Raises StoreError."""
    if settings.slack_bot_token is not None:
        return []
    vault, checks = Vault(settings.keys()), []
    page = f"{settings.public_url}{INSTALL_PATH}"
    rows = await store.installations()
    places = {place for row in rows for place in (row.id, row.enterprise_id)}
    homeless = sorted(
        name
        for name in settings.admin_ids() | settings.global_admin_ids()
        if name.partition(":")[0] not in places
    )
    if rows and homeless:
        found = f"Usher isn't installed in the Slack workspace of {', '.join(homeless)}"
        checks.append(Check("administrators", False, found, f"{_ADMINS} Or install Usher there: {page}"))
    for row in rows:
        place = plain(f"{row.team_name} ({row.id})")
        if not is_listed(row, settings.workspace_ids()):
            found = "it isn't in USHER_SLACK_WORKSPACES, so nobody there is served"
            advice = "Add it to that setting, or have Usher removed there."
            checks.append(Check(f"slack workspace {place}", False, found, advice))
            continue
        try:
            secret = vault.open(row.row_key, row.secret)
        except errors.SecretError:
            found = "it doesn't open with any of the keys"
            advice = f"Put the old key back, or install Usher there again: {page}"
            checks.append(Check(f"slack token of {place}", False, found, advice))
            continue
        if row.lost_at is not None:
            found = "Slack doesn't let me replace it when it expires"
            checks.append(
                Check(f"slack token of {place}", False, found, f"Install Usher there again: {page}")
            )
            continue
        if row.expires_at is not None and row.expires_at <= await store.now() and "refresh" in secret:
            checks.append(Check(f"slack token of {place}", True, "expired, and replaced when it is needed"))
            continue
        checks += await check_token(settings, http, secret["token"], place)
    if not rows:
        checks.append(Check("slack", False, "Usher isn't installed in any Slack workspace", f"Open {page}"))
    return checks


async def _check_app_token(settings: Settings, http: Http) -> Check:
    token = settings.slack_app_token.get_secret_value() if settings.slack_app_token else ""
    try:
        _, body = await _asked(settings, http, token, "apps.connections.open")
    except errors.ProviderError as failed:
        return Check("slack app token", False, why(failed), _REACH)
    if body.get("ok") is True:
        return Check("slack app token", True, "Socket Mode can be opened")
    advice = "Create an app-level token with connections:write and turn on Socket Mode."
    return Check("slack app token", False, f"Slack says {plain(body.get('error'))}", advice)


#: Permissions that were refused longer ago than this say nothing about today.
REFUSALS_SECONDS = 7 * 86_400.0
#: Most revocations take seconds; what takes longer than this, in seconds, has a cause that lasts.
REVOKED_WITHIN = 86_400.0
_OWED_ADVICE = (
    "These secrets of ended links are still valid: check that their connections are set up and answer. "
    "Each is erased after 30 days."
)
#: From so many entries on, about 350 MB, archiving the audit is worth it.
LONG_AUDIT = 1_000_000
#: A message that has been due for so many seconds is late.
LATE_SECONDS = 60.0
_LATE_ADVICE = "docs/operate.md, “Messages are late”, says what to look for."
#: How many of the newest dead notices are read; they are kept for a week.
DEAD_AT_MOST = 500
_WRITES = "Check these people's Slack accounts, and whether the app is allowed to message them."
_TAB = "Turn on the Messages Tab on your app's page, App Home."
_BROKEN = 'Look for errors with "notice" in the log: they say what broke. Please report it.'
_WAY_OUT = "Slack accepted no message for a day: check that this machine can reach Slack."
_SCOPES = "Paste manifest.yml into your app's manifest page, then reinstall the app."
_OTHER_ADVICE = (
    'The log lists the others as "notice given up"; Slack\'s documentation explains its error codes.'
)
#: What to do about messages that were given up, by what Slack's code means.
_NOTICE_ADVICE = {
    Meaning.PLACE: _WRITES,
    Meaning.PERSON: _WRITES,
    Meaning.REQUEST: _BROKEN,
    Meaning.SETUP: _SCOPES,
    Meaning.LIMITED: _WAY_OUT,
    Meaning.UNSURE: _WAY_OUT,
    Meaning.AGAIN: _WAY_OUT,
}
_STORE_ADVICE = "Check the disk, the file's permissions and USHER_DATABASE_URL."
_SERVER_ADVICE = "Check the PostgreSQL server and USHER_DATABASE_URL: docs/operate.md, “PostgreSQL”."


async def check_store(
    settings: Settings,
    providers: Mapping[str, base.Provider] | None = None,
    http: Http | None = None,
    *,
    has_keys: bool = True,
) -> list[Check]:
    """Open the database and read its counts and dead notices; a missing or empty one is left as it is.

    With ``providers``, what they recently refused is compared with how their connections are configured. With
    ``http``, the tokens of installations by OAuth are tried. ``has_keys``: the encryption keys are known.
    """
    path = database_file(settings.database_url)
    if path is not None and not await asyncio.to_thread(path.exists):
        return [await asyncio.to_thread(_place_for, path)]
    try:
        store = await open_store(settings.database_url, SystemClock(), SystemIds())
        try:
            name = name_of(settings.database_url)
            if store.engine.is_shared and await _is_empty(store):
                return [Check("store", True, f"{name} is empty: the first start creates the tables")]
            if schema.missing(await _applied(store), schema.migrations(), name):
                found = f"{name} is of an earlier release: the next start brings it up to date"
                return [Check("store", True, found)]
            checks = await read_store(store, name) + await check_rights(store, providers or {})
            checks.append(await check_revocations(store))
            checks += await check_retired(store, providers or {})
            if has_keys:
                checks += await check_keys(store, settings)
            if store.engine.is_shared:
                checks.append(await check_processes(store))
            if http is not None and has_keys:
                checks += await check_installations(settings, http, store)
            checks += await check_others(store)
            return checks + await check_audit(store) + await check_age(store, path)
        finally:
            await store.close()
    except (errors.StoreTooNew, errors.StoreUnreleased) as failed:
        return [Check("store", False, str(failed))]
    except errors.StoreError as failed:
        advice = _SERVER_ADVICE if is_postgres(settings.database_url) else _STORE_ADVICE
        return [Check("store", False, str(failed), advice)]


async def _is_empty(store: Store) -> bool:
    """Return whether nothing was ever migrated here. Raises StoreError."""
    try:
        await store.migrated()
    except errors.StoreNotMigrated:
        return True
    return False


async def _applied(store: Store) -> dict[str, str]:
    """Return the oldest release that may serve, by migration; "" if none is recorded. Raises StoreError."""
    try:
        return await store.migrated() | await store.schema_changes()
    except errors.StoreNotMigrated:
        # A database of 0.1.0.
        return await store.migrated()


def _place_for(path: Path) -> Check:
    folder = path.absolute().parent
    if not folder.is_dir():
        return Check("store", False, f"there is no folder {folder}", "Create it, for Usher's user only.")
    if not os.access(folder, os.W_OK | os.X_OK):
        advice = "Make Usher's user its owner, and run doctor as that user."
        return Check("store", False, f"this user can't write to {folder}", advice)
    return Check("store", True, f"{path.absolute()} doesn't exist yet: the first start creates it")


async def read_store(store: Store, name: str = "the database") -> list[Check]:
    """Read an open store's counts and dead notices, after trying one tiny write; ``name`` says which it is.

    Raises StoreError.
    """
    await store.try_writing()
    counts = await store.statistics()
    dead = [notice for notice in await store.dead_notices(DEAD_AT_MOST) if not notice.is_harmless]
    found = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in sorted(counts.items()))
    refused = Counter(account.connection for account in await store.suspects())
    names = ", ".join(f"{name} {number}" for name, number in sorted(refused.items()))
    found_refused = f"{names}: checking whether they're accepted again" if names else "none"
    checks = [Check("store", True, f"{name}: {found}"), Check("refused sign-ins", True, found_refused)]
    checks.append(await check_messages(store))
    if not dead:
        return [*checks, Check("dead notices", True, "none")]
    codes = sorted({notice.error or "unknown cause" for notice in dead})
    people = ", ".join(sorted({notice.principal.user_id for notice in dead[:5]}))
    advice = " ".join(dict.fromkeys(map(_notice_advice, codes)))
    found = f"{len(dead)} ({', '.join(codes)}), the newest for {people}"
    return [*checks, Check("dead notices", False, found, advice)]


async def check_messages(store: Store) -> Check:
    """Say how many messages wait, since when, and whether Slack answers. Raises StoreError."""
    figures, now = await store.figures(), await store.now()
    silent, late = figures.outages.get(SLACK), figures.waited > LATE_SECONDS
    found = f"{figures.counts['pending_notices']} waiting"
    for what, seconds in (
        (", the oldest", figures.waited if late else None),
        ("; Slack doesn't answer", silent),
    ):
        if seconds is not None:
            found += f"{what} since {datetime.fromtimestamp(now - seconds, UTC):%Y-%m-%d %H:%M} UTC"
    if silent is None and not late:
        return Check("messages", True, found)
    return Check("messages", False, found, _LATE_ADVICE if silent is None else _REACH)


def _notice_advice(code: str) -> str:
    return _TAB if code == "messages_tab_disabled" else _NOTICE_ADVICE.get(meaning_of(code), _OTHER_ADVICE)


async def check_keys(store: Store, settings: Settings) -> list[Check]:
    """Open every account's secret, if there are any. Raises StoreError."""
    opening = await try_secrets(store, Vault(settings.keys()))
    if not opening.total:
        return []
    return [Check("encryption keys", not opening.closed, opening.found, opening.advice)]


async def check_retired(store: Store, providers: Mapping[str, base.Provider]) -> list[Check]:
    """Name what still depends on connections that aren't in the file any more. Raises StoreError."""
    return [
        Check(
            f"connection {name}",
            False,
            f"it isn't in the connections file, and people depend on it: {use['people']} linked, "
            f"{use['running']} workspaces running, {use['timers']} to be stopped, {use['hours']} with hours",
            f"Put it back, or end these links and tell their people: {command(f'accounts retire {name}')}.",
        )
        for name, use in (await store.uses()).items()
        if providers and name not in providers and (use["people"] or use["hours"])
    ]


async def check_revocations(store: Store) -> Check:
    """Count the secrets whose revocation is owed, and warn of what is for longer than a day.

    Raises StoreError.
    """
    label, owed, now = "owed revocations", await store.owed_revocations(), await store.now()
    if not owed:
        return Check(label, True, "none")
    at = Counter(account.connection for account in owed)
    since = owed[0].unlinked_at or now
    found = ", ".join(f"{name} {number}" for name, number in sorted(at.items()))
    found += f", the oldest since {datetime.fromtimestamp(since, UTC):%Y-%m-%d %H:%M} UTC"
    if now - since < REVOKED_WITHIN:
        return Check(label, True, found)
    return Check(label, True, found, _OWED_ADVICE, is_warning=True)


async def check_processes(store: Store) -> Check:
    """List the processes that serve from a shared database: requests and work need one each, or one for both.

    Raises StoreError.
    """
    owned = await store.owned()
    by_role = {role: [one for one in owned if one.name.startswith(f"{role}:")] for role in ROLES}
    found = ", ".join(
        f"{len(processes)} {role} on {', '.join(sorted({one.owner.partition('/')[0] for one in processes}))}"
        for role, processes in by_role.items()
        if processes
    )
    releases = sorted({one.release for processes in by_role.values() for one in processes})
    if len(releases) > 1:
        found += f", of the releases {' and '.join(releases)}"
    if not found or by_role["serve"] or (by_role["web"] and by_role["worker"]):
        return Check("processes", True, found or "none is running")
    missing = "worker" if by_role["web"] else "web"
    lost = "Slack's requests aren't answered" if missing == "web" else "nothing is done or sent"
    return Check("processes", False, f"{found}, but no {missing}, so {lost}", f"Start {command(missing)}.")


async def check_audit(store: Store) -> list[Check]:
    """Say when the audit has become so long that archiving is worth it. Raises StoreError."""
    archived, _ = await store.audit_anchor()
    length, _ = await store.audit_head()
    count = length - archived
    if count < LONG_AUDIT:
        return []
    (oldest,) = await store.audit_entries(after=archived, limit=1)
    since = datetime.fromtimestamp(oldest["at"], UTC).date().isoformat()
    advice = f"{command('audit archive')} moves old ones into a file: docs/operate.md, “The audit”."
    return [Check("audit", True, f"{count} entries since {since}", advice, is_warning=True)]


async def check_others(store: Store) -> list[Check]:
    """Report another Usher that has the same app. Raises StoreError."""
    since = (await store.outages()).get(TWICE)
    if since is None:
        return []
    at = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%d %H:%M UTC")
    found = f"since {at} another Usher has connections with the same app, and answers from its own records"
    return [Check("slack connections", False, found, "Stop it, or give it an app of its own in Slack.")]


async def check_age(store: Store, path: Path | None) -> list[Check]:
    """Report a database that isn't the one in use, or is older than this machine knows. Raises StoreError."""
    if said := await store.outdated():
        return [Check("store age", False, said)]
    return [Check("store age", False, OLDER, HOLD_FIRST)] if await Witness(path).contradicts(store) else []


async def check_rights(store: Store, providers: Mapping[str, base.Provider]) -> list[Check]:
    """Check for refused connection secrets, and for servers that want them in place of people's.

    Raises StoreError.
    """
    checks = []
    since = await store.now() - REFUSALS_SECONDS
    for name, provider in providers.items():
        label = f"connection {name} token"
        try:
            is_good = await provider.own_secret() if isinstance(provider, base.Behalf) else None
        except errors.ProviderError:
            continue  # A problem with the server is reported where its version is asked for.
        if is_good is None:
            continue
        refused = await store.refusals(name, since)
        if not is_good:
            advice = "Put a new admin_token into the connections file."
            checks.append(Check(label, False, "the admin token is refused", advice))
        elif refused and provider.describe().get("act_as") == "person":
            found = (
                f"people's own tokens were refused the right to {refused} of their operations "
                "in the last week, and the admin token is accepted"
            )
            advice = 'If this server requires the admin token, set act_as = "admin" and linking = ["admin"].'
            checks.append(Check(label, False, found, advice))
        else:
            checks.append(Check(label, True, "the admin token is accepted"))
    return checks
