"""People's workspaces: created through Usher, found in lists, added, named, hidden and ending."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bot.domain import reasons
from bot.domain.accounts import Account
from bot.domain.audit import AuditEntry
from bot.domain.errands import Call, Outcome
from bot.domain.observed import Created
from bot.domain.operations import OperationVerb
from bot.domain.people import Person, Principal
from bot.domain.reads import Doubt
from bot.domain.settling import GONE, UNLISTED
from bot.domain.stops import Consent, Ending
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import PROVISIONAL, Action, State, Workspace
from bot.store import cards, gates, hours, inbox, operations, timers
from bot.store.audit import append_audit
from bot.store.schema import setting
from bot.store.tables import (
    ACCOUNTS,
    CARDS,
    GATES,
    NOTICES,
    OPERATIONS,
    WORKSPACES,
    doubt_columns,
    name_columns,
    principal_of,
    reader_of,
    word,
)
from bot.store.transaction import Engine, Row, Transaction, as_words, from_json
from bot.support.cleaning import fold

_REACHED: Callable[[Row], tuple[Workspace, Account | None, Person | None]] = reader_of("w a p")


def workspaces(
    tx: Transaction, principal: Principal, *, connection: str | None = None, hidden: bool = False
) -> list[Workspace]:
    """Return a principal's workspaces by title; hidden ones only if ``hidden``."""
    shown: dict[str, Any] = {} if hidden else {"hidden": False}
    found = WORKSPACES.all(tx, "", principal=principal, **shown)
    here = [workspace for workspace in found if connection in {None, workspace.connection}]
    return sorted(here, key=lambda workspace: (workspace.title.casefold(), workspace.id))


def workspaces_called(tx: Transaction, principal: Principal, name: str, stem: str) -> list[Workspace]:
    """Return those of a principal's workspaces of which a name, or its stem, may be the whole name or id.

    All that are called that are among them, except hidden ones.
    """
    folded = {"folded": fold(name), "folded_stem": fold(stem)}
    return WORKSPACES.found(tx, "workspaces_called", principal=principal, name=name, stem=stem, **folded)


def reached(
    tx: Transaction, workspace_id: str, principal: Principal
) -> tuple[Workspace | None, Account | None, Person | None]:
    """Return a workspace, whoever owns it, with a person's account on its connection and what Slack says."""
    row = tx.one("reached_workspace", id=workspace_id, principal=principal)
    found: tuple[Workspace | None, Account | None, Person | None] = (None, None, None)
    return found if row is None else _REACHED(row)


def workspace(tx: Transaction, workspace_id: str) -> Workspace | None:
    """Return one workspace."""
    return WORKSPACES.one(tx, id=workspace_id)


def insert(tx: Transaction, new: Workspace) -> bool:
    """Write a row unless its person has one with the same remote id; return whether it was written."""
    is_written = WORKSPACES.add_new(tx, new, **name_columns(new.name), created_at=tx.now())
    if is_written:
        hours.found(tx, new)
    return is_written


def by_remote(tx: Transaction, principal: Principal, connection: str, remote_id: str) -> Workspace | None:
    """Return a principal's workspace by its id at the provider, also a hidden one."""
    return WORKSPACES.one(tx, principal=principal, connection=connection, remote_id=remote_id)


def add(tx: Transaction, workspace: Workspace) -> Workspace:
    """Add (or unhide) a workspace by reference; make its gate due."""
    now = tx.now()
    GATES.add_new(
        tx,
        gate_key=workspace.gate_key,
        connection=workspace.connection,
        remote_id=workspace.remote_id,
    )
    workspace = replace(workspace, used_at=now)
    if not insert(tx, workspace):
        before = by_remote(tx, workspace.principal, workspace.connection, workspace.remote_id)
        assert before is not None  # nothing else keeps it from being written
        alias = before.alias if workspace.alias is None else workspace.alias
        workspace = replace(before, hidden=False, alias=alias, used_at=now)
        WORKSPACES.change(tx, {"id": workspace.id}, hidden=False, alias=alias, used_at=now)
    cards.owe_about(tx, workspace.id, changed=True)
    gates.want(tx, workspace.id)
    return workspace


