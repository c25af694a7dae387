"""The declaration of the feature approvals."""

from collections.abc import Collection
from typing import Final

from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.features.feature import Feature
from bot.features.hooks import Hooks
from bot.reconciler.approvals import Approvals
from bot.store import approvals as store
from bot.store.transaction import Transaction
from handlers import approvals as verbs
from handlers.request import Request


class ApprovalsHooks(Hooks):
    """A request is pending until its person's account is linked with proof or ends."""

    def on_accounts_settled(
        self, tx: Transaction, principal: Principal, connections: Collection[str] | None
    ) -> None:
        store.withdraw(tx, principal, connections)

    async def request_link(self, request: Request, connection: str, username: str) -> Answer | None:
        return await verbs.request_link(request, connection, username)


FEATURE: Final = Feature(
    name="approvals",
    summary="Link accounts that administrators have approved.",
    page="connections#approvals",
    workers=(Approvals,),
    hooks=ApprovalsHooks(),
)
