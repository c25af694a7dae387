"""The poll gate, which limits how often a workspace's status may be read at its provider.

Each workspace has a gate: a row that says when the next read is allowed. This module decides which account
makes each read, and writes the results. For the rule, see ``docs/internals/rules.md``, "The poll gate".
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from bot.domain import failure_causes
from bot.domain.accounts import Account
from bot.domain.observations import MAX_CLOCK_SKEW_SECONDS, Observed
from bot.domain.operations import BRINGING_UP, OperationVerb
from bot.domain.plan import only_waits
from bot.domain.reads import ReadClaim, ReadResult
from bot.domain.runs import ObservedRun, RunState
from bot.domain.stops import ExpiryMode
from bot.domain.timeouts import EXPLAINED, SAID_AGAIN_AFTER
from bot.domain.usability import UNUSABLE, find_lack_start, is_awaited
from bot.domain.work_items import Call
from bot.domain.workspaces import NOT_UP_STATES, PROVISIONAL, State
from bot.store import cards, corrections, handovers, prices, timers, usage
from bot.store.engine import Engine
from bot.store.notices import release_card
from bot.store.queues import Queue, build_claim, declare_queue
from bot.store.statements import fill_changes
from bot.store.tables import (
    GATES,
    WORKSPACES,
    make_parser,
    name_columns,
    parse_enum,
    parse_unconfirmed,
    unconfirmed_columns,
)
from bot.store.transaction import Parameters, Priority, Row, Transaction, as_json, as_words, prioritize
from bot.store.work_items import WakeReason

#: Suffix that marks the poll-gate key of a workspace found at the provider but not yet in the database.
_CANDIDATE: Final = "#candidate"
_PARSE_ACCOUNT: Final[Callable[[Row], Account]] = make_parser("a")
#: States that may be hidden from people with whom a workspace is shared.
_CHANGING: Final = frozenset({State.STARTING, State.STOPPING, State.FAILED})
#: A read that comes due within this many seconds joins the current request if both use the same account.
ALONG_SECONDS: Final = 1.0


def want(tx: Transaction, workspace_id: str, *, brings_up: bool = False, by_itself: bool = False) -> None:
    """Request an immediate read of a workspace, and mark the workspace as used.

    The poll gate decides when the read is sent. If it isn't certain that the person has access to the
    workspace, their account counts as not yet tried, so it gets the next turn (``_turn``). Set ``brings_up``
    if the workspace is being started. This increments its ``generation`` (the number of starts) and clears
    the provider's reason for its last failure. Set ``by_itself`` if scheduled work, rather than a person,
    requests the read.
    """
    last_request_at = None if by_itself else tx.now()
    tx.run(
        "use_workspace", id=workspace_id, now=tx.now(), last_request_at=last_request_at, brings_up=brings_up
    )
    request_read_now(tx, workspace_id)


def request_read_now(tx: Transaction, workspace_id: str) -> None:
    """Schedule a read of a workspace for the earliest time that its poll gate allows.

    Unlike ``want``, this doesn't mark the workspace as used. It does nothing for a workspace that hasn't been
    created yet.
    """
    tx.run("want_gate", id=workspace_id, unmade=f"{PROVISIONAL}%", now=tx.now())


@prioritize(Priority.URGENT)
def close_gate(
    tx: Transaction,
    gate_key: str,
    connection: str,
    remote_id: str,
    seconds: float,
    *,
    is_answered: bool = False,
) -> bool:
    """Close a workspace's poll gate for ``seconds``, because of a read made outside ``claim_reads``.

    If the gate is already closed, change nothing and return False. Set ``is_answered`` if the read has
    already been answered: then the gate stays closed for ``seconds`` from now, even if it was closed before.

    A workspace that was found at its provider but isn't in the database, a *candidate*, gets a gate whose key
    has a suffix, because a regular gate would mean that the workspace is in the database. If ``add_gate``
    adds the regular gate later, that gate stays closed at least as long as the candidate's.
    """
    if GATES.row(tx, gate_key=gate_key) is None:
        gate_key += _CANDIDATE
    GATES.add_missing(tx, gate_key=gate_key, connection=connection, remote_id=remote_id)
    now = tx.now()
    return bool(
        tx.count("close_gate", gate_key=gate_key, now=now, until=now + seconds, is_answered=is_answered)
    )


def add_gate(tx: Transaction, gate_key: str, connection: str, remote_id: str) -> None:
    """Add a workspace's poll gate if it has none.

    Before the workspace was in the database, ``close_gate`` may have closed a gate for it. The regular gate
    then stays closed at least as long, even if it already existed.
    """
    GATES.add_missing(tx, gate_key=gate_key, connection=connection, remote_id=remote_id)
    tx.run("take_over_gate", gate_key=gate_key, candidate=gate_key + _CANDIDATE)


_GRANTED: Final = "claimed_at = :now, next_check_at = :until, due_at = :until"
_GATE: Final = "gate_key, remote_id, reader"
GATE_QUEUE: Final = declare_queue(
    Queue(
        name="gates",
        kind="reads",
        table="gates",
        due="due_at",
        where="connection = :connection AND due_at IS NOT NULL",
        only="next_check_at <= :now AND {settled}",
        changes=_GRANTED,
        key="gate_key",
        returning=_GATE,
    )
)
#: Statement that claims further reads for a request that is about to be sent. It selects workspaces that were
#: last read with the request's account (``:reader``), whose reads are due by ``:soon``, and whose poll gates
#: are open.
ALONG_CLAIM: Final = build_claim(
    table="gates",
    where="connection = :connection AND due_at <= :soon AND reader = :reader AND next_check_at <= :now",
    changes=_GRANTED,
    order="due_at",
    key="gate_key",
    returning=_GATE,
)


def claim_reads(
    tx: Transaction, connection: str, limit: int, interval: float, margin: float, together: int = 1
) -> list[ReadClaim]:
    """Claim a connection's due reads, and close the poll gates of their workspaces.

    The gates stay closed until ``next_check_at = now + interval + margin``, which is committed before the
    reads are sent. A workspace may be read with any active account whose owner has it in their list;
    ``_turn`` decides whose turn it is. One request reads up to ``together`` workspaces with one account. If
    ``together`` is more than 1, it also includes workspaces that become due within a second and were last
    read with the same account, so there may be more than ``limit`` reads.

    Each person has a row of their own for a workspace. A ``ReadClaim`` lists the rows that will receive the
    result: first the row of the person whose account reads, then those of other people whose access has been
    proven.
    """
    now = tx.now()
    lease = interval + margin
    until = now + lease
    after = {"connection": connection, "due_at": until, "claimed_at": now}
    GATE_QUEUE.ask(tx, lease, limit, now, connection=connection)
    if together == 1:
        tx.ask("watchers", **after)
    found = GATE_QUEUE.take(tx, lease, limit, now, connection=connection)
    counts = Counter(gate["reader"] for gate in found if gate["reader"]) if together > 1 else {}
    for reader, count in counts.items():
        parameters = {"connection": connection, "reader": reader, "now": now, "soon": now + ALONG_SECONDS}
        if count < together:
            found += tx.all(ALONG_CLAIM, **parameters, until=until, limit=together - count)
    watchers: dict[str, list[Row]] = {gate["gate_key"]: [] for gate in found}
    #: Maps each poll gate's key to the rows of the people who can read its workspace over this connection.
    able = defaultdict[str, list[Row]](list)
    for row in tx.all("watchers", **after) if found else ():
        # Skip poll gates that another process claimed at the same moment.
        if row["gate_key"] in watchers:
            watchers[row["gate_key"]].append(row)
            if row["account_id"] is not None and row["connection"] == connection:
                able[row["gate_key"]].append(row)
    granted = [
        (gate, reader)
        for gate in found
        if (reader := _choose_reader(tx, gate, watchers[gate["gate_key"]], able[gate["gate_key"]]))
        is not None
    ]
    _note_readers(tx, granted, able, now)
    accounts: dict[str, Account] = {}
    for _, reader in granted:
        if reader["account_id"] not in accounts:
            accounts[reader["account_id"]] = _PARSE_ACCOUNT(reader)
    return [
        _grant(gate, reader, watchers[gate["gate_key"]], accounts[reader["account_id"]], interval, now)
        for gate, reader in granted
    ]


def _choose_reader(tx: Transaction, gate: Row, watchers: Sequence[Row], able: list[Row]) -> Row | None:
    if len(able) == 1:
        return able[0]
    if not able:
        # Nobody has an active account on this connection. If somebody has one on another connection to the
        # same workspace, leave the read to that connection. Otherwise, don't read the workspace again until
        # someone requests it.
        other = next((one["connection"] for one in watchers if one["account_id"] is not None), None)
        to = {"due_at": None} if other is None else {"connection": other}
        GATES.change(tx, {"gate_key": gate["gate_key"]}, **to)
        return None
    # An account whose credential was refused reads the workspace only if no other account can.
    able.sort(key=_turn)
    return next((watcher for watcher in able if watcher["refused_since"] is None), able[0])


def _note_readers(
    tx: Transaction, granted: Sequence[tuple[Row, Row]], able: Mapping[str, list[Row]], now: float
) -> None:
    tx.run_each(
        "set_reader",
        [
            {"gate_key": gate["gate_key"], "account_id": reader["account_id"]}
            for gate, reader in granted
            if gate["reader"] != reader["account_id"]
        ],
    )
    # Record that these people have had their turn (see ``_turn``). If only one person can read a workspace
    # and their access is proven, there are no turns.
    tx.run_each(
        "mark_tried",
        [
            {"id": reader["id"], "now": now}
            for gate, reader in granted
            if not _is_proven(reader) or len(able[gate["gate_key"]]) > 1
        ],
    )


def _grant(
    gate: Row, reader: Row, watchers: Sequence[Row], account: Account, interval: float, now: float
) -> ReadClaim:
    others = [
        watcher
        for watcher in watchers
        if watcher["verified_at"] is not None and watcher["id"] != reader["id"]
    ]
    used = [watcher["used_at"] for watcher in (reader, *others) if watcher["used_at"] is not None]
    return ReadClaim(
        gate_key=gate["gate_key"],
        connection=account.connection,
        remote_id=gate["remote_id"],
        account=account,
        workspace_ids=(reader["id"], *(watcher["id"] for watcher in others)),
        has_open_operation=any(watcher["has_operation"] for watcher in watchers),
        state=parse_enum(State, reader["state"]),
        used_at=max(used, default=None),
        granted_at=now,
        is_proven=reader["verified_at"] is not None,
        unconfirmed=parse_unconfirmed(
            reader["unconfirmed"], reader["unconfirmed_times"], reader["unconfirmed_since"]
        ),
        is_ending=bool(reader["is_ending"]),
        interval=interval,
        entry=reader["entry"],
        lacks=reader["lacks"],
        lacks_since=reader["lacks_since"],
        is_requested=(reader["last_request_at"] or 0.0) > (reader["observed_at"] or 0.0),
    )


def _turn(watcher: Row) -> tuple[int, float, str]:
    """Return a key that sorts the people who can read a workspace by whose turn it is.

    People whose access has never been tried come first, then people with proven access, then people whose
    access was tried but isn't proven. Within each group, whoever has waited longest comes first.
    """
    attempted_at = watcher["attempted_at"]
    rank = 1 if _is_proven(watcher) else 0 if attempted_at is None else 2
    return rank, attempted_at or 0.0, watcher["id"]


def _is_proven(watcher: Row) -> bool:
    return watcher["verified_at"] is not None and watcher["state"] != State.GONE


RUN_COLUMNS = ("state", "exit_code", "detail", "name", "started_at", "finished_at", "observed_at")
#: If a read finds that a workspace has begun to run, it may have started at any time since the previous read.
#: If that read was more than this many seconds ago, the start time is treated as unknown.
JUST_BEFORE_SECONDS = 60.0


def choose_end(row: Row, seen: Observed, granted_at: float) -> tuple[float | None, ExpiryMode | None]:
    """Return when and how (``ExpiryMode``) the provider will end a workspace.

    ``row`` is the row before the observation. If the provider reports both a removal and another end, return
    the earlier one. A removal time in the past is ignored, because the workspace still exists.
    """
    at, how = seen.expires_at, seen.expiry_mode
    if seen.expires_after is not None:
        at = _count_end(row, seen, granted_at, seen.expires_after)
    if at is None and seen.state is State.STOPPING and corrections.is_end_due(row, granted_at):
        # The provider announced when it would end the workspace, but no longer reports that time. Keep it, so
        # that the message about the stop can give the reason.
        return min(row["expires_at"], granted_at), row["expiry_mode"]
    if seen.removed_at is not None and (at is None or granted_at < seen.removed_at < at):
        return seen.removed_at, "removed"
    return at, how


def _count_end(row: Row, seen: Observed, granted_at: float, expires_after: float) -> float:
    """Return when a workspace will leave a state that lasts ``expires_after`` seconds.

    If the provider doesn't report when the state began, count from the first read that found it. A workspace
    that was stopped for lack of use is assumed to have stopped at the predicted time.
    """
    counted: float | None = None
    if row["state"] != seen.state:
        began = granted_at
        if seen.state is State.STOPPED and row["expiry_mode"] == "stops" and row["expires_at"] is not None:
            began = min(began, row["expires_at"])
        counted = began + expires_after
    elif row["expiry_mode"] == seen.expiry_mode:
        counted = row["expires_at"]
    known = [at for at in (seen.expires_at, counted) if at is not None]
    return max(known, default=granted_at + expires_after)


def find_start_time(row: Row, seen: Observed, granted_at: float) -> float | None:
    """Return a workspace's start time, or None if the workspace isn't running or the time is unknown.

    ``row`` is the row before the observation. If the provider doesn't report the time, return the time of the
    first read that found the workspace running, unless the read before it was more than a minute earlier.
    """
    if seen.state in NOT_UP_STATES:
        return None
    if seen.started_at is not None:
        return seen.started_at
    if seen.state is not State.RUNNING or row["state"] == State.RUNNING:
        known: float | None = row["started_at"]
        return known
    return granted_at if granted_at - (row["observed_at"] or 0.0) <= JUST_BEFORE_SECONDS else None


def newest_read(row: Row) -> float:
    """Return the time of a workspace's last read, whatever its result, or 0 if it has never been read."""
    return max(row["observed_at"] or 0.0, row["unknown_at"] or 0.0)


