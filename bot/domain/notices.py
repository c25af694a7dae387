"""What Usher sends to people: answers, notices and cards; and what of it they want to hear.

Failures, questions and warnings are always sent. What the person switched off only shows on the card, if
there is one. That a link of theirs ends is said a week and a day before its credential does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Flag, StrEnum, auto
from typing import Any, Final, Literal, NamedTuple, Self

from bot.domain.errands import Outcome
from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Principal
from bot.domain.times import Past, Send

Subject = Literal["operation", "job", "class", "other"]
#: What people can choose not to hear.
Topic = Literal["ready", "stopped", "run_ended"]
#: What a message offers something for: the workspace or the connection that its body names, its subject, or
#: its person, who has one.
Offered = Literal["workspace", "run", "link", "approval", "class", "person"]


class Mark(Flag):
    """Say how messages of a kind are treated."""

    NONE = 0
    #: It is kept up to date with its row, and has that row's id.
    CARD = auto()
    #: It says how an operation or a run ended: it waits a moment for the card, so that they come in order.
    END = auto()
    #: The card of its operation says it, if there is one.
    IN_CARD = auto()
    #: It says what has happened, and nobody has to decide anything: after a silence it is told with others.
    NEWS = auto()
    #: It goes before replies.
    URGENT = auto()
    #: It asks, and says what was answered: it is redrawn, as cards are.
    ASKS = auto()
    #: It belongs in the thread of its run's card.
    THREADED = auto()
    #: It goes to the channel that its body names, instead of to its person.
    IN_CHANNEL = auto()
    #: It names other people: who asks for a link, who decided, who tried.
    PEOPLE = auto()
    #: It has output, which is kept nowhere but in Slack.
    OUTPUT = auto()
    #: Nothing is lost if it isn't sent: a reply is worthless a minute later, and instead of a class card its
    #: poster is asked.
    HARMLESS = auto()


class _Kind(NamedTuple):
    name: str
    subject: Subject = "other"
    urgency: int = 1
    offers: Offered | None = None
    topic: Topic | None = None
    marks: Mark = Mark.NONE


class NoticeKind(StrEnum):
    """Name what a message to a person is about, and how it is treated.

    ``subject`` is the kind of row that it is about. ``urgency`` is the order of sending: 1 ready, failed and
    refused; 2 first card; 3 still waiting, and warnings. Updates of cards, the fourth class, aren't notices:
    the card's row is marked dirty instead. Replies (0) have their own path to Slack: they never queue behind
    notices, nor notices behind them.
    """

    subject: Subject
    urgency: int
    offers: Offered | None
    topic: Topic | None
    marks: Mark

    def __new__(cls, name: str, *traits: Any) -> Self:
        """Make a kind by its name, with the other fields of ``_Kind``."""
        kind = str.__new__(cls, name)
        kind._value_ = name
        kind.subject, kind.urgency, kind.offers, kind.topic, kind.marks = traits
        return kind

    READY = _Kind(
        "ready", "operation", offers="workspace", topic="ready", marks=Mark.END | Mark.NEWS | Mark.URGENT
    )
    FAILED = _Kind("failed", "operation", offers="workspace", marks=Mark.END | Mark.URGENT)
    REFUSED = _Kind("refused", "operation", offers="workspace", marks=Mark.END | Mark.URGENT)
    STOPPED = _Kind("stopped", "operation", offers="workspace", marks=Mark.END | Mark.NEWS | Mark.IN_CARD)
    SUSPENDED = _Kind("suspended", "operation", offers="workspace", marks=Mark.END | Mark.NEWS | Mark.IN_CARD)
    REMOVED = _Kind("removed", "operation", offers="workspace", marks=Mark.END | Mark.NEWS | Mark.IN_CARD)
    CARD = _Kind("card", "operation", urgency=2, marks=Mark.CARD)
    WAITING = _Kind("waiting", "operation", urgency=3, offers="workspace")
    #: It's unknown whether something was created or launched, so the person is asked.
    ASKED = _Kind("asked", "operation", offers="workspace", marks=Mark.ASKS)
    JOB_CARD = _Kind("job_card", "job", urgency=2, marks=Mark.CARD)
    JOB_ENDED = _Kind(
        "job_ended", "job", offers="run", topic="run_ended", marks=Mark.END | Mark.NEWS | Mark.OUTPUT
    )
    JOB_FAILED = _Kind("job_failed", "job", offers="run", marks=Mark.END)
    JOB_FILE = _Kind("job_file", "job", urgency=3, marks=Mark.THREADED)
    JOB_WAITING = _Kind("job_waiting", "job", urgency=3, offers="run")
    JOB_ASKED = _Kind("job_asked", "job", offers="run", marks=Mark.ASKS)
    JOB_NOT_STOPPED = _Kind("job_not_stopped", "job")
    JOB_FILE_MISSING = _Kind("job_file_missing", "job")
    CLASS_CARD = _Kind("class_card", "class", urgency=2, marks=Mark.CARD | Mark.IN_CHANNEL | Mark.HARMLESS)
    CLASS_ENDING = _Kind("class_ending", "class", offers="workspace")
    CLASS_OVER = _Kind("class_over", "class", marks=Mark.NEWS)
    CLASS_POSTED = _Kind("class_posted", "class", offers="class")
    ENDING = _Kind("ending", urgency=3, offers="workspace")
    #: An update of a card that couldn't be rendered when it was due; its body has the ``message_ts``.
    CARD_UPDATE = _Kind("card_update", urgency=3, marks=Mark.IN_CHANNEL)
    LINKED = _Kind("linked", offers="link")
    UNLINKED = _Kind("unlinked", offers="link")
    #: What was promised when a link ended: its provider has deleted the secret, or may not have.
    REVOKED = _Kind("revoked")
    #: To administrators: secrets that a provider may still take, and that Usher has erased.
    NOT_REVOKED = _Kind("not_revoked")
    LINK_AGAIN = _Kind("link_again", urgency=3, offers="link")
    SIGN_IN_REFUSED = _Kind("sign_in_refused", urgency=3, offers="link")
    #: The credential of a link ends soon.
    LINK_ENDING = _Kind("link_ending", urgency=3, offers="link")
    STOPPED_ELSEWHERE = _Kind("stopped_elsewhere", offers="workspace", topic="stopped", marks=Mark.NEWS)
    #: A timer will stop the workspace soon; a timer couldn't.
    TIMER_ENDING = _Kind("timer_ending", urgency=3, offers="workspace")
    TIMER_FAILED = _Kind("timer_failed", offers="workspace")
    #: To administrators: somebody couldn't be warned of the end of their workspace.
    UNWARNED = _Kind("unwarned", marks=Mark.PEOPLE)
    #: Whether a workspace that was left running is still needed.
    NEEDED = _Kind("needed", urgency=3, offers="workspace")
    #: Hours that were missed or couldn't be kept; that pause; of somebody whose time zone has changed.
    HOURS_MISSED = _Kind("hours_missed", offers="workspace")
    HOURS_PAUSED = _Kind("hours_paused", offers="workspace")
    #: To the teachers of a course before a lesson: how many are ready.
    LESSON_REPORT = _Kind("lesson_report", "class", marks=Mark.NEWS)
    #: Why nothing will be ready for a lesson, or isn't yet, and what its person can do.
    UNSERVED = _Kind("unserved", "class", offers="link")
    #: A lesson begins: whether the workspace is ready for it.
    LESSON = _Kind("lesson", "operation", offers="workspace")
    #: Whether hours go on that start a workspace nobody uses.
    HOURS_UNUSED = _Kind("hours_unused", urgency=3)
    #: A course's timetable has changed: to whoever has joined.
    COURSE_CHANGED = _Kind("course_changed", "class")
    #: To whom a course's poster lets change it, or doesn't any more; to administrators if nobody is left.
    COURSE_TEACHER = _Kind("course_teacher", "class")
    COURSE_UNTAUGHT = _Kind("course_untaught", "class", offers="class")
    #: What the database lost of what somebody was answered, and how things are.
    LOST = _Kind("lost", offers="workspace")
    #: Nobody tries any more: there was no room until then.
    ROOM_OVER = _Kind("room_over", offers="workspace")
    #: Whoever changes limits is asked for more of one; and what they said.
    MORE_ASKED = _Kind("more_asked", marks=Mark.PEOPLE)
    MORE_ANSWERED = _Kind("more_answered", offers="workspace")
    HOURS_MOVED = _Kind("hours_moved", urgency=3)
    APPROVAL_ASKED = _Kind("approval_asked", offers="approval", marks=Mark.PEOPLE | Mark.ASKS)
    #: Whether the account that somebody else asked for is this person's.
    ACCOUNT_ASKED = _Kind("account_asked", offers="approval", marks=Mark.PEOPLE | Mark.ASKS)
    APPROVAL_DENIED = _Kind("approval_denied", marks=Mark.PEOPLE)
    APPROVAL_FAILED = _Kind("approval_failed", marks=Mark.PEOPLE)
    APPROVAL_DONE = _Kind("approval_done", marks=Mark.PEOPLE)
    #: Somebody else tried to link an account that this person has linked.
    LINK_TRIED = _Kind("link_tried", marks=Mark.PEOPLE)
    #: A proof has ended somebody else's approved link of the same account.
    LINK_PROVEN = _Kind("link_proven", marks=Mark.PEOPLE)
    RESTORED = _Kind("restored")
    OUTAGE = _Kind("outage", marks=Mark.NEWS)
    SCHEDULED = _Kind("scheduled")
    #: All the news that somebody is owed after a silence, in one message.
    SUMMARY = _Kind("summary")
    #: A verb's answer, already rendered: as a new message, or as a reply where the person asked.
    MESSAGE = _Kind("message")
    #: A question that Slack's assistant has caused: of these one is live.
    ASSISTANT_ASKED = _Kind("assistant_asked", offers="person")
    REPLY = _Kind("reply", urgency=0, marks=Mark.HARMLESS)


#: How fulfilled operations end that don't result in a running workspace.
_DONE: Final = {
    OperationVerb.STOP: NoticeKind.STOPPED,
    OperationVerb.FORCE: NoticeKind.STOPPED,
    OperationVerb.SUSPEND: NoticeKind.SUSPENDED,
    OperationVerb.REMOVE: NoticeKind.REMOVED,
}


#: An operation or run ends once, so its end is one occasion.
END: Final = "end"


def end_of(operation: Operation, outcome: Outcome | None = None) -> NoticeKind:
    """Return what tells how an operation ended; a cancellation is told as a failure, as it didn't happen."""
    match outcome or operation.outcome:
        case Outcome.FULFILLED:
            return _DONE.get(operation.verb, NoticeKind.READY)
        case Outcome.REFUSED:
            return NoticeKind.REFUSED
        case _:
            return NoticeKind.FAILED