def name(tx: Transaction, workspace_id: str, alias: str | None) -> None:
    """Set or clear a person's own name for a workspace."""
    WORKSPACES.change(tx, {"id": workspace_id}, alias=alias)
    cards.owe_about(tx, workspace_id, changed=True)


def notify(tx: Transaction, workspace_id: str, *, ready: bool | None, stopped: bool | None) -> None:
    """Set what is sent about a workspace; None: as for all of them."""
    WORKSPACES.change(tx, {"id": workspace_id}, tells_ready=ready, tells_stopped=stopped)


def hide(tx: Transaction, workspace_id: str) -> None:
    """Hide a workspace and end its watch. Open operations on it end as cancelled (cause ``forgotten``)."""
    operations.put_away(tx, workspace_id)
    row = WORKSPACES.row(tx, id=workspace_id)
    if row is not None and row["state"] != State.GONE:
        # Nobody looks at it any more, so no message about it may go on saying how it is.
        cards.close_about(tx, row)


def ending(tx: Transaction, within: float, limit: int = 100) -> list[Workspace]:
    """Return workspaces that end by themselves within so many seconds, soonest first.

    Only those that are running or stopped, are listed for somebody with an active account, have no open
    operation, and whose owner hasn't been told about that end (an ENDING notice with the end in whole epoch
    seconds as its occasion, within a minute).
    """
    now = tx.now()
    return WORKSPACES.found(tx, "ending_workspaces", now=now, until=now + within, limit=limit)


def claim_running(tx: Transaction, limit: int, every: float) -> list[Workspace]:
    """Return workspaces that run on without an end, longest unseen first; again after ``every`` s."""
    now = tx.now()
    found = WORKSPACES.found(tx, "claim_running", now=now, until=now + every, limit=limit)
    return sorted(found, key=lambda one: one.id)


def ask_again(tx: Transaction, workspace_id: str, at: float) -> None:
    """Set when a running workspace is looked at next."""
    WORKSPACES.change(tx, {"id": workspace_id}, left_look_at=at)


def hear(tx: Transaction, connection: str, gate_key: str, interaction: str, remark: str) -> bool:
    """Write a provider's event about a workspace, mark its card dirty and make its gate due.

    Return False, nothing written, if the event was seen before or nobody here has the workspace.
    """
    found = WORKSPACES.rows(tx, gate_key=gate_key, connection=connection)
    if not found or not inbox.first_sight(tx, interaction):
        return False
    for row in found:
        WORKSPACES.change(tx, {"id": row["id"]}, remark=remark)
        cards.owe_about(tx, row["id"], changed=True)
    gates.make_due(tx, found[0]["id"])
    return True


def save_entry(tx: Transaction, workspace_id: str, gate_key: str, entry: str) -> None:
    """Store a workspace's sealed entry, unless it has another gate by now."""
    WORKSPACES.change(tx, {"id": workspace_id, "gate_key": gate_key}, entry=entry)


#: The columns that a read or a list writes.
_FOUND = (
    "state",
    "url",
    "detail",
    "reason",
    "progress",
    "observed_at",
    "tried_at",
    "actions",
    "ends_at",
    "ends_how",
)


