"""Messages to people: answers, notices and cards.

Failures, questions and warnings are always sent. News that the person switched off only shows on the card, if
there is one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

from bot.domain.conversations import Referents
from bot.domain.message_kinds import AnyKind, Mark, Traits
from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Principal
from bot.domain.row_times import Past, Send, Stays
from bot.domain.work_items import Outcome


class NoticeKind(AnyKind):
    """Kinds of messages that the core sends."""

    READY = Traits(
        "ready", "operation", offers="workspace", topic="ready", marks=Mark.END | Mark.NEWS | Mark.URGENT
    )
    #: The workspace's address, if it became known, or changed, after the message that it is ready.
    READY_LINK = Traits("ready_link", "operation", offers="workspace", marks=Mark.NEWS)
    FAILED = Traits("failed", "operation", offers="workspace", marks=Mark.END | Mark.URGENT)
    REFUSED = Traits("refused", "operation", offers="workspace", marks=Mark.END | Mark.URGENT)
    STOPPED = Traits("stopped", "operation", offers="workspace", marks=Mark.END | Mark.NEWS | Mark.IN_CARD)
    SUSPENDED = Traits(
        "suspended", "operation", offers="workspace", marks=Mark.END | Mark.NEWS | Mark.IN_CARD
    )
    REMOVED = Traits("removed", "operation", offers="workspace", marks=Mark.END | Mark.NEWS | Mark.IN_CARD)
    CARD = Traits("card", "operation", urgency=2, marks=Mark.CARD)
    WAITING = Traits("waiting", "operation", urgency=3, offers="workspace", marks=Mark.PASSES)
    #: Asks the person, because nobody knows whether their workspace was created.
    OUTCOME_QUESTION = Traits("outcome_question", "operation", offers="workspace", marks=Mark.ASKS)
    JOB_CARD = Traits("job_card", "job", urgency=2, marks=Mark.CARD)
    JOB_ENDED = Traits(
        "job_ended", "job", offers="subject", topic="run_ended", marks=Mark.END | Mark.NEWS | Mark.OUTPUT
    )
    JOB_FAILED = Traits("job_failed", "job", offers="subject", marks=Mark.END)
    JOB_FILE = Traits("job_file", "job", urgency=3, marks=Mark.THREADED)
    JOB_WAITING = Traits("job_waiting", "job", urgency=3, offers="subject", marks=Mark.PASSES)
    JOB_OUTCOME_QUESTION = Traits("job_outcome_question", "job", offers="subject", marks=Mark.ASKS)
    JOB_NOT_STOPPED = Traits("job_not_stopped", "job")
    JOB_FILE_MISSING = Traits("job_file_missing", "job")
    #: An update of a card that couldn't be rendered in time. Its body has the ``message_ts``.
    CARD_UPDATE = Traits("card_update", urgency=3, marks=Mark.IN_CHANNEL)
    LINKED = Traits("linked", offers="link")
    UNLINKED = Traits("unlinked", offers="link")
    #: Promised when a link ended: whether the provider has deleted the secret.
    REVOKED = Traits("revoked")
    #: To administrators: secrets that Usher has erased, but that a provider may still accept.
    NOT_REVOKED = Traits("not_revoked")
    #: To administrators: workspaces still running of people who left and whose links have ended.
    LEFT_RUNNING = Traits("left_running")
    RELINK_PROMPT = Traits("relink_prompt", urgency=3, offers="link", marks=Mark.PASSES)
    SIGN_IN_REFUSED = Traits("sign_in_refused", urgency=3, offers="link", marks=Mark.PASSES)
    #: To its person, and to administrators: a link rests because its username is now another account.
    LINK_RESTING = Traits("link_resting", urgency=3, offers="link", marks=Mark.PASSES)
    LINKS_RESTING = Traits("links_resting", marks=Mark.PEOPLE)
    STOPPED_ELSEWHERE = Traits("stopped_elsewhere", offers="workspace", topic="stopped", marks=Mark.NEWS)
    #: Corrects an earlier message that said how an operation ended, as that has turned out to be wrong.
    TURNED_OUT = Traits("turned_out", offers="workspace", marks=Mark.NEWS)
    #: Somebody else tried to link the account that this person has linked.
    LINK_ATTEMPTED = Traits("link_attempted", marks=Mark.PEOPLE)
    #: A proof has ended somebody else's approved link of the same account.
    LINK_PROVEN = Traits("link_proven", marks=Mark.PEOPLE)
    OUTAGE = Traits("outage", marks=Mark.NEWS)
    #: All of a person's news that piled up while Slack was away, in one message.
    SUMMARY = Traits("summary")
    #: The results of several operations that one request began, in one message.
    RESULTS = Traits("results")
    #: A verb's answer, already rendered. It is sent as a new message, or as a reply where the person asked.
    MESSAGE = Traits("message")
    #: A question that a request of Slack's assistant raised.
    ASSISTANT_QUESTION = Traits("assistant_question", offers="person", marks=Mark.NEWEST)
    #: A picture of usage, uploaded as a file; its body is a ``UsageWeek``.
    USAGE_PICTURE = Traits("usage_picture", urgency=3)
    REPLY = Traits("reply", urgency=0, marks=Mark.HARMLESS)


#: Messages with a file; their bodies have its id as ``file`` once it is uploaded.
FILE_KINDS: Final = frozenset({NoticeKind.JOB_FILE, NoticeKind.USAGE_PICTURE})
#: Kinds of messages about fulfilled operations that don't result in a running workspace.
_DONE: Final = {
    OperationVerb.STOP: NoticeKind.STOPPED,
    OperationVerb.FORCE: NoticeKind.STOPPED,
    OperationVerb.SUSPEND: NoticeKind.SUSPENDED,
    OperationVerb.REMOVE: NoticeKind.REMOVED,
}


#: The occasion of the message about an end. An operation or run ends only once.
END: Final = "end"
#: State of the message about an end: "" if there is none (any more), ``pending`` while it waits or may have
#: been sent, ``sent`` once it is known to be in Slack.
EndState = Literal["", "pending", "sent"]


def end_of(operation: Operation, outcome: Outcome | None = None) -> NoticeKind:
    """Return the kind of message for an operation's outcome; to people a cancellation is a failure."""
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

    ``body`` is JSON-ready. It has the facts, mostly row keys, from which ``bot.messages`` renders the message
    when it is sent. For replies and verbs' messages it is the Answer itself.
    """

    subject: str
    kind: AnyKind
    occasion: str
    principal: Principal
    body: dict[str, Any] = field(default_factory=dict)
    due_in: float = 0.0


class NoticeError(StrEnum):
    """Usher's own codes for why a message isn't sent yet; never renamed, as rows have them."""

    #: A search didn't find the message in Slack.
    NOT_SENT = "not sent"
    #: The notice waits for a read of its workspace, since ``read_since``.
    TO_BE_READ = "to be read"
    NOT_READY = "not ready"
    NOT_WRITTEN = "not written"
    NOT_LOOKED_UP = "not looked up"
    PROMISED = "promise under way"
    UNDRAWABLE = "undrawable"


#: Errors of notices that nobody misses. The person is deactivated or the card deleted (Slack's codes), or a
#: newer notice took its place.
UNREAD: Final = frozenset({"user_disabled", "message_not_found", "superseded"})


@dataclass(frozen=True, slots=True)
class Notice:
    """Hold one row of the outbox.

    ``unknown_since`` is when an attempt of unknown outcome was made.
    """

    id: str
    subject: str
    kind: AnyKind
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
    #: A ``NoticeError``, or one of Slack's error codes.
    error: str | None = None
    #: Whether it is sent as text, because Slack refused its blocks.
    is_text: bool = False
    #: Since when it waits for a read of its workspace, and when it was last tried while Slack was away.
    read_since: Past | None = None
    tried_at: Past | None = None
    #: The key in Slack's metadata if a release with another word for the kind may have sent it.
    sent_as: str | None = None

    @property
    def is_harmless(self) -> bool:
        """Return whether it does no harm if this notice is never sent.

        A deactivated person and a deleted card have no reader, and nobody misses a replaced message.
        """
        return Mark.HARMLESS in self.kind.marks or self.error in UNREAD

    @property
    def key(self) -> str:
        """Return the key that is sent in Slack's message metadata."""
        return self.sent_as or f"{self.subject}/{self.kind}/{self.occasion}"


