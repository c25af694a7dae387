"""What the store keeps of workspaces that end, speak and open by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import AuditEntry, Workspace


class WatchStore(Protocol):
    """Keep what comes from providers without anybody's asking; a part of ``Store``."""

    async def ending(self, within: float, limit: int = 100) -> list[Workspace]:
        """Return workspaces that end by themselves within so many seconds, the soonest first.

        Only ones that run or are stopped, that are shown to somebody with an active account, for which
        nobody wishes anything, and whose owner was not told of that end (an ENDING notice with the end in
        whole epoch seconds as its occasion, a minute more or less).
        """

    async def tell_stop(
        self,
        workspace_id: str,
        *,
        is_told: bool,
        audit: Sequence[AuditEntry] = (),
        interaction: str = "",
    ) -> None:
        """Write whether a person is told when a workspace stops without their having asked for it.

        The notice (STOPPED, subject the workspace, occasion when it was seen) is written with what a read or
        a list found: up before, down now, and no wish for it open or cut short.
        """

    async def read_soon(self, workspace_id: str) -> None:
        """Make a workspace's gate due as ``want_read`` does, without its counting as used."""

    async def refusals(self, connection: str, since: float) -> int:
        """Count the wishes at a connection that ended since then as a provider refused the right to them."""

    async def hear(self, connection: str, gate_key: str, interaction: str, remark: str) -> bool:
        """Write what a provider told of a workspace by itself; owe its card, and make its gate due.

        Returns False, nothing written, when the event was heard before or nobody here has the workspace.
        """

    async def save_entry(self, workspace_id: str, gate_key: str, entry: str) -> None:
        """Keep what opens a workspace in a page of ours, sealed; nothing when it has another gate by now."""
