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
from bot.messages.texts import cards
from bot.messages.verb import find_verb
from handlers.request import Answered, Request, format_typed_name
from handlers.workspace.timers import read_typed_time

#: The words that announce until when something runs; the others announce when something is done.
_EVENING_WORDS: Final = frozenset({"tonight", "evening", "night"})
_UNTIL_LEADS: Final = frozenset({"for", "until", "till", "til", "'til"})
_STOP_VERBS: Final = frozenset({"stop", "suspend"})
_START_VERBS: Final = frozenset({"start", "restart", "resume"})


async def write_once(request: Request) -> str:
    """Return hours that come once, at the moment that was read, for a verb that starts."""
    zone = await request.services.store.zone(request.principal)
    at = datetime.fromtimestamp(-(-(request.at or 0.0) // 60) * 60, zone)
    days = frozenset({at.date().isoformat()})
    return times.write_order(request.verb, Wanted(days, at.hour * 60 + at.minute))


def refuse(request: Request, reading: Reading, chosen: Sequence[Workspace]) -> None:
    """Raise Answered for a temporary stop, with a command for the chosen workspaces."""
    if _is_temporary_stop(reading):
        raise Answered(
            _answer_with_example(
                cards.STOP_FOR, request, reading.what, [workspace.title for workspace in chosen]
            )
        )


def _is_temporary_stop(reading: Reading) -> bool:
    return reading.what in _STOP_VERBS and reading.when is not None and reading.when.lead in _UNTIL_LEADS


def is_planned_start(reading: Reading) -> bool:
    """Return whether something is to be started at a later time: hours that come once."""
    when = reading.when
    return when is not None and reading.what in _START_VERBS and when.lead not in {"", *_UNTIL_LEADS}


async def read_time(request: Request, reading: Reading) -> Request:
    """Return a request with the moment that was read; raises Answered for an unreadable one."""
    request, when = replace(request, more=reading.more), reading.when
    if when is None or _is_temporary_stop(reading):
        return request
    time = await read_typed_time(request.services, request.principal, when.text)
    if isinstance(time, Unread) and time.options and is_planned_start(reading) and (option := time.as_typed):
        # As in hours, a bare hour is one of 24.
        time = await read_typed_time(request.services, request.principal, option)
    has_one_name = len(reading.which.named) == 1 and not is_planned_start(reading)
    if isinstance(time, Unread) and has_one_name and find_verb("workspace", reading.what).offer_at.button:
        raise Answered(await _ask_for_half(request, reading.which.named[0], when.text, time))
    if not isinstance(time, Moment):
        raise Answered(replies.hint(replies.explain_unread_time(time, when.text, SOONEST_SECONDS)))
    return replace(request, at=time.at, moment=time)


async def _guess_time(request: Request, day: str) -> float | None:
    """Return the usual moment of a day or a part of one, in epoch seconds: its hour may be said next."""
    usual = "20:00" if _EVENING_WORDS.intersection(day.casefold().split()) else "12:00"
    time = await read_typed_time(request.services, request.principal, f"{day} {usual}")
    return time.at if isinstance(time, Moment) else None


async def _ask_for_half(request: Request, workspace: Workspace, text: str, unread: Unread) -> Answer:
    """Ask for one of two times, with a button for each."""
    read_options = [
        await read_typed_time(request.services, request.principal, option) for option in unread.options
    ]
    pairs = zip(unread.options, read_options, strict=True)
    by_option = {option: moment.at for option, moment in pairs if isinstance(moment, Moment)}
    name = Markup(line(workspace.title))
    labels = [
        fill(find_verb("workspace", request.verb).offer_at.button, name=name, then=option)
        for option in by_option
    ]
    buttons = list_choice_buttons(request.verb, [workspace] * len(labels), labels, list(by_option.values()))
    # The hour of a day without one may come next.
    ats: list[float | None] = [*by_option.values()] or [await _guess_time(request, text)]
    about = Referents((workspace.id,), takes_press=True).doing(request.verb, *ats)
    return replace(
        replies.hint(replies.explain_unread_time(unread, text, SOONEST_SECONDS), buttons), about=about
    )


def answer_only_stops(request: Request, titles: Sequence[str]) -> Answer:
    """Answer that only starts and stops can be planned, with the command for a stop."""
    return _answer_with_example(cards.ONLY_STOPS, request, "stop", titles)


def _answer_with_example(template: str, request: Request, verb: str, titles: Sequence[str]) -> Answer:
    """Answer that a request can't be timed, with a command that can, for the same workspace."""
    name = titles[0] if len(titles) == 1 else "NAME"
    return replies.hint(request.fill(template, name=name, typed=format_typed_name(name), verb=Markup(verb)))
