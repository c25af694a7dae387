"""The store over any engine: inbox, people, audit and outages."""
# ruff: noqa: D102 - the Protocol describes the methods

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.store import audit, outages, people
from bot.store.domain_trade import Trade
from bot.store.known import KnownPeople
from bot.store.transaction import Lane

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.models import AuditEntry, NewNotice, Person, Principal
    from bot.store.transaction import Engine


class PeopleTrade(Trade):
    """Keep who people are, what they did, and which connections do not answer."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._known = KnownPeople(engine.now)

    async def first_sight(self, interaction: str) -> bool:
        return await self.engine.write(lambda tx: people.first_sight(tx, interaction), Lane.URGENT)

    async def person(self, principal: Principal) -> Person | None:
        known = self._known.find(principal)
        if known is None:
            mark = self._known.mark
            known = await self.engine.read(lambda tx: people.person(tx, principal))
            self._known.keep(known, mark)
        return known

    async def save_people(self, people_: Sequence[Person]) -> None:
        try:
            await self.engine.write(lambda tx: people.save(tx, people_))
        finally:
            self._known.forget()

    async def append_audit(self, entries: Sequence[AuditEntry]) -> None:
        await self.engine.write(lambda tx: audit.append(tx, entries), Lane.URGENT)

    async def audit_entries(self, after: int = 0, limit: int = 1000) -> list[Mapping[str, Any]]:
        return await self.engine.read(lambda tx: audit.entries(tx, after, limit), Lane.STEADY)

    async def audit_head(self) -> tuple[int, str]:
        return await self.engine.read(audit.head, Lane.STEADY)

    async def outages(self) -> Mapping[str, float]:
        return await self.engine.read(outages.standing, Lane.STEADY)

    async def begin_outage(self, connection: str, since: float, notices: Sequence[NewNotice] = ()) -> float:
        return await self.engine.write(lambda tx: outages.begin(tx, connection, since, notices))

    async def end_outage(self, connection: str, notices: Sequence[NewNotice] = ()) -> bool:
        return await self.engine.write(lambda tx: outages.end(tx, connection, notices))
