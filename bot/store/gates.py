"""The poll gate: who reads a resource, and when; and what a read found, merged into what was known.

The rule is in ``docs/rules.md``, "The poll gate".
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from bot.domain.people import Account
from bot.domain.runs import ObservedRun, RunState
from bot.domain.workspaces import NOT_UP, PROVISIONAL, Ending, Observed, ReadClaim, State
from bot.store.tables import ACCOUNTS, GATES, doubt
from bot.store.transaction import Row, Transaction

#: The suffix of a gate's key for reading a candidate that no record explains.
_CANDIDATE: Final = "#candidate"
#: Reads due within this many seconds are made along with their reader's current one.
ALONG: Final = 1.0


def want(tx: Transaction, workspace_id: str, *, brings_up: bool = False) -> None:
    """Make a workspace's gate due now, for a person who looks; the gate decides when the read may be sent.

    An unproven row gets another attempt of its own. ``brings_up``: an episode of the workspace begins.
    """
    row = tx.one("use_workspace", id=workspace_id, now=tx.now(), brings_up=brings_up)
    if row is not None:
        make_due(tx, row)


def make_due(tx: Transaction, workspace: Row) -> None:
    """Make the gate of a row of ``workspaces`` due now, or as soon as it may open.

    A provisional row has nothing to read: its gate is never due, so no claim finds it.
    """
    if workspace["remote_id"].startswith(PROVISIONAL):
        return
    tx.run(
        "want_gate",
        gate_key=workspace["gate_key"],
        connection=workspace["connection"],
        remote_id=workspace["remote_id"],
        now=tx.now(),
    )


def close_candidate(
    tx: Transaction,
    gate_key: str,
    connection: str,
    remote_id: str,
    seconds: float,
    *,
    is_answered: bool = False,
) -> bool:
    """Close a candidate's gate for so long before it is read; return False while it is closed.

    With ``is_answered`` it is closed for so long from now on, whatever was set before. It is a separate row,
    as the usual one would count as a record; if it becomes a workspace, that one's gate takes it over.
    """
    key = gate_key + _CANDIDATE
    GATES.add_new(tx, gate_key=key, connection=connection, remote_id=remote_id)
    now = tx.now()
    return bool(tx.run("close_gate", gate_key=key, now=now, until=now + seconds, is_answered=is_answered))


def take_over(tx: Transaction, gate_key: str) -> None:
    """Keep a former candidate's gate closed for as long as its candidate gate was."""
    tx.run("take_over_gate", gate_key=gate_key, candidate=gate_key + _CANDIDATE)


def claim(
    tx: Transaction, connection: str, limit: int, interval: float, margin: float, together: int = 1
) -> list[ReadClaim]:
    """Grant due reads of a connection: ``next_check_at = now + interval + margin`` is committed first.

    With ``together``, up to that many reads of one account make one request: reads that are due in a moment
    and open to the same readers are added, beyond ``limit``. The reader is a watcher with an active account,
    never-tried rows first. The claim names the rows that get the result: the reader's own first, then every
    verified one.
    """
    now = tx.now()
    until = now + interval + margin
    found = tx.all("claim_gates", connection=connection, now=now, next_check_at=until, limit=limit)
    counts = Counter(gate["reader"] for gate in found if gate["reader"]) if together > 1 else {}
    for reader, count in counts.items():
        parameters = {"connection": connection, "reader": reader, "now": now, "soon": now + ALONG}
        if count < together:
            found += tx.all("claim_gates_along", **parameters, next_check_at=until, limit=together - count)
    watchers: dict[str, list[Row]] = {gate["gate_key"]: [] for gate in found}
    for row in tx.all("watchers", connection=connection, due_at=until, claimed_at=now) if found else ():
        # Skip gates claimed at the same moment by another claim.
        if row["gate_key"] in watchers:
            watchers[row["gate_key"]].append(row)
    granted = [
        (gate, reader)
        for gate in found
        if (reader := _reader(tx, gate, watchers[gate["gate_key"]], connection)) is not None
    ]
    _note_readers(tx, granted, watchers, now)
    times = {"due_at": until, "claimed_at": now}
    readers = tx.all("readers", connection=connection, **times) if granted else []
    accounts = {row["id"]: ACCOUNTS.of(row) for row in readers}
    return [
        _grant(gate, reader, watchers[gate["gate_key"]], accounts[reader["account_id"]], interval, now)
        for gate, reader in granted
    ]


def _reader(tx: Transaction, gate: Row, watchers: Sequence[Row], connection: str) -> Row | None:
    """Return who reads a granted gate; nobody can: pass it on, or let it rest."""
    able = [watcher for watcher in watchers if watcher["account_id"] is not None]
    here = sorted((watcher for watcher in able if watcher["connection"] == connection), key=_turn)
    if not here:
        _pass_on(tx, gate["gate_key"], able)
        return None
    # Watchers with a refused credential wait as long as others can read.
    return next((watcher for watcher in here if watcher["refused_since"] is None), here[0])


