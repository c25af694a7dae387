"""What people are told: answers, notices, cards."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Literal

from bot.domain.models.people import Principal

if TYPE_CHECKING:
    from collections.abc import Mapping

Subject = Literal["operation", "job", "class", "other"]


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
    STOPPED_ELSEWHERE = "stopped_elsewhere"
    APPROVAL_ASKED = "approval_asked"
    APPROVAL_DENIED = "approval_denied"
    APPROVAL_FAILED = "approval_failed"
    APPROVAL_DONE = "approval_done"
    #: Somebody else tried to link what its person has linked.
    LINK_TRIED = "link_tried"
    RESTORED = "restored"
    OUTAGE = "outage"
    SCHEDULED = "scheduled"
    JOB_NOT_STOPPED = "job_not_stopped"
    JOB_FILE_MISSING = "job_file_missing"
    CLASS_ENDING = "class_ending"
    CLASS_OVER = "class_over"
    CLASS_POSTED = "class_posted"
    #: What a verb answered, drawn already: by itself, or where its person asked.
    MESSAGE = "message"
    REPLY = "reply"

    @property
    def subject(self) -> Subject:
        """Return what kind of row the subject of such a notice is."""
        return _SUBJECTS.get(self, "other")


class NoticeState(StrEnum):
    """Name where a notice stands in the outbox."""

    PENDING = "pending"
    LEASED = "leased"
    SENT = "sent"
    RETRY = "retry"
    DEAD = "dead"


#: Sending order: 1 ready, failed, refused and replies; 2 first card; 3 still waiting and warnings.
#: Updates of cards, the fourth class, are owed by the cards themselves while they can be drawn.
NOTICE_CLASS: Final[Mapping[NoticeKind, int]] = dict.fromkeys(NoticeKind, 1) | {
    NoticeKind.CARD: 2,
    NoticeKind.JOB_CARD: 2,
    NoticeKind.CLASS_CARD: 2,
    NoticeKind.CARD_UPDATE: 3,
    NoticeKind.ENDING: 3,
    #: The first message with output, in the thread of the card; its updates are owed like a card's.
    NoticeKind.JOB_OUTPUT: 3,
    NoticeKind.JOB_FILE: 3,
    NoticeKind.WAITING: 3,
    NoticeKind.JOB_WAITING: 3,
    NoticeKind.LINK_AGAIN: 3,
    NoticeKind.SIGN_IN_REFUSED: 3,
    # A reply has its own way to Slack: it waits for nothing, and nothing for it.
    NoticeKind.REPLY: 0,
}

_SUBJECTS: Final[Mapping[NoticeKind, Subject]] = {
    NoticeKind.READY: "operation",
    NoticeKind.SUSPENDED: "operation",
    NoticeKind.REMOVED: "operation",
    NoticeKind.FAILED: "operation",
    NoticeKind.STOPPED: "operation",
    NoticeKind.REFUSED: "operation",
    NoticeKind.CARD: "operation",
    NoticeKind.WAITING: "operation",
    NoticeKind.ASKED: "operation",
    NoticeKind.JOB_CARD: "job",
    NoticeKind.JOB_ENDED: "job",
    NoticeKind.JOB_FAILED: "job",
    NoticeKind.JOB_WAITING: "job",
    NoticeKind.JOB_ASKED: "job",
    NoticeKind.JOB_OUTPUT: "job",
    NoticeKind.JOB_FILE: "job",
    NoticeKind.JOB_NOT_STOPPED: "job",
    NoticeKind.JOB_FILE_MISSING: "job",
    NoticeKind.CLASS_CARD: "class",
    NoticeKind.CLASS_ENDING: "class",
    NoticeKind.CLASS_OVER: "class",
    NoticeKind.CLASS_POSTED: "class",
}


@dataclass(frozen=True, slots=True)
class NewNotice:
    """Describe a message to be written into the outbox; ``UNIQUE(subject, kind, occasion)``.

    ``body`` is JSON-ready: the facts from which ``bot.messages`` draws it when it is sent, mostly keys of
    rows; for replies and messages of verbs the Answer itself.
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
    """Hold where a card stands and whether an update is owed.

    ``kind`` is the notice that posted it, ``subject`` the row that it shows: a question is a card of its own.
    """

    id: str
    subject: str
    kind: NoticeKind
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
