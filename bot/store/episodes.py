"""How often a workspace was brought up: a button that was drawn in an earlier episode is known by that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.domain.models import OperationVerb, State

if TYPE_CHECKING:
    from bot.store.transaction import Transaction

_UP: Final = frozenset({State.RUNNING, State.STARTING})
_DOWN: Final = frozenset({State.STOPPED, State.SUSPENDED, State.FAILED, State.GONE})


def begin(tx: Transaction, workspace_id: str, verb: OperationVerb) -> None:
    """Begin one with the acceptance of what brings a workspace up."""
    if not verb.brings_down:
        tx.run("next_episode", id=workspace_id)


def note(tx: Transaction, workspace_id: str, before: str, after: State) -> None:
    """Begin one if a workspace came up by itself: an open operation's began when that was accepted."""
    if after not in _UP or State(before) not in _DOWN:
        return
    operation = tx.one("open_operation_of", workspace_id=workspace_id)
    if operation is None or OperationVerb(operation["verb"]).brings_down:
        tx.run("next_episode", id=workspace_id)
