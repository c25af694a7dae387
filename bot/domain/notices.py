"""Messages to users: answers, notices and cards.

Failures, questions and warnings are always sent. An update that a user has turned off appears only on the
card, if there is one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Flag, StrEnum, auto
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Principal
from bot.domain.row_times import Past, Send, Stays, make_due
from bot.domain.work_items import DEADLINE_SECONDS, Outcome

#: Kinds of updates that users can turn off.
Topic = Literal["ready", "stopped", "run_ended"]
#: What the buttons of a message act on.
#: - ``workspace``, ``link``: the workspace, or the link to the connection, that is named in the message's
#:   body.
#: - ``subject``: what the message is about, no matter who reads it.
#: - ``reader``: what the message is about, separately for each reader.
#: - ``person``: the message's recipient, separately for each kind of message.
Offered = Literal["workspace", "link", "subject", "reader", "person"]
Urgency = Literal[0, 1, 2, 3]


class Mark(Flag):
    """Flags that say how messages of a certain kind are treated."""

    NONE = 0
    #: The message is a card, which shows the current state of an operation, a run or a class. Its id is that
    #: of the row it shows.
    CARD = auto()
    #: The message says how an operation or run ended. It waits briefly, so that the card arrives first.
    END = auto()
    #: The message isn't sent if its operation has a card, because the card already says the same thing.
    IN_CARD = auto()
    #: The message is an update, and needs no decision. After an outage, all of a person's updates are
    #: combined into one message.
    NEWS = auto()
    #: The message is sent ahead of any replies that are waiting for the same person.
    URGENT = auto()
    #: The message asks a question. Like a card, it is updated later, to show the answer.
    ASKS = auto()
    #: Of several messages about the same thing, only the newest keeps its buttons.
    NEWEST = auto()
    #: The message announces a change or asks about one. It is removed once it is no longer true or has been
    #: replaced.
    PASSES = auto()
    #: A newer request doesn't make the message outdated, as long as what it says is still true.
    STANDS = auto()
    #: The message belongs in the thread of its run's card.
    THREADED = auto()
    #: The message is posted in the channel named in its body, rather than sent to a person.
    IN_CHANNEL = auto()
    #: The message names other people, such as the person who requested a link or decided on it.
    PEOPLE = auto()
    #: The message contains a run's output, which is stored only in Slack.
    OUTPUT = auto()
    #: Losing the message does no harm. For example, a reply is worthless after a minute. If a class card is
    #: lost, its author is asked what to do.
    HARMLESS = auto()


class Traits(NamedTuple):
    """The name of a message kind, as stored in rows, and how its messages are treated (``NoticeKind``)."""

    name: str
    subject: str = "other"
    urgency: Urgency = 1
    offers: Offered | None = None
    topic: Topic | None = None
    marks: Mark = Mark.NONE


class NoticeKind(StrEnum):
    """A kind of message to people, and how such messages are treated.

    ``subject`` is the kind of row that the message is about: an operation, a job or a class. ``urgency`` sets
    the sending order: 1 for ready, failed and refused; 2 for a first card; 3 for still waiting, and for
    warnings. Card updates are sent after all of these. They aren't notices. Instead, the card's row is marked
    as dirty. Replies (0) are sent separately, so that replies and notices don't wait for each other.
    """

    subject: str
    urgency: Urgency
    offers: Offered | None
    topic: Topic | None
    marks: Mark

    def __new__(cls, name: str, *traits: Any) -> Self:
        """Create a kind from its name and the other fields of ``Traits``."""
        kind = str.__new__(cls, name)
        kind._value_ = name
        kind.subject, kind.urgency, kind.offers, kind.topic, kind.marks = traits
        return kind

    READY = Traits(
        "ready", "operation", offers="workspace", topic="ready", marks=Mark.END | Mark.NEWS | Mark.URGENT
    )
    #: Gives the user the workspace's URL if it appeared or changed after the *ready* message.
    READY_LINK = Traits("ready_link", "operation", offers="workspace", marks=Mark.NEWS)
    FAILED = Traits("failed", "operation", offers="workspace", marks=Mark.END | Mark.URGENT)
    STOPPED = Traits("stopped", "operation", offers="workspace", marks=Mark.END | Mark.NEWS | Mark.IN_CARD)
    REMOVED = Traits("removed", "operation", offers="workspace", marks=Mark.END | Mark.NEWS | Mark.IN_CARD)
    CARD = Traits("card", "operation", urgency=2, marks=Mark.CARD)
    WAITING = Traits("waiting", "operation", urgency=3, offers="workspace", marks=Mark.PASSES)
    #: Asks the user what to do, because Usher couldn't find out whether their workspace was created.
    OUTCOME_QUESTION = Traits("outcome_question", "operation", offers="workspace", marks=Mark.ASKS)
    JOB_CARD = Traits("job_card", "job", urgency=2, marks=Mark.CARD)
    JOB_ENDED = Traits(
        "job_ended", "job", offers="subject", topic="run_ended", marks=Mark.END | Mark.NEWS | Mark.OUTPUT
    )
    #: Tells the user that a run reported as lost is still in progress.
    JOB_FOUND = Traits("job_found", "job", offers="subject", marks=Mark.NEWS)
    JOB_FAILED = Traits("job_failed", "job", offers="subject", marks=Mark.END)
    JOB_FILE = Traits("job_file", "job", urgency=3, marks=Mark.THREADED)
    JOB_WAITING = Traits("job_waiting", "job", urgency=3, offers="subject", marks=Mark.PASSES)
    JOB_OUTCOME_QUESTION = Traits("job_outcome_question", "job", offers="subject", marks=Mark.ASKS)
    #: Says that a run couldn't be stopped, or why there is no file with its output.
    JOB_PROBLEM = Traits("job_problem", "job")
    #: Updates a card by way of the outbox, after an unexpected error in the usual update. The outbox retries
    #: at increasing intervals. The body says where the card's message is.
    CARD_UPDATE = Traits("card_update", urgency=3, marks=Mark.IN_CHANNEL)
    LINKED = Traits("linked", offers="link")
    UNLINKED = Traits("unlinked", offers="link")
    #: Says whether the provider has deleted an ended link's secret, as promised when the link ended.
    REVOKED = Traits("revoked")
    #: Tells administrators about secrets that Usher has erased but that a provider may still accept.
    NOT_REVOKED = Traits("not_revoked")
    #: Tells administrators about workspaces that keep running after their owners left and their links ended.
    LEFT_RUNNING = Traits("left_running")
    RELINK_PROMPT = Traits("relink_prompt", urgency=3, offers="link", marks=Mark.PASSES)
    SIGN_IN_REFUSED = Traits("sign_in_refused", urgency=3, offers="link", marks=Mark.PASSES)
    #: Tells the user and administrators that a link was suspended (it *rests*), because its username now
    #: belongs to another account.
    LINK_RESTING = Traits("link_resting", urgency=3, offers="link", marks=Mark.PASSES)
    LINKS_RESTING = Traits("links_resting", marks=Mark.PEOPLE)
    STOPPED_ELSEWHERE = Traits("stopped_elsewhere", offers="workspace", topic="stopped", marks=Mark.NEWS)
    #: Corrects an earlier message that reported the wrong outcome of an operation.
    TURNED_OUT = Traits("turned_out", offers="workspace", marks=Mark.NEWS)
    #: Tells a user that someone else has tried to link the user's own account.
    LINK_ATTEMPTED = Traits("link_attempted", marks=Mark.PEOPLE)
    #: Says that someone else's approved link to an account has ended, because a user has proven that the
    #: account is theirs.
    LINK_PROVEN = Traits("link_proven", marks=Mark.PEOPLE)
    OUTAGE = Traits("outage", marks=Mark.NEWS)
    #: Combines all updates for a user that accumulated while Slack was unavailable.
    SUMMARY = Traits("summary")
    #: Combines the results of several operations that one request started.
    RESULTS = Traits("results")
    #: A verb's answer, already rendered. It is sent as a new message, or as a reply to the user's request.
    MESSAGE = Traits("message")
    #: Asks the user a question in response to a request from Slack's assistant.
    ASSISTANT_QUESTION = Traits("assistant_question", offers="person", marks=Mark.NEWEST)
    #: A chart of usage, uploaded as a file. The body contains the SVG and the alternative text.
    USAGE_PICTURE = Traits("usage_picture", urgency=3)
    REPLY = Traits("reply", urgency=0, marks=Mark.HARMLESS)

    # -- working hours and idle workspaces -------------------------------------------------------------------

    #: Asks whether a workspace that was left running is still needed.
    IDLE_PROMPT = Traits("idle_prompt", urgency=3, offers="workspace", marks=Mark.NEWEST | Mark.PASSES)
    #: Says that a start or stop for working hours was missed or failed, or that working hours are paused.
    HOURS_MISSED = Traits("hours_missed", offers="workspace")
    HOURS_PAUSED = Traits("hours_paused", offers="link", marks=Mark.PASSES | Mark.STANDS)

    # -- timers ----------------------------------------------------------------------------------------------

    #: Warns that a timer will soon stop the workspace, or says that the timer couldn't stop it.
    STOP_WARNING = Traits("stop_warning", urgency=3, offers="workspace", marks=Mark.PASSES | Mark.STANDS)
    PLANNED_STOP_FAILED = Traits("planned_stop_failed", offers="workspace", marks=Mark.PASSES | Mark.STANDS)
    #: Tells administrators that a user couldn't be warned that their workspace would end.
    WARNING_UNDELIVERED = Traits("warning_undelivered", marks=Mark.PEOPLE)

    # -- class cards and courses -----------------------------------------------------------------------------

    CLASS_CARD = Traits("class_card", "class", urgency=2, marks=Mark.CARD | Mark.IN_CHANNEL | Mark.HARMLESS)
    CLASS_POSTED = Traits("class_posted", "class", offers="subject", marks=Mark.NEWEST)
    CLASS_STOP_WARNING = Traits("class_stop_warning", "class", offers="workspace")
    CLASS_OVER = Traits("class_over", "class", marks=Mark.NEWS)
    #: Tells a course's teachers, before a lesson, how many members are ready.
    LESSON_REPORT = Traits("lesson_report", "class", marks=Mark.NEWS)
    #: Tells a member why their workspace isn't ready for a lesson, or won't be, and what they can do.
    LESSON_NOT_READY = Traits("lesson_not_ready", "class", offers="link", marks=Mark.PASSES)
    #: Tells a person that an upgrade has removed them from a course, because the course no longer matches
    #: what they agreed to.
    COURSE_LEFT = Traits("course_left", "class", offers="reader", marks=Mark.PASSES)
    #: Announces that a lesson begins, and says whether the workspace is ready.
    LESSON = Traits("lesson", "operation", offers="workspace", marks=Mark.PASSES)

    # -- capacity --------------------------------------------------------------------------------------------

    #: Shows the person's place in line. It is updated while they wait, and then shows how the wait ended.
    WAITLIST_PLACE = Traits("waitlist_place", offers="workspace", marks=Mark.ASKS | Mark.PASSES)
    #: Says that Usher has stopped trying, because no capacity became available in time.
    WAITLIST_ENDED = Traits("waitlist_ended", offers="workspace")

    # -- usage -----------------------------------------------------------------------------------------------

    #: Last week's usage, sent on Monday to everyone who wants this message.
    WEEK = Traits("week", offers="person", marks=Mark.NEWEST)

    # -- links and workspaces about to expire ----------------------------------------------------------------

    WORKSPACE_EXPIRY = Traits("workspace_expiry", urgency=3, offers="workspace", marks=Mark.PASSES)
    #: Tells the owner whether the provider will let their workspace run longer.
    WORKSPACE_EXTENDED = Traits("workspace_extended", offers="workspace")
    #: Warns that a link's credential expires soon.
    LINK_EXPIRY = Traits("link_expiry", urgency=3, offers="link", marks=Mark.PASSES)

    # -- requests to be linked to a username -----------------------------------------------------------------

    APPROVAL_REQUEST = Traits("approval_request", offers="reader", marks=Mark.PEOPLE | Mark.ASKS)
    #: Asks a person whether an account is theirs, because someone else has requested to be linked to it.
    ACCOUNT_QUESTION = Traits("account_question", offers="reader", marks=Mark.PEOPLE | Mark.ASKS)
    #: Says how a request to link an account ended: it was denied, the account was linked, or linking it
    #: failed.
    APPROVAL_ENDED = Traits("approval_ended", marks=Mark.PEOPLE)

    # -- rows lost in a failover or by restoring a backup ----------------------------------------------------

    #: Says which requests the database lost after Usher had answered them, and describes the current state.
    WRITES_LOST = Traits("writes_lost", offers="workspace")
    #: Says that a restored backup may have brought back a link that the user had ended.
    BACKUP_RESTORED = Traits("backup_restored")

    # -- an upgrade ------------------------------------------------------------------------------------------

    #: Lists everything that the new release no longer does for a person, in one message.
    UPGRADE_LOSSES = Traits("upgrade_losses")


#: Maps each kind of message that is posted in a channel to the kind that asks its author what to do. Usher
#: asks if it gives up on the message or doesn't know whether it was posted, because it can't check that in a
#: channel.
UNPOSTED: Final = {NoticeKind.CLASS_CARD: NoticeKind.CLASS_POSTED}
#: Kinds of messages with a file. After the upload, the message's body stores the file's id as ``file``.
FILE_KINDS: Final = frozenset({NoticeKind.JOB_FILE, NoticeKind.USAGE_PICTURE})


#: The ``occasion`` of the message about the end of an operation or run. An occasion distinguishes messages of
#: the same kind about the same thing. A fixed word is enough here, because nothing ends twice.
END: Final = "end"
#: State of the message about how an operation ended: "" if there is no such message, ``pending`` until it is
#: known to be in Slack, and then ``sent``.
EndState = Literal["", "pending", "sent"]


def end_of(operation: Operation, outcome: Outcome | None = None) -> NoticeKind:
    """Return the kind of message for an operation's outcome. Refusals and cancellations count as failures."""
    if (outcome or operation.outcome) is not Outcome.FULFILLED:
        return NoticeKind.FAILED
    if operation.verb is OperationVerb.REMOVE:
        return NoticeKind.REMOVED
    return NoticeKind.STOPPED if operation.verb.brings_down else NoticeKind.READY


