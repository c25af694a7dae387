"""Merges a provider's list of workspaces into the rows of the person whose account was used to read it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from bot.domain import failure_causes
from bot.domain.observations import Observed
from bot.domain.prices import MachineKind
from bot.domain.reads import Unconfirmed
from bot.domain.tasks import TaskKind
from bot.domain.timeouts import GONE, UNLISTED
from bot.domain.usability import UNUSABLE
from bot.domain.workspaces import PROVISIONAL, UP_STATES, State, Workspace, get_name_in_id
from bot.store import cards, corrections, gates, handovers, timers, usage
from bot.store.engine import Engine
from bot.store.fan_out import FAN_OUT_BATCH_SIZE, read_batches, take_batch
from bot.store.statements import fill_changes
from bot.store.tables import (
    ACCOUNTS,
    OPERATIONS,
    RULES,
    TASKS,
    WORKSPACES,
    name_columns,
    parse_enum,
    parse_principal,
    unconfirmed_columns,
)
from bot.store.transaction import Priority, Row, Transaction, as_words, prioritize
from bot.store.workspaces import insert

#: States that can change on their own. If a list shows a workspace in one of them, the workspace is read
#: soon.
_CHANGING_STATES = {State.STARTING, State.RUNNING, State.STOPPING, State.UNKNOWN}

#: A workspace may stay in lists for this many seconds after a read has found that it no longer exists. If it
#: is listed later than that, it is treated as a new workspace.
RELISTED_AFTER_SECONDS = 30.0
#: Maximum number of an account's rows that are compared with a list to detect renamed workspaces.
MAX_COMPARED_ROWS = 10_000
#: Columns that contain a workspace's history and its owner's settings. They are cleared when a new workspace
#: of the same name reuses the row of one that no longer exists.
_OWN_COLUMNS = (
    *("alias", "spec", "notify_ready", "notify_stopped", "used_at", "last_request_at", "last_used_at"),
    *("entry", "event_message", "up_at", "started_at", "running_since", "down_seen_at"),
    *("template", "size", "price", "currency"),
)


class ListedWorkspace(NamedTuple):
    """A workspace from a provider's list, with everything that the list shows about it.

    If a list doesn't show the allowed actions or when the workspace will end, the values known from a read
    are kept.
    """

    remote_id: str
    gate_key: str
    name: str
    seen: Observed


@dataclass(frozen=True, slots=True)
class ListAge:
    """When an account's list of workspaces was last read, or 0.0 if never."""

    account_id: str
    read_at: float


@prioritize(Priority.STEADY)
def find_stale_lists(tx: Transaction, connections: Iterable[str], before: float, limit: int) -> list[ListAge]:
    """Return the lists on these connections that haven't been read since ``before``, oldest first."""
    found = [
        ListAge(row["account_id"], row["read_at"])
        for connection in connections
        for row in tx.all("stale_lists", connection=connection, before=before, limit=limit)
    ]
    return sorted(found, key=lambda one: one.read_at)[:limit]


async def find_lists_in_use(
    engine: Engine, connections: Collection[str], used_since: float, after: float, before: float
) -> list[ListAge]:
    """Return lists that contain a workspace in use and were last read within a given period, oldest first.

    The period extends from ``after`` to ``before``. A workspace is in use if it has been used since
    ``used_since``.
    """
    found = {
        row["account_id"]: row["read_at"]
        async for rows in read_batches(engine, "lists_in_use", after_used_at=used_since, after_id="")
        for row in rows
        if row["account_id"] is not None
        and row["connection"] in connections
        and after <= row["read_at"] < before
    }
    return [ListAge(*one) for one in sorted(found.items(), key=lambda one: one[1])]


