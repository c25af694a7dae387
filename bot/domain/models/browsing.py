"""Who looks at pages of ours: browsers that are signed in, and what one look at a workspace needs."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.models.operations import Operation
from bot.domain.models.people import Principal
from bot.domain.models.workspaces import Workspace


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """Say who is signed in in a browser; known by the SHA-256 of what its cookie holds.

    ``principal`` is whom Sign in with Slack proved. It ends at ``expires_at`` however much it is used.
    """

    id_hash: str
    principal: Principal
    created_at: float
    seen_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class Look:
    """Hold what one look of a signed-in browser at a workspace needs, read at once.

    ``workspace`` is None where there is none; the caller judges whose it is. ``operation`` is its newest one,
    ``channel_id`` the direct message with its owner where one is known.
    """

    now: float
    session: BrowserSession
    workspace: Workspace | None = None
    operation: Operation | None = None
    channel_id: str | None = None