class NoticeState(StrEnum):
    """The states of a notice in the outbox."""

    PENDING = "pending"
    LEASED = "leased"
    SENT = "sent"
    RETRY = "retry"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class NewNotice:
    """A message to be added to the outbox. ``subject``, ``kind`` and ``occasion`` together must be unique.

    ``body`` can be turned into JSON. It contains the facts, mostly row keys, from which ``bot.messages``
    renders the message when it is sent. For a verb's reply or message, it is the Answer itself.
    """

    subject: str
    kind: NoticeKind
    occasion: str
    principal: Principal
    body: dict[str, Any] = field(default_factory=dict)
    due_in: float = 0.0


class NoticeError(StrEnum):
    """Usher's codes for why a message wasn't sent. They are never renamed, because rows contain them."""

    #: A search in Slack has shown that the notice wasn't sent.
    NOT_SENT = "not sent"
    #: The notice waits until its workspace's status has been read again. The wait began at ``read_since``.
    TO_BE_READ = "to be read"
    NOT_READY = "not ready"
    NOT_WRITTEN = "not written"
    NOT_LOOKED_UP = "not looked up"
    PROMISED = "promise under way"
    UNDRAWABLE = "undrawable"


#: Error codes that can be ignored. The first two are Slack's: the user is deactivated, or the card was
#: deleted. The third means that a newer notice has replaced this one.
UNREAD: Final = frozenset({"user_disabled", "message_not_found", "superseded"})


