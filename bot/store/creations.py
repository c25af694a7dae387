"""Records each workspace before it is created, and stores the id that the provider then gives it."""

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.audit import AuditEntry
from bot.domain.observations import Created
from bot.domain.operations import OperationVerb
from bot.domain.stops import Consent
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import PROVISIONAL, Workspace
from bot.store import cards, gates, operations, timers, usage
from bot.store.audit import append_audit
from bot.store.tables import CARDS, NOTICES, OPERATIONS, PARTICIPANTS, RULES, WORKSPACES, name_columns
from bot.store.transaction import Priority, Row, Transaction, from_json, prioritize
from bot.store.workspaces import find_workspace, insert

#: Columns that are set when a workspace is read or found in a list.
_FOUND = (
    "state",
    "url",
    "detail",
    "reason",
    "progress",
    "observed_at",
    "attempted_at",
    "actions",
    "expires_at",
    "expiry_mode",
)


def renew(
    tx: Transaction, operation_id: str, claim: str, fresh: Workspace, audit: Sequence[AuditEntry] = ()
) -> bool:
    """Replace the workspace that an open restart ended with a new one, which is still to be created.

    In one transaction, the old row is removed from the person's list, and the operation becomes the creation
    of the new workspace, with the same card. If the operation has ended or another step has claimed it, write
    nothing and return False.
    """
    row = OPERATIONS.row(tx, id=operation_id)
    if row is None or row["outcome"] is not None or row["claim"] != claim:
        return False
    insert_provisional(tx, fresh)
    OPERATIONS.change(
        tx,
        {"id": operation_id},
        workspace_id=fresh.id,
        verb=OperationVerb.CREATE,
        agreed=Consent.GIVEN,
        start_call=Call.NONE,
        stop_call=Call.NONE,
        called_at=None,
        sent_at=None,
        read_since=None,
        attempts=0,
        block_reason=None,
        read_block_reason=None,
        waits_for="time",
        next_step_at=tx.now(),
        leased_until=0,
        claim="",
        wake_reason=0,
    )
    former = WORKSPACES.row(tx, id=row["workspace_id"]) or {}
    RULES.change(tx, {"workspace_id": row["workspace_id"]}, workspace_id=fresh.id)
    # The owner agreed to a stop at the end of a class only for the former workspace.
    WORKSPACES.change(tx, {"id": fresh.id}, **{column: former[column] for column in timers.NO_TIMER})
    timers.drop_stops(tx, fresh.id, "class")
    CARDS.change(tx, {"subject": operation_id}, about=fresh.id)
    cards.queue_messages(tx, row["workspace_id"], changed=True)
    ended = {"id": row["workspace_id"], "hidden": False}
    hidden = WORKSPACES.change_returning(tx, ended, hidden=True, **timers.NO_TIMER)
    if hidden is not None:
        tx.run("rest_gate_without_reader", gate_key=hidden["gate_key"])
    cards.queue_updates(tx, operation_id, changed=True)
    append_audit(tx, audit)
    return True


def insert_provisional(tx: Transaction, workspace: Workspace) -> None:
    """Add a workspace that will be created from its ``spec``. It isn't read until it exists.

    ``workspace.remote_id`` is ``PROVISIONAL`` plus the workspace's id in the database.
    """
    gates.add_gate(tx, workspace.gate_key, workspace.connection, workspace.remote_id)
    insert(tx, replace(workspace, used_at=tx.now()))


@prioritize(Priority.STEADY)
def find_unexplained_gates(
    tx: Transaction, operation_id: str, connection: str, gate_keys: Sequence[str], since: float
) -> list[str]:
    """Return the gate keys of those workspaces that only this creation can have made.

    A workspace that already has a gate is left out, unless a list of the same person's workspaces has added
    it since the operation was created. A gate is kept for a day after its last workspace is deleted, so that
    the workspaces of unlinked accounts are recognised, too. If the connection has another creation that was
    called after ``since`` (epoch seconds) and has no id yet, return an empty list, because that creation may
    have made any of the workspaces.
    """
    unconfirmed = tx.one(
        "nameless_creation", id=operation_id, connection=connection, since=since, unmade=f"{PROVISIONAL}%"
    )
    if unconfirmed is not None:
        return []
    creation = OPERATIONS.row(tx, id=operation_id)
    if creation is None:
        return []
    mine = {"principal": creation["principal"], "since": creation["created_at"]}
    return [one for one in gate_keys if tx.one("explained", gate_key=one, **mine) is None]


