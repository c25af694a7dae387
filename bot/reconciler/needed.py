"""Workspaces that were left running are looked at now and then; their person is asked, once a day."""

from functools import partial
from typing import Final

from bot.reconciler.ask import EngineContext, EnginePart
from bot.services import needed
from bot.support.pool import contained

#: How many are looked at in one step, and how often each.
SOME: Final = 100
LOOKS_EVERY: Final = 1800.0


class Needed(EnginePart):
    """Look at what runs on without an end, where anybody wants to be asked."""

    def __init__(self, engine: EngineContext) -> None:
        super().__init__(engine)
        self._context = engine

    async def step(self) -> int:
        """Look at some that are due; return how many there were."""
        settings = [provider.settings for provider in self._context.connections.values()]
        is_set = any(one.asks_after_hours is not None for one in settings)
        claimed = await self._store.claim_running(SOME, LOOKS_EVERY, is_set=is_set)
        for workspace_id in claimed:
            async with contained("needed", self._ids, workspace=workspace_id):
                look = partial(needed.look, context=self._context, workspace_id=workspace_id)
                await self._store.carry_out(look)
        return len(claimed)
