"""What time does, done: rows that are due are claimed, and each is carried out in its person's name."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from bot.services.caller import Caller
from bot.services.context import Context
from bot.services.scheduled_work import R, ScheduledWork
from bot.support.errors import NotIdentified, Refused
from bot.support.pool import Pool, contained, run_all

#: So many are carried out side by side, to share commits; whoever types meanwhile waits for no more.
TOGETHER: Final = 10


class Clockwork:
    """Drive every kind of what is due; what fails is due again after its claim."""

    def __init__(self, context: Context, kinds: Sequence[ScheduledWork[Any]]) -> None:
        self._context = context
        self._kinds, self.names = kinds, [kind.name for kind in kinds]

    async def step(self, _pool: Pool | None = None, due: Collection[str] | None = None) -> int:
        """Carry out what is due of each kind, or of these; return how much there was."""
        return sum([await self._due(kind) for kind in self._kinds if due is None or kind.name in due])

    async def _due(self, kind: ScheduledWork[R]) -> int:
        context = self._context
        rows: Sequence[R] = ()
        async with contained(kind.name, context.ids):
            rows = await context.store.claim(kind.claim, context)
        for first in range(0, len(rows), TOGETHER):
            await run_all([self._one(kind, row) for row in rows[first : first + TOGETHER]], None)
        return len(rows)

    async def _one(self, kind: ScheduledWork[R], row: R) -> None:
        context = self._context
        async with contained(kind.name, context.ids, row=row.id):
            caller = Caller(context, row.principal, kind.key(row), context.ids.reference())
            try:
                await caller.run(kind.carry_out, row)
            except NotIdentified:
                await caller.run(kind.later, row)
            except Refused as refusal:
                await caller.run(kind.refuse, row, refusal)
