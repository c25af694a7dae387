"""Changes of operations and of runs alike: claimed, held, resumed, ended, repeated, saved.

A query with ``{work_items}`` is about either table.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import cache, partial
from typing import Any, Final

from bot.domain.accounts import Account
from bot.domain.holds import HoldCode, is_hold
from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Person
from bot.domain.policy import is_current
from bot.domain.runs import Run
from bot.domain.steps import Update
from bot.domain.work_items import Call, Outcome
from bot.store import cards, homes
from bot.store.audit import append_audit
from bot.store.fan_out import register_fan_out, start_fan_out
from bot.store.notices import add_notices, release_card
from bot.store.statements import fill_changes
from bot.store.tables import OPERATIONS, RUNS, Table
from bot.store.transaction import Row, Transaction, as_json
from bot.support.errors import Outdated, TooLate


class WakeReason(IntEnum):
    """An event during a step of an operation or a run: the strongest of several."""

    READ = 1  #: A read was recorded.
    CHANGED = 2  #: A read was recorded that changed something.
    AT_ONCE = 3  #: It must be stepped again at once.
    #: The same, because another kind of stop was asked for: the answer to one under way doesn't count.
    OTHER_STOP = 4


WorkItemTable = Table[Operation] | Table[Run]

#: What a row says when nothing holds it up.
_FREE: Final[Mapping[str, Row]] = {
    OPERATIONS.name: {"block_reason": None, "read_block_reason": None},
    RUNS.name: {"block_reason": None},
}
#: What a card shows of either: what can't wait, and what can. That a run goes on is shown with its output.
_SHOWN_COLUMNS: Final = (
    ("outcome", "start_call", "stop_call", "block_reason", "question_since"),
    ("state", "exit_code", "detail", "name", "started_at", "finished_at", "blocked_since"),
)
#: What a call is made with, and says whether it may be made: a call is only prepared with an active account,
#: which it isn't any more once it rests or has to be linked again. And what the policy asks about its person.
#: The first one is the key.
_ACCOUNT: Final = ("id", "state", "secret", "username", "remote_id", "refused_since", "renamed_to")
_PERSON: Final = ("principal", "is_guest", "is_bot", "is_deleted", "is_stranger")
_SAME_VALUE: Final = "IS /* postgresql: NOT DISTINCT FROM */"
_POSSIBLY_TAKEN: Final = frozenset({Call.ACCEPTED, Call.UNKNOWN})
#: What a save says besides the columns that it sets.
_DECIDING: Final = frozenset({"now", "next_step_at", "is_beside", "keeps_lease", "waits"})


def keep_waiting(
    tx: Transaction, work_items: WorkItemTable, work_item_id: str, deadline_seconds: float
) -> Row | None:
    """Set a new deadline (number + 1) on an open one; return None if it is no longer open."""
    now = tx.now()
    query = fill_changes("keep_waiting", work_items=work_items.name)
    row = tx.one(query, id=work_item_id, deadline_at=now + deadline_seconds, now=now)
    if row is not None:
        cards.queue_updates(tx, work_item_id, changed=True)
    return row


def repeat(tx: Transaction, work_items: WorkItemTable, work_item_id: str, deadline_seconds: float) -> bool:
    """Repeat work whose person is asked about it; return False if they aren't being asked."""
    free = _FREE[work_items.name]
    query = fill_changes("repeat", *free, work_items=work_items.name)
    if tx.one(query, id=work_item_id, now=tx.now(), **free) is None:
        return False
    keep_waiting(tx, work_items, work_item_id, deadline_seconds)
    cards.queue_updates(tx, work_item_id, changed=True)
    return True


def end(
    tx: Transaction, work_items: WorkItemTable, work_item_id: str, outcome: Outcome, cause: str | None
) -> Row | None:
    """End an open one and mark its card dirty; return None if it had already ended."""
    ended = {"outcome": outcome, "cause": cause, "ended_at": tx.now(), **_FREE[work_items.name]}
    row = work_items.change_returning(
        tx, {"id": work_item_id, "outcome": None}, **ended, leased_until=0, claim=""
    )
    if row is not None:
        release_card(tx, work_item_id)
        cards.queue_updates(tx, work_item_id, changed=True)
        homes.show_end(tx, work_item_id)
    return row


