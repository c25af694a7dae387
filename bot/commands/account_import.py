"""Imports accounts from an administrator's file, which maps people to their usernames at a provider.

Each row is first checked with its provider. A dry run writes nothing, and rows with a problem are skipped.
"""

import csv
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

from bot.providers import base, build_providers, facets
from bot.providers.connection import ConnectionSettings
from bot.services import accounts, linking, revocations
from bot.services.caller import Caller
from bot.services.context import Context
from bot.slack.people import PeopleDirectory
from bot.slack.tenants import set_up_slack
from bot.slack.web_api import WebApi
from bot.store import accounts as account_rows
from bot.store import revocations as revocation_rows
from bot.store.store import Store
from bot.support import errors
from bot.support.clock import SystemClock, SystemIds
from bot.support.environment import command
from bot.support.errors import NotDone
from bot.support.http import Http
from bot.support.settings import Settings
from bot.support.vault import Vault

CSV_COLUMNS: Final = ("slack_user", "connection", "username")
#: Maximum size of an import file, in bytes. It is far larger than any real list of people.
MOST_BYTES: Final = 5_000_000
_SLACK_USER: Final = re.compile(r"(?:([TE][A-Z0-9]{2,30}):)?([UW][A-Z0-9]{2,30})")

_MAY_NOT: Final = "{user} can't use Usher: a guest, a bot, deactivated, or from another organisation"
_WHY_NOT: Final = {
    "policy.unknown_person": "Slack doesn't say who {user} is: check the id, or run this again in a minute"
}


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row of the CSV file, exactly as written."""

    line: int
    slack_user: str
    connection: str
    username: str


#: The result of a row, and a sentence about it. The result is ``ok`` (the account was linked or, in a dry
#: run, would be), ``same`` (it was already linked) or ``problem``.
Result = tuple[Literal["ok", "same", "problem"], str]


def read_rows(path: Path) -> list[CsvRow]:
    """Read the file. Raise NotDone if it isn't a CSV file or has unexpected columns."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise NotDone(f"{path.name} is larger than {MOST_BYTES} bytes. Split it.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise NotDone(f"{path.name} can't be read: {error.strerror or 'no such file'}.") from None
    except UnicodeDecodeError:
        raise NotDone(f"{path.name} isn't UTF-8 text. Save it as CSV in UTF-8.") from None
    lines = text.splitlines()
    comma = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    reader = csv.DictReader(lines, delimiter=comma, skipinitialspace=True, strict=True)
    try:
        named = [str(name).strip().lower() for name in reader.fieldnames or ()]
        missing = [name for name in CSV_COLUMNS if name not in named]
        if missing:
            raise NotDone(
                f"The first line of {path.name} needs the columns {', '.join(CSV_COLUMNS)}; "
                f"missing: {', '.join(missing)}."
            )
        reader.fieldnames = named
        return [
            CsvRow(reader.line_num, *((found.get(name) or "").strip() for name in CSV_COLUMNS))
            for found in reader
            if any(found.values())
        ]
    except csv.Error as error:
        # ``reader.line_num`` is that of the last line that could be read.
        line = reader.reader.line_num
        raise NotDone(f"Line {line} of {path.name} isn't valid CSV: {error}.") from None


#: If an unproven link expires within this many seconds, importing its account again renews it. A link is
#: unproven until its owner has shown that the account is theirs.
RENEWED_WITHIN: Final = 30 * 86_400.0


async def _import_row(
    context: Context, row: CsvRow, seen: dict[tuple[str, str], int], *, apply: bool
) -> Result:
    """Check a row with its provider. If ``apply`` is true, also link its account.

    ``seen`` maps the people and connections of earlier rows to their lines.
    """
    problem = _find_problem(context, row, seen)
    if problem:
        return "problem", problem
    home, store = context.installation, context.store
    provider = context.connections[row.connection]
    principal = home.resolve_principal(home.parse_principal(row.slack_user))
    current = await store.read(account_rows.find_account, principal, row.connection)
    if current is not None and current.state == "active" and current.username == row.username:
        ends_at, now = current.expires_at, await store.now()
        if not current.is_approved or ends_at is None or ends_at - now > RENEWED_WITHIN:
            return "same", "is already linked"
    elif current is not None and current.state == "active" and current.is_proven:
        proven = f"has proven to be {current.username} there, and would first have to unlink that account"
        return "problem", f"{principal.user_id} {proven}"
    taken = [
        account
        for account in await store.read(account_rows.find_accounts_by_username, row.connection, row.username)
        if account.principal != principal and account.state != "revoking" and not account.is_resting
    ]
    if taken:
        return "problem", f"{row.username} already belongs to {taken[0].principal.user_id}"
    caller = Caller(context, principal)
    may = await caller.decide("link")
    if not may.allowed:
        return "problem", _WHY_NOT.get(may.rule, _MAY_NOT).format(user=principal.user_id)
    try:
        identity = await provider.require_facet(facets.Impersonation).check_username(row.username)
    except errors.NotFound:
        return "problem", f"there's no user {row.username} on {provider.settings.title}"
    except errors.Forbidden:
        return "problem", f"{row.username} is inactive, or Usher isn't allowed to act for them"
    except errors.PermanentError:
        return "problem", f"{provider.settings.title} refused the check. Look at its token"
    except errors.ProviderError:
        return "problem", f"{provider.settings.title} didn't answer. Run this again"
    if not apply:
        return "ok", "would be linked"
    return await _link(row, caller, identity)


