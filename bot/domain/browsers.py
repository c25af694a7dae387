"""Browsers: who is signed in to one, and what its page of a workspace needs."""

from dataclasses import dataclass

from bot.domain.operations import Operation
from bot.domain.people import Principal
from bot.domain.row_times import Past, SessionEnd
from bot.domain.workspaces import Workspace


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A person signed in to a browser, keyed by the SHA-256 of its cookie's value.

    ``principal`` is the person proven by Sign in with Slack. Use doesn't extend the session past
    ``expires_at``.
    """

    id_hash: str
    principal: Principal
    created_at: Past
    seen_at: Past
    expires_at: SessionEnd


@dataclass(frozen=True, slots=True)
class PageRows:
    """The rows from which a signed-in browser's page shows a workspace, read in one transaction.

    ``workspace`` is None if it doesn't exist; the caller must check who owns it. ``operation`` is its newest
    one, ``channel_id`` the direct message channel with its owner if known.
    """

    now: float
    session: BrowserSession
    workspace: Workspace | None = None
    operation: Operation | None = None
    channel_id: str | None = None
