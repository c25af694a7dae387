"""The checks of ``python -m bot doctor``: one line each, with what to do.

Nothing is changed and nothing is sent to people. The exit status is 0 if every check is good, 2 if the
settings are wrong, otherwise 1.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bot.output.spool import TOTAL
from bot.providers import facets
from bot.slack.manifest import BOT_SCOPES, INSTALL_PATH
from bot.store import open_store
from bot.support.clock import SystemClock, SystemIds
from bot.support.database_url import database_file, is_postgres
from bot.support.errors import CredentialRefused, ProviderError, SecretError, StoreError, TemporaryError
from bot.support.settings import Settings
from bot.support.vault import Vault
from bot.upkeep.restored import Witness

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from bot.providers.base import Provider
    from bot.store.store import Store
    from bot.support.http import Http


#: Permissions that were refused longer ago than this say nothing about today.
REFUSALS_SECONDS = 7 * 86_400.0
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
#: What to do, by the code with which a message was given up.
_ADVICE = {
    **dict.fromkeys(
        (
            "cannot_dm_bot",
            "channel_not_found",
            "is_archived",
            "not_in_channel",
            "restricted_action",
            "user_not_found",
            "user_not_visible",
        ),
        _WRITES,
    ),
    **dict.fromkeys(("undrawable", "internal"), _BROKEN),
    **dict.fromkeys(
        ("internal_error", "no_answer", "not_sent", "ratelimited", "service_unavailable"), _WAY_OUT
    ),
    **dict.fromkeys(("missing_scope", "not_allowed_token_type"), _SCOPES),
    "messages_tab_disabled": _TAB,
}
_STORE_ADVICE = "Check the disk, the file's permissions and USHER_DATABASE_URL."
_SERVER_ADVICE = "Check the PostgreSQL server and USHER_DATABASE_URL: docs/install.md, “PostgreSQL”."


@dataclass(frozen=True, slots=True)
class Check:
    """Hold one finding; ``advice`` says what to do and is empty if all is well."""

    name: str
    is_good: bool
    found: str
    advice: str = ""


def plain(value: object) -> str:
    """Return a text from outside for a terminal: one line, no control characters, not too long."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value or "")).split())
    return text[:120] or "nothing"


def _why(failed: ProviderError) -> str:
    return f"no usable answer ({type(failed).__name__}): {plain(failed)}"


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
        answer = await http.request(
            "POST", f"{settings.slack_api_url}auth.test", headers={"Authorization": f"Bearer {token}"}
        )
        body = answer.json_object()
    except ProviderError as failed:
        return [Check(f"slack token{of}", False, _why(failed), "Check that this machine can reach Slack.")]
    if body.get("ok") is not True:
        copy = "Copy the Bot User OAuth Token from your app's page, OAuth & Permissions."
        return [Check(f"slack token{of}", False, f"Slack says {plain(body.get('error'))}", advice or copy)]
    checks.append(Check(f"slack token{of}", True, f"{plain(body.get('user'))} in {plain(body.get('team'))}"))
    granted = {scope.strip() for scope in answer.headers.get("X-OAuth-Scopes", "").split(",")}
    missing = sorted(set(BOT_SCOPES) - granted)
    if missing:
        paste = "Add them by pasting manifest.yml into your app's manifest page, then reinstall the app."
        checks.append(Check(f"slack scopes{of}", False, f"missing: {', '.join(missing)}", advice or paste))
    else:
        checks.append(Check(f"slack scopes{of}", True, "all there"))
    return checks


async def check_installations(settings: Settings, http: Http, store: Store) -> list[Check]:
    """Check the tokens of installations by OAuth; the environment may have one instead. Raises StoreError."""
    if settings.slack_bot_token is not None:
        return []
    vault, checks = Vault(settings.keys()), []
    page = f"{settings.public_url}{INSTALL_PATH}"
    for row in await store.installations():
        place = plain(f"{row.team_name} ({row.id})")
        try:
            secret = vault.open(row.row_key, row.secret)
        except SecretError:
            found = "it doesn't open with any of the keys"
            checks.append(
                Check(f"slack token of {place}", False, found, f"Install Usher there again: {page}")
            )
            continue
        if row.expires_at is not None and row.expires_at <= await store.now() and "refresh" in secret:
            checks.append(Check(f"slack token of {place}", True, "expired, and replaced when it is needed"))
            continue
        checks += await check_token(settings, http, secret["token"], place)
    if not checks:
        checks.append(Check("slack", False, "Usher isn't installed in any Slack workspace", f"Open {page}"))
    return checks


