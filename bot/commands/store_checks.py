"""Checks of the store: whether it can be opened, and the state of its messages, keys, links and audit log.

If the database can't be read, all functions with a ``store`` parameter raise StoreError.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from bot.commands.installed_checks import check_installations
from bot.commands.postgres_checks import check_processes
from bot.commands.slack_checks import REACH, SCOPES
from bot.domain.outages import SLACK
from bot.providers import base, facets
from bot.services.audit_witness import HOLD_FIRST, OLDER, AuditWitness
from bot.services.backups import explain_wrong_folder, is_on_other_disk, list_copies
from bot.services.checks import Check, format_plain
from bot.services.encryption_keys import try_secrets
from bot.slack.errors import Meaning, classify_code
from bot.store import (
    account_ids,
    due_work,
    maintenance,
    name_of,
    notices,
    open_store,
    outages,
    refusals,
    revocations,
)
from bot.store import counts as count_rows
from bot.store.maintenance import AWAY, BACKUP
from bot.store.outages import TWICE
from bot.store.store import Store
from bot.support import errors, mounts
from bot.support.clock import SystemClock, SystemIds
from bot.support.environment import command, has_literal_in_env_file
from bot.support.http import Http
from bot.support.settings import Settings
from bot.support.settings.database import find_database_file
from bot.support.vault import Vault

#: How far back, in seconds, ``doctor`` looks for operations that failed because a permission was missing. The
#: causes of older failures may have been fixed.
REFUSALS_SECONDS = 7 * 86_400.0
#: How long, in seconds, a revocation may be pending before ``doctor`` warns about it. Most take only a few
#: seconds.
REVOKED_WITHIN = 86_400.0
_PENDING_ADVICE = (
    "These secrets of ended links are still valid: check that their connections are set up and answer. "
    "Each is erased after 30 days."
)
_LOCAL = "Others can't reach Usher: `usher docs install#behind-a-proxy`."
_KEYS_IN_ENV = "They are in .env: set USHER_ENCRYPTION_KEYS to file:PATH, and keep a copy on another machine."
_OTHERS_BACKUPS = "Make sure that somebody makes them, and has restored one: `usher docs operate#backups`."
_BACKUP_FAILED = "What to do: `usher docs incidents#a-backup-fails`."
_LOCK_ADVICE = (
    "Put it on a disk of this machine, or use PostgreSQL: `usher docs operate#one-process-on-a-file`."
)
_SAME_DISK = "Put them on another disk: `usher docs operate#backups`."
#: How far back, in seconds, to look for backups and downtime. Anything older says little about how Usher is
#: run now.
RECENT = 7 * 86_400.0
LATE_SECONDS = 60.0
_LATE_ADVICE = "`usher docs incidents#messages-are-late` says what to look for."
#: How long, in seconds, work must be overdue before ``doctor`` reports that no process is doing it.
OVERDUE_SECONDS = 3600.0
_RESTING_ADVICE = (
    "Their people link again, or an administrator approves the accounts. After a server was reinstalled, "
    "import your list again: `usher docs connections#names-that-are-other-accounts`."
)
#: Maximum number of dead notices (those that Usher has given up on) that ``doctor`` reads, newest first.
DEAD_AT_MOST = 500
_WRITES = "Check these people's Slack accounts, and whether the app is allowed to message them."
_TAB = "Turn on the Messages Tab on your app's page, App Home."
_BROKEN = 'Look for errors with "notice" in the log: they say what broke. Please report it.'
_WAY_OUT = "Slack accepted no message for a day: check that this machine can reach Slack."
_OTHER_ADVICE = (
    'The log lists the others as "notice given up"; Slack\'s documentation explains its error codes.'
)
#: Advice on messages that Usher gave up sending, keyed by the meaning of Slack's error code.
_NOTICE_ADVICE = {
    Meaning.PLACE: _WRITES,
    Meaning.PERSON: _WRITES,
    Meaning.BLOCKS: _BROKEN,
    Meaning.REQUEST: _BROKEN,
    Meaning.SETUP: SCOPES,
    Meaning.LIMITED: _WAY_OUT,
    Meaning.UNSURE: _WAY_OUT,
    Meaning.AGAIN: _WAY_OUT,
}
_STORE_ADVICE = "What to do: `usher docs incidents#the-database-cant-be-written`."
_MAY_CREATE = "SELECT COALESCE(has_schema_privilege(current_schema(), 'CREATE'), FALSE) AS may_create"
_OWNER_ADVICE = "Make its user the owner of the database: `usher docs operate#postgresql`."
_UPGRADE_ADVICE = "Make a backup first, which is the way back: `usher docs upgrade`."


async def check_store(
    settings: Settings,
    providers: Mapping[str, base.Provider] | None = None,
    http: Http | None = None,
    *,
    has_keys: bool = True,
) -> list[Check]:
    """Open the database and check its contents. Don't change a missing or empty database.

    If ``providers`` are given, recent refusals by providers are compared with the settings of their
    connections. If ``http`` is given, the tokens of OAuth installations are tried. ``has_keys`` means that
    the encryption keys are known.
    """
    path = find_database_file(settings.database_url)
    if path is not None and not await asyncio.to_thread(path.exists):
        return [await asyncio.to_thread(_format_place, path), *await asyncio.to_thread(check_lock, path)]
    try:
        store = await open_store(settings.database_url, SystemClock(), SystemIds())
        try:
            name = name_of(settings.database_url)
            missing = await store.list_missing_migrations(name)
            if missing is None and store.engine.is_shared:
                (row,) = await store.read(lambda tx: tx.all(_MAY_CREATE))
                if not row["may_create"]:
                    found = f"{name} is empty, and its user may not create tables there"
                    return [Check("store", False, found, _OWNER_ADVICE)]
                return [Check("store", True, f"{name} is empty: the first start creates the tables")]
            if missing:
                found = f"{name} is of an earlier release: the next start brings it up to date"
                return [Check("store", True, found, _UPGRADE_ADVICE, is_warning=True)]
            checks = await read_store(store, name) + await check_rights(store, providers or {})
            checks.append(await check_revocations(store))
            checks += await check_servers(store)
            checks += await check_retired(store, providers or {})
            if has_keys:
                checks += await check_keys(store, settings)
            checks += await check_processes(store, settings)
            checks += await check_installations(store, settings, http if has_keys else None)
            checks += await check_others(store)
            checks += await check_age(store, path)
            checks += [] if path is None else await asyncio.to_thread(check_lock, path)
            return checks + await check_team(store, settings)
        finally:
            await store.close()
    except (errors.StoreTooOld, errors.StoreTooNew, errors.StoreUnreleased) as failed:
        return [Check("store", False, str(failed))]
    except errors.StoreError as failed:
        return [Check("store", False, str(failed), _STORE_ADVICE)]


async def check_servers(store: Store) -> list[Check]:
    """Report PostgreSQL settings that could lose data after users were told that it was saved."""
    if not store.engine.is_shared:
        return []
    found = [store.engine.warning] if store.engine.warning else []
    (row,) = await store.read(lambda tx: tx.all("SELECT current_setting('fsync') AS fsync"))
    if row["fsync"] != "on":
        found.append("fsync is off: after a power cut the database may be broken. Switch it on")
    return [Check("servers", True, said, is_warning=True) for said in found]


async def find_linked(settings: Settings) -> Collection[str]:
    """Return the connections with linked accounts, or none if the database can't be read."""
    path = find_database_file(settings.database_url)
    if path is not None and not await asyncio.to_thread(path.exists):
        return ()
    with suppress(errors.StoreError):
        store = await open_store(settings.database_url, SystemClock(), SystemIds())
        try:
            uses = await store.read(count_rows.count_uses)
            return [name for name, use in uses.items() if use["people"]]
        finally:
            await store.close()
    return ()


