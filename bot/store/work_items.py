"""Functions shared by operations and runs: claiming, holding, resuming, ending, repeating and saving them.

In a query, ``{work_items}`` stands for the table of operations or of runs.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import partial
from typing import Any, Final

from bot.domain.accounts import Account
from bot.domain.holds import HoldCode, is_hold
from bot.domain.operations import MAX_PROMPT_SECONDS, Operation, OperationVerb
from bot.domain.people import Person
from bot.domain.policy import is_current
from bot.domain.runs import Run
from bot.domain.steps import Update
from bot.domain.work_items import Call, Outcome
from bot.store import cards, homes
from bot.store.audit import append_audit
from bot.store.fan_out import register_fan_out, select_some, start_fan_out
from bot.store.notices import add_notices, release_card
from bot.store.statements import fill_changes
from bot.store.tables import OPERATIONS, RUNS, Table
from bot.store.transaction import Row, Transaction
from bot.support.errors import Outdated, TooLate


class WakeReason(IntEnum):
    """An event during a step of an operation or run. If several events occur, the strongest is kept."""

    READ = 1  #: A read was recorded.
    CHANGED = 2  #: A read that changed something was recorded.
    AT_ONCE = 3  #: The next step must follow immediately.
    #: A different kind of stop was requested. The next step must follow immediately, and the answer to the
    #: stop in progress is ignored.
    OTHER_STOP = 4


WorkItemTable = Table[Operation] | Table[Run]

#: For each table, the columns that say why a row is on hold, and their values in a row that isn't on hold.
_FREE: Final[Mapping[str, Row]] = {
    OPERATIONS.name: {"block_reason": None, "read_block_reason": None},
    RUNS.name: {"block_reason": None},
}
_CALL_COLUMNS: Final = frozenset({"start_call", "stop_call"})
#: Columns whose changes appear on cards without delay. Changes to other columns, such as progress, can wait.
_URGENT_COLUMNS: Final = _CALL_COLUMNS | {"outcome", "block_reason", "question_since"}
_SHOWN_COLUMNS: Final = _URGENT_COLUMNS | {
    *("state", "exit_code", "detail", "name", "started_at", "finished_at", "blocked_since"),
}
#: Columns of the account (``_ACCOUNT``) and of the person (``_PERSON``) that a step's call depends on. If any
#: of them has changed since the step read it, the call isn't made. For example, an account's ``state``
#: changes when it is suspended or must be linked again. The first column in each tuple is the key.
_ACCOUNT: Final = ("id", "state", "secret", "username", "remote_id", "refused_since", "renamed_to")
_PERSON: Final = ("principal", "is_guest", "is_bot", "is_deleted", "is_stranger")
_POSSIBLY_TAKEN: Final = frozenset({Call.ACCEPTED, Call.UNKNOWN})


def _make_unchanged_condition(table: str, alias: str, columns: tuple[str, ...]) -> str:
    """Return an SQL condition that is true if these columns of a row haven't changed since they were read."""
    # Only "=" uses an index, so the key is compared with "=". The other columns may be NULL.
    key, *others = (f"{alias}.{name} {{}} :{alias}_{name}" for name in columns)
    same = [other.format("IS /* postgresql: NOT DISTINCT FROM */") for other in others]
    return f" AND EXISTS (SELECT 1 FROM {table} {alias} WHERE {' AND '.join([key.format('='), *same])})"  # noqa: S608


_SAME_ACCOUNT: Final = _make_unchanged_condition("accounts", "a", _ACCOUNT)
_SAME_PERSON: Final = _make_unchanged_condition("people", "p", _PERSON)
#: Parameters of the query that saves a step, besides the columns' new values.
_DECIDING: Final = frozenset({"now", "next_step_at", "is_beside", "keeps_lease", "waits"})


def keep_waiting(
    tx: Transaction, work_items: WorkItemTable, work_item_id: str, deadline_seconds: float
) -> Row | None:
    """Give an open operation or run a new deadline and a new deadline number. Return None if it has ended."""
    now = tx.now()
    query = fill_changes("keep_waiting", work_items=work_items.name)
    row = tx.one(query, id=work_item_id, deadline_at=now + deadline_seconds, now=now)
    if row is not None:
        cards.queue_updates(tx, work_item_id, changed=True)
    return row