def run_after(row: Row, observed: ObservedRun, at: float) -> Row:
    """Return a run's columns after a read.

    If the read couldn't determine the state, the last known state is kept. A run that has ended stays ended,
    because an observation to the contrary must be outdated. While a run is running, the earliest reported
    time of its start is kept.
    """
    started_at = row["started_at"] if observed.started_at is None else observed.started_at
    if row["state"] == observed.state.value == RunState.RUNNING.value and row["started_at"] is not None:
        started_at = min(row["started_at"], started_at)
    was_over = parse_enum(RunState, row["state"]).is_over
    keeps = observed.state is RunState.UNKNOWN or (was_over and not observed.state.is_over)
    return {
        "state": row["state"] if keeps else observed.state.value,
        "exit_code": row["exit_code"] if observed.exit_code is None else observed.exit_code,
        "detail": row["detail"] if keeps else observed.detail,
        "name": observed.name or row["name"],
        "started_at": started_at,
        "finished_at": row["finished_at"] if observed.ended_at is None else observed.ended_at,
        "observed_at": at,
    }


_RECORD_BATCH_SIZE: Final = 100


async def record_reads(engine: Engine, results: Sequence[ReadResult]) -> None:
    """Write the results of claimed reads into rows and poll gates, wake operations, and redraw messages.

    Messages about a workspace are redrawn if anything visible changed. An observation's time is when its read
    was claimed, not when the provider answered. The result ``gone`` changes only the row of the person whose
    account was used, because it may just mean that this account has no access. The workspace is then read
    again with the accounts of other people. Each batch is a separate transaction, so that urgent work can run
    in between.
    """
    for first in range(0, len(results), _RECORD_BATCH_SIZE):
        some = results[first : first + _RECORD_BATCH_SIZE]
        subjects = sorted({one for result in some for one in result.workspace_ids})
        work = partial(record_some, results=some)
        await engine.write(work, Priority.RECORDS, subjects)


