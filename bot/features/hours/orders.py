"""Orders about hours and lessons: the words that follow a name, and the days among them."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from bot.domain import time_parsing
from bot.domain.time_parsing import Wanted
from handlers import vocabulary

#: A restart is a stop, which is warned of, and a start this many minutes later.
_DOWN_MINUTES: Final = 10


def read_order_hours(text: str) -> tuple[Wanted, ...]:
    """Return the hours that a text names; none if it names no hours."""
    verb, _, rest = text.partition(" ")
    is_restart = verb.casefold() == "restart"
    hours = time_parsing.read_hours(rest if is_restart else text)
    if hours is None or not is_restart:
        return () if hours is None else (hours,)
    if hours.starts is None or hours.stops is not None:
        return ()
    again = hours.starts + _DOWN_MINUTES
    return Wanted(hours.days, stops=hours.starts), Wanted(hours.days, starts=again)


def is_order(text: str) -> bool:
    """Return whether words after a name are an order about its hours."""
    verb, _, rest = text.casefold().partition(" ")
    alone = vocabulary.HOURS_ORDERS.keys() | {"resume", "skip"}
    is_verb = verb in (vocabulary.HOURS_EXCEPTIONS if rest else alone)
    return is_verb or bool(read_order_hours(text))


def find_days(words: Sequence[str], today: date) -> list[tuple[int, int, date]]:
    """Return the days that words name with their places, in their order; one after *to* follows the last."""
    spans: list[tuple[int, int, date]] = []
    given = [word.removesuffix("'s") for word in words]
    at = 0
    while at < len(given):
        begin = spans[-1][2] if spans and is_span(given[at - 1]) else today
        ends = (end for end in range(min(at + 3, len(given)), at, -1))
        days = ((end, _read_day(" ".join(given[at:end]), begin)) for end in ends)
        end, day = next(((end, day) for end, day in days if day is not None), (at + 1, None))
        spans += [(at, end, day)] if day is not None else []
        at = end
    return spans


def is_span(word: str) -> bool:
    """Return whether a word joins the first and the last day of a span."""
    return word in {"to", "until", "till", "til", "through", "bis", "-", "\u2013"}


def _read_day(text: str, today: date) -> date | None:
    """Return a day, also in the plural that people write for *Thursday's*."""
    return time_parsing.day_of(text, today) or (
        time_parsing.day_of(text[:-1], today) if text.endswith("days") else None
    )
