"""Intents: the readings, commands and answers that features register for sentences.

A feature reads whole texts about its own things (``RequestHooks``), offers commands for labels of the ranker
(``commands``, ``forms``), or answers them (``shows``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.domain.notices import Answer
from bot.domain.workspaces import Workspace
from bot.messages.blocks import replies
from bot.messages.texts import talk
from bot.support.declarations import Registry
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


async def undo_action(
    request: Request, action_id: str = "", or_else: Callable[[], Awaitable[Answer]] | None = None
) -> tuple[Answer, bool]:
    """Undo an act as ``RequestHooks.undo_action`` says; raises Answered where no feature does that."""
    for hooks in RequestHooks.list_subscribers():
        if (result := await hooks.undo_action(request, action_id, or_else)) is not None:
            return result
    raise Answered(replies.hint(talk.NOT_UNDERSTOOD))
