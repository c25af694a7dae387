"""The words of the domain as frozen data: no I/O, no behaviour beyond reading themselves.

Times are epoch seconds (float); durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal


class State(StrEnum):
    """Name what a workspace is; one vocabulary for every provider."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    SUSPENDED = "suspended"
    FAILED = "failed"
    GONE = "gone"
    UNKNOWN = "unknown"


class WishVerb(StrEnum):
    """Name what a person can wish for a workspace."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"


class Outcome(StrEnum):
    """Name how a wish ended."""

    FULFILLED = "fulfilled"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    REPLACED = "replaced"


class Call(StrEnum):
    """Name what is known of a wish's one start (or stop) call.

    ``CALLING`` is committed before the request leaves: found after a crash, it means *unknown*.
    """

    NONE = "none"
    CALLING = "calling"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"


class NoticeKind(StrEnum):
    """Name what a message to a person is about."""

    READY = "ready"
    FAILED = "failed"
    STOPPED = "stopped"
    REFUSED = "refused"
    CARD = "card"
    WAITING = "waiting"
    LINKED = "linked"
    UNLINKED = "unlinked"
    LINK_AGAIN = "link_again"
    MESSAGE = "message"
    REPLY = "reply"


class NoticeState(StrEnum):
    """Name where a notice stands in the outbox."""

    PENDING = "pending"
    LEASED = "leased"
    SENT = "sent"
    RETRY = "retry"
    DEAD = "dead"


#: Sending order: 1 ready, failed, refused and replies; 2 first card; 3 still waiting, warnings; 4 updates of cards.
NOTICE_CLASS: dict[NoticeKind, int] = {
    NoticeKind.READY: 1,
    NoticeKind.FAILED: 1,
    NoticeKind.STOPPED: 1,
    NoticeKind.REFUSED: 1,
    NoticeKind.LINKED: 1,
    NoticeKind.UNLINKED: 1,
    NoticeKind.MESSAGE: 1,
    NoticeKind.REPLY: 1,
    NoticeKind.CARD: 2,
    NoticeKind.WAITING: 3,
    NoticeKind.LINK_AGAIN: 3,
}


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

    ``secret`` is ciphertext (``bot.vault``); ``state`` is ``active``, ``refused`` (the provider said so; waits
    for a new link) or ``revoking`` (unlinked; the secret lives until the revocation was tried, 5 s at most).
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


@dataclass(frozen=True, slots=True)
class Workspace:
    """Hold one person's view of one workspace at a provider.

    ``verified_at`` is None until a read with this person's own credential succeeded: before that nothing that
    another person's read found out is shown here.
    """

    id: str
    principal: Principal
    connection: str
    remote_id: str
    gate_key: str
    name: str
    alias: str | None = None
    state: State = State.UNKNOWN
    url: str | None = None
    detail: str | None = None
    progress: int | None = None
    observed_at: float | None = None
    verified_at: float | None = None
    used_at: float | None = None
    origin: Literal["discovered", "added"] = "discovered"
    hidden: bool = False

    @property
    def title(self) -> str:
        """Return what the person calls it."""
        return self.alias or self.name


@dataclass(frozen=True, slots=True)
class Observed:
    """Hold what one read of a provider found. ``progress`` is 0–100 where the provider tells it."""

    state: State
    url: str | None = None
    detail: str | None = None
    progress: int | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Surface:
    """Say where a request came from, so that its answer finds the way back."""

    kind: Literal["command", "button", "message", "mention", "view", "replay"]
    channel_id: str | None = None
    thread_ts: str | None = None
    message_ts: str | None = None
    response_url: str | None = None
    trigger_id: str | None = None
    is_direct: bool = False
    #: The inbox key: one effect per interaction, however often it arrives.
    interaction: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """Hold what a person wants, and how far it has come.

    It is open until ``outcome`` is set. ``deadline_number`` counts the deadlines that were set; ``deadline_at``
    is None once the person was told that it takes longer. ``attempts`` counts temporary failures in a row.
    ``read_since`` is the time after which a read must have happened before the next call (unknown outcomes).
    """

    id: str
    principal: Principal
    workspace_id: str
    connection: str
    verb: WishVerb
    created_at: float
    deadline_at: float | None
    deadline_number: int = 1
    start_call: Call = Call.NONE
    stop_call: Call = Call.NONE
    called_at: float | None = None
    read_since: float | None = None
    attempts: int = 0
    next_step_at: float = 0.0
    outcome: Outcome | None = None
    cause: str | None = None
    ended_at: float | None = None
    #: The furthest that the card's bar has been, 0–100: it never goes back.
    progress_floor: int = 0
    #: A sentence on what holds it up right now ("Saturn Cloud has not answered since 14:02").
    hold: str | None = None
    reference: str = ""

    @property
    def is_open(self) -> bool:
        """Say whether the reconciler still works on it."""
        return self.outcome is None


@dataclass(frozen=True, slots=True)
class NewNotice:
    """Describe a message to be written into the outbox; ``UNIQUE(subject, kind, occasion)``.

    ``body`` is JSON-ready: for replies and plain messages the Answer itself, for the rest keys of rows.
    """

    subject: str
    kind: NoticeKind
    occasion: str
    principal: Principal
    body: dict[str, Any] = field(default_factory=dict)
    due_in: float = 0.0


@dataclass(frozen=True, slots=True)
class Notice:
    """Hold one row of the outbox. ``unknown_since`` is Slack's time of the attempt whose outcome is unknown."""

    id: str
    subject: str
    kind: NoticeKind
    occasion: str
    principal: Principal
    body: dict[str, Any]
    state: NoticeState
    attempts: int
    created_at: float
    due_at: float
    unknown_since: float | None = None
    channel_id: str | None = None
    message_ts: str | None = None
    error: str | None = None

    @property
    def key(self) -> str:
        """Return the key that goes into Slack's message metadata."""
        return f"{self.subject}/{self.kind}/{self.occasion}"


