"""Pauses that providers asked for; one process writes them, and all keep them."""

import structlog

from bot.reconciler.context import EnginePart
from bot.store import pauses as pause_rows
from bot.support.errors import StoreError

log = structlog.get_logger(__name__)


class Pauses(EnginePart):
    """Tell the connections' limits of the pauses in the rows. ``ProviderCaller`` writes them."""

    async def step(self) -> None:
        """Read the rows. There are few, and none while no provider asks for a pause."""
        try:
            pauses = await self._store.read(pause_rows.list_pauses)
        except StoreError as error:
            log.warning("pauses not read", problem=error)
            return
        for pause in pauses:
            if (runtime := self._runtimes.get(pause.connection)) is not None:
                runtime.select_limits(pause.calls).learn(pause)
