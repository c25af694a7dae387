"""The store over any engine: who is signed in in which browser."""
# ruff: noqa: D102 - the Protocol describes the methods

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.store import browsers
from bot.store.domain_trade import Trade
from bot.store.transaction import Lane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import AuditEntry, BrowserSession, Look


class BrowsingTrade(Trade):
    """Keep browser sessions."""

    async def begin_browser_session(self, session: BrowserSession, audit: Sequence[AuditEntry] = ()) -> None:
        await self.engine.write(lambda tx: browsers.begin(tx, session, audit), Lane.URGENT)

    async def browser_session(self, id_hash: str, idle_seconds: float) -> BrowserSession | None:
        return await self.engine.read(lambda tx: browsers.session(tx, id_hash, idle_seconds))

    async def look(self, id_hash: str, idle_seconds: float, workspace_id: str) -> Look | None:
        return await self.engine.read(lambda tx: browsers.look(tx, id_hash, idle_seconds, workspace_id))

    async def keep_browser_session(self, id_hash: str) -> None:
        await self.engine.write(lambda tx: browsers.keep(tx, id_hash), Lane.URGENT)

    async def end_browser_session(self, id_hash: str, audit: Sequence[AuditEntry] = ()) -> bool:
        return await self.engine.write(lambda tx: browsers.end(tx, id_hash, audit), Lane.URGENT)

    async def end_browser_sessions(self, user_id: str | None = None) -> int:
        return await self.engine.write(lambda tx: browsers.end_all(tx, user_id), Lane.URGENT)
