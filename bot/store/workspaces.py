"""People's workspaces: finding, adding, naming and hiding them, and recording providers' events.

Scheduled work claims two kinds of workspaces here: those whose owners may have to be asked whether they still
need them, and those that their providers will soon end, so that the owners can be warned.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, NamedTuple

from bot.domain.accounts import Account
from bot.domain.people import Person, Principal
from bot.domain.workspaces import State, Workspace
from bot.store import cards, gates, inbox, operations
from bot.store.engine import Engine
from bot.store.queues import Queue, declare_queue
from bot.store.tables import RULES, WORKSPACES, make_parser, name_columns
from bot.store.transaction import Transaction
from bot.support.cleaning import fold, natural_key

_BATCH_SIZE: Final = 200


def list_workspaces(
    tx: Transaction, principal: Principal, *, connection: str | None = None
) -> list[Workspace]:
    """Return a person's workspaces, sorted by title.

    Hidden ones and those of suspended links are left out.
    """
    found = WORKSPACES.query(tx, "own_workspaces", principal=principal)
    return _sort_by_title(found, connection, hidden=False)


async def read_workspaces(
    engine: Engine, principal: Principal, *, connection: str | None = None, hidden: bool = False
) -> list[Workspace]:
    """Read the same workspaces as ``list_workspaces``, but in batches.

    Reading even thousands of workspaces doesn't hold up other work this way, but they may change between
    batches. If ``hidden`` is true, hidden workspaces are included.
    """
    found: dict[str, Workspace] = {}
    key = {"principal": principal, "connection": "", "remote_id": "", "limit": _BATCH_SIZE}
    while True:
        some = await engine.read(lambda tx: WORKSPACES.query(tx, "piece_of_workspaces", **key))
        found |= {one.id: one for one in some}
        if len(some) < _BATCH_SIZE:
            return _sort_by_title(found.values(), connection, hidden=hidden)
        key.update(connection=some[-1].connection, remote_id=some[-1].remote_id)


def _sort_by_title(found: Iterable[Workspace], connection: str | None, *, hidden: bool) -> list[Workspace]:
    here = [one for one in found if (hidden or not one.hidden) and connection in {None, one.connection}]
    return sorted(here, key=lambda workspace: (natural_key(workspace.title), workspace.id))


def find_workspaces_by_name(tx: Transaction, principal: Principal, name: str, stem: str) -> list[Workspace]:
    """Return a person's visible workspaces to which a name, or its stem, may refer.

    The result includes every workspace whose full name or id matches. It may include others, so the caller
    has to compare the names.
    """
    folded = {"folded": fold(name), "folded_stem": fold(stem)}
    return WORKSPACES.query(tx, "workspaces_called", principal=principal, name=name, stem=stem, **folded)


class ReachedWorkspace(NamedTuple):
    """A workspace of any owner, with the account and the row of the person who wants to act on it.

    The account is the person's own on the workspace's connection. ``waits`` means that the workspace is on
    the waitlist.
    """

    workspace: Workspace
    account: Account | None
    person: Person | None
    waits: bool


def reach(tx: Transaction, workspace_id: str, principal: Principal) -> ReachedWorkspace | None:
    """Return a workspace along with the data that decides whether a person may act on it.

    Return None if the workspace doesn't exist.
    """
    row = tx.one("reached_workspace", id=workspace_id, principal=principal)
    if row is None:
        return None
    workspace, account, person = make_parser("w a p")(row)
    return ReachedWorkspace(workspace, account, person, bool(row["waits"]))


def find_workspace(tx: Transaction, workspace_id: str) -> Workspace | None:
    """Return a workspace by its id."""
    return WORKSPACES.one(tx, id=workspace_id)


def insert(tx: Transaction, new: Workspace) -> bool:
    """Insert a workspace's row. Return False if its owner already has one with the same remote id."""
    now = tx.now()
    is_written = WORKSPACES.add_new(tx, new, **name_columns(new.name), created_at=now, idle_check_at=now)
    if is_written:
        # If the workspace was listed or linked before, its rules may still be stored.
        listed = {"principal": new.principal, "connection": new.connection, "remote_id": new.remote_id}
        RULES.change(tx, listed, workspace_id=new.id)
    return is_written


def find_by_remote_id(
    tx: Transaction, principal: Principal, connection: str, remote_id: str
) -> Workspace | None:
    """Return a principal's workspace by its id at the provider, even if it is hidden."""
    return WORKSPACES.one(tx, principal=principal, connection=connection, remote_id=remote_id)


