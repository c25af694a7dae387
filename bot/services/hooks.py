"""Moments of use cases at which features may act, each in the transaction of the use case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.domain.message_context import WorkspaceFacts
from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Principal
from bot.domain.workspaces import Workspace
from bot.store.transaction import Transaction
from bot.support.declarations import LayerHooks

if TYPE_CHECKING:
    # These modules call the hooks.
    from bot.services.caller import Caller
    from bot.services.context import Context
    from bot.services.message_context import Gatherer


class UseCaseHooks(LayerHooks):
    """The moments of use cases; each method does nothing unless a feature's subclass has its own."""

    def on_operation_requested(
        self, tx: Transaction, caller: Caller, workspace: Workspace, verb: OperationVerb
    ) -> None:
        """Act before a person's operation is accepted; raise Refused to refuse it."""

    def has_consent(self, tx: Transaction, context: Context, workspace: Workspace) -> bool:
        """Return whether the timer that a class has set may stop a workspace now."""
        return False

    def on_timer_ended(self, tx: Transaction, workspace: Workspace, stop: Operation | None) -> None:
        """Act when a workspace's timer is over, with the stop if one was begun."""

    async def extend_facts(
        self, gatherer: Gatherer, principal: Principal, views: Sequence[WorkspaceFacts]
    ) -> Sequence[WorkspaceFacts]:
        """Return the facts of one person's workspaces with those of the feature."""
        return views
