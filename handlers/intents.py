"""Intents: what sentences ask of features, each of which registers what it reads, offers and does.

A feature reads whole texts about its own things (``RequestHooks``), offers commands for labels of the ranker
(``commands``, ``forms``), answers them (``shows``), or does what is its own (``hours``, ``undo``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Literal, Protocol, TypeVar

from bot.domain.notices import Answer
from bot.domain.time_parsing import Wanted
from bot.domain.undoable_actions import Act
from bot.domain.workspaces import Workspace
from bot.messages.blocks import replies
from bot.messages.texts import talk
from bot.support.declarations import Registry, require_complete
from handlers.hooks import RequestHooks
from handlers.names import Entity, Names
from handlers.request import Answered, Manner, Request


class Sentence(Protocol):
    """A text that nobody reads completely, as features offer commands for it."""

    @property
    def request(self) -> Request:
        """Return the request of its words."""

    @property
    def words(self) -> tuple[str, ...]:
        """Return its words as rules compare them."""

    @property
    def names(self) -> Names:
        """Return everything of the person that words can name."""

    @property
    def workspaces(self) -> Sequence[Workspace]:
        """Return the workspaces that it names."""

    @property
    def courses(self) -> Sequence[Entity]:
        """Return the courses that it names, also by a part of a title."""

    def find_time_places(self, words: Sequence[str]) -> Collection[int]:
        """Return the places of times among words."""


@dataclass(frozen=True, slots=True)
class Intent:
    """The reading of a whole text by a feature, with the function that answers it.

    ``what`` is a verb with the ``words`` that follow it, or the topic of a question. ``courses`` and
    ``workspaces`` (by name) are what it may be about; ``is_question``: it only asks whether to do it.
    """

    kind: Literal["verb", "question"]
    what: str
    answer: Callable[[Request], Awaitable[Answer]]
    words: tuple[str, ...] = ()
    manner: Manner = Manner.TYPED
    courses: tuple[Entity, ...] = ()
    workspaces: tuple[tuple[Workspace, ...], ...] = ()
    #: A part of a title, or a slip, stands for what it is about.
    is_near: bool = False
    is_question: bool = False


#: A verb of workspaces, and the name after it.
Order = tuple[str, tuple[str, ...]]
Offers = Callable[[Sentence, str], Awaitable[Sequence[str]]]
#: Commands for a label of the ranker (``bot.features.sentences.labels``) that would work now, and those that
#: open a form.
commands: Registry[Offers] = Registry()
forms: Registry[Offers] = Registry()
#: The answer to a label: of its name and the words.
shows: Registry[Callable[[Request, str, Sequence[str]], Awaitable[Answer]]] = Registry()


async def read(request: Request) -> Intent | None:
    """Return the intent of a request's words, if a feature reads them."""
    for hooks in RequestHooks.list_subscribers():
        if (intent := await hooks.read_intent(request)) is not None:
            return intent
    return None


def read_order(words: Sequence[str], find_names: Callable[[], Collection[int]]) -> Order | None:
    """Return the order that a feature reads in words."""
    orders = (hooks.read_order(words, find_names) for hooks in RequestHooks.list_subscribers())
    return next(filter(None, orders), None)


class Hours(Protocol):
    """The interface of working hours for sentences."""

    async def list_having(self, request: Request, workspaces: Sequence[Workspace]) -> list[Workspace]:
        """Return those workspaces that have hours."""

    async def apply_order(
        self, request: Request, workspace: Workspace, order: str, former: str = ""
    ) -> Answer:
        """Apply the words after a workspace's name to its hours; ``former`` is the rule that they replace."""

    async def leave_out_days(self, request: Request, chosen: Sequence[Workspace], order: str) -> Answer:
        """Leave days out of the hours of several workspaces, pause or resume them."""

    async def find_made(self, request: Request, act: Act) -> tuple[Wanted, str] | None:
        """Return the hours that an act has made, and their rule; None if it made none or several."""


class Undo(Protocol):
    """The interface of undo for sentences."""

    async def undo(
        self, request: Request, act_id: str = "", or_else: Callable[[], Awaitable[Answer]] | None = None
    ) -> tuple[Answer, bool]:
        """Take an act back, or the last one; return the answer, and whether all is as before the act.

        ``or_else`` answers where there is no act.
        """


Adapter = TypeVar("Adapter")


class Port(Generic[Adapter]):
    """A slot for the one feature that implements an interface."""

    def __init__(self) -> None:
        self._adapter: Adapter | None = None

    def register(self, adapter: Adapter) -> None:
        """Register the feature's side; raises ValueError if there is one."""
        if self._adapter is not None:
            raise ValueError(f"{type(adapter).__name__} is the second adapter of its port")
        self._adapter = adapter

    def find(self) -> Adapter:
        """Return the feature's side; raises Answered where the feature isn't there."""
        require_complete()
        if self._adapter is None:
            raise Answered(replies.hint(talk.NOT_UNDERSTOOD))
        return self._adapter


hours: Final[Port[Hours]] = Port()
undo: Final[Port[Undo]] = Port()