def _format_place(path: Path) -> Check:
    folder = path.absolute().parent
    if not folder.is_dir():
        return Check("store", False, f"there is no folder {folder}", "Create it, for Usher's user only.")
    if not os.access(folder, os.W_OK | os.X_OK):
        advice = "Make Usher's user its owner, and run doctor as that user."
        return Check("store", False, f"this user can't write to {folder}", advice)
    return Check("store", True, f"{path.absolute()} doesn't exist yet: the first start creates it")


async def read_store(store: Store, name: str = "the database") -> list[Check]:
    """Try a tiny write, then count the rows of an open store and the notices that Usher has given up on."""
    await store.write(maintenance.try_writing)
    counts = await store.perform(count_rows.count_rows)
    given_up = await store.read(notices.list_dead_notices, DEAD_AT_MOST)
    dead = [notice for notice in given_up if not notice.is_harmless]
    found = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in sorted(counts.items()))
    refused = Counter(account.connection for account in await store.read(refusals.list_refused_accounts))
    names = ", ".join(f"{name} {number}" for name, number in sorted(refused.items()))
    found_refused = f"{names}: tried again now and then, until accepted or linked again" if names else "none"
    checks = [Check("store", True, f"{name}: {found}"), Check("refused sign-ins", True, found_refused)]
    checks += [await check_resting(store), await check_overdue(store), await check_messages(store)]
    if not dead:
        return [*checks, Check("dead notices", True, "none")]
    codes = sorted({notice.error or "unknown cause" for notice in dead})
    people = ", ".join(sorted({notice.principal.user_id for notice in dead[:5]}))
    advice = " ".join(dict.fromkeys(map(_advise_notice, codes)))
    found = f"{len(dead)} ({', '.join(codes)}), the newest for {people}"
    return [*checks, Check("dead notices", False, found, advice)]


