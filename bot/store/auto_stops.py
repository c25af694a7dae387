"""Workspaces that stop by themselves: owners who want to hear of it are told, once each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.domain.models import NewNotice, NoticeKind, OperationVerb, Outcome, State
from bot.store import rows, timers
from bot.store.notices import add_notices

if TYPE_CHECKING:
    from bot.store.transaction import Transaction

_UP: Final = frozenset({State.RUNNING, State.STOPPING})
_DOWN: Final = frozenset({State.STOPPED, State.SUSPENDED, State.FAILED, State.GONE})


def note(tx: Transaction, workspace_id: str, before: str, after: State, seen_at: float) -> None:
    """Note that a workspace went down: its timer has ended, and its owner is told if nobody asked for it.

    The notice (STOPPED_ELSEWHERE; subject: the workspace; occasion: when it was seen) is written along with
    the result of a read or list: up before, down now, and no operation on it open or cut short. Whether it is
    told is for its owner to say (``bot.domain.telling``).
    """
    if after not in _DOWN:
        return
    timers.settle(tx, workspace_id)
    if State(before) not in _UP:
        return
    row = tx.one("stop_watch", id=workspace_id)
    if row is None or row["open_operation"] is not None:
        return
    operation = tx.one("latest_operation", workspace_id=workspace_id)
    # A stop that wasn't seen to finish may be what stopped it; one that was has long been over.
    is_ours = (
        operation is not None
        and OperationVerb(operation["verb"]).brings_down
        and operation["outcome"] != Outcome.FULFILLED
    )
    if is_ours:
        return
    body = {"workspace": workspace_id, "connection": row["connection"]}
    principal = rows.principal_of(row["principal"])
    occasion = f"{seen_at:.3f}"
    add_notices(tx, [NewNotice(workspace_id, NoticeKind.STOPPED_ELSEWHERE, occasion, principal, body)])
