"""People's Homes: note that one was opened or pressed. Nothing here waits for a provider."""

from __future__ import annotations

from typing import Final

from bot.domain.people import HomeUse, Principal
from bot.domain.workspaces import State
from bot.providers import base
from bot.services.context import Context, Part
from bot.services.runs import Runs
from bot.services.snapshots import TEMPLATES, Snapshots
from bot.services.workspaces import Workspaces

#: How many workspaces are read one by one for a Home.
READ: Final = 10
_UP: Final = frozenset({State.STARTING, State.RUNNING, State.STOPPING, State.UNKNOWN})


class Homes(Part):
    """Note what people do with their Homes; ``wake`` has the next view sent."""

    def __init__(self, context: Context, runs: Runs) -> None:
        super().__init__(context)
        self._workspaces = Workspaces(context)
        self._runs = runs
        self._snapshots = Snapshots(context)

    async def use(self, principal: Principal, used: HomeUse) -> None:
        """Have a person's Home drawn again, because they opened it or pressed something in it."""
        if not self._installation.includes(principal.enterprise_id, principal.team_id):
            return
        await self._store.use_home(principal, used)
        self._wake()

    async def show_again(self, principal: Principal) -> None:
        """Have a person's Home drawn again if it is open, because a form that they submitted shows in it."""
        await self._store.want_home(principal)
        self._wake()

    async def read_lists(self, principal: Principal) -> None:
        """Have read what is old: lists, what is up where nothing is listed, templates that never were."""
        if stale := await self._workspaces.stale(principal):
            await self._workspaces.look(stale)
        if stale := await self._runs.stale(principal):
            await self._runs.look(stale)
        await self._read_unlisted(principal)
        for account in await self._store.accounts(principal):
            provider = self._connections.get(account.connection)
            is_able = account.state == "active" and isinstance(provider, base.Making)
            kept = await self._store.snapshot(account.connection, account.id, TEMPLATES) if is_able else None
            if is_able and kept is None:
                await self._snapshots.refresh(account)

    async def _read_unlisted(self, principal: Principal) -> None:
        """Have some workspaces read one by one that no list reads, through the poll gate."""
        unlisted = {name for name, provider in self._connections.items() if not provider.has_lists}
        if not unlisted:
            return
        rows = await self._store.workspaces(principal)
        for one in [row for row in rows if row.connection in unlisted and row.state in _UP][:READ]:
            await self._store.want_read(one.id)
        self._wake()