def renew(
    tx: Transaction, operation_id: str, claim: str, fresh: Workspace, audit: Sequence[AuditEntry] = ()
) -> bool:
    """Replace the workspace that an open restart has ended with a provisional one.

    In one transaction the old row leaves the list and the operation becomes a creation of the new one, with
    the same card. Return False, nothing written, if the operation ended meanwhile or another step holds it.
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
        progress_floor=0,
        hold=None,
        read_hold=None,
        waits_for="time",
        next_step_at=tx.now(),
        leased_until=0,
        claim="",
        woken=0,
    )
    former = WORKSPACES.row(tx, id=row["workspace_id"])
    # Who agreed to the end of a class did so for that one workspace.
    if former is not None and former["stop_card"] is None:
        WORKSPACES.change(tx, {"id": fresh.id}, **{column: former[column] for column in timers.NONE})
    hours.follow(tx, row["workspace_id"], fresh.id)
    CARDS.change(tx, {"subject": operation_id}, about=fresh.id)
    cards.owe_about(tx, row["workspace_id"], changed=True)
    ended = {"id": row["workspace_id"], "hidden": False}
    hidden = WORKSPACES.changed(tx, ended, hidden=True, **timers.NONE)
    if hidden is not None:
        tx.run("rest_gate_without_reader", gate_key=hidden["gate_key"])
    cards.owe(tx, operation_id, changed=True)
    append_audit(tx, audit)
    return True


def insert_provisional(tx: Transaction, workspace: Workspace) -> None:
    """Write a workspace to be made, by its ``spec``; it isn't read until it exists.

    ``workspace.remote_id`` is ``PROVISIONAL`` plus its own id.
    """
    gate = {
        "gate_key": workspace.gate_key,
        "connection": workspace.connection,
        "remote_id": workspace.remote_id,
    }
    GATES.add_new(tx, **gate)
    insert(tx, replace(workspace, used_at=tx.now()))


def unexplained(
    tx: Transaction, operation_id: str, connection: str, gate_keys: Sequence[str], since: float
) -> list[str]:
    """Return those of these gates that no record explains, so that only this creation can have made them.

    Empty if any other creation on the connection called after ``since`` (epoch seconds) has no id yet: the
    candidate may be its result. A gate outlives its last watcher by a day, so resources of unlinked accounts
    are known too.
    """
    doubt = tx.one(
        "nameless_creation", id=operation_id, connection=connection, since=since, unmade=f"{PROVISIONAL}%"
    )
    if doubt is not None:
        return []
    creation = OPERATIONS.row(tx, id=operation_id)
    if creation is None:
        return []
    mine = {"principal": creation["principal"], "since": creation["created_at"]}
    return [one for one in gate_keys if tx.one("explained", gate_key=one, **mine) is None]


def name_created(
    tx: Transaction, operation_id: str, created: Created, gate_key: str, claim: str = ""
) -> Workspace | None:
    """Write the id that the provider gave, before anything else can fail; return the workspace.

    In the same transaction ``start_call`` becomes ACCEPTED, ``read_since`` now, and the gate due. If it isn't
    ``is_started``, ``start_call`` becomes NONE instead, so that it is started next. This also applies if the
    operation ended or the workspace was hidden meanwhile: whatever exists is shown. Return None if its person
    unlinked meanwhile, which deleted the row. A row that a list added for the same remote id is merged into
    this one, with its operations and their cards; of two open operations the younger stays (but a start gives
    way to the creation, which includes it). A second id for one operation gets a row of its own, which is
    then returned. The step keeps its lease.
    """
    now = tx.now()
    accept = "accept_created" if created.is_started else "accept_created_at_rest"
    tx.run(accept, id=operation_id, claim=claim, now=now)
    operation = OPERATIONS.row(tx, id=operation_id)
    row = WORKSPACES.row(tx, id=operation["workspace_id"]) if operation else None
    if row is None:
        return None
    gate = {"gate_key": gate_key, "connection": row["connection"], "remote_id": created.remote_id}
    GATES.add_new(tx, **gate)
    gates.take_over(tx, gate_key)
    named_id: str = row["id"]
    if row["remote_id"].startswith(PROVISIONAL) or row["remote_id"] == created.remote_id:
        _make_known(tx, row, created, gate_key, now)
    else:
        named_id = _put_beside(tx, row, created, gate_key, now)
    gates.make_due(tx, named_id)
    cards.owe(tx, operation_id, changed=True)
    cards.owe_about(tx, named_id, changed=True)
    return workspace(tx, named_id)


def _make_known(tx: Transaction, row: Row, created: Created, gate_key: str, now: float) -> None:
    listed = WORKSPACES.row(
        tx,
        principal=row["principal"],
        connection=row["connection"],
        remote_id=created.remote_id,
    )
    if listed is not None and listed["id"] != row["id"]:
        _take_over(tx, row, listed)
        row = {
            **row,
            **{column: listed[column] for column in _FOUND},
            "alias": row["alias"] or listed["alias"],
        }
    WORKSPACES.change(
        tx,
        {"id": row["id"]},
        remote_id=created.remote_id,
        gate_key=gate_key,
        **name_columns(created.name or row["name"]),
        alias=row["alias"],
        # The account that created it may see it.
        verified_at=row["verified_at"] or now,
        used_at=row["used_at"] or now,
        **{column: row[column] for column in _FOUND},
        hidden=False,
        # It exists from now on: a list requested earlier can't contain it.
        created_at=now,
    )
    if row["gate_key"] != gate_key:
        # The provisional gate was never read through, so it isn't needed.
        tx.run("sweep_gate", gate_key=row["gate_key"], before=now)


def _take_over(tx: Transaction, row: Row, listed: Row) -> None:
    """Merge a creation's row with the one that a list added for it, with operations, cards and notices.

    At most one operation stays open: the younger, except that a start gives way to the creation.
    """
    creating, other = (OPERATIONS.row(tx, workspace_id=one["id"], outcome=None) for one in (row, listed))
    if creating is not None and other is not None:
        is_same = (creating["verb"], other["verb"]) == (OperationVerb.CREATE, OperationVerb.START)
        is_older = other["created_at"] < creating["created_at"]
        operations.end(tx, (other if is_same or is_older else creating)["id"], Outcome.REPLACED, None)
    moving = OPERATIONS.rows(tx, workspace_id=listed["id"])
    OPERATIONS.change(tx, {"workspace_id": listed["id"]}, workspace_id=row["id"])
    for moved in moving:
        cards.owe(tx, moved["id"], changed=True)
        for notice in tx.all("unsent_notices_of", subject=moved["id"]):
            body = from_json(notice["body"])
            if body.get("workspace") == listed["id"]:
                NOTICES.change(tx, {"id": notice["id"]}, body={**body, "workspace": row["id"]})
    cards.move(tx, row["principal"], listed["id"], row["id"])
    hours.follow(tx, listed["id"], row["id"])
    WORKSPACES.delete(tx, id=listed["id"])


def _put_beside(tx: Transaction, row: Row, created: Created, gate_key: str, now: float) -> str:
    """Show a second workspace made by the same creation in a row of its own; return the row's id."""
    first = WORKSPACES.of(row)
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
    )
    if insert(tx, made):
        return made.id
    key = {"principal": made.principal, "connection": made.connection, "remote_id": made.remote_id}
    existing = WORKSPACES.changed(tx, key, hidden=False)
    assert existing is not None  # it was there
    return str(existing["id"])


