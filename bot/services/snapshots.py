"""Snapshots of providers' lists, offers and server facts, and requests to refresh them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import structlog
from pydantic import TypeAdapter, ValidationError

from bot.domain.accounts import Account
from bot.domain.people import Principal
from bot.domain.snapshots import About, Allowance, Snapshot
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State, Workspace
from bot.providers import facets
from bot.services.caller import Caller
from bot.services.context import Context
from bot.store import accounts, inbox, operations, snapshots, tasks, workspaces
from bot.store.tasks import NewTask
from bot.store.transaction import Transaction

log = structlog.get_logger(__name__)

#: Kind of the snapshot that lists the templates offered to an account. Snapshots of ``RUNS_KIND`` record when
#: the account's runs were listed.
TEMPLATES_KIND: Final = "templates"
RUNS_KIND: Final = "runs"
#: Kind of the snapshot that shows how much of an account's limits is left.
ALLOWANCES_KIND: Final = "allowances"
#: Kind of the snapshot that contains facts about a connection's server.
ABOUT_KIND: Final = "about"
#: Maximum age of a list of workspaces, in seconds. An older list is read again when someone views it.
#: ``RUNS_SECONDS`` applies to lists of runs, and ``OFFER_SECONDS`` to offers.
WORKSPACES_SECONDS: Final = 60.0
RUNS_SECONDS: Final = 15.0
OFFER_SECONDS: Final = 300.0


def list_stale(
    tx: Transaction, caller: Caller, kind: TaskKind, besides: Collection[str] = ()
) -> list[Account]:
    """Return the person's active accounts whose list of workspaces (DISCOVER) or runs (LIST_RUNS) is old."""
    return [
        account
        for account in accounts.list_accounts(tx, caller.principal)
        if account.state == "active" and account.id not in besides and _is_old(tx, caller, kind, account)
    ]


def _is_old(tx: Transaction, caller: Caller, kind: TaskKind, account: Account) -> bool:
    provider, now = caller.context.connections.get(account.connection), tx.now()
    if kind is TaskKind.DISCOVER:
        is_listed = provider is not None and provider.has_lists
        return is_listed and (account.discovered_at or 0.0) < now - WORKSPACES_SECONDS
    listed = snapshots.find_snapshot(tx, account.connection, account.id, RUNS_KIND)
    return (listed is None or listed.read_at < now - RUNS_SECONDS) and isinstance(provider, facets.Runs)


def request_read(
    tx: Transaction,
    caller: Caller,
    kind: TaskKind,
    subjects: Sequence[str],
    then: Mapping[str, Any] | None = None,
) -> None:
    """Request background reads. ``then`` is a command to run after the first of them.

    If an assistant made the request, ``then`` is dropped, because the assistant can ask again.
    """
    if then is not None and not caller.is_first_delivery(tx, "show"):
        return
    waiting = [] if then is None or caller.via else [{**then, "principal": caller.principal.key}]
    for number, subject in enumerate(subjects):
        tasks.add_tasks(tx, [NewTask(kind, subject, {"then": [] if number else waiting})])


def request_templates(
    tx: Transaction, caller: Caller, account: Account, then: Mapping[str, Any] | None = None
) -> None:
    """Request a read of the templates offered to an account. See ``request_read``."""
    request_read(tx, caller, TaskKind.SNAPSHOT, [f"{account.id}/{TEMPLATES_KIND}"], then)


def request_about(
    tx: Transaction, caller: Caller, connection: str, then: Mapping[str, Any] | None = None
) -> None:
    """Request a read of the facts about a server. See ``request_read``."""
    request_read(tx, caller, TaskKind.SNAPSHOT, [f"connection:{connection}/{ABOUT_KIND}"], then)


async def load_templates(context: Context, account: Account, interaction: str = "") -> Snapshot[Any] | None:
    """Return the templates last offered to an account, as the provider's own type, or None if never read.

    The offer may be minutes old. So the names of the person's own workspaces, including any just requested,
    are added to the names that it lists as in use. If an ``interaction`` is redelivered, the workspace that
    it requested the first time is left out.
    """
    forms = context.connections[account.connection].require_facet(facets.Forms)
    offer = _parse_payload(
        forms.offer_model,
        await context.store.read(snapshots.find_snapshot, account.connection, account.id, TEMPLATES_KIND),
    )
    if offer is None:
        return None
    rows = await workspaces.read_workspaces(
        context.store.engine, account.principal, connection=account.connection
    )
    own = await context.store.read(_find_result, interaction) if interaction else ""
    names = _list_names(row for row in rows if row.id != own)
    return replace(offer, payload=forms.add_names(offer.payload, names))


def _find_result(tx: Transaction, interaction: str) -> str:
    first = operations.find_operation(tx, inbox.find_result(tx, interaction))
    return "" if first is None else first.workspace_id


def _list_names(rows: Iterable[Workspace]) -> set[str]:
    """Return the names that workspaces already have, including those that Usher is still creating."""
    existing = [row for row in rows if row.state is not State.GONE and row.is_own]
    created = [row.spec.name for row in existing if row.spec is not None]
    return {name for name in (*(row.name for row in existing), *created) if name}


async def load_allowances(
    context: Context, principal: Principal
) -> tuple[dict[str, Sequence[Allowance]], list[Account]]:
    """Map each connection to what was left of the person's limits when last read.

    Also return the accounts whose limits are due to be read again.
    """
    left, old = dict[str, Sequence[Allowance]](), list[Account]()
    for account in await context.store.read(accounts.list_accounts, principal):
        if account.state == "active" and isinstance(
            context.connections.get(account.connection), facets.Allowances
        ):
            kept = await context.store.read(
                snapshots.find_snapshot, account.connection, account.id, ALLOWANCES_KIND
            )
            found = _parse_payload(tuple[Allowance, ...], kept)
            left |= {account.connection: found.payload} if found is not None and found.payload else {}
            old += [account] if found is None or is_stale(context, found) else []
    return left, old


def request_allowances(tx: Transaction, caller: Caller, among: Sequence[Account]) -> None:
    """Request reads of the given accounts' allowances: how much of each limit is left."""
    subjects = [f"{account.id}/{ALLOWANCES_KIND}" for account in among]
    request_read(tx, caller, TaskKind.SNAPSHOT, subjects)


async def load_about(context: Context, connection: str) -> Snapshot[About] | None:
    """Return the facts about a connection's server, as last read."""
    return _parse_payload(
        About, await context.store.read(snapshots.find_snapshot, connection, "", ABOUT_KIND)
    )


def is_stale(context: Context, snapshot: Snapshot[Any]) -> bool:
    """Return whether a snapshot is old enough to be read again."""
    return context.clock.now() - snapshot.read_at > OFFER_SECONDS


def _parse_payload(kind: type[Any], kept: Snapshot[Any] | None) -> Snapshot[Any] | None:
    if kept is None:
        return None
    try:
        return replace(kept, payload=TypeAdapter(kind).validate_python(kept.payload))
    except ValidationError:
        log.warning("snapshot can't be read", connection=kept.connection, kind=kept.kind)
        return None
