"""What steps of operations and of runs have in common: for whom they act, and what saving them writes."""

from __future__ import annotations

from typing import Any

from bot.domain.runs import Update
from bot.domain.workspaces import Call
from bot.store import people
from bot.store.audit import append_audit
from bot.store.tables import ACCOUNTS
from bot.store.transaction import Row, Transaction


def acting(tx: Transaction, row: Row) -> dict[str, Any]:
    """Return the account and the person that a step of this row acts for, by their names in ``Claimed``."""
    account = tx.one("account", principal=row["principal"], connection=row["connection"])
    return {
        "account": ACCOUNTS.of(account) if account and account["state"] != "revoking" else None,
        "person": people.current(tx, row["principal"]),
    }


def counted(tx: Transaction, row: Row | None, update: Update) -> Update | None:
    """Append an update's audit; return the part of the rest that applies, None for nothing.

    A row that ended meanwhile, or that another step now holds, takes no update. An end decided while the
    person was being asked gives way to an answer given since.
    """
    asked_at = update.asked_at
    if row is not None and asked_at is not None and asked_at != row["asked_at"]:
        update = Update(update.id, 0.0, claim=update.claim)
    append_audit(tx, update.audit)
    if row is None or row["outcome"] is not None or (update.claim and row["claim"] != update.claim):
        return None
    return update


def changes(row: Row, update: Update, making: Call | None, made: Call, now: float) -> dict[str, Any]:
    """Return the columns that operations and runs share, after an update.

    ``making`` is what the update says about the creating call, ``made`` what is known about it from now on.
    """
    calls = {making, update.stop_call} - {None}
    is_calling, ends = Call.CALLING in calls, update.outcome is not None
    return {
        "unknown_since": now if Call.UNKNOWN in calls else None if calls else row["unknown_since"],
        "asked_at": _asked_at(row["asked_at"], update, made, now),
        "now": now,
        "next_step_at": now + update.next_in,
        "is_beside": not update.claim and row["leased_until"] > now and not ends,
        "keeps_lease": is_calling and not ends,
        "stop_call": update.stop_call or row["stop_call"],
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
    if before is not None and update.looks_again:
        return now
    if update.asked is None or (update.asked and made != Call.UNKNOWN):
        return before
    return (before or now) if update.asked else None