#: Columns that people don't see. Reads that change only these are written together.
_UNSEEN_COLUMNS: Final = frozenset({"verified_at", "last_used_at", "lacks_since"})
#: Maps a query to the parameters that a batch of read results has collected for it, so that the query takes
#: only one round trip per batch.
_Writes = defaultdict[str, list[Parameters]]


def record_some(tx: Transaction, results: Sequence[ReadResult]) -> None:
    """Write the results of claimed reads, as part of the current transaction."""
    now = tx.now()
    for batch in _split_repeated_gates(results):
        ids = sorted({workspace_id for result in batch for workspace_id in result.workspace_ids})
        known = {row["id"]: row for row in tx.all("read_rows", ids=as_json(dict.fromkeys(ids, 1)))}
        writes = _Writes(list)
        for result in batch:
            rows_found = ((place, known.get(key)) for place, key in enumerate(result.workspace_ids))
            found = [
                (place, row)
                for place, row in rows_found
                if row is not None and row["gate_key"] == result.gate_key
            ]
            gate = found[0][1] if found else tx.one("gate", gate_key=result.gate_key)
            if gate is not None:
                _record(tx, result, found, gate, writes, now)
        for query in ("observed_same", "settle_gate"):
            tx.run_each(query, writes[query])


def _split_repeated_gates(results: Sequence[ReadResult]) -> Iterator[list[ReadResult]]:
    """Split results into batches, so that no batch contains two results for the same poll gate.

    A later result depends on what an earlier one has written.
    """
    batch: dict[str, ReadResult] = {}
    for result in results:
        if result.gate_key in batch:
            yield list(batch.values())
            batch = {}
        batch[result.gate_key] = result
    if batch:
        yield list(batch.values())