def repeat(tx: Transaction, work_items: WorkItemTable, work_item_id: str, deadline_seconds: float) -> bool:
    """Send an item's call again, as its owner chose. Return False if there was no open question about it."""
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
    """End an open operation or run, and mark its card as dirty. Return None if it has already ended."""
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
    """Put an open operation or run on hold, because its provider refuses the account."""
    work_items.change(tx, {"id": row["id"]}, block_reason=said["block_reason"])
    release_card(tx, row["id"])
    cards.queue_updates(tx, row["id"], changed=True)


def clear_silence(tx: Transaction, connection: str) -> None:
    """Release work that was on hold because a connection didn't answer."""
    start_fan_out(tx, "reachable", connection=connection)


def _clear(work_items: WorkItemTable, tx: Transaction, row: Row, _said: Row) -> None:
    # If this item's own call keeps failing, it stays blocked even if the provider answers other calls.
    free = _FREE[work_items.name].keys() - ({"block_reason"} if work_items.parse(row).is_failing else set())
    silent = [name for name in free if is_hold(row[name], HoldCode.SILENT)]
    if not silent:
        return
    work_items.change(tx, {"id": row["id"]}, **dict.fromkeys(silent))
    cards.queue_updates(tx, row["id"], changed=True)


_OPEN: Final = "connection = :connection AND outcome IS NULL"
_HELD: Final = "(block_reason IS NOT NULL OR read_block_reason IS NOT NULL)"
register_fan_out(
    "reachable",
    (select_some("operations", f"{_OPEN} AND {_HELD}"), partial(_clear, OPERATIONS)),
    (select_some("runs", f"{_OPEN} AND block_reason IS NOT NULL"), partial(_clear, RUNS)),
)


def resume(work_items: WorkItemTable, tx: Transaction, row: Row, _said: Row) -> None:
    """Resume an open operation or run immediately, because its account works again."""
    free = _FREE[work_items.name]
    tx.run(fill_changes("resume", *free, work_items=work_items.name), id=row["id"], now=tx.now(), **free)
    if any(row[column] for column in free):
        cards.queue_updates(tx, row["id"], changed=True)


def claim(tx: Transaction, query: str, beside: str, lease: float, **named: Any) -> list[tuple[Row, Row]]:
    """Claim the rows that a query finds, and return each with a second row, which has what a step needs.

    The query ``beside`` finds the second rows, and determines the order. They contain the account, the person
    on whose behalf the step acts, and any other data.
    """
    now = tx.now()
    claimed = {"until": now + lease, "claim": tx.ids.new("claim")}
    tx.ask(query, now=now, **claimed, **named)
    tx.ask(beside, **claimed)
    tx.finish()
    found = {row["id"]: row for row in tx.all(query, now=now, **claimed, **named)}
    return [(found[row["id"]], row) for row in tx.all(beside, **claimed)] if found else []


def make_actor_fields(
    tx: Transaction, row: Row, account: Account | None, person: Person | None
) -> dict[str, Any]:
    """Return a step's account, person, claim and row as keyword arguments for ``Claimed``."""
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
    *,
    adds_notices: bool = True,
) -> tuple[Row, Update] | None:
    """Save a step's result and release the lease. Return the new row, and the update as it was applied.

    If the work has ended in the meantime or another step has claimed it, write no notices and return None. If
    the owner has answered a question since the step began, drop the step's decision. Before a call, raise
    TooLate if the request is no longer valid, and Outdated if the account or the person has changed. ``was``
    is the row that the step worked with. If the row has changed since, the result is applied to the current
    row. In any case, ``update.audit`` is appended to the audit log. ``own`` returns the columns' values after
    the update, given those that operations and runs have in common. It may leave out columns that don't
    change. If anything visible has changed, the card becomes dirty.
    """
    append_audit(tx, update.audit)
    save_to = partial(_save_update, tx, work_items, update, own, adds_notices=adds_notices)
    saved = None if was is None else save_to(was, is_carried=True)
    if saved is None and (row := work_items.row(tx, id=update.id)) is not None:
        saved = save_to(row)
    return saved