class NoticeState(StrEnum):
    """Name the state of a notice in the outbox."""

    PENDING = "pending"
    LEASED = "leased"
    SENT = "sent"
    RETRY = "retry"
    DEAD = "dead"


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


#: What nobody would read, or has to: a deactivated person, a deleted card (Slack's codes), what was replaced.
UNREAD: Final = frozenset({"user_disabled", "message_not_found", "superseded"})


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
    created_at: Past
    due_at: Send
    unknown_since: Past | None = None
    channel_id: str | None = None
    message_ts: str | None = None
    error: str | None = None

    @property
    def is_harmless(self) -> bool:
        """Return whether it does no harm that this dead notice wasn't sent.

        A deactivated Slack account or a deleted card has no reader; what is superseded isn't missed.
        """
        return Mark.HARMLESS in self.kind.marks or self.error in UNREAD

    @property
    def key(self) -> str:
        """Return the key that is sent in Slack's message metadata."""
        return f"{self.subject}/{self.kind}/{self.occasion}"


@dataclass(frozen=True, slots=True)
class Card:
    """Hold where a message that offers something was posted, and whether it needs an update.

    ``kind`` is the kind of notice that posted it, ``subject`` the row that it shows, ``about`` the workspace,
    run or class that it offers something for. A card is drawn until its act is over, a question until it is
    answered; a closed one offers nothing any more. ``body`` is the notice's, and what was said for good.
    ``name`` is what its workspace was called, if that is deleted.
    """

    id: str
    subject: str
    kind: NoticeKind
    principal: Principal
    channel_id: str | None
    message_ts: str | None
    is_dirty: bool
    #: Since when the latest change of *state* has been waiting; None if only progress changed.
    changed_at: Past | None
    updated_at: Past
    about: str = ""
    stage: Literal["live", "closed"] = "live"
    body: dict[str, Any] = field(default_factory=dict)
    created_at: Past = 0.0
    name: str | None = None
    #: A digest of what it showed when it was claimed, "" if nobody knows.
    claimed_drawn: str = ""
    #: Until when a claim holds it.
    leased_until: Send = 0.0


