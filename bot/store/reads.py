"""The results of claimed reads: what they change in rows, and when a gate's next read is due."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from bot.domain.workspaces import Observed, ReadResult, State
from bot.store import cards, gates, timers
from bot.store.records import Woken
from bot.store.schema import setting
from bot.store.tables import WORKSPACES, doubt_columns
from bot.store.transaction import Engine, Parameters, Priority, Row, Transaction, as_json, as_words

#: Results per transaction: about ten milliseconds.
_AT_ONCE: Final = 100


async def record(engine: Engine, results: Sequence[ReadResult]) -> bool:
    """Write the results of claimed reads: states, due times, verified marks; wake operations, mark cards.

    Return whether that left work for others: an operation was woken or a card became dirty.

    The card of each row's newest operation becomes dirty if anything visible changed. An observation is
    as old as its claim, not its answer. ``gone`` applies to the reader's own row only: for others it may
    just mean *not yours*, so they are read again with their own accounts. Atomic per result, in batches
    that give way to operations.
    """
    is_news = False
    for first in range(0, len(results), _AT_ONCE):
        some = results[first : first + _AT_ONCE]
        is_news |= await engine.write(partial(record_some, results=some), Priority.RECORDS, rows=len(some))
    return is_news


@dataclass(frozen=True, slots=True)
class _Writes:
    """Collect what most results write, for one round trip each however many there are."""

    same: list[Parameters] = field(default_factory=list)
    settled: list[Parameters] = field(default_factory=list)


def record_some(tx: Transaction, results: Sequence[ReadResult]) -> bool:
    """Write the results of claimed reads; return whether that woke an operation or made a card dirty."""
    is_news, now = False, tx.now()
    for batch in _one_of_each_gate(results):
        ids = sorted({workspace_id for result in batch for workspace_id in result.workspace_ids})
        known = {row["id"]: row for row in tx.all("read_rows", ids=as_json(dict.fromkeys(ids, 1)))}
        writes = _Writes()
        for result in batch:
            rows_found = ((place, known.get(key)) for place, key in enumerate(result.workspace_ids))
            found = [
                (place, row)
                for place, row in rows_found
                if row is not None and row["gate_key"] == result.gate_key
            ]
            gate = found[0][1] if found else tx.one("gate", gate_key=result.gate_key)
            if gate is not None:
                is_news |= _record(tx, result, found, gate, writes, now)
        tx.run_each("observed_same", writes.same)
        tx.run_each("settle_gate", writes.settled)
    return is_news


def _one_of_each_gate(results: Sequence[ReadResult]) -> Iterator[list[ReadResult]]:
    """Split results where a gate comes a second time: that result depends on what the first one writes."""
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
) -> bool:
    is_news = False
    granted_at = gate["gate_claimed_at"] if result.granted_at is None else result.granted_at
    if result.doubt is not None and found and found[0][0] == 0:
        WORKSPACES.change(tx, {"id": found[0][1]["id"]}, **doubt_columns(result.doubt))
    is_gone = result.observed is not None and result.observed.state is State.GONE
    opens_at = max(gate["next_check_at"], now + result.closed_for)
    due_at = None if result.next_in is None else max(now + result.next_in, opens_at)
    if due_at is not None and result.slot is not None:
        due_at = _slotted(due_at, *result.slot)
    for place, row in found:
        is_reader = place == 0 and row["account_id"] is not None and row["account_id"] == gate["reader"]
        if not is_reader and (is_gone or row["verified_at"] is None):
            # "Gone" may mean "not yours": owners proven before are read again with their own accounts.
            if is_gone and row["verified_at"] is not None and row["state"] != State.GONE:
                due_at = opens_at
            continue
        changed = False
        if result.observed is not None and granted_at >= (row["observed_at"] or 0.0):
            ends_doubt = is_reader and result.is_own
            changed = _observe(
                tx, row, result.observed, granted_at, writes, is_reader=is_reader, ends_doubt=ends_doubt
            )
        is_news |= _tell_operation(tx, row, result, now, changed=changed) or changed
    settled = opens_at if gate["wanted_at"] > granted_at else due_at
    if settled != gate["gate_due_at"] or opens_at != gate["next_check_at"]:
        writes.settled.append(
            {
                "gate_key": result.gate_key,
                "granted_at": granted_at,
                "due_at": due_at,
                "opens_at": opens_at,
            }
        )
    return is_news


def _slotted(due_at: float, period: float, offset: float) -> float:
    """Return the next slot at or after ``due_at`` at which an account's reads are batched."""
    return max(math.ceil((due_at - offset) / period) * period + offset, due_at)


