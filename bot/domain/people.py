"""Who acts, through which account, and what they want; with the records and tasks that concern them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Generic, Literal, TypeVar

from bot.domain.times import LinkEnd, Past, Stays, TaskDue


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
    #: What Slack calls them, which they can't choose, and the e-mail address that it confirmed, if known.
    handle: str = ""
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """Say how a person is named to a reader.

    With ``user_id`` they are mentioned, which only people of their own Slack workspace can read: the same id
    may be somebody else in another one. ``workspace`` is "" where the reader needn't be told.
    """

    user_id: str = ""
    name: str = ""
    workspace: str = ""
    #: What they can't choose, for who has to know whom they decide about.
    known: Person | None = None


#: People as one reader is told who they are, by their keys.
People = Mapping[str, Named]

#: How a link was made: by signing in at the provider or with a token, both of which prove whose account it is
#: if the provider named its owner; by an administrator's approval or an operator's file, which prove nothing.
#: "" for what nobody knows, and where there is nothing to link.
MadeBy = Literal["", "sign_in", "token", "approval", "import"]
#: For how long a link counts that nobody proved, in seconds.
APPROVED_SECONDS: Final = 90 * 86_400.0


@dataclass(frozen=True, slots=True)
class Account:
    """Link a principal to an account on a connection; one per pair.

    ``secret`` is ciphertext (``bot.support.vault``). ``state`` is ``active``, ``refused`` (for so long that
    the person must link again) or ``revoking``: it is nobody's link any more, and its secret is kept for
    nothing but its revocation, which is owed. While ``refused_since`` is set, the only calls made with an
    active one test whether it is accepted; of one being revoked it says when that was first refused.
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
    made_by: MadeBy = ""

    @property
    def is_proven(self) -> bool:
        """Return whether its person has proven that the account is theirs."""
        return bool(self.username) and self.made_by in {"sign_in", "token"}

    @property
    def is_approved(self) -> bool:
        """Return whether others said so instead: it ends by itself, and gives way to a proof."""
        return self.made_by in {"approval", "import"}

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
    #: When the checked credential ends, as its provider said, and how it was got.
    ends_at: Stays | None = None
    made_by: MadeBy = ""


#: After how many hours people are asked about what they left running, unless somebody chose otherwise.
ASKS_AFTER: Final = 12
#: As many hours as nothing runs: an earlier release that reads it asks nobody either.
NEVER: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Preferences:
    """Hold a person's preferences.

    ``ready``, ``stopped`` (by itself) and ``run_ended`` say what is sent as a message; the rest only shows
    on the card. ``workspace_id`` is what a bare `start` means, ``connection`` and ``template`` what new
    workspaces are made from; "" for none. ``asks_after`` is after how many hours they are asked whether a
    workspace that runs on is still needed, None if they didn't choose (``ASKS_AFTER``), ``NEVER`` if they
    don't want to be.
    """

    ready: bool = True
    stopped: bool = False
    run_ended: bool = True
    workspace_id: str = ""
    connection: str = ""
    template: str = ""
    asks_after: int | None = None


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


#: For how long after a person's last use of it a Home is redrawn without being asked for, in seconds.
OPEN_SECONDS: Final = 600.0
#: The least seconds between a view and the next that nobody asked for.
REDRAW_SECONDS: Final = 10.0
#: For how long an answer to a press with something to press stays above the rest, in seconds.
ANSWER_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Home:
    """Hold one person's Home.

    ``uses`` counts how often they opened it or pressed something in it, so that a view drawn for an earlier
    use isn't taken for the newest. ``wanted_at`` is since when they have been waiting for a view, None if
    they aren't. ``answer`` is an Answer's body. ``drawn`` is a digest of the last view, ``view_hash`` Slack's
    own name for it; empty if unknown.
    """

    principal: Principal
    used_at: Past
    uses: int = 1
    page: int = 1
    is_totals: bool = False
    answer: dict[str, Any] | None = None
    answered_at: Past | None = None
    wanted_at: Past | None = None
    drawn: str = ""
    view_hash: str = ""

    def is_over(self, now: float) -> bool:
        """Return whether it is no longer redrawn without being asked for."""
        return now >= self.used_at + OPEN_SECONDS

    def shown_answer(self, now: float) -> dict[str, Any] | None:
        """Return the answer to the last press while it is still shown."""
        is_recent = self.answered_at is not None and now < self.answered_at + ANSWER_SECONDS
        return self.answer if is_recent or self.is_statement else None

    @property
    def is_statement(self) -> bool:
        """Return whether the last answer only said something: that goes once anything else changes."""
        blocks = (self.answer or {}).get("blocks") or ()
        return not any(block.get("type") == "actions" or "accessory" in block for block in blocks)


