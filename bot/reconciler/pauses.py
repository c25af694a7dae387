"""Pauses that providers ask for: written by one process and observed by all."""

import structlog

from bot.reconciler.context import EnginePart
from bot.store import pauses as pause_rows
from bot.support.errors import StoreError

log = structlog.get_logger(__name__)


class Pauses(EnginePart):
    """Apply the pauses stored in rows to the connections' limits; ``ProviderCaller`` writes those rows."""

    async def step(self) -> None:
        """Read and apply the pause rows; there are usually none, unless a provider has asked for a pause."""
        try:
            pauses = await self._store.read(pause_rows.list_pauses)
        except StoreError as error:
            log.warning("pauses not read", problem=error)
            return
        for pause in pauses:
            if (runtime := self._runtimes.get(pause.connection)) is not None:
                runtime.select_limits(pause.calls).learn(pause)
