"""What Usher sends to people: answers, notices and cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

from bot.domain.models.people import Principal

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
    #: An update of a card that couldn't be rendered when it was due; its body has the ``message_ts``.
    CARD_UPDATE = "card_update"
    WAITING = "waiting"
    #: It's unknown whether something was created or launched, so the person is asked.
    ASKED = "asked"
    JOB_WAITING = "job_waiting"
    JOB_ASKED = "job_asked"
    LINKED = "linked"
    UNLINKED = "unlinked"
    LINK_AGAIN = "link_again"
    SIGN_IN_REFUSED = "sign_in_refused"
    #: The credential of a link ends soon.
    LINK_ENDING = "link_ending"
    STOPPED_ELSEWHERE = "stopped_elsewhere"
    #: A timer will stop the workspace soon; a timer couldn't.
    TIMER_ENDING = "timer_ending"
    TIMER_FAILED = "timer_failed"
    APPROVAL_ASKED = "approval_asked"
    APPROVAL_DENIED = "approval_denied"
    APPROVAL_FAILED = "approval_failed"
    APPROVAL_DONE = "approval_done"
    #: Somebody else tried to link an account that this person has linked.
    LINK_TRIED = "link_tried"
    RESTORED = "restored"
    OUTAGE = "outage"
    SCHEDULED = "scheduled"
    #: What was held back during quiet hours, in one message.
    HELD = "held"
    JOB_NOT_STOPPED = "job_not_stopped"
    JOB_FILE_MISSING = "job_file_missing"
    CLASS_ENDING = "class_ending"
    CLASS_OVER = "class_over"
    CLASS_POSTED = "class_posted"
    #: A verb's answer, already rendered: as a new message, or as a reply where the person asked.
    MESSAGE = "message"
    REPLY = "reply"

    @property
    def subject(self) -> Subject:
        """Return the kind of row that the notice is about."""
        return _SUBJECTS.get(self, "other")


class NoticeState(StrEnum):
    """Name the state of a notice in the outbox."""

    PENDING = "pending"
    LEASED = "leased"
    SENT = "sent"
    RETRY = "retry"
    DEAD = "dead"


#: Sending order: 1 ready, failed, refused and replies; 2 first card; 3 still waiting and warnings.
#: Card updates, the fourth class, aren't notices: the card's row is marked dirty instead.
NOTICE_CLASS: Final[Mapping[NoticeKind, int]] = dict.fromkeys(NoticeKind, 1) | {
    NoticeKind.CARD: 2,
    NoticeKind.JOB_CARD: 2,
    NoticeKind.CLASS_CARD: 2,
    NoticeKind.CARD_UPDATE: 3,
    NoticeKind.ENDING: 3,
    NoticeKind.TIMER_ENDING: 3,
    #: The first message with output, in the card's thread; it is then updated the way a card is.
    NoticeKind.JOB_OUTPUT: 3,
    NoticeKind.JOB_FILE: 3,
    NoticeKind.WAITING: 3,
    NoticeKind.JOB_WAITING: 3,
    NoticeKind.LINK_AGAIN: 3,
    NoticeKind.SIGN_IN_REFUSED: 3,
    NoticeKind.LINK_ENDING: 3,
    NoticeKind.HELD: 3,
    # Replies have their own path to Slack: they never queue behind notices, nor notices behind them.
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
    """Describe a message to add to the outbox; ``UNIQUE(subject, kind, occasion)``.

    ``body`` is JSON-ready: the facts from which ``bot.messages`` renders the message when it is sent, mostly
    row keys. For replies and verbs' messages it is the Answer itself.
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

    ``unknown_since`` is when an attempt of unknown outcome was made; clock healing doesn't move it.
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
        """Return whether it does no harm that this dead notice wasn't sent.

        A reply to a button is worthless a minute later; for a class card, its poster is asked instead; and a
        deactivated Slack account or a deleted card has no reader.
        """
        is_nothing_there = self.error in {"user_disabled", "message_not_found"}
        return is_nothing_there or self.kind in (NoticeKind.REPLY, NoticeKind.CLASS_CARD)

    @property
    def key(self) -> str:
        """Return the key that is sent in Slack's message metadata."""
        return f"{self.subject}/{self.kind}/{self.occasion}"


@dataclass(frozen=True, slots=True)
class Card:
    """Hold where a message that offers something was posted, and whether it needs an update.

    ``kind`` is the kind of notice that posted it, ``subject`` the row that it shows, ``about`` the workspace,
    run or class that it offers something for. A live one is redrawn; once newer ones took its place it is
    closing until it has lost its buttons, then closed. ``body`` is the notice's. ``name`` is what its
    workspace was called, if that is deleted.
    """

    id: str
    subject: str
    kind: NoticeKind
    principal: Principal
    channel_id: str | None
    message_ts: str | None
    is_dirty: bool
    #: Since when the latest change of *state* has been waiting; None if only progress changed.
    changed_at: float | None
    updated_at: float
    about: str = ""
    stage: Literal["live", "closing", "closed"] = "live"
    body: dict[str, Any] = field(default_factory=dict)
    created_at: float = 0.0
    name: str | None = None
    #: A digest of what it showed when it was claimed, "" if nobody knows.
    claimed_drawn: str = ""
    #: Until when a claim holds it.
    leased_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Spoken:
    """Hold what an answer is about, by ids only, so that *it*, *the second one* and *yes* mean something.

    ``workspaces`` and ``runs`` stand in the order in which it shows them, ``listed`` in that of the last list
    of several. ``what`` is a verb or what was asked. ``ask`` is the button that *yes* presses, as its action
    id and value; ``which`` asks for one of them. ``takes_press``: the button has to be pressed.
    ``says_english``: it said that answers are in English.
    """

    workspaces: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    connection: str = ""
    what: str = ""
    ask: str = ""
    takes_press: bool = False
    says_english: bool = False

    def as_body(self) -> dict[str, Any]:
        """Return what is said of it as JSON-ready data."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value}


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold a verb's answer to a person: blocks and their fallback text, escaped and within Slack's limits.

    ``in_channel`` is set only when the person asked for it (``--share``); the answer then has no IDE URL.
    ``replaces`` updates the message whose button was pressed. ``view`` opens or updates a modal where the
    surface supports it. ``about`` is what the person may refer to afterwards.
    """

    text: str
    blocks: tuple[dict[str, Any], ...] = ()
    in_channel: bool = False
    replaces: bool = False
    view: dict[str, Any] | None = None
    about: Spoken | None = None

    def as_body(self) -> dict[str, Any]:
        """Return the answer as a notice's JSON-ready body."""
        return {"text": self.text, "blocks": list(self.blocks), "replaces": self.replaces}
