"""What is done with the rows of operations and of runs alike: claimed, held, resumed, ended, repeated, saved.

A query with ``{errands}`` is about either table.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, Final

from bot.domain.errands import Call, Outcome
from bot.domain.operations import Operation, OperationVerb
from bot.domain.runs import Run, Update
from bot.store import cards, people
from bot.store.audit import append_audit
from bot.store.notices import add_notices
from bot.store.schema import setting
from bot.store.tables import ACCOUNTS, OPERATIONS, RUNS, Table
from bot.store.transaction import Row, Transaction
from bot.support.errors import TooLate


class Woken(IntEnum):
    """Say what happened to an operation or a run while a step held it: the strongest of what did."""

    READ = 1  #: A read was recorded.
    CHANGED = 2  #: A read was recorded that changed something.
    AT_ONCE = 3  #: It must be stepped again at once.
    #: The same, because another kind of stop was asked for: the answer to one under way doesn't count.
    OTHER_STOP = 4


Errands = Table[Operation] | Table[Run]

#: What a row says when nothing holds it up.
_FREE: Final[Mapping[str, Row]] = {
    OPERATIONS.name: {"hold": None, "read_hold": None},
    RUNS.name: {"hold": None},
}
#: What a card shows of either: what can't wait, and what can.
_SHOWN: Final = (
    ("state", "outcome", "start_call", "stop_call", "hold", "asked_at", "held_since"),
    ("exit_code", "detail", "name", "started_at", "finished_at"),
)
#: What a save says besides the columns that it sets.
_DECIDING: Final = frozenset({"now", "next_step_at", "is_beside", "keeps_lease", "waits"})


def keep_waiting(tx: Transaction, errands: Errands, errand_id: str, deadline_seconds: float) -> Row | None:
    """Set a new deadline (number + 1) on an open one; return None if it is no longer open."""
    now = tx.now()
    query = setting("keep_waiting", errands=errands.name)
    row = tx.one(query, id=errand_id, deadline_at=now + deadline_seconds, now=now)
    if row is not None:
        cards.owe(tx, errand_id, changed=True)
    return row


def repeat(tx: Transaction, errands: Errands, errand_id: str, deadline_seconds: float) -> bool:
    """Repeat what its person is being asked about; return False if they aren't being asked."""
    free = _FREE[errands.name]
    query = setting("repeat", *free, errands=errands.name)
    if tx.one(query, id=errand_id, now=tx.now(), **free) is None:
        return False
    keep_waiting(tx, errands, errand_id, deadline_seconds)
    cards.owe(tx, errand_id, changed=True)
    return True


def end(tx: Transaction, errands: Errands, errand_id: str, outcome: Outcome, cause: str | None) -> Row | None:
    """End an open one and mark its card dirty; return None if it had already ended."""
    ended = {"outcome": outcome, "cause": cause, "ended_at": tx.now(), **_FREE[errands.name]}
    row = errands.changed(tx, {"id": errand_id, "outcome": None}, **ended, leased_until=0, claim="")
    if row is not None:
        cards.owe(tx, errand_id, changed=True)
    return row


def hold_all(tx: Transaction, pair: Row, hold: str) -> None:
    """Hold what is open on an account that its provider refuses."""
    for errands in (OPERATIONS, RUNS):
        for row in errands.rows(tx, "created_at, id", **pair, outcome=None):
            errands.change(tx, {"id": row["id"]}, hold=hold)
            cards.owe(tx, row["id"], changed=True)


def resume_all(tx: Transaction, pair: Row) -> None:
    """Resume at once what is open on an account that works again."""
    for errands in (OPERATIONS, RUNS):
        free = _FREE[errands.name]
        query = setting("resume", *free, errands=errands.name)
        for row in errands.rows(tx, "created_at, id", **pair, outcome=None):
            tx.run(query, id=row["id"], now=tx.now(), **free)
            if any(row[column] for column in free):
                cards.owe(tx, row["id"], changed=True)


