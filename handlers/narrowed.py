"""Say what a list was narrowed to, by its words or by the buttons that keep them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.domain.models import Answer
from bot.messages.blocks import kit, replies
from bot.messages.blocks.kit import Element, Press
from bot.messages.blocks.limits import Markup, fill
from bot.messages.texts import answers as words
from bot.messages.texts import cards
from handlers.command_line import NO_COMMANDS, parse, written
from handlers.language.narrowing import Narrowed, page_and_words
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
    if narrowed.name:
        said = fill(words.MATCHING, what=Markup(said), name=narrowed.name)
    if narrowed.connection is not None:
        said = fill(words.ON, what=Markup(said), title=request.services.title(narrowed.connection))
    return said


def only(request: Request, narrowed: Narrowed[Any] | None, noun: str) -> dict[str, Any] | None:
    """Return what is listed, how it is asked for and found again; None for a list of everything."""
    if narrowed is None:
        return None
    return {
        "what": what(request, narrowed, noun),
        "words": written(asked(request)[1]),
        "state": narrowed.state,
        "connection": narrowed.connection,
        "rows": [one.id for one in narrowed.rows] if narrowed.name else None,
    }


def none_of_these(
    request: Request, narrowed: Narrowed[Any], noun: str, verb: str, buttons: Sequence[Element], more: str
) -> Answer:
    """Say that there is nothing of the kind; ``more`` is a remark, for which the list can be read again."""
    sentence = fill(words.NONE_OF_THESE, what=Markup(what(request, narrowed, noun)))
    typed = written(asked(request)[1])
    again = [kit.button(cards.REFRESH, Press(verb, f"1 {typed}", mark="refresh"))] if more else []
    said = replies.answer(sentence, [*again, *buttons], replaces=request.target is not None)
    return replies.with_remarks(said, [more] if more else [])


def remark(request: Request, narrowed: Narrowed[Any] | None, count: int) -> str:
    """Say how many of all are shown, unless it is all of them."""
    if narrowed is None or len(narrowed.rows) == count:
        return ""
    return fill(words.NARROWED, count=len(narrowed.rows), all=count, command=request.command)