async def merge_discovered(
    engine: Engine, account_id: str, found: Sequence[ListedWorkspace], *, is_whole: bool = True
) -> int:
    """Merge a list into the account's workspaces, in batches, and return how many were new.

    If a workspace discovered earlier isn't in the list, it is read soon, and becomes ``gone`` when that read
    or the next list confirms it. This doesn't apply if the list is incomplete or the workspace has an open
    operation. A hidden workspace stays hidden, unless it was ``gone``. In that case, the listed workspace is
    a new one with the same name. If the account is unlinked between two batches, the merge ends.

    A list counts as read at the time when its discover task was claimed. It sets the states of workspaces
    without a newer read, and a name of "" leaves the known name unchanged. The list was read with the
    account's own credential, so it verifies the account's rows.
    """
    account = await engine.read(partial(ACCOUNTS.one, id=account_id), Priority.STEADY)
    if account is None:
        return 0
    state = _Merge(account_id, found, frozenset(one.remote_id for one in found), is_whole)
    while not state.is_over:
        state = await engine.write(partial(_merge_batch, merge=state), subjects=[account.principal.key])
    return state.new


class _Merge(NamedTuple):
    """How far a list has been merged.

    ``listed`` holds all remote ids in the list. ``at`` is how many of ``found`` have been merged, and
    ``after`` is the remote id up to which rows have been checked for absence from the list.
    """

    account_id: str
    found: Sequence[ListedWorkspace]
    listed: frozenset[str]
    is_whole: bool
    start: float | None = None
    at: int = 0
    after: str = ""
    new: int = 0
    is_over: bool = False


def _merge_batch(tx: Transaction, merge: _Merge) -> _Merge:
    """Merge the next batch of a list. If the account has been unlinked in the meantime, stop merging."""
    account = ACCOUNTS.row(tx, id=merge.account_id)
    if account is None or account["state"] == "revoking":
        # Unlinking deleted whatever was already merged, so drop the rest of the list, too.
        return merge._replace(is_over=True)
    now, start = tx.now(), merge.start
    pair = {"principal": account["principal"], "connection": account["connection"]}
    if start is None:
        start = find_listing_start(tx, TaskKind.DISCOVER, merge.account_id)
        if merge.is_whole:
            _follow_renamed(tx, merge, pair, account["discovered_at"] or 0.0)
    before = tx.changes
    piece = merge.found[merge.at : merge.at + FAN_OUT_BATCH_SIZE]
    new = [_merge_workspace(tx, one, pair, start) for one in take_batch(tx, piece, before)]
    if sum(new) and account["discovered_at"] is not None:
        corrections.note_late_creations(tx, pair["principal"], pair["connection"], start)
    merge = merge._replace(start=start, at=merge.at + len(new), new=merge.new + sum(new))
    left = FAN_OUT_BATCH_SIZE - len(new)
    if merge.at < len(merge.found) or not left:
        return merge
    if merge.is_whole:
        rows_after, after = tx.all("workspaces_of_account", **pair, after=merge.after, limit=left), ""
        for row in take_batch(tx, rows_after, before):
            after = row["remote_id"]
            if after not in merge.listed:
                _note_absence(tx, row, start)
        if rows_after and (len(rows_after) == left or after != rows_after[-1]["remote_id"]):
            return merge._replace(after=after)
    ACCOUNTS.change(tx, {"id": merge.account_id}, discovered_at=now)
    return merge._replace(is_over=True)


def _follow_renamed(tx: Transaction, merge: _Merge, pair: Row, previous_list_at: float) -> None:
    """Keep the rows of renamed workspaces on providers whose ids contain names.

    When a hub is upgraded or renames a server, an id disappears, and a new id with the old display name
    appears in the same list. The row is given the new id, so it keeps its hours and plans.
    """
    fresh = [
        one
        for one in merge.found
        if one.seen.owner is None
        and get_name_in_id(one.remote_id) not in {"", one.name}
        and WORKSPACES.row(tx, **pair, remote_id=one.remote_id) is None
    ]
    if not fresh:
        return
    lacking = [
        row
        for row in tx.all("workspaces_of_account", **pair, after="", limit=MAX_COMPARED_ROWS)
        if row["remote_id"] not in merge.listed
        and get_name_in_id(row["remote_id"])
        and not row["hidden"]
        and row["owner"] is None
        and (row["state"] != State.GONE or (row["observed_at"] or 0.0) >= previous_list_at)
    ]
    for one in fresh:
        former = [row for row in lacking if one.name in {row["name"], get_name_in_id(row["remote_id"])}]
        if len(former) == 1 and sum(other.name == one.name for other in fresh) == 1:
            gates.add_gate(tx, one.gate_key, pair["connection"], one.remote_id)
            moved = {"remote_id": one.remote_id, "gate_key": one.gate_key}
            WORKSPACES.change(tx, {"id": former[0]["id"]}, **moved)
            tx.run("rest_gate_without_reader", gate_key=former[0]["gate_key"])


