"""What the store keeps for pages of ours: who is signed in in which browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import AuditEntry, BrowserSession, Look


class BrowsingStore(Protocol):
    """Keep browser sessions; a part of ``Store``. ``unlink`` ends those of its person, too."""

    async def begin_browser_session(self, session: BrowserSession, audit: Sequence[AuditEntry] = ()) -> None:
        """Write a fresh session."""

    async def browser_session(self, id_hash: str, idle_seconds: float) -> BrowserSession | None:
        """Return a session that goes on; None when it is unknown, too old, or unused for so long."""

    async def look(self, id_hash: str, idle_seconds: float, workspace_id: str) -> Look | None:
        """Return a session that goes on with a workspace, whosever it is; None as ``browser_session``."""

    async def keep_browser_session(self, id_hash: str) -> None:
        """Note that a session was used now; one that was ended meanwhile stays ended."""

    async def end_browser_session(self, id_hash: str, audit: Sequence[AuditEntry] = ()) -> bool:
        """End a session; False, and nothing audited, when there was none."""

    async def end_browser_sessions(self, user_id: str | None = None) -> int:
        """End all sessions of a Slack user, or everybody's; return how many ended."""