def name_created(
    tx: Transaction, operation_id: str, created: Created, gate_key: str, claim: str = ""
) -> Workspace | None:
    """Save the id from the provider before anything else can fail, and return the workspace.

    In the same transaction, ``start_call`` becomes ACCEPTED, ``read_since`` becomes now, and a read of the
    workspace is scheduled. If the workspace was created stopped, the operation becomes a start instead
    (``start_call`` NONE). All this happens even if the operation has ended or the workspace was hidden in the
    meantime, because any workspace that exists is shown. Return None if the owner has unlinked the account,
    which deleted the row. If a list has added a row for the same remote id, that row is merged into this one
    (see ``_take_over``). A second id for the same operation gets a separate row, which is then returned. The
    step keeps its lease.
    """
    now = tx.now()
    tx.run("accept_created", id=operation_id, claim=claim, now=now, is_started=created.is_started)
    operation = OPERATIONS.row(tx, id=operation_id)
    row = WORKSPACES.row(tx, id=operation["workspace_id"]) if operation else None
    if row is None:
        return None
    gates.add_gate(tx, gate_key, row["connection"], created.remote_id)
    named_id: str = row["id"]
    if row["remote_id"].startswith(PROVISIONAL) or row["remote_id"] == created.remote_id:
        _save_created(tx, row, created, gate_key, now)
    else:
        named_id = _add_duplicate(tx, row, created, gate_key, now)
    gates.request_read_now(tx, named_id)
    cards.queue_updates(tx, operation_id, changed=True)
    cards.queue_messages(tx, named_id, changed=True)
    return find_workspace(tx, named_id)


def _save_created(tx: Transaction, row: Row, created: Created, gate_key: str, now: float) -> None:
    listed = WORKSPACES.row(
        tx,
        principal=row["principal"],
        connection=row["connection"],
        remote_id=created.remote_id,
    )
    if listed is not None and listed["id"] != row["id"]:
        _take_over(tx, row, listed)
        row = row | {column: listed[column] for column in _FOUND}
        row["alias"] = row["alias"] or listed["alias"]
    WORKSPACES.change(
        tx,
        {"id": row["id"]},
        remote_id=created.remote_id,
        gate_key=gate_key,
        **name_columns(created.name or row["name"]),
        alias=row["alias"],
        # The account that created a workspace has access to it.
        verified_at=row["verified_at"] or now,
        used_at=row["used_at"] or now,
        **{column: row[column] for column in _FOUND},
        hidden=False,
        # The workspace exists from now on, so lists that were requested earlier can't contain it yet.
        created_at=now,
    )
    if row["gate_key"] != gate_key:
        # The provisional gate was never used for a read, so it is no longer needed.
        tx.run("sweep_gate", gate_key=row["gate_key"], before=now)


def _take_over(tx: Transaction, row: Row, listed: Row) -> None:
    """Merge a row that was added by a list into the creation's row, with its operations, cards and notices.

    At most one operation stays open: the newer one, unless the older one is a creation and the newer one a
    start, because a creation includes a start.
    """
    creating, other = (OPERATIONS.row(tx, workspace_id=one["id"], outcome=None) for one in (row, listed))
    if creating is not None and other is not None:
        is_same = (creating["verb"], other["verb"]) == (OperationVerb.CREATE, OperationVerb.START)
        is_older = other["created_at"] < creating["created_at"]
        operations.end(tx, (other if is_same or is_older else creating)["id"], Outcome.REPLACED, None)
    moving = OPERATIONS.rows(tx, workspace_id=listed["id"])
    OPERATIONS.change(tx, {"workspace_id": listed["id"]}, workspace_id=row["id"])
    for moved in moving:
        cards.queue_updates(tx, moved["id"], changed=True)
        for notice in tx.all("unsent_notices_of", subject=moved["id"]):
            body = from_json(notice["body"])
            if body.get("workspace") == listed["id"]:
                NOTICES.change(tx, {"id": notice["id"]}, body={**body, "workspace": row["id"]})
    CARDS.change(tx, {"about": listed["id"]}, about=row["id"])
    timers.move_ends(tx, listed["id"], row["id"])
    for table in (RULES, PARTICIPANTS):
        table.change(tx, {"workspace_id": listed["id"]}, workspace_id=row["id"])
    usage.move(tx, listed["id"], row["id"])
    WORKSPACES.delete(tx, id=listed["id"])


def _add_duplicate(tx: Transaction, row: Row, created: Created, gate_key: str, now: float) -> str:
    """Add a row for a second workspace created by the same operation, and return the row's id."""
    first = WORKSPACES.parse(row)
    made = Workspace(
        id=tx.ids.new("workspace"),
        principal=first.principal,
        connection=first.connection,
        remote_id=created.remote_id,
        gate_key=gate_key,
        name=created.name or first.name,
        verified_at=now,
        used_at=now,
        origin=first.origin,
        spec=first.spec,
        template=first.template,
        size=first.size,
        price=first.price,
        currency=first.currency,
    )
    if insert(tx, made):
        return made.id
    key = {"principal": made.principal, "connection": made.connection, "remote_id": made.remote_id}
    existing = WORKSPACES.change_returning(tx, key, hidden=False)
    assert existing is not None  # its row kept the new one from being inserted
    return str(existing["id"])