async def _check_app_token(settings: Settings, http: Http) -> Check:
    token = settings.slack_app_token.get_secret_value() if settings.slack_app_token else ""
    try:
        answer = await http.request(
            "POST",
            f"{settings.slack_api_url}apps.connections.open",
            headers={"Authorization": f"Bearer {token}"},
        )
        body = answer.json_object()
    except ProviderError as failed:
        return Check("slack app token", False, _why(failed), "Check that this machine can reach Slack.")
    if body.get("ok") is True:
        return Check("slack app token", True, "Socket Mode can be opened")
    advice = "Create an app-level token with connections:write and turn on Socket Mode."
    return Check("slack app token", False, f"Slack says {plain(body.get('error'))}", advice)


async def check_connection(name: str, provider: Provider) -> Check:
    """Ask a provider's server for its version, without any person's credential."""
    label = f"connection {name}"
    try:
        version, remark = await provider.probe(), await provider.remark()
    except TemporaryError as failed:
        return Check(
            label, False, _why(failed), "Check base_url, and whether this machine reaches the server."
        )
    except CredentialRefused as failed:
        return Check(label, False, _why(failed), "Check the connection's own token in the connections file.")
    except ProviderError as failed:
        return Check(label, False, _why(failed), "Check base_url in the connections file.")
    return Check(label, True, f"{provider.settings.base_url} answers ({plain(version)}). {remark}".strip())


def check_sign_in(settings: Settings, providers: Mapping[str, Provider]) -> list[Check]:
    """Check that people can be told apart on workspace pages, if a provider needs such pages."""
    needing = sorted(name for name, provider in providers.items() if isinstance(provider, facets.Page))
    if not needing:
        return []
    if settings.slack_client_id is not None and settings.slack_client_secret is not None:
        return [Check("sign in with slack", True, "set up")]
    found = f"not set up, so nobody can open a workspace on {', '.join(needing)}"
    advice = "Set SLACK_CLIENT_ID and SLACK_CLIENT_SECRET (your app's page, Basic Information)."
    return [Check("sign in with slack", False, found, advice)]


async def check_store(
    settings: Settings, providers: Mapping[str, Provider] | None = None, http: Http | None = None
) -> list[Check]:
    """Open the database and read its counts and dead notices; a missing one is not created.

    With ``providers``, what they recently refused is compared with how their connections are configured. With
    ``http``, the tokens of installations by OAuth are tried.
    """
    path = database_file(settings.database_url)
    if path is not None and not await asyncio.to_thread(path.exists):
        return [await asyncio.to_thread(_place_for, path)]
    try:
        store = await open_store(settings.database_url, SystemClock(), SystemIds())
        try:
            checks = await read_store(store) + await check_rights(store, providers or {})
            if store.engine.is_shared:
                checks.append(await check_processes(store))
            if http is not None:
                checks += await check_installations(settings, http, store)
            return checks + await check_age(store, path)
        finally:
            await store.close()
    except StoreError as failed:
        advice = _SERVER_ADVICE if is_postgres(settings.database_url) else _STORE_ADVICE
        return [Check("store", False, str(failed), advice)]


def _place_for(path: Path) -> Check:
    folder = path.absolute().parent
    if not folder.is_dir():
        return Check("store", False, f"there is no folder {folder}", "Create it, for Usher's user only.")
    if not os.access(folder, os.W_OK | os.X_OK):
        advice = "Make Usher's user its owner, and run doctor as that user."
        return Check("store", False, f"this user can't write to {folder}", advice)
    return Check("store", True, f"{path} doesn't exist yet: the first start creates it")


async def read_store(store: Store) -> list[Check]:
    """Read an open store's counts and dead notices. Raises StoreError."""
    counts = await store.statistics()
    dead = [notice for notice in await store.dead_notices(DEAD_AT_MOST) if not notice.is_harmless]
    found = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in sorted(counts.items()))
    refused = Counter(account.connection for account in await store.suspects())
    names = ", ".join(f"{name} {number}" for name, number in sorted(refused.items()))
    found_refused = f"{names}: checking whether they're accepted again" if names else "none"
    checks = [Check("store", True, found), Check("refused sign-ins", True, found_refused)]
    if not dead:
        return [*checks, Check("dead notices", True, "none")]
    codes = sorted({notice.error or "unknown cause" for notice in dead})
    people = ", ".join(sorted({notice.principal.user_id for notice in dead[:5]}))
    advice = " ".join(dict.fromkeys(_ADVICE.get(code, _OTHER_ADVICE) for code in codes))
    found = f"{len(dead)} ({', '.join(codes)}), the newest for {people}"
    return [*checks, Check("dead notices", False, found, advice)]