@dataclass(frozen=True, slots=True)
class Card:
    """A message in Slack that Usher keeps up to date: its place, and whether it needs an update.

    ``kind`` is the kind of notice that posted it, ``subject`` the row that it shows, and ``about`` the
    workspace, run or class that its buttons act on. A card is redrawn until its operation or run is over, a
    question until it is answered. A ``closed`` message has no buttons any more. ``body`` is the notice's,
    with the facts that don't change. ``name`` is the workspace's name if its row is deleted.
    """

    id: str
    subject: str
    kind: AnyKind
    principal: Principal
    channel_id: str | None
    message_ts: str | None
    is_dirty: bool
    #: Since when the latest change of the state waits to be shown; None if only progress changed.
    changed_at: Past | None
    updated_at: Past
    about: str = ""
    stage: Literal["live", "closed"] = "live"
    body: dict[str, Any] = field(default_factory=dict)
    created_at: Past = 0.0
    name: str | None = None
    #: Digests of the content now and when it was claimed for an update; "" if unknown.
    rendered_digest: str = ""
    claimed_digest: str = ""
    #: The end of the current claim's lease.
    leased_until: Send = 0.0
    #: The next time at which the message is out of date: a time it announces passes, or its subject ends.
    over_at: Stays | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold a verb's answer to a person: blocks and their fallback text, escaped and within Slack's limits.

    - ``in_channel`` is set only if the person asked for that (``--share``). Such an answer has no IDE URL.
    - ``replaces`` updates the message whose button was pressed.
    - ``view`` opens or updates a modal, if the surface supports it.
    - ``about`` has what the person may refer to in their next words.
    - ``errors`` are shown at the fields of the form that was sent, which stays open.
    - ``unwritten`` is set if the store didn't write the request (``not``), or perhaps didn't (``unsure``).
      The store couldn't write this answer in time either.
    - ``offers`` is the one workspace or run that its buttons act on.
    - ``shows`` says how to redraw the answer where it can be edited: the ``kind`` of message, its
      ``subject``, the workspace it is ``about`` and the ``connection``.
    - ``is_dated``: the answer names the time at which it was true.
    """

    text: str
    blocks: tuple[dict[str, Any], ...] = ()
    in_channel: bool = False
    replaces: bool = False
    view: dict[str, Any] | None = None
    about: Referents | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    unwritten: Literal["", "not", "unsure"] = ""
    offers: str = ""
    shows: Mapping[str, str] = field(default_factory=dict)
    is_dated: bool = False