#: States that change by themselves: a workspace in one is read soon when a list finds or lacks it.
_MOVING = {State.STARTING, State.RUNNING, State.STOPPING, State.UNKNOWN}
#: How many rows of a list are merged per transaction: a few milliseconds.
PIECE = 100


@dataclass(frozen=True, slots=True)
class FoundWorkspace:
    """Describe a workspace found on a provider, to be merged into a person's list.

    ``actions`` and ``ends_at`` as in ``Observed``; if a list leaves them out, what a read found is kept.
    """

    remote_id: str
    gate_key: str
    name: str
    state: State
    url: str | None = None
    detail: str | None = None
    actions: frozenset[Action] | None = None
    ends_at: float | None = None
    ends_how: Ending | None = None
    reason: str | None = None


async def merge_discovered(
    engine: Engine, account_id: str, found: Sequence[FoundWorkspace], *, is_whole: bool = True
) -> int:
    """Merge a list into the account's workspaces, in pieces; return how many were new.

    Workspaces discovered before and now absent are put in doubt once everything is merged and read soon,
    unless the list is incomplete or they have an open operation: they become ``gone`` when that read, or
    the next list, confirms it. Hidden ones stay hidden. An unlink between two pieces ends the merge.
    States come from the list only if no read is newer than the listing's start (the claim of its
    discover task), and a name of "" keeps the known one. The listing was made with the account itself, so
    it verifies its rows.
    """
    state = _Merge(account_id, found, frozenset(one.remote_id for one in found), is_whole)
    while not state.is_over:
        state = await engine.write(partial(_merge_piece, merge=state), rows=PIECE)
    return state.new