@dataclass(frozen=True, slots=True)
class HomeUse:
    """Describe what a person did with their Home; None leaves what they look at unchanged.

    ``seen`` is the version that Slack shows whoever opened it, None for a press.
    """

    page: int | None = None
    is_totals: bool | None = None
    answer: dict[str, Any] | None = None
    seen: str | None = None


Payload = TypeVar("Payload")


class TaskKind(StrEnum):
    """Name the reconciler's work that isn't an operation."""

    DISCOVER = "discover"
    #: As 0.1.0 revokes what was unlinked; from here on that is a ``REVOCATION``.
    REVOKE = "revoke"
    #: The credential of a link that nobody may have confirmed; the subject is its secret's digest.
    REVOKE_UNUSED = "revoke_unused"
    #: Have a provider delete a secret that is used no more; the subject is the account's id.
    REVOCATION = "revocation"
    #: Mint the next credential of Usher's own before the one in use ends; the subject is the account's id.
    RENEWAL = "renewal"
    REPLAY = "replay"
    LOOK_UP_PERSON = "look_up_person"
    SYNC_PEOPLE = "sync_people"
    #: Read what a provider offers, or says about itself, into the snapshots; the subject is ``ACCOUNT/KIND``.
    SNAPSHOT = "snapshot"
    #: Check an approved username with its provider and link it; the subject is the approval's id.
    APPROVE = "approve"
    #: Learn a wanted user's address from the provider; the subject is the approval's id.
    LOOK_UP_USER = "look_up_user"
    #: List a person's runs again; the subject is the account's id.
    LIST_JOBS = "list_jobs"
    #: Set a job's schedule; the subject names account, job and interaction.
    SCHEDULE = "schedule"

    @property
    def is_later(self) -> bool:
        """Return whether 0.1.0 doesn't know it: it is kept where that release doesn't look."""
        return self in _LATER


#: Kinds of tasks that 0.1.0 doesn't know.
_LATER: Final = frozenset({TaskKind.REVOCATION, TaskKind.RENEWAL, TaskKind.LOOK_UP_USER})


@dataclass(frozen=True, slots=True)
class Task:
    """Hold one task; ``UNIQUE(kind, subject)`` while it is open."""

    id: str
    kind: TaskKind
    subject: str
    payload: dict[str, Any]
    created_at: Past
    due_at: TaskDue
    attempts: int = 0
    #: How often it was claimed, this time included.
    claims: int = 0


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Describe an entry of the audit: who did what to what, by which rule, with which result."""

    actor: str
    action: str
    target: str
    result: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class User:
    """Describe one user of a provider, for approvals and ``about``; ``level`` is display text."""

    username: str
    is_active: bool
    level: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """Describe a provider to its administrators: short facts, and its users if they can be listed."""

    facts: tuple[tuple[str, str], ...]
    users: tuple[User, ...] = ()


#: Slack's name beside those of connections, of which none begins like this.
SLACK: Final = "#slack"


@dataclass(frozen=True, slots=True)
class Reached:
    """Hold when a connection, or Slack, last answered, and since when it doesn't; None if it does."""

    name: str
    answered_at: Past | None = None
    silent_since: Past | None = None


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[Payload]):
    """Hold what a provider answered at ``read_at``, shown until it is read again.

    ``owner`` is the id of the account whose view it is, or "" if everybody sees the same. ``kind`` is
    ``templates`` (what forms are built from, in the provider's own type), ``runs`` (nothing: when they were
    listed) or ``about``. Rows store it as JSON.
    """

    connection: str
    owner: str
    kind: str
    payload: Payload
    read_at: Past


@dataclass(frozen=True, slots=True)
class Approval:
    """Hold a person's request to be linked as a username, which an administrator decides.

    ``state``: ``asked`` → ``approved`` (being checked with the provider) → ``linked``, or ``denied``, or
    ``failed`` (the provider doesn't know the username; ``detail`` says so). ``waiting`` is the command to run
    afterwards.
    """

    id: str
    principal: Principal
    connection: str
    username: str
    state: str
    asked_at: Past
    decided_by: str | None = None
    decided_at: Past | None = None
    detail: str | None = None
    waiting: dict[str, Any] | None = None
    #: Whom else in Slack the username may mean, by their keys, the likeliest first (None: nobody has looked);
    #: who of them was asked whether the account is theirs, and what they said.
    alike: list[str] | None = None
    owner: str | None = None
    owner_says: bool | None = None
    #: The address that the wanted user has at the provider, if it says so.
    email: str | None = None
