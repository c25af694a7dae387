"""Kinds of messages: what each is about, and how it is treated.

Those of operations, runs and links are in ``bot.domain.notices``, others in the module of their subject here.
"""

from collections.abc import Iterator
from enum import Enum, Flag, StrEnum, auto
from typing import Any, Final, Literal, NamedTuple, Self, TypeVar

from bot.support.declarations import require_complete

#: What people can choose not to hear.
Topic = Literal["ready", "stopped", "run_ended"]
#: What a message offers something for: the workspace or the connection that its body names; its subject, for
#: all who read of it or each of them; or its person, who has one such message.
Offered = Literal["workspace", "link", "subject", "reader", "person"]
Urgency = Literal[0, 1, 2, 3]
Word = TypeVar("Word", bound=Enum)


class Mark(Flag):
    """Flags for the treatment of a kind's messages."""

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
    #: Of those about the same the newest offers something.
    NEWEST = auto()
    #: It says or asks what is to change: it goes once that isn't so any more, or once it has a successor.
    PASSES = auto()
    #: It stands beside what was asked for since: only its own condition says when it is over.
    STANDS = auto()
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


class Traits(NamedTuple):
    """A kind's name, as rows have it, and its treatment (``AnyKind``)."""

    name: str
    subject: str = "other"
    urgency: Urgency = 1
    offers: Offered | None = None
    topic: Topic | None = None
    marks: Mark = Mark.NONE


class AnyKind(StrEnum):
    """A kind of messages to people, and their treatment.

    ``subject`` is the sort of row that it is about: an operation, a job, a class. ``urgency`` is the
    order of sending: 1 ready, failed and refused; 2 first card; 3 still waiting, and warnings. Updates of
    cards, the fourth class, aren't notices: the card's row is marked dirty instead. Replies (0) have their
    own path to Slack: they never queue behind notices, nor notices behind them.
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
    """Yield the words of a sort: its own, and those that are declared in subclasses."""
    require_complete()
    for one in (words, *words.__subclasses__()):
        yield from one


#: By a kind whose posting nobody repeats unasked, what asks its person: nobody knows whether it was posted,
#: or it can't be.
UNPOSTED: Final[dict[AnyKind, AnyKind]] = {}