@dataclass(frozen=True, slots=True)
class _Merge:
    """Track the merge of a list: each piece is a transaction of its own, so that other work gets its turn.

    ``listed`` holds all remote ids of the list, ``at`` how many of ``found`` are merged, and ``after`` the
    remote id up to which rows were checked for absence.
    """

    account_id: str
    found: Sequence[FoundWorkspace]
    listed: frozenset[str]
    is_whole: bool
    start: float | None = None
    at: int = 0
    after: str = ""
    new: int = 0
    is_over: bool = False


def _merge_piece(tx: Transaction, merge: _Merge) -> _Merge:
    """Merge the next piece of a list; an unlink meanwhile ends it.

    Absent workspaces are handled after the last piece, and only if the list was complete.
    """
    account = ACCOUNTS.row(tx, id=merge.account_id)
    if account is None or account["state"] == "revoking":
        # The unlink deleted what was merged before; keep nothing more of the list.
        return replace(merge, is_over=True)
    now, start = tx.now(), merge.start
    if start is None:
        start = listing_start(tx, TaskKind.DISCOVER, merge.account_id)
    pair = {"principal": account["principal"], "connection": account["connection"]}
    piece = merge.found[merge.at : merge.at + PIECE]
    new = merge.new + sum(_merge_one(tx, one, pair, start) for one in piece)
    merge = replace(merge, start=start, at=merge.at + len(piece), new=new)
    left = PIECE - len(piece)
    if merge.at < len(merge.found) or not left:
        return merge
    if merge.is_whole:
        rows_after = tx.all("workspaces_of_account", **pair, after=merge.after, limit=left)
        for row in rows_after:
            if row["remote_id"] not in merge.listed:
                _note_absence(tx, row, start)
        if len(rows_after) == left:
            return replace(merge, after=rows_after[-1]["remote_id"])
    ACCOUNTS.change(tx, {"id": merge.account_id}, discovered_at=now)
    return replace(merge, is_over=True)


def listing_start(tx: Transaction, kind: TaskKind, account_id: str) -> float:
    """Return when the list being merged was requested: that is how old its data is."""
    task = tx.one("listing_start", kind=kind, account_id=account_id)
    return tx.now() if task is None or task["claimed_at"] is None else float(task["claimed_at"])


def _merge_one(tx: Transaction, one: FoundWorkspace, pair: Row, start: float) -> int:
    row = WORKSPACES.row(tx, **pair, remote_id=one.remote_id)
    if row is None:
        return _insert_found(tx, one, pair, start)
    _update_found(tx, one, row, start)
    return 0