def hold(work_items: WorkItemTable, tx: Transaction, row: Row, said: Row) -> None:
    """Hold an open one on an account that its provider refuses."""
    work_items.change(tx, {"id": row["id"]}, block_reason=said["block_reason"])
    release_card(tx, row["id"])
    cards.queue_updates(tx, row["id"], changed=True)


def clear_silence(tx: Transaction, connection: str) -> None:
    """Clear that a connection doesn't answer from waiting rows."""
    start_fan_out(tx, "reachable", connection=connection)


def _clear(work_items: WorkItemTable, tx: Transaction, row: Row, _said: Row) -> None:
    # That others are answered is no news of a call that goes on failing: since when is as true as it was.
    free = _FREE[work_items.name].keys() - ({"block_reason"} if work_items.parse(row).is_failing else set())
    silent = [name for name in free if is_hold(row[name], HoldCode.SILENT)]
    if not silent:
        return
    work_items.change(tx, {"id": row["id"]}, **dict.fromkeys(silent))
    cards.queue_updates(tx, row["id"], changed=True)


register_fan_out(
    "reachable",
    lambda _tx, _said: True,
    ("some_held_operations", partial(_clear, OPERATIONS)),
    ("some_held_runs", partial(_clear, RUNS)),
)


def resume(work_items: WorkItemTable, tx: Transaction, row: Row, _said: Row) -> None:
    """Resume at once an open one on an account that works again."""
    free = _FREE[work_items.name]
    tx.run(fill_changes("resume", *free, work_items=work_items.name), id=row["id"], now=tx.now(), **free)
    if any(row[column] for column in free):
        cards.queue_updates(tx, row["id"], changed=True)


def claim(tx: Transaction, query: str, beside: str, lease: float, **named: Any) -> list[tuple[Row, Row]]:
    """Lease the rows of a query, oldest first; return each row, and the row that another finds beside it.

    That one has the account and the person that a step acts for, and whatever else it needs to know.
    """
    now, name = tx.now(), tx.ids.new("claim")
    found = tx.all(query, now=now, until=now + lease, claim=name, **named)
    if not found:
        return []
    found.sort(key=lambda row: (row["created_at"], row["id"]))
    ids = as_json({row["id"]: 1 for row in found})
    others = {row["id"]: row for row in tx.all(beside, ids=ids)}
    return [(row, others[row["id"]]) for row in found]


def make_actor_fields(
    tx: Transaction, row: Row, account: Account | None, person: Person | None
) -> dict[str, Any]:
    """Return the account and the person of a step, and its claim, by their names in ``Claimed``."""
    is_revoked = account is not None and account.state == "revoking"
    return {
        "account": None if is_revoked else account,
        "person": person if is_current(person, "change", tx.now()) else None,
        "claim": row["claim"],
        "row": row,
    }


def save(
    tx: Transaction,
    work_items: WorkItemTable,
    update: Update,
    own: Callable[[Transaction, Row, Update, Row], Row],
    was: Row | None = None,
) -> tuple[Row, Update] | None:
    """Write a step's result and release the lease; return the row after it, and what counts of the update.

    One that ended meanwhile, or that another step now holds, takes no update, and no notices are written:
    the result is None. An end decided while the person was being asked gives way to an answer given since.
    A call is committed to only while what was asked for is good, and who asks is who they were: raises
    TooLate and Outdated. ``was`` is the row that the step has worked on: what is written follows from it if
    it is still the same, else from the row as it is now. ``audit`` is always appended. ``own`` returns all
    columns after the update, given the shared ones. The card becomes dirty if anything visible changed.
    """
    append_audit(tx, update.audit)
    saved = None if was is None else _save_update(tx, work_items, update, own, was, is_carried=True)
    if saved is None and (row := work_items.row(tx, id=update.id)) is not None:
        saved = _save_update(tx, work_items, update, own, row)
    return saved


