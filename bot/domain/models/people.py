"""Who acts, through which account, and what they want; and the Slack workspaces that they act in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bot.domain.times import LinkEnd, Past, Stays


@dataclass(frozen=True, slots=True)
class Principal:
    """Identify who acts: a person in a Slack workspace. No enterprise is a distinct value."""

    enterprise_id: str | None
    team_id: str
    user_id: str

    @property
    def key(self) -> str:
        """Return the key used in rows; Slack ids contain no colon."""
        return f"{self.place}{self.user_id}"

    @property
    def place(self) -> str:
        """Return how the keys of everybody in the same place begin."""
        return f"{self.enterprise_id or '-'}:{self.team_id}:"

    @classmethod
    def from_key(cls, key: str) -> Principal:
        """Parse a principal's key; raise ValueError if it isn't one."""
        enterprise, team, user = key.split(":")
        return cls(None if enterprise == "-" else enterprise, team, user)


@dataclass(frozen=True, slots=True)
class Person:
    """Hold what Slack says about a user; from ``users.list``, ``users.info`` and events."""

    principal: Principal
    name: str
    is_guest: bool = False
    is_bot: bool = False
    is_deleted: bool = False
    is_stranger: bool = False
    time_zone: str | None = None
    seen_at: Past = 0.0


@dataclass(frozen=True, slots=True)
class Named:
    """Say how a person is named to a reader.

    With ``user_id`` they are mentioned, which only people of their own Slack workspace can read: the same id
    may be somebody else in another one. ``workspace`` is "" where the reader needn't be told.
    """

    user_id: str = ""
    name: str = ""
    workspace: str = ""


#: People as one reader is told who they are, by their keys.
People = Mapping[str, Named]


@dataclass(frozen=True, slots=True)
class Account:
    """Link a principal to an account on a connection; one per pair.

    ``secret`` is ciphertext (``bot.support.vault``). ``state`` is ``active``, ``refused`` (for so long that
    the person must link again) or ``revoking`` (unlinked; the secret is kept until revocation was tried, for
    at most 5 s). While ``refused_since`` is set, the only calls made with it test whether it is accepted.
    """

    id: str
    principal: Principal
    connection: str
    username: str
    secret: str
    state: Literal["active", "refused", "revoking"]
    linked_at: Past
    discovered_at: Past | None = None
    unlinked_at: Past | None = None
    refused_since: Past | None = None
    looked_at: Past | None = None
    #: When its runs were last read.
    runs_read_at: Past | None = None
    #: When the credential ends, as its provider said, and when its person is reminded of that next.
    ends_at: Stays | None = None
    remind_at: Stays | None = None
    #: What it is called there by now, if that is why it was refused.
    renamed_to: str | None = None

    @property
    def refusal(self) -> str:
        """Return why a refused one has to be linked again: a cause of ``bot.messages.texts.problems``."""
        return "renamed" if self.renamed_to else "credential_refused"

    @property
    def is_refused(self) -> bool:
        """Return whether the person may have to link again: it was refused, for good or when last tried."""
        return self.state == "refused" or self.refused_since is not None

    def has_ended(self, now: float) -> bool:
        """Return whether its credential has ended, as far as its provider said when."""
        return self.ends_at is not None and self.ends_at <= now


@dataclass(frozen=True, slots=True)
class Link:
    """Hold one link in progress, keyed by the SHA-256 of its nonce; valid once, for 10 minutes.

    ``waiting`` is the command to run afterwards. ``stage``: ``open`` → ``checked`` (credential is valid, its
    ciphertext in ``secret``) → ``code`` (confirmed, waiting for the code to be typed in Slack) → ``used``.
    """

    nonce_hash: str
    principal: Principal
    connection: str
    waiting: dict[str, Any] | None
    created_at: Past
    expires_at: LinkEnd
    stage: Literal["open", "checked", "code", "used"] = "open"
    tries_left: int = 5
    secret: str | None = None
    username: str | None = None
    code_hash: str | None = None
    code_tries_left: int = 5
    #: SHA-256 of the browser session that opened it; ``proven`` once that browser signed in as the principal.
    browser_hash: str | None = None
    proven: bool = False
    #: When the checked credential ends, as its provider said.
    ends_at: Stays | None = None


@dataclass(frozen=True, slots=True)
class Preferences:
    """Hold a person's preferences.

    ``ready``, ``stopped`` (by itself) and ``run_ended`` say what is sent as a message; the rest only shows
    on the card. ``quiet_from`` and ``quiet_to`` are minutes since midnight in the person's zone, both None
    without quiet hours. ``workspace_id`` is what a bare `start` means, ``connection`` and ``template`` what
    new workspaces are made from; "" for none.
    """

    ready: bool = True
    stopped: bool = False
    run_ended: bool = True
    quiet_from: int | None = None
    quiet_to: int | None = None
    workspace_id: str = ""
    connection: str = ""
    template: str = ""


@dataclass(frozen=True, slots=True)
class Installed:
    """Hold one installation as it is stored; ``secret`` is ciphertext (``bot.support.vault``)."""

    id: str
    enterprise_id: str | None
    team_id: str | None
    team_name: str
    bot_user_id: str | None
    bot_id: str | None
    bot_name: str
    scopes: str
    secret: str
    expires_at: Stays | None
    installed_by: str
    installed_at: Past = 0.0
    #: Since when Slack takes its refresh token no more: it has to be installed again.
    lost_at: Past | None = None

    @property
    def row_key(self) -> str:
        """Return the key under which its secret is sealed; no person's looks like it."""
        return f"installation/{self.id}"
