"""Pauses that providers asked for: written by one process, kept by all."""

from typing import Final

import structlog

from bot.reconciler.context import EngineContext, EnginePart
from bot.support.errors import StoreError

log = structlog.get_logger(__name__)


#: How often the rows are read, in seconds: for so long others may go on asking.
EVERY: Final = 1.0


class Pauses(EnginePart):
    """Let the connections' limits learn from the rows. ``Asker`` writes them."""

    def __init__(self, engine: EngineContext) -> None:
        super().__init__(engine)
        self._read_at: float | None = None

    async def step(self) -> None:
        """Read the rows, at most once a second: there are few, and none while nobody asks for a pause."""
        now = self._clock.monotonic()
        if self._read_at is not None and now < self._read_at + EVERY:
            return
        self._read_at = now
        try:
            pauses = await self._store.pauses()
        except StoreError as error:
            log.warning("pauses not read", problem=error)
            return
        for pause in pauses:
            if (runtime := self._runtimes.get(pause.connection)) is not None:
                runtime.limits_of(pause.calls).learn(pause)