def _save_update(
    tx: Transaction,
    work_items: WorkItemTable,
    update: Update,
    own: Callable[[Transaction, Row, Update, Row], Row],
    row: Row,
    *,
    is_carried: bool = False,
) -> tuple[Row, Update] | None:
    if update.question_since is not None and update.question_since != row["question_since"]:
        update = Update(update.id, 0.0, claim=update.claim)
    if row["outcome"] is not None or (update.claim and row["claim"] != update.claim):
        return None
    if _is_late(row, update, tx.now()):
        if is_carried:
            return None  # It may have been given more time.
        raise TooLate(f"{update.id} is past its deadline")
    after = own(tx, row, update, _choose_changes(row, update, tx.now()))
    columns = [name for name in after if name not in _DECIDING]
    who = _list_caller_columns(update)
    same = " AND revision = :revision" if is_carried else ""
    same += _make_unchanged_condition(tuple(who))
    query = fill_changes("save", *columns, work_items=work_items.name, same=same)
    written = tx.one(query, id=update.id, revision=row["revision"], **after, **who)
    if written is None and who and not is_carried:
        raise Outdated(f"{update.id} was to be done for who has changed")
    if written is None:
        return None
    add_notices(tx, update.notices, update.id)
    changed, moved = (any(after.get(name) != row.get(name) for name in names) for names in _SHOWN_COLUMNS)
    if any(after.get(name) not in (None, "", row.get(name)) for name in ("block_reason", "question_since")):
        release_card(tx, update.id)
    if changed or moved or update.card_dirty:
        cards.queue_updates(tx, update.id, changed=changed)
    if update.outcome is not None:
        homes.show_end(tx, update.id)
    return written, update


@cache
def _make_unchanged_condition(who: tuple[str, ...]) -> str:
    """Return the condition that these columns of the account and the person still have their values."""
    found = ""
    for alias, table in (("a", "accounts"), ("p", "people")):
        if names := [name.removeprefix(f"{alias}_") for name in who if name.startswith(f"{alias}_")]:
            # The row is found by its key, which only "=" finds in an index; the other columns may be NULL.
            key, *others = (f"{alias}.{name} {{}} :{alias}_{name}" for name in names)
            are = " AND ".join([key.format("="), *(other.format(_SAME_VALUE) for other in others)])
            found += f" AND EXISTS (SELECT 1 FROM {table} {alias} WHERE {are})"  # noqa: S608 - of names alone
    return found


def _list_caller_columns(update: Update) -> Row:
    """Return the values that the account and the person of a call must still have, by column."""
    account, person = update.account, update.person
    of_account = {} if account is None else {f"a_{name}": getattr(account, name) for name in _ACCOUNT}
    return of_account | ({} if person is None else {f"p_{name}": getattr(person, name) for name in _PERSON})


def _is_late(row: Row, update: Update, now: float) -> bool:
    """Return whether an update commits to a call that isn't sent any more: what it is for is too old."""
    verb = row.get("verb")
    expires = update.start_call is not None if verb is None else OperationVerb(verb).expires
    # One that was never given a deadline has none to pass.
    good_until = row["deadline_at"] if row["deadline_number"] else now + 1.0
    if row.get("good_until") is not None:
        good_until = row["good_until"]
    return update.is_calling and expires and (good_until is None or good_until <= now)


def _choose_changes(row: Row, update: Update, now: float) -> Row:
    """Return the columns that an update changes, of operations and runs alike."""
    calls = {update.start_call, update.stop_call} - {None}
    start_call, ends = update.start_call or row["start_call"], update.outcome is not None
    return {
        "start_call": start_call,
        "stop_call": update.stop_call or row["stop_call"],
        "unknown_since": now if Call.UNKNOWN in calls else None if calls else row["unknown_since"],
        # Until the call is taken, or nobody knows whether it was.
        "busy_since": update.busy_since or (None if calls & _POSSIBLY_TAKEN else row["busy_since"]),
        "retry_at": update.retry_at or (None if calls else row["retry_at"]),
        "question_since": _choose_asked_at(row["question_since"], update, start_call, now),
        "now": now,
        "next_step_at": now + update.next_in,
        "waits": update.waits_for,
        "is_beside": not update.claim and row["leased_until"] > now and not ends,
        "keeps_lease": update.is_calling and not ends,
        "called_at": now if update.called else row["called_at"],
        "sent_at": now if update.called else row["sent_at"],
        "attempts": row["attempts"] if update.attempts is None else update.attempts,
        "block_reason": None
        if ends
        else row["block_reason"]
        if update.block_reason is None
        else update.block_reason or None,
        "outcome": update.outcome,
        "cause": row["cause"] if update.cause is None and not ends else update.cause,
        "ended_at": now if ends else None,
    }


def _choose_asked_at(before: float | None, update: Update, made: str, now: float) -> float | None:
    """Return since when a person is asked; an answer holds whatever a search in flight at the time finds."""
    if before is not None and update.keeps_waiting:
        return now
    if update.asked is None or (update.asked and made not in (Call.UNKNOWN, Call.INTERRUPTED)):
        return before
    return (before or now) if update.asked else None
