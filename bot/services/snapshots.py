"""What providers told last: what forms are made from, and what a server tells of itself.

An old snapshot is shown, and read anew in the background; nobody waits for a provider here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot.domain.models import TaskKind
from bot.store.records import NewTask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.domain.models import Account, Snapshot
    from bot.services.context import Context

TEMPLATES: Final = "templates"
ABOUT: Final = "about"
#: A snapshot that is older than this is read anew when somebody looks at it, in seconds.
STALE_SECONDS: Final = 300.0


class Snapshots:
    """Show what is known, and ask for what is not; ``wake`` tells the background work."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._clock = context.clock
        self._wake = context.wake

    async def get(self, account: Account, kind: str = TEMPLATES) -> Snapshot | None:
        """Return what an account's provider told last; None before it has told anything."""
        return await self._store.snapshot(account.connection, account.id, kind)

    async def about(self, connection: str) -> Snapshot | None:
        """Return what a connection's server told last of itself."""
        return await self._store.snapshot(connection, "", ABOUT)

    def is_stale(self, snapshot: Snapshot) -> bool:
        """Say whether it is time to read it anew."""
        return self._clock.now() - snapshot.read_at > STALE_SECONDS

    async def refresh(
        self,
        account: Account,
        kind: str = TEMPLATES,
        *,
        then: Mapping[str, Any] | None = None,
        interaction: str = "",
    ) -> None:
        """Have it read with the account; ``then`` is the command that waits, and it runs afterwards."""
        await self._ask(f"{account.id}/{kind}", then, interaction)

    async def refresh_about(
        self, connection: str, *, then: Mapping[str, Any] | None = None, interaction: str = ""
    ) -> None:
        """Have a server asked about itself; as ``refresh``."""
        await self._ask(f"connection:{connection}/{ABOUT}", then, interaction)

    async def _ask(self, subject: str, then: Mapping[str, Any] | None, interaction: str) -> None:
        waiting = [dict(then)] if then is not None else []
        task = NewTask(TaskKind.SNAPSHOT, subject, payload={"then": waiting})
        await self._store.add_tasks([task], interaction)
        self._wake()
