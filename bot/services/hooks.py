"""Moments of use cases at which features may act, each in the transaction of the use case."""

from collections.abc import Mapping

from bot.domain.operations import OperationVerb
from bot.domain.workspaces import Workspace
from bot.services.asked import Asked
from bot.services.home_sections import HomeOwner
from bot.store.transaction import Transaction
from bot.support.declarations import LayerHooks


class UseCaseHooks(LayerHooks):
    """The moments of use cases; each method does nothing unless a feature's subclass has its own."""

    async def find_requested_usernames(self, owner: HomeOwner) -> Mapping[str, str]:
        """Return the usernames, by connection, of links that somebody has yet to decide about."""
        return {}

    def on_operation_requested(
        self, tx: Transaction, caller: Asked, workspace: Workspace, verb: OperationVerb
    ) -> None:
        """Act before a person's operation is accepted; raise Refused to refuse it."""