@dataclass(frozen=True, slots=True)
class Notice:
    """A row of the outbox. ``unknown_since`` is the time of the attempt, if its outcome isn't known."""

    id: str
    subject: str
    kind: NoticeKind
    occasion: str
    principal: Principal
    body: dict[str, Any]
    state: NoticeState
    attempts: int
    created_at: Past
    #: When the notice may be claimed next: at most ``DEADLINE_SECONDS`` from now, because an operation's
    #: first card may be held back that long. Only messages about the beginning of a lesson may be due later
    #: (``FIXED_CONDITIONS`` in ``bot.store.time_repair``).
    due_at: Annotated[float, make_due(DEADLINE_SECONDS)]
    unknown_since: Past | None = None
    channel_id: str | None = None
    message_ts: str | None = None
    #: Why the notice hasn't been sent: a ``NoticeError``, or one of Slack's error codes.
    error: str | None = None
    #: Whether the notice is sent as plain text because Slack refused its blocks.
    is_text: bool = False
    #: When the notice began to wait for a read.
    read_since: Past | None = None
    #: When Usher last tried to send the notice while Slack was unavailable.
    tried_at: Past | None = None
    #: The notice's key in an earlier release, which may have sent the notice before its kind was renamed. The
    #: Slack message's metadata then contains this key. Otherwise None.
    sent_as: str | None = None

    @property
    def is_harmless(self) -> bool:
        """Return whether the notice can be dropped without doing any harm."""
        return Mark.HARMLESS in self.kind.marks or self.error in UNREAD

    @property
    def key(self) -> str:
        """Return the key by which the metadata of the Slack message identifies this notice."""
        return self.sent_as or f"{self.subject}/{self.kind}/{self.occasion}"