def _observe(
    tx: Transaction,
    row: Row,
    seen: Observed,
    granted_at: float,
    writes: _Writes,
    *,
    is_reader: bool,
    ends_doubt: bool,
) -> bool:
    """Write an observation into a row; return whether it may matter to a step.

    ``ends_doubt``: it also disproves a list that lacked the workspace.
    """
    if seen.state is State.UNKNOWN and row["state"] != State.UNKNOWN:
        # An unknown state keeps the last one: nothing is decided on it.
        return False
    verified_at = row["verified_at"]
    # An absence proves nothing: people who may not see the resource get the same answer.
    if is_reader and seen.state not in {State.GONE, State.UNKNOWN}:
        verified_at = granted_at
    name = seen.name or row["name"]
    actions = as_words(seen.actions)
    before = (row["state"], row["url"], row["detail"], row["progress"], row["actions"])
    after = (seen.state.value, seen.url, seen.detail, seen.progress, actions)
    ends_before, ends_after = (row["ends_at"], row["ends_how"]), gates.end_of(row, seen, granted_at)
    is_kept = row["is_kept"] if seen.is_kept is None else int(seen.is_kept)
    started_at = gates.up_since(row, seen, granted_at)
    at_stake = as_words(seen.at_stake)
    # Told when somebody asks: that it was used again changes no message.
    last_used_at = row["last_used_at"] if seen.last_used_at is None else seen.last_used_at
    is_same = before == after and name == row["name"] and is_kept == row["is_kept"]
    is_same &= at_stake == row["at_stake"]
    if is_same and ends_before == ends_after and started_at == row["started_at"]:
        writes.same.append(
            {
                "id": row["id"],
                "observed_at": granted_at,
                "verified_at": verified_at,
                "last_used_at": last_used_at,
                "ends_doubt": ends_doubt,
            }
        )
        return False
    columns = {
        "name": name,
        "state": seen.state,
        "url": seen.url,
        "detail": seen.detail,
        "progress": seen.progress,
        "observed_at": granted_at,
        "verified_at": verified_at,
        "actions": actions,
        "ends_at": ends_after[0],
        "ends_how": ends_after[1],
        "is_kept": is_kept,
        "started_at": started_at,
        "at_stake": at_stake,
        "last_used_at": last_used_at,
    }
    is_newest = tx.run(setting("observed", *columns), id=row["id"], ends_doubt=ends_doubt, **columns)
    if not is_newest:
        # Another process has just written what a later read found.
        return False
    # By the provider's word alone: reads of ours are no proof of it.
    came_up_again = bool(row["started_at"] and seen.started_at and seen.started_at > row["started_at"])
    timers.note(tx, row["id"], row["state"], seen.state, granted_at, came_up_again=came_up_again)
    # Buttons that no longer work are as wrong as an outdated state: neither waits.
    cards.owe_about(tx, row["id"], changed=before[0] != after[0] or before[4] != after[4])
    return before != after


def _tell_operation(tx: Transaction, row: Row, result: ReadResult, now: float, *, changed: bool) -> bool:
    if row["operation_id"] is None:
        return False
    has_news = row["operation_hold"] != result.hold
    may_wake = row["waits_for"] == "read"
    # A change wakes it whatever the row says: a step that doesn't know of it may have claimed it since.
    wakes = bool(changed or has_news or may_wake or row["leased_until"] > now)
    if wakes:
        strength = Woken.CHANGED if changed else Woken.READ
        tx.run("wake_operation", id=row["operation_id"], hold=result.hold, strength=strength, now=now)
    if has_news:
        cards.owe(tx, row["operation_id"], changed=True)
    return wakes