@dataclass(frozen=True, slots=True)
class Card:
    """Hold where a wish's card stands and whether an update is owed."""

    wish_id: str
    principal: Principal
    channel_id: str | None
    message_ts: str | None
    is_dirty: bool
    #: Since when the newest change of *state* waits; None when only progress changed.
    changed_at: float | None
    updated_at: float


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
    #: SHA-256 of the browser session that opened it and of the principal it proved through Sign in with Slack.
    browser_hash: str | None = None
    proven: bool = False


class TaskKind(StrEnum):
    """Name work of the reconciler that is no wish."""

    DISCOVER = "discover"
    REVOKE = "revoke"
    REPLAY = "replay"
    LOOK_UP_PERSON = "look_up_person"
    SYNC_PEOPLE = "sync_people"


@dataclass(frozen=True, slots=True)
class Task:
    """Hold one piece of such work; ``UNIQUE(kind, subject)`` while it is open."""

    id: str
    kind: TaskKind
    subject: str
    payload: dict[str, Any]
    created_at: float
    due_at: float
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class ReadClaim:
    """Hold the right to read one resource's status once, granted by the poll gate.

    ``gate_key`` names the gate's row, ``account_id`` whose credential reads, ``workspace_ids`` who sees the result.
    ``claimed_at`` is the injected monotonic time just before the claim was issued.
    """

    gate_key: str
    connection: str
    remote_id: str
    account: Account
    workspace_ids: tuple[str, ...]
    has_open_wish: bool
    state: State
    used_at: float | None
    claimed_at: float


@dataclass(frozen=True, slots=True)
class ReadResult:
    """Hold what a claimed read brought: an observation, or an error's sentence; and when to read next.

    ``next_in`` is seconds from now, None for *when somebody asks*. With ``observed`` None the rows keep their state.
    """

    gate_key: str
    workspace_ids: tuple[str, ...]
    observed: Observed | None
    next_in: float | None
    hold: str | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Describe what is to be remembered: who did what to what, by which rule, with which result."""

    actor: str
    action: str
    target: str
    result: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold what a verb says to a person: Block Kit blocks and the text beside them, escaped and within limits.

    ``in_channel`` only when the person asked for it (``--share``): then it holds no IDE URL. ``replaces`` redraws
    the message whose button was pressed. ``view`` opens or updates a modal where the surface can.
    """

    text: str
    blocks: tuple[dict[str, Any], ...] = ()
    in_channel: bool = False
    replaces: bool = False
    view: dict[str, Any] | None = None

    def as_body(self) -> dict[str, Any]:
        """Return it JSON-ready, for a notice's body."""
        return {"text": self.text, "blocks": list(self.blocks), "replaces": self.replaces}
