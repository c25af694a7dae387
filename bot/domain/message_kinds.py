"""Kinds of messages: what each is about, and how it is treated.

The kinds about operations, runs and links are in ``bot.domain.notices``, others in their subject's module.
"""

from collections.abc import Iterator
from enum import Enum, Flag, StrEnum, auto
from typing import Any, Final, Literal, NamedTuple, Self, TypeVar

from bot.support.declarations import require_complete

#: News that people can switch off.
Topic = Literal["ready", "stopped", "run_ended"]
#: The object of a message's buttons.
#: - ``workspace``, ``link``: the workspace, or the link to the connection, that its body names.
#: - ``subject``: its subject, for all readers together.
#: - ``reader``: its subject, for each reader.
#: - ``person``: its person, who has only one such message.
Offered = Literal["workspace", "link", "subject", "reader", "person"]
Urgency = Literal[0, 1, 2, 3]
Word = TypeVar("Word", bound=Enum)


class Mark(Flag):
    """Flags for the treatment of a kind's messages."""

    NONE = 0
    #: The message is kept up to date with its row, and has that row's id.
    CARD = auto()
    #: It says how an operation or a run ended. It waits a moment for the card, so that they come in order.
    END = auto()
    #: It isn't sent if its operation has a card, which says the same.
    IN_CARD = auto()
    #: It reports something that needs no decision. After an outage, one message has all of a person's news.
    NEWS = auto()
    #: It is sent before replies.
    URGENT = auto()
    #: It asks a question. It is redrawn as cards are, and then shows the answer.
    ASKS = auto()
    #: Only the newest message about the same object has buttons.
    NEWEST = auto()
    #: It announces or asks about a change. It goes once that is no longer true, or a newer message replaces
    #: it.
    PASSES = auto()
    #: A newer request doesn't make it outdated; only its own condition does.
    STANDS = auto()
    #: It belongs in the thread of its run's card.
    THREADED = auto()
    #: It goes to the channel that its body names, instead of to its person.
    IN_CHANNEL = auto()
    #: It names other people: who asks for a link, who decided, who tried.
    PEOPLE = auto()
    #: It contains a run's output, which is kept nowhere but in Slack.
    OUTPUT = auto()
    #: Nothing is lost if it isn't sent. A reply is worthless after a minute, and if a class card isn't
    #: posted, its poster is asked.
    HARMLESS = auto()


class Traits(NamedTuple):
    """A kind's name, as stored in rows, and its treatment (``AnyKind``)."""

    name: str
    subject: str = "other"
    urgency: Urgency = 1
    offers: Offered | None = None
    topic: Topic | None = None
    marks: Mark = Mark.NONE


class AnyKind(StrEnum):
    """A kind of messages to people, and their treatment.

    ``subject`` is the kind of row that the message is about: an operation, a job or a class. ``urgency`` is
    the order of sending: 1 ready, failed and refused; 2 first card; 3 still waiting, and warnings. Updates of
    cards come after these. They aren't notices: the card's row is marked dirty instead. Replies (0) have
    their own path to Slack, so that neither they nor notices wait for each other.
    """

    subject: str
    urgency: Urgency
    offers: Offered | None
    topic: Topic | None
    marks: Mark

    def __new__(cls, name: str, *traits: Any) -> Self:
        """Make a kind by its name, with the other fields of ``Traits``."""
        kind = str.__new__(cls, name)
        kind._value_ = name
        kind.subject, kind.urgency, kind.offers, kind.topic, kind.marks = traits
        return kind


def list_members(words: type[Word]) -> Iterator[Word]:
    """Yield the members of an enumeration and of its direct subclasses."""
    require_complete()
    for one in (words, *words.__subclasses__()):
        yield from one


#: For each kind that isn't posted again unasked: the kind of message that asks its person, if it is unknown
#: whether it was posted, or if it can't be.
UNPOSTED: Final[dict[AnyKind, AnyKind]] = {}