def _save_update(
    tx: Transaction,
    work_items: WorkItemTable,
    update: Update,
    own: Callable[[Transaction, Row, Update, Row], Row],
    row: Row,
    *,
    adds_notices: bool,
    is_carried: bool = False,
) -> tuple[Row, Update] | None:
    if update.question_since is not None and update.question_since != row["question_since"]:
        update = Update(update.id, 0.0, claim=update.claim)
    if row["outcome"] is not None or (update.claim and row["claim"] != update.claim):
        return None
    now = tx.now()
    if _is_late(row, update, now):
        if is_carried:
            return None  # The current row may have a later deadline.
        raise TooLate(f"{update.id} is past its deadline")
    after = own(tx, row, update, _choose_changes(row, update, now))
    # Only columns that changed are set, because SQLite rewrites the index entries of every column that is
    # set. An UPDATE must set at least one column.
    changed = [name for name in after if name not in _DECIDING and after[name] != row[name]]
    columns = changed or ["attempts"]
    params: Row = {name: after[name] for name in (*_DECIDING, *columns)}
    same = ""
    if is_carried:
        same, params["revision"] = " AND revision = :revision", row["revision"]
    if update.account is not None:
        same += _SAME_ACCOUNT
        params |= {f"a_{name}": getattr(update.account, name) for name in _ACCOUNT}
    if update.person is not None:
        same += _SAME_PERSON
        params |= {f"p_{name}": getattr(update.person, name) for name in _PERSON}
    query = fill_changes("save", *columns, work_items=work_items.name, same=same)
    written = tx.one(query, id=update.id, **params)
    if written is None and not is_carried and (update.account is not None or update.person is not None):
        raise Outdated(f"{update.id} was to be done for who has changed")
    if written is None:
        return None
    add_notices(tx, update.notices if adds_notices else (), update.id)
    if any(after[name] for name in ("block_reason", "question_since") if name in changed):
        release_card(tx, update.id)
    # If nothing blocks a new operation, its card says from the beginning that it is in progress.
    is_free = not any(row[column] for column in _FREE[work_items.name])
    is_new = work_items is OPERATIONS and is_free and now < row["created_at"] + MAX_PROMPT_SECONDS
    shown = (_SHOWN_COLUMNS - _CALL_COLUMNS if is_new else _SHOWN_COLUMNS).intersection(changed)
    if update.card_dirty or shown:
        cards.queue_updates(tx, update.id, changed=not _URGENT_COLUMNS.isdisjoint(shown))
    return written, update


def _is_late(row: Row, update: Update, now: float) -> bool:
    """Return whether an update would begin a call although the request is too old."""
    verb = row.get("verb")
    expires = update.start_call is not None if verb is None else OperationVerb(verb).expires
    # Work that never had a deadline can't be too late.
    good_until = row["deadline_at"] if row["deadline_number"] else now + 1.0
    if row.get("good_until") is not None:
        good_until = row["good_until"]
    return update.is_calling and expires and (good_until is None or good_until <= now)


def _choose_changes(row: Row, update: Update, now: float) -> Row:
    calls = {update.start_call, update.stop_call} - {None}
    start_call, ends = update.start_call or row["start_call"], update.outcome is not None
    return {
        "start_call": start_call,
        "stop_call": update.stop_call or row["stop_call"],
        "unknown_since": now if Call.UNKNOWN in calls else None if calls else row["unknown_since"],
        # ``busy_since`` is kept until the provider has, or may have, accepted the call.
        "busy_since": update.busy_since or (None if calls & _POSSIBLY_TAKEN else row["busy_since"]),
        "retry_at": update.retry_at or (None if calls else row["retry_at"]),
        "question_since": row["question_since"]
        if update.asked is None and not update.keeps_waiting
        else _choose_asked_at(row["question_since"], update, start_call, now),
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
    """Return when the owner was asked the question that is still open, or None if none is open.

    If the owner answered while a search was in progress, the search's result doesn't lead to another
    question.
    """
    if before is not None and update.keeps_waiting:
        return now
    if update.asked and made not in (Call.UNKNOWN, Call.INTERRUPTED):
        return before
    return (before or now) if update.asked else None
