"""Times that a sentence gives to its verb: read for its person, asked about, or refused."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from bot.domain.conversations import Referents
from bot.domain.notices import Answer
from bot.domain.time_parsing import Moment, Unread, Wanted
from bot.domain.timers import SOONEST_SECONDS
from bot.domain.workspaces import Workspace
from bot.features.sentences import times
from bot.features.sentences.reading import Reading
from bot.messages.blocks import replies
from bot.messages.blocks.buttons import list_choice_buttons
from bot.messages.blocks.kit import Markup, fill, line
from bot.messages.texts import cards, talk
from handlers.request import Answered, Request
from handlers.suggestions import format_typed_name
from handlers.workspace.timers import read_typed_time

#: The words that announce until when something runs; the others announce when something is done.
_EVENING: Final = frozenset({"tonight", "evening", "night"})
_UNTIL: Final = frozenset({"for", "until", "till", "til", "'til"})
_STOPS: Final = frozenset({"stop", "suspend"})
_STARTS: Final = frozenset({"start", "restart", "resume"})


async def write_once(request: Request) -> str:
    """Return hours that come once, at the moment that was read, for a verb that starts."""
    zone = await request.services.store.zone(request.principal)
    at = datetime.fromtimestamp(-(-(request.at or 0.0) // 60) * 60, zone)
    days = frozenset({at.date().isoformat()})
    return times.order(request.verb, Wanted(days, at.hour * 60 + at.minute))


def refuse(request: Request, reading: Reading, chosen: Sequence[Workspace]) -> None:
    """Raise Answered for a stop that lasts only for a while, with what can be typed for what was chosen."""
    if _lasts_a_while(reading):
        raise Answered(
            _example(cards.STOP_FOR, request, reading.what, [workspace.title for workspace in chosen])
        )


def _lasts_a_while(reading: Reading) -> bool:
    return reading.what in _STOPS and reading.when is not None and reading.when.lead in _UNTIL


def starts_later(reading: Reading) -> bool:
    """Return whether something is to be started at a later time: hours that come once."""
    when = reading.when
    return when is not None and reading.what in _STARTS and when.lead not in {"", *_UNTIL}


async def read_time(request: Request, reading: Reading) -> Request:
    """Return a request with the moment that was read; raises Answered for what is none."""
    request, when = replace(request, more=reading.more), reading.when
    if when is None or _lasts_a_while(reading):
        return request
    read = await read_typed_time(request.services, request.principal, when.text)
    if isinstance(read, Unread) and read.options and starts_later(reading) and (option := read.as_typed):
        # As in hours, a bare hour is one of 24.
        read = await read_typed_time(request.services, request.principal, option)
    has_one_name = len(reading.which.named) == 1 and not starts_later(reading)
    if isinstance(read, Unread) and has_one_name and reading.what in talk.DO_AT:
        raise Answered(await _either(request, reading.which.named[0], when.text, read))
    if not isinstance(read, Moment):
        raise Answered(replies.hint(replies.explain_unread_time(read, when.text, SOONEST_SECONDS)))
    return replace(request, at=read.at, moment=read)


async def _guess_time(request: Request, day: str) -> float | None:
    """Return the usual moment of a day or a part of one, in epoch seconds: its hour may be said next."""
    usual = "20:00" if _EVENING.intersection(day.casefold().split()) else "12:00"
    read = await read_typed_time(request.services, request.principal, f"{day} {usual}")
    return read.at if isinstance(read, Moment) else None


async def _either(request: Request, workspace: Workspace, given: str, unread: Unread) -> Answer:
    """Ask which of two times is meant, with a button for each."""
    read = [await read_typed_time(request.services, request.principal, option) for option in unread.options]
    pairs = zip(unread.options, read, strict=True)
    times = {option: moment.at for option, moment in pairs if isinstance(moment, Moment)}
    name = Markup(line(workspace.title))
    labels = [fill(talk.DO_AT[request.verb], name=name, then=option) for option in times]
    buttons = list_choice_buttons(request.verb, [workspace] * len(labels), labels, list(times.values()))
    # The hour of a day without one may come next.
    ats: list[float | None] = [*times.values()] or [await _guess_time(request, given)]
    about = Referents((workspace.id,), takes_press=True).doing(request.verb, *ats)
    return replace(
        replies.hint(replies.explain_unread_time(unread, given, SOONEST_SECONDS), buttons), about=about
    )


def only_stops(request: Request, titles: Sequence[str]) -> Answer:
    """Say that nothing but a start or a stop can be planned, and how a stop is."""
    return _example(cards.ONLY_STOPS, request, "stop", titles)


def _example(template: str, request: Request, verb: str, titles: Sequence[str]) -> Answer:
    """Say what can't be timed so, with a command that can, for the workspace that is meant."""
    name = titles[0] if len(titles) == 1 else "NAME"
    return replies.hint(request.fill(template, name=name, typed=format_typed_name(name), verb=Markup(verb)))