def _record(
    tx: Transaction,
    result: ReadResult,
    found: Sequence[tuple[int, Row]],
    gate: Row,
    writes: _Writes,
    now: float,
) -> None:
    granted_at = gate["gate_claimed_at"] if result.granted_at is None else result.granted_at
    if result.unconfirmed is not None and found and found[0][0] == 0:
        WORKSPACES.change(tx, {"id": found[0][1]["id"]}, **unconfirmed_columns(result.unconfirmed))
    is_gone = result.observed is not None and result.observed.state is State.GONE
    opens_at = max(gate["next_check_at"], now + result.closed_for)
    due_at = None if result.next_in is None else max(now + result.next_in, opens_at)
    if due_at is not None and result.slot is not None:
        # Wait for the account's next time slot, so that all of its reads are made together.
        period, offset = result.slot
        due_at = max(math.ceil((due_at - offset) / period) * period + offset, due_at)
    # Write rows with an open operation first. The running time is credited to the first row written, and it
    # should go to the person who started the workspace.
    for place, row in sorted(found, key=lambda one: one[1]["operation_id"] is None):
        is_reader = place == 0 and row["account_id"] is not None and row["account_id"] == gate["reader"]
        is_doubtful = is_gone or (not is_reader and _needs_owner(row, result.observed))
        if not is_reader and (is_doubtful or row["verified_at"] is None):
            # This row belongs to a person whose account wasn't used for the read. "Gone" may just mean that
            # the account used has no access, and some states are shown only to the workspace's owner. So if
            # that person is known to have access, read the workspace again as soon as its gate opens.
            may_see = row["verified_at"] is not None and row["state"] != State.GONE
            is_able = row["account_id"] is not None and row["refused_since"] is None
            if may_see and is_doubtful and (is_gone or is_able):
                due_at = opens_at
            continue
        changed = False
        if result.observed is not None and granted_at >= newest_read(row):
            confirms = is_reader and result.is_own
            # A read that asks the provider for the reason for a state reports only the state and that reason.
            is_partial = result.unconfirmed is not None and result.unconfirmed.kind == EXPLAINED
            seen = result.observed
            if is_partial and seen.state == row["state"]:
                seen = replace(seen, detail=row["detail"], progress=row["progress"])
            changed = _observe(
                tx,
                row,
                seen,
                granted_at,
                writes,
                is_reader=is_reader,
                shows_owner=is_reader and not is_partial,
                confirms=confirms,
            )
        if is_gone and is_reader:
            again = {"is_new": row["state"] != State.GONE, "again": SAID_AGAIN_AFTER}
            tx.run("note_gone", id=row["id"], at=granted_at, **again)
        _inform_operation(tx, row, result, now, changed=changed)
    settled = opens_at if gate["requested_at"] > granted_at else due_at
    if settled != gate["gate_due_at"] or opens_at != gate["next_check_at"]:
        writes["settle_gate"].append(
            {
                "gate_key": result.gate_key,
                "granted_at": granted_at,
                "due_at": due_at,
                "opens_at": opens_at,
            }
        )


