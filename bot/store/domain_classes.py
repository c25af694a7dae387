"""The store over any engine: class cards."""
# ruff: noqa: D102 - the Protocol describes the methods

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.store import classes
from bot.store.domain_trade import Trade
from bot.store.transaction import Lane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import (
        AuditEntry,
        ClassCard,
        ClassCounts,
        ClassPress,
        ClassProblem,
        NewNotice,
        Pressed,
        Principal,
    )
    from bot.models.classes import Waiting
    from bot.store.records import NewWish
    from bot.store.teaching import NewPress


class ClassesTrade(Trade):
    """Keep class cards, their presses and their ends."""

    async def post_class(
        self,
        card: ClassCard,
        interaction: str,
        notices: Sequence[NewNotice] = (),
        audit: Sequence[AuditEntry] = (),
    ) -> bool:
        return await self.engine.write(
            lambda tx: classes.post(tx, card, interaction, notices, audit), Lane.URGENT
        )

    async def class_card(self, card_id: str) -> ClassCard | None:
        return await self.engine.read(lambda tx: classes.card(tx, card_id))

    async def class_press(self, card_id: str, principal: Principal) -> ClassPress | None:
        return await self.engine.read(lambda tx: classes.press_of(tx, card_id, principal))

    async def press_class(self, new: NewPress) -> Pressed:
        return await self.engine.write(lambda tx: classes.press(tx, new), Lane.URGENT)

    async def note_class_press(
        self, card_id: str, principal: Principal, waits_for: Waiting, interaction: str
    ) -> Pressed:
        return await self.engine.write(
            lambda tx: classes.note(tx, card_id, principal, waits_for, interaction), Lane.URGENT
        )

    async def class_counts(self, card_id: str) -> ClassCounts:
        return await self.engine.read(lambda tx: classes.counts(tx, card_id), Lane.STEADY)

    async def class_problems(self, card_id: str, limit: int = 100) -> list[ClassProblem]:
        return await self.engine.read(lambda tx: classes.problems(tx, card_id, limit))

    async def close_class(
        self, card_id: str, stops_at: float, stopped_by: str, audit: Sequence[AuditEntry], interaction: str
    ) -> ClassCard | None:
        return await self.engine.write(
            lambda tx: classes.close(tx, card_id, stops_at, stopped_by, audit, interaction), Lane.URGENT
        )

    async def keep_from_class(
        self, card_id: str, principal: Principal, audit: Sequence[AuditEntry], interaction: str
    ) -> bool:
        return await self.engine.write(
            lambda tx: classes.keep(tx, card_id, principal, audit, interaction), Lane.URGENT
        )

    async def repost_class(self, card_id: str, interaction: str) -> ClassCard | None:
        return await self.engine.write(lambda tx: classes.repost(tx, card_id, interaction), Lane.URGENT)

    async def claim_class_cards(self, limit: int, rest: float) -> list[ClassCard]:
        return await self.engine.write(lambda tx: classes.claim(tx, limit, rest))

    async def class_counted(self, card_id: str, counts: ClassCounts, *, rest: float, longest: float) -> None:
        await self.engine.write(lambda tx: classes.counted(tx, card_id, counts, rest, longest))

    async def presses_to_warn(self, card_id: str, limit: int) -> list[ClassPress]:
        return await self.engine.read(lambda tx: classes.to_warn(tx, card_id, limit), Lane.STEADY)

    async def class_warned(self, card_id: str, told: Sequence[tuple[Principal, NewNotice | None]]) -> None:
        await self.engine.write(lambda tx: classes.warned(tx, card_id, told))

    async def presses_to_stop(self, card_id: str, limit: int, warned_for: float) -> list[ClassPress]:
        return await self.engine.read(lambda tx: classes.to_stop(tx, card_id, limit, warned_for), Lane.STEADY)

    async def stop_for_class(
        self, press: ClassPress, wish: NewWish | None, audit: Sequence[AuditEntry] = ()
    ) -> bool:
        return await self.engine.write(lambda tx: classes.stop(tx, press, wish, audit))

    async def finish_class(
        self, card_id: str, notices: Sequence[NewNotice], audit: Sequence[AuditEntry] = ()
    ) -> bool:
        return await self.engine.write(lambda tx: classes.finish(tx, card_id, notices, audit))

    async def class_of_stop(self, wish_id: str) -> ClassCard | None:
        return await self.engine.read(lambda tx: classes.of_stop(tx, wish_id), Lane.STEADY)