def _note_readers(
    tx: Transaction, granted: Sequence[tuple[Row, Row]], watchers: dict[str, list[Row]], now: float
) -> None:
    """Write down who reads each gate, and whose turn it was."""
    tx.run_each(
        "set_reader",
        [
            {"gate_key": gate["gate_key"], "account_id": reader["account_id"]}
            for gate, reader in granted
            if gate["reader"] != reader["account_id"]
        ],
    )
    # With a single reader the order of turns doesn't matter, so skip the write.
    tx.run_each(
        "mark_tried",
        [
            {"id": reader["id"], "now": now}
            for gate, reader in granted
            if not _is_proven(reader) or _has_several(watchers[gate["gate_key"]], reader["connection"])
        ],
    )


def _has_several(watchers: Sequence[Row], connection: str) -> bool:
    able = [one for one in watchers if one["account_id"] is not None and one["connection"] == connection]
    return len(able) > 1


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
        state=State(reader["state"]),
        used_at=max(used, default=None),
        granted_at=now,
        is_proven=reader["verified_at"] is not None,
        doubt=doubt(reader),
        is_ending=bool(reader["is_ending"]),
        interval=interval,
        entry=reader["entry"],
    )


def _turn(watcher: Row) -> tuple[int, float, str]:
    """Order readers: the unproven never tried, then the proven in turn, then the rest in turn."""
    tried_at = watcher["tried_at"]
    rank = 1 if _is_proven(watcher) else 0 if tried_at is None else 2
    return rank, tried_at or 0.0, watcher["id"]


def _is_proven(watcher: Row) -> bool:
    return watcher["verified_at"] is not None and watcher["state"] != State.GONE


def _pass_on(tx: Transaction, gate_key: str, able: Sequence[Row]) -> None:
    """Hand a gate that nobody can read to another connection to the same resource, or let it rest."""
    if able:
        GATES.change(tx, {"gate_key": gate_key}, connection=able[0]["connection"])
    else:
        GATES.change(tx, {"gate_key": gate_key}, due_at=None)


#: The columns that ``run_after`` returns.
OF_RUNS = ("state", "exit_code", "detail", "name", "started_at", "finished_at", "observed_at")
#: A read that is no older than this when the next one comes shows when a workspace came up, in seconds.
JUST_BEFORE = 60.0


def end_of(row: Row, seen: Observed, granted_at: float) -> tuple[float | None, Ending | None]:
    """Return when and how a workspace ends, given its row before the observation.

    If the provider reports how long a state lasts but not since when, count from the read that first found
    it; a workspace stopped for lack of use was stopped at the predicted end.
    """
    if seen.lasts is None:
        return seen.ends_at, seen.ends_how
    counted: float | None = None
    if row["state"] != seen.state:
        began = granted_at
        if seen.state is State.STOPPED and row["ends_how"] == "stops" and row["ends_at"] is not None:
            began = min(began, row["ends_at"])
        counted = began + seen.lasts
    elif row["ends_how"] == seen.ends_how:
        counted = row["ends_at"]
    known = [at for at in (seen.ends_at, counted) if at is not None]
    return max(known, default=granted_at + seen.lasts), seen.ends_how


def up_since(row: Row, seen: Observed, granted_at: float) -> float | None:
    """Return since when a workspace has been up, given its row before the observation.

    If the provider doesn't say, it is the read that found it running where the one just before didn't.
    """
    if seen.state in NOT_UP:
        return None
    if seen.started_at is not None:
        return seen.started_at
    if seen.state is not State.RUNNING or row["state"] == State.RUNNING:
        known: float | None = row["started_at"]
        return known
    return granted_at if granted_at - (row["observed_at"] or 0.0) <= JUST_BEFORE else None


def run_after(row: Row, observed: ObservedRun | None, at: float) -> Row:
    """Return a run's observed columns after a read; without one, unchanged.

    An unknown state keeps the last one, and a run that is over never runs again: an observation to the
    contrary is outdated.
    """
    if observed is None:
        return {column: row[column] for column in OF_RUNS}
    was_over = RunState(row["state"]).is_over
    keeps = observed.state is RunState.UNKNOWN or (was_over and not observed.state.is_over)
    return {
        "state": row["state"] if keeps else observed.state.value,
        "exit_code": row["exit_code"] if observed.exit_code is None else observed.exit_code,
        "detail": row["detail"] if keeps else observed.detail,
        "name": observed.name or row["name"],
        "started_at": row["started_at"] if observed.started_at is None else observed.started_at,
        "finished_at": row["finished_at"] if observed.ended_at is None else observed.ended_at,
        "observed_at": at,
    }


def runs_differ(before: Row, after: Row) -> bool:
    """Return whether anything visible of a run has changed."""
    return any(before[column] != after[column] for column in OF_RUNS if column != "observed_at")
