"""People's Homes: note that one was opened or pressed. Nothing here waits for a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.providers import facets
from bot.services.runs import Runs
from bot.services.snapshots import TEMPLATES, Snapshots
from bot.services.workspaces import Workspaces

if TYPE_CHECKING:
    from bot.domain.models import HomeUse, Principal
    from bot.services.context import Context


class Homes:
    """Note what people do with their Homes; ``wake`` has the next view sent."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._connections = context.connections
        self._installation = context.installation
        self._wake = context.wake
        self._workspaces = Workspaces(context)
        self._runs = Runs(context)
        self._snapshots = Snapshots(context)

    async def use(self, principal: Principal, used: HomeUse) -> None:
        """Have a person's Home drawn again, because they opened it or pressed something in it."""
        if not self._installation.includes(principal.enterprise_id, principal.team_id):
            return
        await self._store.use_home(principal, used)
        self._wake()

    async def read_lists(self, principal: Principal) -> None:
        """Have the lists read that are old, and the templates that were never read."""
        if stale := await self._workspaces.stale(principal):
            await self._workspaces.look(stale)
        if stale := await self._runs.stale(principal):
            await self._runs.look(stale)
        for account in await self._store.accounts(principal):
            provider = self._connections.get(account.connection)
            is_able = account.state == "active" and isinstance(provider, facets.Making)
            kept = await self._store.snapshot(account.connection, account.id, TEMPLATES) if is_able else None
            if is_able and kept is None:
                await self._snapshots.refresh(account)
