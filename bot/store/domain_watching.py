"""The store over any engine: what comes from providers without anybody's asking."""
# ruff: noqa: D102 - the Protocol describes the methods

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.store import endings, stops
from bot.store.domain_trade import Trade
from bot.store.transaction import Lane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import AuditEntry, Workspace


class WatchTrade(Trade):
    """Keep ends, events and entries of workspaces."""

    async def ending(self, within: float, limit: int = 100) -> list[Workspace]:
        return await self.engine.read(lambda tx: endings.ending(tx, within, limit))

    async def tell_stop(
        self,
        workspace_id: str,
        *,
        is_told: bool,
        audit: Sequence[AuditEntry] = (),
        interaction: str = "",
    ) -> None:
        await self.engine.write(
            lambda tx: stops.want(tx, workspace_id, audit, interaction, is_told=is_told), Lane.URGENT
        )

    async def read_soon(self, workspace_id: str) -> None:
        await self.engine.write(lambda tx: endings.read_soon(tx, workspace_id))

    async def refusals(self, connection: str, since: float) -> int:
        return await self.engine.read(lambda tx: endings.refusals(tx, connection, since))

    async def hear(self, connection: str, gate_key: str, interaction: str, remark: str) -> bool:
        return await self.engine.write(lambda tx: endings.hear(tx, connection, gate_key, interaction, remark))

    async def save_entry(self, workspace_id: str, gate_key: str, entry: str) -> None:
        await self.engine.write(lambda tx: endings.save_entry(tx, workspace_id, gate_key, entry))
