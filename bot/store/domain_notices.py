"""The store over any engine: notices, cards and tasks."""
# ruff: noqa: D102 - the Protocol describes the methods

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.store import cards, notices, tasks
from bot.store.domain_trade import Trade
from bot.store.transaction import Lane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import Card, NewNotice, Notice, Principal, Task
    from bot.store.records import NewTask


class NoticesTrade(Trade):
    """Keep what people are to be told, and what is to be done beside wishes."""

    async def add_notices(self, notices_: Sequence[NewNotice]) -> None:
        await self.engine.write(lambda tx: notices.add(tx, notices_), Lane.URGENT)

    async def claim_notices(
        self, limit: int, lease: float, classes: Sequence[int] = (0, 1, 2, 3)
    ) -> list[Notice]:
        return await self.engine.write(lambda tx: notices.claim(tx, limit, lease, classes))

    async def notice_sent(self, notice_id: str, channel_id: str, message_ts: str) -> None:
        await self.engine.write(lambda tx: notices.sent(tx, notice_id, channel_id, message_ts))

    async def notice_retry(
        self, notice_id: str, due_in: float, *, error: str, unknown_since: float | None = None
    ) -> None:
        await self.engine.write(
            lambda tx: notices.retry(tx, notice_id, due_in, error=error, unknown_since=unknown_since)
        )

    async def notice_dead(self, notice_id: str, error: str) -> None:
        await self.engine.write(lambda tx: notices.dead(tx, notice_id, error))

    async def dead_notices(self, limit: int = 50) -> list[Notice]:
        return await self.engine.read(lambda tx: notices.dead_ones(tx, limit), Lane.STEADY)

    async def claim_cards(self, limit: int, min_interval: float, lease: float) -> list[Card]:
        return await self.engine.write(lambda tx: cards.claim(tx, limit, min_interval, lease))

    async def card_updated(self, wish_id: str, claimed: Card) -> None:
        await self.engine.write(lambda tx: cards.updated(tx, wish_id, claimed))

    async def card_retry(self, wish_id: str, due_in: float) -> None:
        await self.engine.write(lambda tx: cards.retry(tx, wish_id, due_in))

    async def card_lost(self, wish_id: str) -> None:
        await self.engine.write(lambda tx: cards.lost(tx, wish_id))

    async def card(self, wish_id: str) -> Card | None:
        return await self.engine.read(lambda tx: cards.card(tx, wish_id))

    async def known_channel(self, principal: Principal) -> str | None:
        return await self.engine.read(lambda tx: notices.known_channel(tx, principal))

    async def add_tasks(self, tasks_: Sequence[NewTask], interaction: str = "") -> None:
        await self.engine.write(lambda tx: tasks.add(tx, tasks_, interaction), Lane.URGENT)

    async def claim_tasks(self, limit: int, lease: float) -> list[Task]:
        return await self.engine.write(lambda tx: tasks.claim(tx, limit, lease))

    async def task_done(
        self, task_id: str, *, then: Sequence[NewTask] = (), notices: Sequence[NewNotice] = ()
    ) -> None:
        await self.engine.write(lambda tx: tasks.done(tx, task_id, then, notices))

    async def task_retry(
        self, task_id: str, due_in: float, *, counts: bool = True, then: Sequence[NewTask] = ()
    ) -> None:
        await self.engine.write(lambda tx: tasks.retry(tx, task_id, due_in, then, counts=counts))
