"""Say what a list was narrowed to, by its words or by the buttons that keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.messages.blocks import replies
from bot.messages.blocks.limits import Markup, fill
from bot.messages.texts import answers as words
from handlers.command_line import NO_COMMANDS, parse, written
from handlers.language.narrowing import page_and_words

if TYPE_CHECKING:
    from bot.domain.models import Answer
    from bot.messages.blocks.kit import Element
    from handlers.language.narrowing import Narrowed
    from handlers.request import Request


def asked(request: Request) -> tuple[int, tuple[str, ...]]:
    """Return the page and the words of a list, from what was typed or from one of its buttons."""
    if request.target is None:
        return page_and_words(request.arguments)
    return page_and_words(parse(request.target, NO_COMMANDS).words)


def what(request: Request, narrowed: Narrowed[Any], noun: str) -> str:
    """Say what is listed: ``running workspaces on Saturn Cloud``."""
    state = words.LISTED_AS.get(narrowed.state, narrowed.state)
    said = fill(words.IN_STATE, state=state, what=noun) if state else noun
    if narrowed.name and not narrowed.is_unknown:
        said = fill(words.MATCHING, what=Markup(said), name=narrowed.name)
    if narrowed.connection is not None:
        said = fill(words.ON, what=Markup(said), title=request.services.title(narrowed.connection))
    return said


def only(request: Request, narrowed: Narrowed[Any] | None, noun: str) -> dict[str, Any] | None:
    """Return what is listed, how it is asked for and found again; None for a list of everything."""
    if narrowed is None:
        return None
    is_named = narrowed.name and not narrowed.is_unknown
    return {
        "what": what(request, narrowed, noun),
        "words": written(asked(request)[1]),
        "state": narrowed.state,
        "connection": narrowed.connection,
        "rows": [one.id for one in narrowed.rows] if is_named else None,
    }


def none_of_these(request: Request, narrowed: Narrowed[Any], noun: str, button: Element) -> Answer:
    """Say that there is nothing of the kind, and offer the list of everything."""
    sentence = fill(words.NONE_OF_THESE, what=Markup(what(request, narrowed, noun)))
    return replies.answer(sentence, [button], replaces=request.target is not None)


def remark(request: Request, narrowed: Narrowed[Any] | None, count: int, unknown: str) -> str:
    """Say how many of all are shown, or in the words of ``unknown`` that nothing has this name."""
    if narrowed is None:
        return ""
    if narrowed.is_unknown:
        return fill(unknown, name=narrowed.name)
    if len(narrowed.rows) == count:
        return ""
    return fill(words.NARROWED, count=len(narrowed.rows), all=count, command=request.command)