def claim(tx: Transaction, query: str, lease: float, **named: Any) -> list[tuple[Row, dict[str, Any]]]:
    """Lease what a query finds, oldest first; return each row, and what else a step needs to know.

    That is the account and the person that the step acts for, and the claim, by their names in ``Claimed``.
    """
    now, name = tx.now(), tx.ids.new("claim")
    found = tx.all(query, now=now, until=now + lease, claim=name, **named)
    found.sort(key=lambda row: (row["created_at"], row["id"]))
    return [(row, {"claim": name, **_acting(tx, row)}) for row in found]


def _acting(tx: Transaction, row: Row) -> dict[str, Any]:
    account = tx.one("account", principal=row["principal"], connection=row["connection"])
    return {
        "account": ACCOUNTS.of(account) if account and account["state"] != "revoking" else None,
        "person": people.current(tx, row["principal"]),
    }


def save(
    tx: Transaction, errands: Errands, update: Update, own: Callable[[Transaction, Row, Update, Row], Row]
) -> tuple[Row, Update] | None:
    """Write a step's result and release the lease; return the row as it was, and what counts of the update.

    One that ended meanwhile, or that another step now holds, takes no update, and no notices are written:
    the result is None. An end decided while the person was being asked gives way to an answer given since.
    A call is committed to only while what was asked for is good; raises TooLate.
    ``audit`` is always appended. ``own`` returns all columns after the update, given the shared ones. The
    card becomes dirty if anything visible changed.
    """
    row, asked_at = errands.row(tx, id=update.id), update.asked_at
    if row is not None and asked_at is not None and asked_at != row["asked_at"]:
        update = Update(update.id, 0.0, claim=update.claim)
    append_audit(tx, update.audit)
    if row is None or row["outcome"] is not None or (update.claim and row["claim"] != update.claim):
        return None
    if _is_late(row, update, tx.now()):
        raise TooLate(f"{update.id} is past its deadline")
    after = own(tx, row, update, _changes(row, update, tx.now()))
    columns = (name for name in after if name not in _DECIDING)
    tx.run(setting("save", *columns, errands=errands.name), id=update.id, **after)
    add_notices(tx, update.notices, update.id)
    changed, moved = (any(after.get(name) != row.get(name) for name in names) for names in _SHOWN)
    if changed or moved or update.card_dirty:
        cards.owe(tx, update.id, changed=changed or update.card_moves)
    return row, update


def _is_late(row: Row, update: Update, now: float) -> bool:
    """Return whether an update commits to a call that isn't sent after the deadline, which has passed."""
    verb = row.get("verb")
    lapses = update.start_call is not None if verb is None else OperationVerb(verb).lapses
    # One that was never given a deadline has none to pass.
    deadline_at = row["deadline_at"] if row["deadline_number"] else now + 1.0
    return update.is_calling and lapses and (deadline_at is None or deadline_at <= now)


def _changes(row: Row, update: Update, now: float) -> Row:
    """Return what an update changes, of operations and runs alike."""
    calls = {update.start_call, update.stop_call} - {None}
    start_call, ends = update.start_call or row["start_call"], update.outcome is not None
    return {
        "start_call": start_call,
        "stop_call": update.stop_call or row["stop_call"],
        "unknown_since": now if Call.UNKNOWN in calls else None if calls else row["unknown_since"],
        "asked_at": _asked_at(row["asked_at"], update, start_call, now),
        "now": now,
        "next_step_at": now + update.next_in,
        "waits": update.waits_for,
        "is_beside": not update.claim and row["leased_until"] > now and not ends,
        "keeps_lease": update.is_calling and not ends,
        "called_at": now if update.called else row["called_at"],
        "sent_at": now if update.called else row["sent_at"],
        "attempts": row["attempts"] if update.attempts is None else update.attempts,
        "hold": None if ends else row["hold"] if update.hold is None else update.hold or None,
        "outcome": update.outcome,
        "cause": row["cause"] if update.cause is None else update.cause,
        "ended_at": now if ends else None,
    }


def _asked_at(before: float | None, update: Update, made: str, now: float) -> float | None:
    """Return since when a person is asked; an answer holds whatever a search in flight at the time finds."""
    if before is not None and update.keeps_waiting:
        return now
    if update.asked is None or (update.asked and made != Call.UNKNOWN):
        return before
    return (before or now) if update.asked else None
