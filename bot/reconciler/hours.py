"""Working hours that are due: each start and stop is carried out once, or told as missed."""

from typing import Final

from bot.domain.hours import Rule
from bot.reconciler.ask import EngineContext, EnginePart
from bot.services import hours
from bot.services.asked import Asked
from bot.support.errors import NotIdentified, Refused
from bot.support.pool import contained

#: How many rules are claimed at once, and for how long.
SOME: Final = 100
LEASE: Final = 60.0
#: When to ask again while Slack can't say who somebody is.
ASKS_AGAIN: Final = 30.0


class Hours(EnginePart):
    """Carry out the rules that are due, each in one transaction."""

    def __init__(self, engine: EngineContext) -> None:
        super().__init__(engine)
        self._engine = engine

    async def step(self) -> int:
        """Carry out what is due; return how many rules there were."""
        count = 0
        while claimed := await self._store.claim_hours(SOME, LEASE):
            count += len(claimed)
            for rule in claimed:
                async with contained("hours", self._ids, rule=rule.id):
                    await self._one(rule)
        return count

    async def _one(self, rule: Rule) -> None:
        asked = Asked(self._engine, rule.principal, drawing=self._ids.reference())
        try:
            await asked.to(hours.carry_out, rule.id)
        except NotIdentified:
            await self._store.look_at_hours(rule.id, await self._store.now() + ASKS_AGAIN)
        except Refused as refusal:
            await asked.to(hours.refuse, rule.id, refusal)