def _insert_found(tx: Transaction, one: FoundWorkspace, pair: Row, start: float) -> int:
    gate = {"gate_key": one.gate_key, "connection": pair["connection"], "remote_id": one.remote_id}
    GATES.add_new(tx, **gate)
    found = Workspace(
        id=tx.ids.new("workspace"),
        principal=principal_of(pair["principal"]),
        connection=pair["connection"],
        remote_id=one.remote_id,
        gate_key=one.gate_key,
        name=one.name or one.remote_id,
        state=one.state,
        url=one.url,
        detail=one.detail,
        observed_at=start,
        verified_at=start,
        actions=one.actions,
        ends_at=one.ends_at,
        ends_how=one.ends_how,
        reason=one.reason,
    )
    written = insert(tx, found)
    if written and one.state in _MOVING:
        gates.make_due(tx, found.id)
    return written


def _update_found(tx: Transaction, one: FoundWorkspace, row: Row, start: float) -> None:
    """Update a known row. A listing with the account itself proves that the person may see it."""
    is_news = start >= (row["observed_at"] or 0.0) and one.state is not State.UNKNOWN
    state = one.state if is_news else word(State, row["state"])
    changed = state.value != row["state"]
    values = _columns(one, row, is_new=changed) if is_news else _columns(None, row)
    if one.gate_key != row["gate_key"]:
        GATES.add_new(tx, gate_key=one.gate_key, connection=row["connection"], remote_id=one.remote_id)
    name = one.name or row["name"]
    _put(
        tx,
        row["id"],
        **name_columns(name),
        gate_key=one.gate_key,
        state=state,
        # Not every list has addresses: one that was read stays while the workspace runs on.
        url=(one.url or (None if changed else row["url"])) if is_news else row["url"],
        detail=one.detail if is_news else row["detail"],
        reason=reasons.kept(word(State, row["state"]), row["reason"], state, one.reason if is_news else None),
        progress=None if changed else row["progress"],
        observed_at=start if is_news else row["observed_at"],
        verified_at=row["verified_at"] or start,
        **values,
    )
    if row["hidden"]:
        return
    timers.note(tx, row["id"], row["state"], state, start)
    if changed and state in _MOVING:
        gates.make_due(tx, row["id"])
    has_other_buttons = values["actions"] != row["actions"]
    if changed or name != row["name"] or any(values[column] != row[column] for column in values):
        cards.owe_about(tx, row["id"], changed=changed or has_other_buttons)


def _put(tx: Transaction, workspace_id: str, **columns: Any) -> None:
    tx.run(setting("listed_workspace", *columns), id=workspace_id, **columns)


def _columns(one: FoundWorkspace | None, row: Row, *, is_new: bool = False) -> Row:
    """Return allowed actions and end; values that a list lacks are kept while the state is the same."""
    values = {
        "actions": as_words(one.actions) if one else None,
        "ends_at": one.ends_at if one else None,
        "ends_how": one.ends_how if one else None,
    }
    return (
        values
        if is_new
        else {column: row[column] if values[column] is None else values[column] for column in values}
    )


def _note_absence(tx: Transaction, row: Row, start: float) -> None:
    is_stale = row["created_at"] > start or (row["observed_at"] or 0.0) > start
    if row["remote_id"].startswith(PROVISIONAL):
        # Not created yet, so no list can contain it.
        return
    if row["origin"] != "discovered" or row["open_operation"] or is_stale or row["state"] == State.GONE:
        return
    if row["doubt"] not in (GONE, UNLISTED):
        # One list isn't proof: a read of the workspace decides, or the next list that lacks it too.
        WORKSPACES.change(tx, {"id": row["id"]}, **doubt_columns(Doubt(UNLISTED, 1, tx.now())))
        if not row["hidden"]:
            gates.make_due(tx, row["id"])
        return
    _put(
        tx,
        row["id"],
        name=row["name"],
        gate_key=row["gate_key"],
        state=State.GONE,
        url=None,
        detail=None,
        reason=None,
        progress=None,
        observed_at=start,
        verified_at=row["verified_at"],
        actions=None,
        ends_at=None,
        ends_how=None,
    )
    timers.note(tx, row["id"], row["state"], State.GONE, start)
    cards.owe_about(tx, row["id"], changed=True)
