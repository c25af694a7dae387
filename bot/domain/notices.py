"""Messages to people: answers, notices and cards.

Failures, questions and warnings are always sent. What the person switched off only shows on the card, if
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
    #: The address of what was told as ready: it came, or changed, after that.
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
    #: It's unknown whether something was created or launched, so the person is asked.
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
    #: An update of a card that couldn't be rendered when it was due; its body has the ``message_ts``.
    CARD_UPDATE = Traits("card_update", urgency=3, marks=Mark.IN_CHANNEL)
    LINKED = Traits("linked", offers="link")
    UNLINKED = Traits("unlinked", offers="link")
    #: What was promised when a link ended: its provider has deleted the secret, or may not have.
    REVOKED = Traits("revoked")
    #: To administrators: secrets that a provider may still take, and that Usher has erased.
    NOT_REVOKED = Traits("not_revoked")
    #: To administrators: what still runs of people whose links have ended because they left.
    LEFT_RUNNING = Traits("left_running")
    RELINK_PROMPT = Traits("relink_prompt", urgency=3, offers="link", marks=Mark.PASSES)
    SIGN_IN_REFUSED = Traits("sign_in_refused", urgency=3, offers="link", marks=Mark.PASSES)
    #: A link rests, as its name is another account by now: to its person, and to administrators.
    LINK_RESTING = Traits("link_resting", urgency=3, offers="link", marks=Mark.PASSES)
    LINKS_RESTING = Traits("links_resting", marks=Mark.PEOPLE)
    STOPPED_ELSEWHERE = Traits("stopped_elsewhere", offers="workspace", topic="stopped", marks=Mark.NEWS)
    #: What was told of it, or promised, as over turns out otherwise.
    TURNED_OUT = Traits("turned_out", offers="workspace", marks=Mark.NEWS)
    #: Somebody else tried to link an account that this person has linked.
    LINK_ATTEMPTED = Traits("link_attempted", marks=Mark.PEOPLE)
    #: A proof has ended somebody else's approved link of the same account.
    LINK_PROVEN = Traits("link_proven", marks=Mark.PEOPLE)
    OUTAGE = Traits("outage", marks=Mark.NEWS)
    #: All pending news of somebody after a silence, in one message.
    SUMMARY = Traits("summary")
    #: How several ended that one request began, in one message.
    RESULTS = Traits("results")
    #: A verb's answer, already rendered: as a new message, or as a reply where the person asked.
    MESSAGE = Traits("message")
    #: A question that Slack's assistant has caused.
    ASSISTANT_QUESTION = Traits("assistant_question", offers="person", marks=Mark.NEWEST)
    REPLY = Traits("reply", urgency=0, marks=Mark.HARMLESS)


#: How fulfilled operations end that don't result in a running workspace.
_DONE: Final = {
    OperationVerb.STOP: NoticeKind.STOPPED,
    OperationVerb.FORCE: NoticeKind.STOPPED,
    OperationVerb.SUSPEND: NoticeKind.SUSPENDED,
    OperationVerb.REMOVE: NoticeKind.REMOVED,
}


#: An operation or run ends once, so its end is one occasion.
END: Final = "end"
#: What has become of the message about an end: there is none, or not any more; it waits to be sent, or may
#: have been; it is known to be there.
EndState = Literal["", "pending", "sent"]


def end_of(operation: Operation, outcome: Outcome | None = None) -> NoticeKind:
    """Return the kind of message for an operation's outcome; a cancellation is a failure to people."""
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
    kind: AnyKind
    occasion: str
    principal: Principal
    body: dict[str, Any] = field(default_factory=dict)
    due_in: float = 0.0


class NoticeError(StrEnum):
    """Usher's own codes for why a message isn't sent yet; never renamed, as rows have them."""

    #: A search hasn't found it in Slack.
    NOT_SENT = "not sent"
    #: Its workspace is read first, since ``read_since``.
    TO_BE_READ = "to be read"
    NOT_READY = "not ready"
    NOT_WRITTEN = "not written"
    NOT_LOOKED_UP = "not looked up"
    PROMISED = "promise under way"
    UNDRAWABLE = "undrawable"


#: What nobody would read, or has to: a deactivated person, a deleted card (Slack's codes), what was replaced.
UNREAD: Final = frozenset({"user_disabled", "message_not_found", "superseded"})


@dataclass(frozen=True, slots=True)
class Notice:
    """Hold one row of the outbox.

    ``unknown_since`` is when an attempt of unknown outcome was made; clock healing doesn't move it.
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
    #: A ``NoticeError``, or a code of Slack's.
    error: str | None = None
    #: Slack has refused its blocks: it is sent as text.
    is_text: bool = False
    #: Since when it waits for a read, and when it was last tried meanwhile, as Slack was away.
    read_since: Past | None = None
    tried_at: Past | None = None
    #: The key in the metadata of a message that a release with another word for its kind may have sent.
    sent_as: str | None = None

    @property
    def is_harmless(self) -> bool:
        """Return whether it does no harm that this dead notice wasn't sent.

        A deactivated Slack account or a deleted card has no reader; what is superseded isn't missed.
        """
        return Mark.HARMLESS in self.kind.marks or self.error in UNREAD

    @property
    def key(self) -> str:
        """Return the key that is sent in Slack's message metadata."""
        return self.sent_as or f"{self.subject}/{self.kind}/{self.occasion}"


@dataclass(frozen=True, slots=True)
class Card:
    """A posted message with buttons: its place in Slack, and whether it needs an update.

    ``kind`` is the kind of notice that posted it, ``subject`` the row that it shows, ``about`` the workspace,
    run or class that it offers something for. A card is drawn until its act is over, a question until it is
    answered; a closed one offers nothing any more. ``body`` is the notice's, and what was said for good.
    ``name`` is what its workspace was called, if that is deleted.
    """

    id: str
    subject: str
    kind: AnyKind
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
    #: Digests of what it shows, and of what it showed when it was claimed; "" if nobody knows.
    rendered_digest: str = ""
    claimed_digest: str = ""
    #: Until when a claim holds it.
    leased_until: Send = 0.0
    #: The next moment that it announces, or that one of its buttons is good until.
    over_at: Stays | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold a verb's answer to a person: blocks and their fallback text, escaped and within Slack's limits.

    ``in_channel`` is set only when the person asked for it (``--share``); the answer then has no IDE URL.
    ``replaces`` updates the message whose button was pressed. ``view`` opens or updates a modal where the
    surface supports it. ``about`` is what the person may refer to afterwards. ``errors`` are shown at the
    fields of the form that was sent, which stays open. ``unwritten``: the store didn't take what was asked,
    or nobody knows yet, so it wouldn't take this answer in time either. ``offers`` is what its buttons are
    for while they work: one workspace or run. ``shows`` is as what it is drawn again where it can be edited:
    the ``kind`` of message, its ``subject``, the workspace it is ``about`` and the ``connection``.
    ``is_dated``: it says as of when it is. ``facts`` is what it says as data, JSON-ready, for a reader that
    is a program.
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
    facts: Mapping[str, Any] = field(default_factory=dict)
