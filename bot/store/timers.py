"""Timers of workspaces: set by their owner, claimed when a warning or the stop is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot.domain.notices import NewNotice
from bot.domain.workspaces import ABSENT_SECONDS, TIMER_WARNING_SECONDS, Timer, Workspace
from bot.store import cards
from bot.store.notices import add_notices
from bot.store.queries import setting
from bot.store.tables import WORKSPACES
from bot.store.transaction import Transaction

#: What a workspace's row holds without a timer.
NONE: Final[Mapping[str, Any]] = {
    "stop_at": None,
    "stop_mode": None,
    "stop_agreed": False,
    "stop_warned": False,
    "stop_look_at": None,
}


def put(tx: Transaction, workspace_id: str, timer: Timer) -> None:
    """Set a workspace's timer, instead of an earlier one."""
    needs_warning = timer.needs_warning(tx.now())
    WORKSPACES.change(
        tx,
        {"id": workspace_id},
        stop_at=timer.at,
        stop_mode=timer.mode,
        stop_agreed=timer.agreed,
        stop_warned=not needs_warning,
        stop_look_at=timer.at - TIMER_WARNING_SECONDS if needs_warning else timer.at,
    )
    cards.owe_about(tx, workspace_id, changed=True)


def clear(tx: Transaction, workspace_id: str) -> None:
    """Take a workspace's timer back."""
    row = WORKSPACES.row(tx, id=workspace_id)
    if row is not None and row["stop_at"] is not None:
        WORKSPACES.change(tx, {"id": workspace_id}, **NONE)
        cards.owe_about(tx, workspace_id, changed=True)


def claim(tx: Transaction, limit: int, lease: float) -> list[Workspace]:
    """Return the workspaces whose timers are due; they come again after ``lease`` seconds.

    One that nobody has looked at for long when it was due counts as not warned of.
    """
    now = tx.now()
    found = tx.all("claim_timers", now=now, until=now + lease, absent=now - ABSENT_SECONDS, limit=limit)
    return sorted(map(WORKSPACES.of, found), key=lambda one: (one.stop_at or 0.0, one.id))


def look(tx: Transaction, workspace_id: str, stop_at: float, at: float, *, unwarned: bool = False) -> None:
    """Set when a timer is checked next, and that its person must be warned again, if it is still the same."""
    again = {"stop_warned": False} if unwarned else {}
    WORKSPACES.change(tx, {"id": workspace_id, "stop_at": stop_at}, stop_look_at=at, **again)


def warned(tx: Transaction, workspace_id: str, stop_at: float, moved_to: float, notice: NewNotice) -> None:
    """Write the warning, and the time of the stop that it names, if the timer is still the same."""
    unwarned = {"id": workspace_id, "stop_at": stop_at, "stop_warned": False}
    if WORKSPACES.change(tx, unwarned, stop_warned=True, stop_at=moved_to, stop_look_at=moved_to):
        add_notices(tx, [notice])
        cards.owe_about(tx, workspace_id, changed=True)


def end(tx: Transaction, workspace_id: str, stop_at: float, notices: Sequence[NewNotice] = ()) -> bool:
    """Clear a timer that is carried out or can't be, with the message to its person; False if it changed."""
    if not WORKSPACES.change(tx, {"id": workspace_id, "stop_at": stop_at}, **NONE):
        return False
    add_notices(tx, notices)
    cards.owe_about(tx, workspace_id, changed=True)
    return True


def settle(tx: Transaction, workspace_id: str) -> bool:
    """Clear the timer of a workspace that is down without anybody bringing it up; return whether it was."""
    return tx.run(setting("settle_timer", *NONE), id=workspace_id, **NONE) > 0
