"""Workspaces that will soon end by themselves: their owners are warned in time, based on fresh reads."""

from __future__ import annotations

from bot.domain.models import NewNotice, NoticeKind, Workspace
from bot.reconciler.context import EnginePart

#: A workspace read longer ago than this is read again first: it may have been used since.
FRESH_SECONDS = 60.0


class Expiries(EnginePart):
    """Find workspaces that end soon; each end is announced once, and an end that has moved is a new one."""

    async def step(self) -> int:
        """Request reads and write warnings; return how many there were of both."""
        now = await self._store.now()
        found = [
            workspace
            for workspace in await self._store.ending(self._numbers.warn_seconds)
            if workspace.connection in self._runtimes and workspace.verified_at is not None
        ]
        warned = [one for one in found if now - (one.observed_at or 0.0) <= FRESH_SECONDS]
        for workspace in found:
            if workspace not in warned:
                await self._store.read_soon(workspace.id)
        if warned:
            await self._store.add_notices([_warning(workspace) for workspace in warned])
        return len(found)


def _warning(workspace: Workspace) -> NewNotice:
    assert workspace.ends_at is not None, "what ends has a time for that"
    return NewNotice(
        subject=workspace.id,
        kind=NoticeKind.ENDING,
        occasion=f"{workspace.ends_at:.0f}",
        principal=workspace.principal,
        body={"workspace": workspace.id, "connection": workspace.connection},
    )
