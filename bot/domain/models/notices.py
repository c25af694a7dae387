"""What people are told: answers, notices, cards."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.domain.models.people import Principal


class NoticeKind(StrEnum):
    """Name what a message to a person is about."""

    READY = "ready"
    SUSPENDED = "suspended"
    REMOVED = "removed"
    ENDING = "ending"
    JOB_CARD = "job_card"
    CLASS_CARD = "class_card"
    JOB_ENDED = "job_ended"
    JOB_FAILED = "job_failed"
    JOB_OUTPUT = "job_output"
    JOB_FILE = "job_file"
    FAILED = "failed"
    STOPPED = "stopped"
    REFUSED = "refused"
    CARD = "card"
    #: An update of a card that couldn't be drawn when it was due; ``message_ts`` in its body says where.
    CARD_UPDATE = "card_update"
    WAITING = "waiting"
    #: Nobody can tell whether something was made or launched: the person is asked.
    ASKED = "asked"
    JOB_WAITING = "job_waiting"
    JOB_ASKED = "job_asked"
    LINKED = "linked"
    UNLINKED = "unlinked"
    LINK_AGAIN = "link_again"
    SIGN_IN_REFUSED = "sign_in_refused"
    MESSAGE = "message"
    REPLY = "reply"


class NoticeState(StrEnum):
    """Name where a notice stands in the outbox."""

    PENDING = "pending"
    LEASED = "leased"
    SENT = "sent"
    RETRY = "retry"
    DEAD = "dead"


#: Sending order: 1 ready, failed, refused and replies; 2 first card; 3 still waiting and warnings.
#: Updates of cards, the fourth class, are owed by the cards themselves while they can be drawn.
NOTICE_CLASS: dict[NoticeKind, int] = {
    NoticeKind.READY: 1,
    NoticeKind.SUSPENDED: 1,
    NoticeKind.REMOVED: 1,
    NoticeKind.ENDING: 3,
    NoticeKind.JOB_CARD: 2,
    NoticeKind.CLASS_CARD: 2,
    NoticeKind.JOB_ENDED: 1,
    NoticeKind.JOB_FAILED: 1,
    #: The first message with output, in the thread of the card; its updates are owed like a card's.
    NoticeKind.JOB_OUTPUT: 3,
    NoticeKind.JOB_FILE: 3,
    NoticeKind.FAILED: 1,
    NoticeKind.STOPPED: 1,
    NoticeKind.REFUSED: 1,
    NoticeKind.LINKED: 1,
    NoticeKind.UNLINKED: 1,
    NoticeKind.MESSAGE: 1,
    # A reply has its own way to Slack: it waits for nothing, and nothing for it.
    NoticeKind.REPLY: 0,
    NoticeKind.CARD: 2,
    NoticeKind.CARD_UPDATE: 3,
    NoticeKind.WAITING: 3,
    NoticeKind.ASKED: 1,
    NoticeKind.JOB_WAITING: 3,
    NoticeKind.JOB_ASKED: 1,
    NoticeKind.LINK_AGAIN: 3,
    NoticeKind.SIGN_IN_REFUSED: 3,
}


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
    """Hold one row of the outbox.

    ``unknown_since`` is when the attempt of unknown outcome was made; no later jump of the clock moves it.
    """

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
    def is_harmless(self) -> bool:
        """Say of a dead notice whether nobody misses it.

        A reply to a button is worth nothing a minute later; the poster of a class card is asked about it;
        whose Slack account was deactivated is not there any more, nor is a card that was deleted.
        """
        is_nothing_there = self.error in {"user_disabled", "message_not_found"}
        return is_nothing_there or self.kind in (NoticeKind.REPLY, NoticeKind.CLASS_CARD)

    @property
    def key(self) -> str:
        """Return the key that goes into Slack's message metadata."""
        return f"{self.subject}/{self.kind}/{self.occasion}"


@dataclass(frozen=True, slots=True)
class Card:
    """Hold where a card stands and whether an update is owed; ``operation_id`` may be a run's or class's."""

    operation_id: str
    principal: Principal
    channel_id: str | None
    message_ts: str | None
    is_dirty: bool
    #: Since when the newest change of *state* waits; None when only progress changed.
    changed_at: float | None
    updated_at: float


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold what a verb says to a person: blocks and the text beside them, escaped and within limits.

    ``in_channel`` only when the person asked for it (``--share``): then it holds no IDE URL. ``replaces``
    redraws the message whose button was pressed. ``view`` opens or updates a modal where the surface can.
    """

    text: str
    blocks: tuple[dict[str, Any], ...] = ()
    in_channel: bool = False
    replaces: bool = False
    view: dict[str, Any] | None = None

    def as_body(self) -> dict[str, Any]:
        """Return it JSON-ready, for a notice's body."""
        return {"text": self.text, "blocks": list(self.blocks), "replaces": self.replaces}
