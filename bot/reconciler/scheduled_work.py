"""Scheduled work: claiming due rows and running a use case for each, on its owner's behalf."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from bot.services.caller import Caller
from bot.services.context import Context
from bot.services.scheduled_work import R, ScheduledWork
from bot.support.errors import NotIdentified, Refused
from bot.support.pool import Pool, contain_errors, run_all

#: Maximum number of rows processed at the same time. Their changes can be committed together, and the limit
#: is low enough that a newly typed command needn't wait long.
MAX_CONCURRENT: Final = 10


class ScheduledWorkRunner:
    """Runs all kinds of scheduled work. A row that fails becomes due again when its claim ends."""

    def __init__(self, context: Context, kinds: Sequence[ScheduledWork[Any]]) -> None:
        self._context = context
        self._kinds, self.names = kinds, [kind.name for kind in kinds]

    async def step(self, _pool: Pool | None = None, due: Collection[str] | None = None) -> int:
        """Run the due rows of all kinds, or only of the kinds in ``due``. Return how many there were."""
        return sum([await self._run_due(kind) for kind in self._kinds if due is None or kind.name in due])

    async def _run_due(self, kind: ScheduledWork[R]) -> int:
        context = self._context
        rows: Sequence[R] = ()
        async with contain_errors(kind.name, context.ids):
            rows = await context.store.claim(kind.claim, context)
        for first in range(0, len(rows), MAX_CONCURRENT):
            await run_all(
                [self._run_for_owner(kind, row) for row in rows[first : first + MAX_CONCURRENT]], None
            )
        return len(rows)

    async def _run_for_owner(self, kind: ScheduledWork[R], row: R) -> None:
        context = self._context
        async with contain_errors(kind.name, context.ids, row=row.id):
            caller = Caller(context, row.principal, kind.key(row), context.ids.reference())
            try:
                await caller.run(kind.carry_out, row)
            except NotIdentified:
                if kind.later is not None:
                    await caller.run(kind.later, row)
            except Refused as refusal:
                if kind.refuse is None:
                    raise
                await caller.run(kind.refuse, row, refusal)