async def check_resting(store: Store) -> Check:
    """Count links that are suspended because their usernames now belong to other accounts."""
    resting = await store.read(account_ids.count_resting)
    if not resting:
        return Check("links that rest", True, "none")
    found = ", ".join(f"{name} {number}" for name, number in resting.items())
    found = f"their usernames are other accounts there now: {found}"
    return Check("links that rest", True, found, _RESTING_ADVICE, is_warning=True)


async def check_overdue(store: Store) -> Check:
    """Count the overdue work that no process is handling."""
    label, overdue = "overdue work", await store.read(due_work.count_overdue, OVERDUE_SECONDS)
    if not overdue:
        return Check(label, True, "none")
    found = ", ".join(f"{format_plain(kind)} {number}" for kind, number in overdue.items())
    found = f"due for over an hour, and nobody does it: {found}"
    return Check(label, True, found, 'Look for "loop failed" in the log.', is_warning=True)


async def check_messages(store: Store) -> Check:
    """Report how many messages are waiting and for how long, and any Slack outage."""
    figures, now = await store.perform(count_rows.measure_figures), await store.now()
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
    return Check("messages", False, found, _LATE_ADVICE if silent is None else REACH)


def _advise_notice(code: str) -> str:
    return _TAB if code == "messages_tab_disabled" else _NOTICE_ADVICE.get(classify_code(code), _OTHER_ADVICE)


async def check_keys(store: Store, settings: Settings) -> list[Check]:
    """Try to decrypt every account's secret."""
    opening = await try_secrets(store, Vault(settings.keys()))
    if not opening.total:
        return []
    return [Check("encryption keys", not opening.closed, opening.found, opening.advice)]


async def check_retired(store: Store, providers: Mapping[str, base.Provider]) -> list[Check]:
    """Report removed connections that people still depend on."""
    return [
        Check(
            f"connection {name}",
            False,
            f"it isn't in the connections file, and people depend on it: {use['people']} linked, "
            f"{use['running']} workspaces running, {use['timers']} to be stopped, {use['hours']} with hours",
            f"Put it back, or end these links and tell their people: {command(f'accounts retire {name}')}.",
        )
        for name, use in (await store.read(count_rows.count_uses)).items()
        if providers and name not in providers and (use["people"] or use["hours"])
    ]


async def check_revocations(store: Store) -> Check:
    """Count the pending revocations, and warn of any that are more than a day old."""
    label, now = "owed revocations", await store.now()
    pending = await store.read(revocations.list_pending_revocations)
    if not pending:
        return Check(label, True, "none")
    at = Counter(account.connection for account in pending)
    since = pending[0].unlinked_at or now
    found = ", ".join(f"{name} {number}" for name, number in sorted(at.items()))
    found += f", the oldest since {datetime.fromtimestamp(since, UTC):%Y-%m-%d %H:%M} UTC"
    if now - since < REVOKED_WITHIN:
        return Check(label, True, found)
    return Check(label, True, found, _PENDING_ADVICE, is_warning=True)