async def check_processes(store: Store) -> Check:
    """List the processes that serve from a shared database: requests and work need one each, or one for both.

    Raises StoreError.
    """
    running = [one.name.partition(":") for one in await store.owned()]
    by_role = {role: [who for name, _, who in running if name == role] for role in ("serve", "web", "worker")}
    found = ", ".join(
        f"{len(names)} {role} on {', '.join(sorted({name.partition('/')[0] for name in names}))}"
        for role, names in by_role.items()
        if names
    )
    if not found or by_role["serve"] or (by_role["web"] and by_role["worker"]):
        return Check("processes", True, found or "none is running")
    missing = "worker" if by_role["web"] else "web"
    lost = "Slack's requests aren't answered" if missing == "web" else "nothing is done or sent"
    return Check(
        "processes", False, f"{found}, but no {missing}, so {lost}", f"Start `python -m bot {missing}`."
    )


async def check_age(store: Store, path: Path | None) -> list[Check]:
    """Report a database that is older than what this machine has seen of it. Raises StoreError."""
    if not await Witness(path).contradicts(store):
        return []
    found = "the database is older than when Usher last ran here: it was restored from a backup"
    advice = "Start Usher: it tells everyone who is linked that a link they removed may be back."
    return [Check("store age", False, found, advice)]


async def check_rights(store: Store, providers: Mapping[str, Provider]) -> list[Check]:
    """Check for refused connection secrets, and for servers that want them in place of people's.

    Raises StoreError.
    """
    checks = []
    since = await store.now() - REFUSALS_SECONDS
    for name, provider in providers.items():
        label = f"connection {name} token"
        try:
            is_good = await provider.own_secret() if isinstance(provider, facets.Behalf) else None
        except ProviderError:
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


async def run_checks(
    settings: Settings, http: Http, providers: Mapping[str, Provider], wrong: Collection[str] = ()
) -> list[Check]:
    """Run every check that the settings allow; ``wrong`` are the variables that have no good value."""
    checks: list[Check] = []
    if "USHER_PUBLIC_URL" not in wrong:
        checks.append(_check_address(settings))
    if not {"SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"} & set(wrong):
        checks += check_sign_in(settings, providers)
    if not {"SLACK_BOT_TOKEN", "USHER_SLACK_API_URL"} & set(wrong):
        checks += await check_slack(settings, http)
    for name, provider in providers.items():
        checks.append(await check_connection(name, provider))
    checks += check_spool(providers)
    if "USHER_DATABASE_URL" not in wrong:
        checks += await check_store(settings, providers, http)
    return checks


def _check_address(settings: Settings) -> Check:
    if settings.public_url is not None:
        return Check("public address", True, settings.public_url)
    advice = "Set USHER_PUBLIC_URL to the https address that people's browsers reach."
    return Check("public address", False, "not set, so nobody can link an account", advice)


def check_spool(providers: Mapping[str, Provider]) -> list[Check]:
    """Check that there is enough disk space for the outputs of runs, if there are runs."""
    if not any(isinstance(provider, facets.Runs) for provider in providers.values()):
        return []
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    found = f"{free // 1_000_000} MB free in {folder}, and outputs take up to {TOTAL // 1_000_000} MB"
    advice = "" if free >= TOTAL else "Free some space or set TMPDIR to another folder: long outputs get cut."
    return [Check("room for outputs", free >= TOTAL, found, advice)]


def exit_status(checks: Iterable[Check]) -> int:
    """Return 0 if every check is good, otherwise 1."""
    return 0 if all(check.is_good for check in checks) else 1


def as_text(checks: Sequence[Check]) -> str:
    """Write one line per check, with what to do below each that isn't good."""
    lines = []
    for check in checks:
        lines.append(f"{'ok  ' if check.is_good else 'BAD '} {check.name}: {check.found}")
        if check.advice:
            lines.append(f"     {check.advice}")
    return "\n".join(lines)


def as_json(checks: Sequence[Check]) -> str:
    """Write the same as one JSON object."""
    return json.dumps({"ok": exit_status(checks) == 0, "checks": [asdict(check) for check in checks]})
