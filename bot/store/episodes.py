"""Workspaces that come up and go down: episodes, timers that have ended, and owners who want to know.

An episode counts how often a workspace was brought up: a button drawn in an earlier one is recognised by
that.
"""

from __future__ import annotations

from typing import Final

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.workspaces import NOT_UP, UP, OperationVerb, Outcome, State
from bot.store import timers
from bot.store.notices import add_notices
from bot.store.tables import OPERATIONS, WORKSPACES, principal_of
from bot.store.transaction import Transaction

#: Whoever goes down from one of these was of use until then.
_IN_USE: Final = frozenset({State.RUNNING, State.STOPPING})


def begin(tx: Transaction, workspace_id: str, verb: OperationVerb) -> None:
    """Begin an episode with the acceptance of what brings a workspace up."""
    if not verb.brings_down:
        tx.run("next_episode", id=workspace_id)


def note(
    tx: Transaction,
    workspace_id: str,
    before: str,
    after: State,
    seen_at: float,
    *,
    came_up_again: bool = False,
) -> None:
    """Note what a read or a list found: that a workspace came up by itself, or that it went down.

    ``came_up_again``: it was down in between, without being seen. A timer is for what was up when it was set:
    it ends with that.
    """
    if after in NOT_UP:
        timers.settle(tx, workspace_id)
        if State(before) in _IN_USE:
            _went_down(tx, workspace_id, seen_at)
    elif after in UP and (came_up_again or State(before) in NOT_UP):
        # An open operation's episode began when that was accepted.
        operation = OPERATIONS.row(tx, workspace_id=workspace_id, outcome=None)
        if operation is None or OperationVerb(operation["verb"]).brings_down:
            tx.run("next_episode", id=workspace_id)
            WORKSPACES.change(tx, {"id": workspace_id}, **timers.NONE)


def _went_down(tx: Transaction, workspace_id: str, seen_at: float) -> None:
    """Tell its owner if nobody asked for it: no operation on it is open or was cut short.

    The notice (STOPPED_ELSEWHERE; subject: the workspace; occasion: when it was seen) is written once each
    time. Whether it is told is for its owner to say (``bot.domain.telling``).
    """
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
    principal = principal_of(row["principal"])
    occasion = f"{seen_at:.3f}"
    add_notices(tx, [NewNotice(workspace_id, NoticeKind.STOPPED_ELSEWHERE, occasion, principal, body)])