def find_listing_start(tx: Transaction, kind: TaskKind, account_id: str) -> float:
    """Return when the list being merged was requested. Its contents are at least as recent as that."""
    task = TASKS.row(tx, kind=kind, subject=account_id, is_leased=True)
    return tx.now() if task is None or task["claimed_at"] is None else float(task["claimed_at"])


def _merge_workspace(tx: Transaction, one: ListedWorkspace, pair: Row, start: float) -> int:
    row = WORKSPACES.row(tx, **pair, remote_id=one.remote_id)
    if row is None:
        return _insert_workspace(tx, one, pair, start)
    if row["hidden"] and row["state"] == State.GONE and one.seen.state is not State.GONE:
        return _renew_workspace(tx, one, row, start)
    _update_workspace(tx, one, row, start)
    return 0


def _renew_workspace(tx: Transaction, one: ListedWorkspace, row: Row, start: float) -> int:
    """Reuse the row of a hidden workspace that no longer exists for a new workspace of the same name.

    A list from the first few seconds after the old workspace ended may be outdated, so it is ignored.
    """
    if start < (row["observed_at"] or 0.0) + RELISTED_AFTER_SECONDS:
        return 0
    changes: Row = {
        **dict.fromkeys(_OWN_COLUMNS),
        "hidden": False,
        "origin": "discovered",
        "created_at": start,
        "generation": row["generation"] + 1,
    }
    RULES.delete(tx, workspace_id=row["id"])
    WORKSPACES.change(tx, {"id": row["id"]}, **changes)
    renewed = WORKSPACES.row(tx, id=row["id"])
    assert renewed is not None, "its row was there in this transaction"
    _update_workspace(tx, one, renewed, start)
    corrections.note_relisted(tx, WORKSPACES.parse(renewed), start)
    return 1


def _insert_workspace(tx: Transaction, one: ListedWorkspace, pair: Row, start: float) -> int:
    seen = one.seen
    gates.add_gate(tx, one.gate_key, pair["connection"], one.remote_id)
    found = Workspace(
        id=tx.ids.new("workspace"),
        principal=parse_principal(pair["principal"]),
        connection=pair["connection"],
        remote_id=one.remote_id,
        gate_key=one.gate_key,
        name=one.name or one.remote_id,
        state=seen.state,
        url=seen.url,
        detail=seen.detail,
        observed_at=start,
        verified_at=start,
        actions=seen.actions,
        expires_at=seen.expires_at,
        expiry_mode=seen.expiry_mode,
        reason=seen.reason or None,
        owner=seen.owner,
        up_at=start if seen.state in UP_STATES else None,
        running_since=start if seen.state is State.RUNNING else None,
        **(seen.machine or MachineKind()).to_columns(),
    )
    written = insert(tx, found)
    if written and seen.state is State.RUNNING and seen.owner is None:
        usage.note_found(tx, found, start)
    if written and seen.state in _CHANGING_STATES:
        gates.request_read_now(tx, found.id)
    return written


