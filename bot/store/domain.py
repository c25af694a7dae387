"""The store over any engine: every method of the Protocol as one transaction of the domain's logic."""
# ruff: noqa: D102 - the Protocol describes the methods

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bot.store import serving, upkeep
from bot.store.domain_accounts import AccountsTrade
from bot.store.domain_browsing import BrowsingTrade
from bot.store.domain_classes import ClassesTrade
from bot.store.domain_jobs import JobsTrade
from bot.store.domain_notices import NoticesTrade
from bot.store.domain_people import PeopleTrade
from bot.store.domain_watching import WatchTrade
from bot.store.domain_workspaces import WorkspacesTrade
from bot.store.transaction import Lane

if TYPE_CHECKING:
    from collections.abc import Mapping


class DomainStore(
    PeopleTrade,
    BrowsingTrade,
    AccountsTrade,
    WorkspacesTrade,
    WatchTrade,
    JobsTrade,
    ClassesTrade,
    NoticesTrade,
):
    """Keep everything that must outlive the process, in the database of an engine."""

    async def migrate(self) -> list[str]:
        return await self.engine.migrate()

    async def begin_serving(self) -> list[str]:
        applied = await self.engine.migrate(holds=True)
        await self.engine.write(lambda tx: serving.heal(tx, self.engine.standing()))
        # Not before: how the time stands would be written over what it is healed by.
        self.engine.serves()
        return applied

    async def beat(self) -> None:
        # Within the work: a jump that this write is the first to see is counted then.
        await self.engine.write(lambda tx: serving.beat(tx, self.engine.standing()))

    def seconds_since_write(self) -> float:
        return self.engine.seconds_since_write()

    async def now(self) -> float:
        return self.engine.now()

    async def close(self) -> None:
        await self.engine.close()

    async def statistics(self) -> Mapping[str, int]:
        return await self.engine.read(upkeep.statistics, Lane.STEADY)

    async def did_daily(self, work: str) -> None:
        await self.engine.write(lambda tx: upkeep.did_daily(tx, work))

    async def last_did(self, work: str) -> float | None:
        return await self.engine.read(lambda tx: upkeep.last_did(tx, work), Lane.STEADY)

    async def sweep(self) -> None:
        for query in upkeep.SWEEPS:
            while await self.engine.write(partial(upkeep.sweep_aged, query=query)):
                pass
        for sweep in (upkeep.sweep_wishes, upkeep.sweep_jobs, upkeep.sweep_gates):
            after: str | None = ""
            while after is not None:
                after = await self.engine.write(partial(sweep, after=after))
