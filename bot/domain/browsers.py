"""Browser sessions of signed-in people, and the rows needed to show a workspace's page in the browser."""

from dataclasses import dataclass
from typing import NamedTuple

from bot.domain.operations import Operation
from bot.domain.people import Principal
from bot.domain.row_times import Past, SessionEnd
from bot.domain.workspaces import Workspace


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A person's session in a browser. Its key is the SHA-256 of the cookie's value.

    The person has proven that they are ``principal`` by signing in with Slack. Using the session doesn't
    extend it past ``expires_at``.
    """

    id_hash: str
    principal: Principal
    created_at: Past
    seen_at: Past
    expires_at: SessionEnd


class PageRows(NamedTuple):
    """The rows needed to show a workspace's page in a signed-in browser. They are read in one transaction.

    ``workspace`` is None if it doesn't exist. The caller must check who owns it. ``operation`` is its newest
    operation, and ``channel_id`` is the channel of the owner's direct messages with the bot, if known.
    """

    now: float
    session: BrowserSession
    workspace: Workspace | None = None
    operation: Operation | None = None
    channel_id: str | None = None
