"""Gather the facts that cards and notices are drawn from: rows, titles, an address that may be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.blocks.facts import Facts
from bot.providers.hosts import allowed_ide_url

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bot.models import Notice, Principal, Wish, Workspace
    from bot.providers.base import Provider
    from bot.store.base import Store


class Gatherer:
    """Read rows for drawing. An IDE URL passes the connection's host check here, each time it is shown."""

    def __init__(self, store: Store, connections: Mapping[str, Provider]) -> None:
        self._store = store
        self._connections = connections

    async def of_wish(self, wish: Wish, body: Mapping[str, Any] | None = None) -> Facts:
        """Gather for a wish's card or for a notice about it."""
        workspace = await self._store.workspace(wish.workspace_id)
        usual = await self._store.usual_seconds(wish.workspace_id) if wish.is_open else None
        return await self._facts(
            wish.principal, wish.connection, wish=wish, workspace=workspace, usual=usual, body=body
        )

    async def of_notice(self, notice: Notice) -> Facts:
        """Gather for a notice: by the wish that is its subject, else by its body's keys."""
        wish = await self._store.wish(notice.subject)
        if wish is not None and wish.principal == notice.principal:
            return await self.of_wish(wish, notice.body)
        workspace = await self._own_workspace(notice)
        connection = str(notice.body.get("connection") or (workspace.connection if workspace else ""))
        return await self._facts(notice.principal, connection, workspace=workspace, body=notice.body)

    async def _own_workspace(self, notice: Notice) -> Workspace | None:
        key = notice.body.get("workspace")
        workspace = await self._store.workspace(str(key)) if key else None
        return workspace if workspace is not None and workspace.principal == notice.principal else None

    async def _facts(
        self,
        principal: Principal,
        connection: str,
        *,
        wish: Wish | None = None,
        workspace: Workspace | None = None,
        usual: float | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Facts:
        provider = self._connections.get(connection)
        account = await self._store.account(principal, connection) if connection else None
        username = account.username if account is not None else str((body or {}).get("username") or "")
        return Facts(
            now=await self._store.now(),
            connection=connection,
            connection_title=provider.settings.title if provider is not None else connection,
            username=username,
            wish=wish,
            workspace=workspace,
            ide_url=shown_url(provider, workspace),
            page_url=provider.page_url(workspace.remote_id) if provider and workspace else None,
            usual_seconds=usual,
            capabilities=provider.capabilities() if provider is not None else frozenset(),
            body=body or {},
        )


def shown_url(provider: Provider | None, workspace: Workspace | None) -> str | None:
    """Return a workspace's IDE URL when its connection allows its host, else None (design §3.4)."""
    if provider is None or workspace is None:
        return None
    return allowed_ide_url(workspace.url, provider.settings.base_url, provider.ide_hosts())
