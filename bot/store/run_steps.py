"""Job runs for steps: claimed when due, advanced, ended once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.domain.people import Account
from bot.domain.runs import ClaimedRun, RunState, Update
from bot.domain.workspaces import Call
from bot.store import cards, observations, steps
from bot.store.notices import add_notices
from bot.store.runs import OTHER_STOP
from bot.store.tables import RUNS
from bot.store.transaction import Row, Transaction

#: Runs of one account due within this many seconds are read along with one that is due.
_TOGETHER = 2.0


def claim(tx: Transaction, limit: int, lease: float, owner: str = "") -> list[ClaimedRun]:
    """Lease due open runs, oldest first, each with everything a step needs.

    A run whose output another process follows is left to that one.
    """
    now = tx.now()
    name = tx.ids.new("claim")
    found = tx.all("claim_runs", now=now, until=now + lease, limit=limit, claim=name, owner=owner)
    return _steps(tx, found, name)


def claim_of(
    tx: Transaction, account: Account, limit: int, lease: float, owner: str = ""
) -> list[ClaimedRun] | None:
    """Claim the next read of an active account's runs, and lease those that are due within 2 s for it.

    Only open, launched ones are read. Return None if the account has ended, or somebody else has read its
    runs since it was read itself.
    """
    now = tx.now()
    if not tx.run("read_runs_of", id=account.id, last=account.runs_read_at or 0.0, now=now):
        return None
    name = tx.ids.new("claim")
    found = tx.all(
        "claim_runs_of",
        principal=account.principal.key,
        connection=account.connection,
        now=now,
        soon=now + _TOGETHER,
        until=now + lease,
        limit=limit,
        claim=name,
        owner=owner,
    )
    return _steps(tx, found, name)


def _steps(tx: Transaction, found: Sequence[Row], name: str) -> list[ClaimedRun]:
    found = sorted(found, key=lambda row: (row["created_at"], row["id"]))
    return [ClaimedRun(subject=RUNS.of(row), claim=name, **steps.acting(tx, row)) for row in found]


def save(tx: Transaction, update: Update) -> bool:
    """Write a step's result and release the lease; return False if it ended or another step holds it.

    While a call is in flight (CALLING) the lease is kept for ``next_in``. An unknown state keeps the last
    one, and a final one stays. A row that a list added for the same ``remote_id`` is merged into this one.
    The card becomes dirty if anything visible changed; ``audit`` is always appended.
    """
    row = tx.one("run", id=update.id)
    counted = steps.counted(tx, row, update)
    if row is None or counted is None:
        return False
    update, after = counted, _changes(row, counted, tx.now())
    if after["remote_id"] != row["remote_id"]:
        after |= _named(tx, row, after["remote_id"])
    tx.run("save_run", id=update.id, **after)
    add_notices(tx, update.notices, update.id)
    weighty = ("state", "outcome", "launch_call", "stop_call", "hold", "asked_at", "held_since")
    changed = any(after[column] != row[column] for column in weighty)
    if changed or observations.runs_differ(row, after) or update.card_dirty:
        cards.owe(tx, update.id, changed=changed)
    return True


def _changes(row: Row, update: Update, now: float) -> dict[str, Any]:
    launch_call = update.launch_call or row["launch_call"]
    shared = steps.changes(row, update, update.launch_call, launch_call, now)
    # Another kind of stop was requested meanwhile: what is known about this one doesn't apply to it.
    other_stop = bool(update.claim) and row["woken"] == OTHER_STOP
    return {
        **observations.run_after(row, update.observed, now),
        **_deadline(row, update, now),
        **shared,
        **({column: row[column] for column in ("stop_call", "attempts")} if other_stop else {}),
        "asked_at": None if update.remote_id else shared["asked_at"],
        "remote_id": update.remote_id or row["remote_id"],
        "launch_call": launch_call,
        "stop_wanted": row["stop_wanted"],
        "is_watched": row["is_watched"],
    }


def _deadline(row: Row, update: Update, now: float) -> dict[str, Any]:
    """Return since when a run couldn't be read, when its person is told, and its doubt.

    A run seen queued or running has no deadline; a deadline already set, or already reported, is kept.
    """
    columns = ("held_since", "deadline_at", "deadline_number", "doubt", "doubt_times", "doubt_since")
    kept = {column: row[column] for column in columns}
    if update.doubt is not None:
        doubt = update.doubt
        kept |= {"doubt": doubt.kind, "doubt_times": doubt.times, "doubt_since": doubt.since}
    if update.observed is not None:
        kept |= {"doubt": None}
    if update.observed is not None and update.observed.state is not RunState.UNKNOWN:
        kept |= {"held_since": None, "deadline_at": None}
    elif update.deadline_in is not None and row["held_since"] is None:
        number = row["deadline_number"] + 1
        kept |= {"held_since": now, "deadline_at": now + update.deadline_in, "deadline_number": number}
    elif row["held_since"] is not None and update.hold and update.hold != row["hold"]:
        # A day without the connection isn't a day of a refused credential: each cause counts separately.
        kept |= {"held_since": now}
    return kept | ({"deadline_at": None} if update.deadline_passed else {})


def _named(tx: Transaction, row: Row, remote_id: str) -> dict[str, Any]:
    """Handle a row that already has the id: one from a list is this run; another launch keeps it."""
    existing = tx.one(
        "run_by_remote", principal=row["principal"], connection=row["connection"], remote_id=remote_id
    )
    if existing is None or existing["id"] == row["id"]:
        return {}
    if existing["reference"]:
        # The search found another launch's run, so the outcome of this one is unknown again.
        return {"remote_id": row["remote_id"], "launch_call": Call.UNKNOWN}
    return _taken_over(tx, row, existing)


def _taken_over(tx: Transaction, row: Row, listed: Row) -> dict[str, Any]:
    """Merge the row that a list added for this run into it, with what was requested on that row."""
    tx.run("delete_cards_of", subject=listed["id"])
    tx.run("delete_run", id=listed["id"])
    asked = {column: listed[column] for column in ("stop_wanted", "stop_call")}
    watched = {"is_watched": 1 if row["is_watched"] or listed["is_watched"] else 0}
    return {**watched, **asked} if listed["stop_wanted"] and row["stop_wanted"] != "force" else watched
