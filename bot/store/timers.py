"""Timers of workspaces: set by their owner, claimed when a warning or the stop is due."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.models import NewNotice, Timer, Workspace
from bot.domain.models.stopping import ABSENT_SECONDS, TIMER_WARNING_SECONDS
from bot.store import cards, rows
from bot.store.notices import add_notices
from bot.store.transaction import Transaction


def put(tx: Transaction, workspace_id: str, timer: Timer) -> None:
    """Set a workspace's timer, instead of an earlier one."""
    needs_warning = timer.needs_warning(tx.now())
    tx.run(
        "put_timer",
        id=workspace_id,
        stop_at=timer.at,
        stop_mode=timer.mode,
        stop_agreed=timer.agreed,
        stop_warned=not needs_warning,
        look_at=timer.at - TIMER_WARNING_SECONDS if needs_warning else timer.at,
    )
    cards.owe_about(tx, workspace_id, changed=True)


def clear(tx: Transaction, workspace_id: str) -> None:
    """Take a workspace's timer back."""
    if tx.run("clear_timer", id=workspace_id):
        cards.owe_about(tx, workspace_id, changed=True)


def claim(tx: Transaction, limit: int, lease: float) -> list[Workspace]:
    """Return the workspaces whose timers are due; they come again after ``lease`` seconds.

    One that nobody has looked at for long when it was due counts as not warned of.
    """
    now = tx.now()
    found = tx.all("claim_timers", now=now, until=now + lease, absent=now - ABSENT_SECONDS, limit=limit)
    return sorted(map(rows.workspace, found), key=lambda one: (one.stop_at or 0.0, one.id))


def look(tx: Transaction, workspace_id: str, stop_at: float, at: float, *, unwarned: bool = False) -> None:
    """Set when a timer is checked next, and that its person must be warned again, if it is still the same."""
    tx.run("look_at_timer", id=workspace_id, stop_at=stop_at, look_at=at, unwarned=int(unwarned))


def warned(tx: Transaction, workspace_id: str, stop_at: float, moved_to: float, notice: NewNotice) -> None:
    """Write the warning, and the time of the stop that it names, if the timer is still the same."""
    if tx.run("timer_warned", id=workspace_id, stop_at=stop_at, moved_to=moved_to):
        add_notices(tx, [notice])
        cards.owe_about(tx, workspace_id, changed=True)


def end(tx: Transaction, workspace_id: str, stop_at: float, notices: Sequence[NewNotice] = ()) -> bool:
    """Clear a timer that is carried out or can't be, with the message to its person; False if it changed."""
    if not tx.run("end_timer", id=workspace_id, stop_at=stop_at):
        return False
    add_notices(tx, notices)
    cards.owe_about(tx, workspace_id, changed=True)
    return True


def settle(tx: Transaction, workspace_id: str) -> bool:
    """Clear the timer of a workspace that is down without anybody bringing it up; return whether it was."""
    return tx.run("settle_timer", id=workspace_id) > 0