def add(tx: Transaction, workspace: Workspace) -> Workspace:
    """Add a workspace, or unhide the existing one with the same remote id. In either case, request a read."""
    now = tx.now()
    gates.add_gate(tx, workspace.gate_key, workspace.connection, workspace.remote_id)
    workspace = replace(workspace, used_at=now)
    if not insert(tx, workspace):
        before = find_by_remote_id(tx, workspace.principal, workspace.connection, workspace.remote_id)
        assert before is not None  # nothing else keeps a row from being inserted
        alias = before.alias if workspace.alias is None else workspace.alias
        workspace = replace(before, hidden=False, alias=alias, used_at=now)
        WORKSPACES.change(tx, {"id": workspace.id}, hidden=False, alias=alias, used_at=now)
    cards.queue_messages(tx, workspace.id, changed=True)
    gates.want(tx, workspace.id)
    return workspace


def name(tx: Transaction, workspace_id: str, alias: str | None) -> None:
    """Set or clear the name that a person has given to a workspace."""
    WORKSPACES.change(tx, {"id": workspace_id}, alias=alias)
    cards.queue_messages(tx, workspace_id, changed=True)


def notify(tx: Transaction, workspace_id: str, *, ready: bool | None, stopped: bool | None) -> None:
    """Change whether an owner is notified when a workspace is ready or stopped.

    With None, the owner's general settings decide.
    """
    WORKSPACES.change(tx, {"id": workspace_id}, notify_ready=ready, notify_stopped=stopped)


def hide(tx: Transaction, workspace_id: str) -> None:
    """Hide a workspace, which is then no longer read. Its open operation, if any, ends as cancelled."""
    operations.put_away(tx, workspace_id)
    row = WORKSPACES.row(tx, id=workspace_id)
    if row is not None and row["state"] != State.GONE:
        # Without further reads, the workspace's messages must not show a state any more.
        cards.close_about(tx, row)


#: The queue of running workspaces whose owners may have to be asked whether they still need them.
RUNNING_QUEUE: Final = declare_queue(
    Queue(
        name="running_workspaces",
        kind="needed",
        is_scheduled=True,
        table="workspaces",
        due="idle_check_at",
        where="state = 'running' AND hidden = 0",
    )
)
#: The queue of workspaces that their providers are going to end. Each owner is warned ``:warn_seconds``
#: beforehand.
ENDING_QUEUE: Final = declare_queue(
    Queue(
        name="ending_workspaces",
        kind="expiry",
        table="workspaces",
        due="expires_at",
        where="hidden = 0 AND expires_at > :now",
        only="provider_end_check_at <= :now AND {end_is_news}",
        delay="0.0 - :warn_seconds",
        changes="provider_end_check_at = :until",
    )
)


def claim_ending(tx: Transaction, within: float, limit: int, lease: float) -> list[Workspace]:
    """Claim workspaces that their provider will end within ``within`` seconds, soonest first.

    The claim lasts ``lease`` seconds. The workspaces are running or stopped and not hidden, have no open
    operation, and have an owner with an active account. A workspace is left out if its owner has already been
    told about this end. That is the case if there is a WORKSPACE_EXPIRY notice whose occasion (the end in
    whole epoch seconds) is within a minute of the current end.
    """
    found = WORKSPACES.parse_all(ENDING_QUEUE.take(tx, lease, limit, warn_seconds=within))
    return sorted(found, key=lambda one: (one.expires_at or 0.0, one.id))


def claim_running(tx: Transaction, limit: int, every: float) -> list[Workspace]:
    """Claim running workspaces that are due for a check. They become due again after ``every`` seconds."""
    found = WORKSPACES.parse_all(RUNNING_QUEUE.take(tx, every, limit))
    return sorted(found, key=lambda one: one.id)


def note_event(tx: Transaction, connection: str, gate_key: str, interaction: str, message: str) -> bool:
    """Record a provider's event about a workspace, mark its card as dirty, and request a read.

    If the event was already recorded or the workspace isn't known, write nothing and return False.
    """
    found = WORKSPACES.rows(tx, gate_key=gate_key, connection=connection)
    if not found or not inbox.add_interaction(tx, interaction):
        return False
    for row in found:
        WORKSPACES.change(tx, {"id": row["id"]}, event_message=message)
        cards.queue_messages(tx, row["id"], changed=True)
    gates.request_read_now(tx, found[0]["id"])
    return True


def save_entry(tx: Transaction, workspace_id: str, gate_key: str, entry: str) -> None:
    """Store the encrypted secret that opens a workspace from Usher's page, if its gate key is unchanged."""
    WORKSPACES.change(tx, {"id": workspace_id, "gate_key": gate_key}, entry=entry)