@dataclass(frozen=True, slots=True)
class Spoken:
    """Hold what an answer is about, by ids only, so that *it*, *the second one* and *yes* mean something.

    ``workspaces`` and ``runs`` stand in the order in which it shows them, ``listed`` in that of the last list
    of several. ``what`` is a verb, perhaps with the times that it may be for (``doing``), or what was asked.
    ``ask`` is the button that *yes* presses, as its action id and value; ``which`` asks for one of them.
    ``takes_press``: the button has to be pressed. ``says_english``: it said that answers are in English.
    """

    workspaces: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    connection: str = ""
    what: str = ""
    ask: str = ""
    takes_press: bool = False
    says_english: bool = False

    def doing(self, verb: str, *times: float | None) -> Self:
        """Return the same with a verb and the times that it may be for, in epoch seconds."""
        # In one text, which an older release reads as a verb that it doesn't have.
        return replace(self, what=" ".join([verb, *(f"{one:.0f}" for one in times if one is not None)]))

    @property
    def verb(self) -> str:
        """Return the verb, or what was asked."""
        return self.what.partition(" ")[0]

    @property
    def times(self) -> tuple[float, ...]:
        """Return the times that it may be for, in epoch seconds."""
        return tuple(float(one) for one in self.what.split()[1:])

    def as_body(self) -> dict[str, Any]:
        """Return what is said of it as JSON-ready data."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value}


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold a verb's answer to a person: blocks and their fallback text, escaped and within Slack's limits.

    ``in_channel`` is set only when the person asked for it (``--share``); the answer then has no IDE URL.
    ``replaces`` updates the message whose button was pressed. ``view`` opens or updates a modal where the
    surface supports it. ``about`` is what the person may refer to afterwards. ``errors`` are shown at the
    fields of the form that was sent, which stays open. ``unwritten``: the store didn't take what was asked,
    or nobody knows yet, so it wouldn't take this answer in time either. ``offers`` is what its
    buttons are for while they work: the act that *Undo* takes back, or one workspace.
    """

    text: str
    blocks: tuple[dict[str, Any], ...] = ()
    in_channel: bool = False
    replaces: bool = False
    view: dict[str, Any] | None = None
    about: Spoken | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    unwritten: Literal["", "not", "unsure"] = ""
    offers: str = ""

    def as_body(self) -> dict[str, Any]:
        """Return the answer as a notice's JSON-ready body."""
        body = {"text": self.text, "blocks": list(self.blocks), "replaces": self.replaces}
        return body | ({"offers": self.offers} if self.offers else {})


Occasion = Literal["week", "day", ""]

#: How long before the end each reminder comes, in seconds; the earliest first.
_BEFORE: Final[tuple[tuple[Occasion, float], ...]] = (("week", 7 * 86_400.0), ("day", 86_400.0))


def first_reminder(linked_at: float, ends_at: float | None) -> float | None:
    """Return when the first reminder comes; None if there is none, as it would come with the link itself."""
    if ends_at is None:
        return None
    return next((ends_at - before for _, before in _BEFORE if ends_at - before > linked_at), None)


def reminder(ends_at: float, now: float) -> tuple[Occasion, float | None]:
    """Return which reminder is due, "" for none once it has ended, and when the next look is.

    The last look is at the end, when what was said before is no longer so. After a while without anybody
    looking, only the latest reminder is due.
    """
    if now >= ends_at:
        return "", None
    due: Occasion = ""
    for occasion, before in _BEFORE:
        if now < ends_at - before:
            return due, ends_at - before
        due = occasion
    return due, ends_at