@dataclass(frozen=True, slots=True)
class Card:
    """A message in Slack that Usher keeps up to date.

    ``kind`` is the kind of notice that posted it, ``subject`` is the row that it shows, and ``about`` is the
    workspace, run or class that its buttons act on. A card is redrawn until its operation or run is over, and
    a question until it is answered. A ``closed`` message no longer has buttons. ``body`` contains those facts
    of its notice that don't change. ``name`` is the workspace's name if its row has been deleted.
    """

    id: str
    subject: str
    kind: NoticeKind
    principal: Principal
    channel_id: str | None
    message_ts: str | None
    is_dirty: bool
    #: The time of the latest change of state that the card doesn't show yet. None if the card shows the
    #: current state, even if other parts of it, such as a run's output or a button, are outdated.
    changed_at: Past | None
    updated_at: Past
    #: Increases with every change that makes the card outdated.
    revision: int = 0
    about: str = ""
    stage: Literal["live", "closed"] = "live"
    body: dict[str, Any] = field(default_factory=dict)
    created_at: Past = 0.0
    name: str | None = None
    #: A digest of what the card shows now, or "" if that isn't known.
    rendered_digest: str = ""
    #: The value of ``rendered_digest`` before the card was claimed for an update. If the digest of the new
    #: content is the same, the message isn't edited.
    claimed_digest: str = ""
    #: When the current claim expires. Until then, only the process that claimed the card may update it.
    leased_until: Send = 0.0
    #: When the message next becomes outdated, because a time that it mentions passes or its subject ends.
    over_at: Stays | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A verb's answer to a person. It has blocks and a fallback text, escaped and within Slack's limits.

    - ``replaces`` updates the message whose button was pressed.
    - ``view`` opens or updates a modal, if the surface supports it.
    - ``is_question`` means that pressing one of its buttons settles it.
    - ``errors`` are shown next to the fields of the submitted form, which stays open.
    - ``unwritten`` is set if the store didn't write the request (``not``) or may not have written it
      (``unsure``). It couldn't write this answer in time either.
    - ``offers`` is the one workspace or run that its buttons act on.
    - ``shows`` says how to redraw the answer where it can be edited: the ``kind`` of message, its
      ``subject``, the workspace it is ``about`` and the ``connection``.
    - ``is_dated`` means that the answer says at what time it was true.
    """

    text: str
    blocks: tuple[dict[str, Any], ...] = ()
    replaces: bool = False
    view: dict[str, Any] | None = None
    is_question: bool = False
    errors: Mapping[str, str] = field(default_factory=dict)
    unwritten: Literal["", "not", "unsure"] = ""
    offers: str = ""
    shows: Mapping[str, str] = field(default_factory=dict)
    is_dated: bool = False
