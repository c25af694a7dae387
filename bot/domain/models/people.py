"""Who acts, and through which account: principals, people, accounts and linkings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Principal:
    """Say who acts: a person in a Slack workspace. A missing enterprise is a value of its own."""

    enterprise_id: str | None
    team_id: str
    user_id: str

    @property
    def key(self) -> str:
        """Return the text that rows are keyed by; Slack ids hold no colon."""
        return f"{self.enterprise_id or '-'}:{self.team_id}:{self.user_id}"

    @classmethod
    def from_key(cls, key: str) -> Principal:
        """Read a principal back from its key; raise ValueError when it is none."""
        enterprise, team, user = key.split(":")
        return cls(None if enterprise == "-" else enterprise, team, user)


@dataclass(frozen=True, slots=True)
class Person:
    """Hold what Slack says of a user; from ``users.list``, ``users.info`` and events."""

    principal: Principal
    name: str
    is_guest: bool = False
    is_bot: bool = False
    is_deleted: bool = False
    is_stranger: bool = False
    time_zone: str | None = None
    seen_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Account:
    """Link a principal to an account at one connection; one per pair.

    ``secret`` is ciphertext (``bot.support.vault``); ``state`` is ``active``, ``refused`` (for so long that
    it waits for a new link) or ``revoking`` (unlinked; the secret lives until the revocation was tried, 5 s
    at most). While ``refused_since`` is set, nothing is asked with it but whether it is accepted again.
    """

    id: str
    principal: Principal
    connection: str
    username: str
    secret: str
    state: Literal["active", "refused", "revoking"]
    linked_at: float
    discovered_at: float | None = None
    unlinked_at: float | None = None
    refused_since: float | None = None
    looked_at: float | None = None

    @property
    def is_refused(self) -> bool:
        """Say whether its person may have to link again: it was refused, for good or as far as was looked."""
        return self.state == "refused" or self.refused_since is not None


@dataclass(frozen=True, slots=True)
class Link:
    """Hold one linking in progress, known by the SHA-256 of its nonce; 10 minutes, one use.

    ``waiting`` is the command that runs afterwards. ``stage``: ``open`` → ``checked`` (credential found good,
    its ciphertext in ``secret``) → ``code`` (confirmed, waits for the code typed in Slack) → ``used``.
    """

    nonce_hash: str
    principal: Principal
    connection: str
    waiting: dict[str, Any] | None
    created_at: float
    expires_at: float
    stage: Literal["open", "checked", "code", "used"] = "open"
    tries_left: int = 5
    secret: str | None = None
    username: str | None = None
    code_hash: str | None = None
    code_tries_left: int = 5
    #: SHA-256 of the browser session that opened it; ``proven`` once that browser signed in as the principal.
    browser_hash: str | None = None
    proven: bool = False