def _needs_owner(row: Row, seen: Observed | None) -> bool:
    """Return whether only a read with the owner's account can reveal a shared workspace's state.

    If a server on a hub is shared, for example, other people can only see whether it is ready. Its owner can
    also see whether it is starting, why a start failed, and whether its page responds.
    """
    if seen is None or seen.owner is None or row["owner"] is not None:
        return False
    is_less = seen.state is State.STOPPED and row["state"] in _CHANGING
    return is_less or row["operation_id"] is not None


def _observe(
    tx: Transaction,
    row: Row,
    seen: Observed,
    granted_at: float,
    writes: _Writes,
    *,
    is_reader: bool,
    shows_owner: bool,
    confirms: bool,
) -> bool:
    """Write an observation into a row, and return whether to wake the workspace's open operation.

    A row is one person's view of a workspace. Set ``shows_owner`` if the observation shows whether the
    workspace belongs to that person. Otherwise, the ``owner`` column doesn't change. Set ``confirms`` if the
    read proves that the workspace exists. This clears the note that a list lacked the workspace.
    """
    if seen.state is State.UNKNOWN:
        return _note_unknown(tx, row, seen, granted_at)
    verified_at = row["verified_at"]
    # "Gone" doesn't prove access, because people who may not see the workspace get the same answer.
    if is_reader and seen.state is not State.GONE:
        verified_at = granted_at
    name = seen.name or row["name"]
    # The reported owner and allowed actions depend on which account was used for the read.
    owner = seen.owner if shows_owner and seen.state is not State.GONE else row["owner"]
    is_others = not shows_owner and owner != seen.owner
    actions = row["actions"] if is_others else as_words(seen.actions)
    url = _choose_url(row, seen, actions) if is_others else seen.url
    before, after = (row["state"], row["url"], row["actions"]), (seen.state.value, url, actions)
    expires_at, expiry_mode = choose_end(row, seen, granted_at)
    survives_stop = row["survives_stop"] if seen.survives_stop is None else int(seen.survives_stop)
    # The time of last use is shown only on request, so a message isn't redrawn if nothing else has changed.
    last_used_at = row["last_used_at"] if seen.last_used_at is None else seen.last_used_at
    if last_used_at is not None and last_used_at > granted_at + MAX_CLOCK_SKEW_SECONDS + JUST_BEFORE_SECONDS:
        last_used_at = None  # It's in the future: an old release stored it, or the clock was set back.
    reason = (
        failure_causes.choose_reason(parse_enum(State, row["state"]), row["reason"], seen.state, seen.reason)
        if row["reason"] or seen.reason
        else None
    )
    was_awaited = is_awaited(row["lacks"], row["lacks_since"], row["observed_at"] or 0.0)
    lacks = seen.lacks if seen.state is State.RUNNING else None
    lacks_since = find_lack_start(lacks, row["lacks"], row["lacks_since"], granted_at)
    waits = is_awaited(lacks, lacks_since, granted_at)
    has_same_lack = (lacks, waits) == (row["lacks"], was_awaited)
    columns = {
        "owner": owner,
        "state": seen.state,
        "url": url,
        "detail": seen.detail,
        "progress": seen.progress,
        "unknown_at": None,
        "verified_at": verified_at,
        "actions": actions,
        "expires_at": expires_at,
        "expiry_mode": expiry_mode,
        "survives_stop": survives_stop,
        "started_at": find_start_time(row, seen, granted_at),
        "stop_risks": as_words(seen.stop_risks),
        "last_used_at": last_used_at,
        "reason": reason,
        "down_at": seen.down_at,
        "lacks": lacks,
        "lacks_since": lacks_since,
    }
    # Set only the columns that differ, because SQLite rewrites the index entries of every column that is set.
    changed = {column: value for column, value in columns.items() if value != row[column]}
    is_same = name == row["name"] and has_same_lack and changed.keys() <= _UNSEEN_COLUMNS
    if is_same and prices.find_new_machine(row, seen.machine) is None:
        writes["observed_same"].append(
            {
                "id": row["id"],
                "observed_at": granted_at,
                "verified_at": verified_at,
                "last_used_at": last_used_at,
                "confirms": confirms,
            }
        )
        return False
    changed |= {"observed_at": granted_at, **({} if name == row["name"] else name_columns(name))}
    given = {"id": row["id"], "confirms": confirms, "state": seen.state, **changed}
    if not tx.count(fill_changes("observed", *changed), **given):
        # Another process has already written the result of a later read.
        return False
    # A later start time from the provider proves a restart, even if our reads missed the stop in between.
    came_up_again = bool(row["started_at"] and seen.started_at and seen.started_at > row["started_at"])
    verb = row["operation_verb"]
    timers.note_state(tx, row, seen.state, granted_at, verb, came_up_again=came_up_again)
    usage.note_read(tx, row, seen, granted_at, is_own=owner is None, came_up_again=came_up_again)
    # Update messages immediately, because outdated buttons are as bad as an outdated state. The exception is
    # a running workspace that has just lost something it needs (``Lack``). It may soon recover, so its
    # messages are updated only if its buttons change.
    is_short_loss = waits and before[0] == after[0] and row["operation_id"] is None
    has_other_buttons = actions != row["actions"] or row["unknown_at"] is not None
    if has_other_buttons or not is_short_loss:
        is_up = seen.state is State.RUNNING and verb in BRINGING_UP and not waits
        ends = row["operation_id"] if is_up else ""
        cards.queue_messages(tx, row["id"], changed=before[0] != after[0] or has_other_buttons, ends=ends)
    if (
        before[0] == after[0] == State.RUNNING
        and url
        and lacks not in UNUSABLE
        and (url != row["url"] or not has_same_lack)
    ):
        handovers.notify_of_address(tx, row["id"], url)
    has_news = before != after or reason != row["reason"] or not has_same_lack
    return has_news or row["unknown_at"] is not None