def check_lock(path: Path, mountinfo: Path = mounts.MOUNTINFO) -> list[Check]:
    """Warn if locks on the database's file system don't reliably keep out a second server."""
    kind = mounts.detect_file_system(path, mountinfo)
    if not kind or mounts.is_local(kind):
        return []
    found = (
        f"{path.absolute()} is on {kind}, where a second machine may serve from it unnoticed. After a crash, "
        "what was being done goes on up to a minute later"
    )
    return [Check("database lock", True, found, _LOCK_ADVICE, is_warning=True)]


async def check_others(store: Store) -> list[Check]:
    """Report another Usher that uses the same Slack app."""
    since = (await store.read(outages.list_outages)).get(TWICE)
    if since is None:
        return []
    found = (
        f"since {datetime.fromtimestamp(since, UTC):%Y-%m-%d %H:%M} UTC another Usher has connections with "
        "the same app, and answers from its own records"
    )
    return [Check("slack connections", False, found, "Stop it, or give it an app of its own in Slack.")]


async def check_age(store: Store, path: Path | None) -> list[Check]:
    """Report a database that is unsafe to serve from, or older than the one last used on this machine."""
    if said := await store.read(maintenance.explain_outdated):
        return [Check("store age", False, said)]
    is_older = await AuditWitness(path).contradicts(store)
    return [Check("store age", False, OLDER, HOLD_FIRST)] if is_older else []


async def check_team(store: Store, settings: Settings) -> list[Check]:
    """Warn about anything that a team needs and that is missing. A single user doesn't need it."""
    since, away_at = await store.now() - RECENT, await store.read(maintenance.find_last_done, AWAY)

    def team(what: str, is_lacking: bool, advice: str, done: str = "done") -> Check:
        found = "not yet" if is_lacking else done
        return Check(f"for a team, {what}", True, found, advice * is_lacking, is_warning=is_lacking)

    is_local = not (settings.public_url or "").startswith("https:")
    checks = [
        # Another check tests whether the public address responds.
        team("an https address", is_local, _LOCAL, "set"),
        team("keys apart", has_literal_in_env_file("USHER_ENCRYPTION_KEYS"), _KEYS_IN_ENV),
        await check_backups(store, settings, since),
    ]
    # Downtime is recorded only on SQLite. On PostgreSQL, other processes may still be running when one stops.
    if find_database_file(settings.database_url) is not None:
        was_away = away_at is not None and away_at >= since
        advice = "It hasn't run for a whole week yet: `usher docs install#on-a-server`."
        checks.append(team("a machine that stays on", was_away, advice))
    return checks


async def check_backups(store: Store, settings: Settings, since: float) -> Check:
    """Report whether a nightly copy was made after ``since``, and on which disk."""
    places, problem = settings.nightly_backups(), await store.read(maintenance.find_problem, BACKUP)
    found, advice = "not yet", "Usher makes one at 3:17 UTC, or at its next start, once it has been used."
    if places is None:
        found, advice = "Usher doesn't know, as PostgreSQL's are made without it", _OTHERS_BACKUPS
    elif problem:
        found, advice = f"the last one failed: {problem}", _BACKUP_FAILED
    elif problem := await asyncio.to_thread(explain_wrong_folder, *places):
        found, advice = problem, _BACKUP_FAILED
    elif (await store.read(maintenance.find_last_done, BACKUP) or 0.0) >= since and len(
        await asyncio.to_thread(list_copies, *places)
    ):
        found, advice = f"on the same disk as the database, in {places[1]}", _SAME_DISK
        if await asyncio.to_thread(is_on_other_disk, *places):
            found, advice = "done", ""
    return Check("for a team, backups", not problem, found, advice, is_warning=bool(advice) and not problem)


async def check_rights(store: Store, providers: Mapping[str, base.Provider]) -> list[Check]:
    """Report connections whose own secret is refused, and servers that recently refused people's tokens."""
    checks = []
    since = await store.now() - REFUSALS_SECONDS
    for name, provider in providers.items():
        label = f"connection {name} token"
        if not isinstance(provider, facets.Impersonation):
            continue
        try:
            is_good = await provider.is_secret_accepted()
        except errors.ProviderError:
            continue  # The check that asks for the server's version already reports this.
        if is_good is None:
            continue
        refused = await store.read(count_rows.count_refusals, name, since)
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