def _update_workspace(tx: Transaction, one: ListedWorkspace, row: Row, start: float) -> None:
    seen = one.seen
    is_news = start >= gates.newest_read(row) and seen.state is not State.UNKNOWN
    comes_up = is_news and seen.state is State.RUNNING and row["state"] != State.RUNNING
    if comes_up and OPERATIONS.row(tx, workspace_id=row["id"], outcome=None) is not None:
        # The start is waiting for a read, because only a read shows whether the workspace is usable.
        is_news = False
        gates.request_read_now(tx, row["id"])
    state = seen.state if is_news else parse_enum(State, row["state"])
    changed = state.value != row["state"]
    is_new = changed or row["unknown_at"] is not None
    values = _choose_columns(seen if is_news else None, row, start, is_new=is_new and is_news)
    if one.gate_key != row["gate_key"]:
        gates.add_gate(tx, one.gate_key, row["connection"], one.remote_id)
    name = one.name or row["name"]
    _save_listed(
        tx,
        row,
        Observed(state, actions=seen.actions, machine=seen.machine),
        start,
        **name_columns(name),
        gate_key=one.gate_key,
        owner=seen.owner,
        # Some lists contain no URLs or details, so if the state is unchanged, keep those from a read.
        url=(seen.url or (None if changed else row["url"])) if is_news else row["url"],
        detail=(seen.detail or (None if changed else row["detail"])) if is_news else row["detail"],
        reason=failure_causes.choose_reason(
            parse_enum(State, row["state"]), row["reason"], state, seen.reason if is_news else None
        ),
        progress=None if changed else row["progress"],
        observed_at=start if is_news else row["observed_at"],
        unknown_at=None if is_news else row["unknown_at"],
        verified_at=row["verified_at"] or start,
        **values,
    )
    if not row["hidden"]:
        _note_state(tx, row, state, start)
        if changed and state in _CHANGING_STATES:
            gates.request_read_now(tx, row["id"])
    is_up_on = is_news and not changed and state is State.RUNNING and row["lacks"] not in UNUSABLE
    if is_up_on and seen.url and seen.url != row["url"]:
        handovers.notify_of_address(tx, row["id"], seen.url)
    # Messages about a workspace that is now hidden may still have buttons.
    has_other_buttons = values["actions"] != row["actions"]
    if changed or name != row["name"] or any(values[column] != row[column] for column in values):
        cards.queue_messages(tx, row["id"], changed=changed or has_other_buttons)


def _save_listed(tx: Transaction, row: Row, seen: Observed, start: float, **columns: Any) -> None:
    tx.run(fill_changes("listed_workspace", "state", *columns), id=row["id"], state=seen.state, **columns)
    usage.note_listed(tx, row, seen, start, is_own=columns.get("owner", row["owner"]) is None)


def _choose_columns(seen: Observed | None, row: Row, start: float, *, is_new: bool) -> Row:
    """If the list shows no actions or end, keep the known ones, unless the state has changed (``is_new``)."""
    expires_at, expiry_mode = gates.choose_end(row, seen, start) if seen else (None, None)
    values = {
        "actions": as_words(seen.actions) if seen else None,
        "expires_at": expires_at,
        "expiry_mode": expiry_mode,
    }
    return values | ({} if is_new else {name: row[name] for name in values if values[name] is None})


def _note_absence(tx: Transaction, row: Row, start: float) -> None:
    is_stale = row["created_at"] > start or gates.newest_read(row) > start
    if row["remote_id"].startswith(PROVISIONAL):
        # A workspace that hasn't been created yet can't be in any list.
        return
    if row["origin"] != "discovered" or row["open_operation"] or is_stale or row["state"] == State.GONE:
        return
    if row["unconfirmed"] not in (GONE, UNLISTED):
        # If a single list doesn't contain the workspace, that proves nothing. A read or the next list has to
        # confirm it.
        WORKSPACES.change(tx, {"id": row["id"]}, **unconfirmed_columns(Unconfirmed(UNLISTED, 1, tx.now())))
        if not row["hidden"]:
            gates.request_read_now(tx, row["id"])
        return
    _save_listed(
        tx,
        row,
        Observed(State.GONE),
        start,
        url=None,
        detail=None,
        reason=None,
        progress=None,
        observed_at=start,
        actions=None,
        expires_at=None,
        expiry_mode=None,
    )
    _note_state(tx, row, State.GONE, start)
    if not row["hidden"]:
        gates.request_read_now(tx, row["id"])
    cards.queue_messages(tx, row["id"], changed=True)


def _note_state(tx: Transaction, row: Row, state: State, start: float) -> None:
    operation = OPERATIONS.row(tx, workspace_id=row["id"], outcome=None)
    timers.note_state(tx, row, state, start, None if operation is None else operation["verb"])