def _choose_url(row: Row, seen: Observed, actions: str | None) -> str | None:
    """Return a workspace's URL for a person if the read was made with another person's account.

    One of the two people may be allowed to open the workspace although the other isn't.
    """
    if actions is not None and "open" not in actions.split():
        return None
    return seen.url or (row["url"] if row["state"] == seen.state else None)


def _note_unknown(tx: Transaction, row: Row, seen: Observed, granted_at: float) -> bool:
    """Record a read that didn't reveal the state. Return whether to wake the workspace's open operation."""
    actions = as_words(seen.actions)
    columns: Row = {"unknown_at": granted_at, "actions": actions}
    if row["state"] == State.UNKNOWN:
        columns |= {"observed_at": granted_at, "detail": seen.detail}
    is_newest = tx.count(
        fill_changes("note_unknown", *columns), id=row["id"], granted_at=granted_at, **columns
    )
    if not is_newest:
        # Another process has already written the result of a later read.
        return False
    if row["unknown_at"] is not None and actions == row["actions"]:
        return False
    cards.queue_messages(tx, row["id"], changed=True)
    return True


def _inform_operation(tx: Transaction, row: Row, result: ReadResult, now: float, *, changed: bool) -> None:
    if row["operation_id"] is None:
        return
    has_news = row["operation_block_reason"] != result.block_reason
    is_held = has_news or row["operation_hold"] or row["busy_since"] is not None
    if not is_held and result.observed is not None:
        verb = parse_enum(OperationVerb, row["operation_verb"])
        if only_waits(verb, parse_enum(Call, row["start_call"]), result.observed.state):
            return
    may_wake = row["waits_for"] == "read"
    # A change always wakes the operation, because a step that claimed it in the meantime may not have seen
    # the change.
    if changed or has_news or may_wake or row["leased_until"] > now:
        strength = WakeReason.CHANGED if changed else WakeReason.READ
        tx.run(
            "wake_operation",
            id=row["operation_id"],
            block_reason=result.block_reason,
            strength=strength,
            now=now,
        )
    if has_news:
        cards.queue_updates(tx, row["operation_id"], changed=True)
    if has_news and result.block_reason:
        release_card(tx, row["operation_id"])