def _find_problem(context: Context, row: CsvRow, seen: dict[tuple[str, str], int]) -> str:
    home = context.installation
    found = _SLACK_USER.fullmatch(row.slack_user)
    if found is None:
        return "slack_user needs a Slack user id such as U0123ABCD"
    principal = home.parse_principal(row.slack_user)
    if not principal.team_id:
        return f"slack_user needs the id of the Slack workspace, too, such as T0123ABCD:{found[2]}"
    if not home.has_team(principal.enterprise_id, principal.team_id):
        return f"Usher isn't installed in the Slack workspace {principal.team_id}"
    provider = context.connections.get(row.connection)
    if provider is None:
        return f"there's no connection {row.connection[:40]}"
    if not provider.has_link_method("admin"):
        return f'{row.connection} doesn\'t link by approval: its linking needs "admin"'
    if not linking.is_username(row.username):
        return "username needs 1 to 80 visible characters, without spaces"
    earlier = seen.setdefault((principal.key, row.connection), row.line)
    if earlier != row.line:
        return f"line {earlier} names the same person and connection"
    return ""


async def _link(row: CsvRow, caller: Caller, identity: base.Identity) -> Result:
    about = (row.connection, identity.credential.account_id, identity.username)
    if await caller.run(accounts.rest_if_another, *about):
        sentence = "is another account there now, so the link rests. Run this again to approve it"
        return "problem", f"{row.username} {sentence}"
    sealed = accounts.seal_credential(caller, row.connection, identity.credential)
    credential = (identity.username, sealed, identity.credential.expires_at)
    done = await caller.run(
        accounts.link_account,
        row.connection,
        *credential,
        actor="operator",
        proof="import",
        link_source="import",
        remote_id=identity.credential.account_id,
    )
    if done is None:
        return "problem", f"{row.username} has been linked to somebody else in the meantime"
    return "ok", "is linked, and gets a direct message about it"


@asynccontextmanager
async def open_for_operator(
    settings: Settings, connections: Mapping[str, ConnectionSettings], store: Store
) -> AsyncIterator[Context]:
    """Build the context for a command that an operator runs. This may raise NotDone or StoreError."""
    async with Http.new_session(settings.proxy()) as session:
        http, clock = Http(session), SystemClock()
        try:
            entered = await set_up_slack(
                settings, store, lambda token: WebApi(token, settings.slack_api_url, session, clock), clock
            )
        except errors.SlackPermanent:
            raise NotDone(f"Slack refuses the bot token. {command('doctor')} says more.") from None
        except errors.SlackFailed:
            raise NotDone("Slack isn't answering. Check the connection to Slack, then try again.") from None
        try:
            yield Context(
                store=store,
                connections=build_providers(connections, http),
                people=PeopleDirectory(store, entered.slack),
                installation=entered.installation,
                tenants=entered.tenants,
                vault=Vault(settings.keys()),
                clock=clock,
                ids=SystemIds(),
            )
        finally:
            if entered.by_oauth is not None:
                # Before the process ends, save any token that was renewed during the import.
                await entered.by_oauth.tokens.close()


async def import_rows(context: Context, rows: Sequence[CsvRow], *, apply: bool) -> list[Result]:
    """Check all rows. If ``apply`` is true, also link them. This may raise StoreError."""
    seen: dict[tuple[str, str], int] = {}
    return [await _import_row(context, row, seen, apply=apply) for row in rows]


async def retire(context: Context, connection: str) -> tuple[int, int]:
    """End all links on a connection that is about to be removed, and notify their owners.

    Return how many links ended and how many revocations are pending. If the connection is no longer
    configured, no revocation can be carried out, so the pending secrets are erased. This may raise
    StoreError.
    """
    ended, store = 0, context.store
    holders = {who async for batch in account_rows.find_holders(store.engine) for who in batch}
    for who in sorted(holders, key=lambda one: one.key):
        if any(one.connection == connection for one in await store.read(account_rows.list_accounts, who)):
            caller = Caller(context, who)
            ended += len(
                await caller.run(accounts.end_accounts, who, [connection], actor="operator", cause="retired")
            )
    owed = await store.read(revocation_rows.list_pending_revocations)
    pending = [one for one in owed if one.connection == connection]
    if connection in context.connections:
        return ended, len(pending)
    for one in pending:
        erase = partial(
            revocations.finish_revocation, context=context, account=one, ended="lapsed", notify=False
        )
        await store.carry_out(erase)
    return ended, 0


def as_lines(rows: Sequence[CsvRow], results: Sequence[Result], *, apply: bool) -> list[str]:
    """Return the command's output: one line for each row, and one with the totals."""
    marks = {"ok": "ok  ", "same": "same", "problem": "BAD "}
    lines = [
        f"{marks[outcome]} line {row.line}: {row.slack_user[:40]} at {row.connection[:40]}"
        f" as {row.username[:100]}: {sentence}"
        for row, (outcome, sentence) in zip(rows, results, strict=True)
    ]
    count = Counter(outcome for outcome, _ in results)
    done = "linked" if apply else "to be linked"
    lines.append(f"{count['ok']} {done}, {count['same']} already linked, {count['problem']} with a problem.")
    if not apply:
        lines.append("Nothing was written. Add --apply to link them.")
    return lines
