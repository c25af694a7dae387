"""Orders about hours and lessons: the words that follow a name, and the days among them."""

from bot.domain import time_parsing
from bot.domain.time_parsing import Wanted
from handlers.requests import vocabulary


def read_order_hours(text: str) -> tuple[Wanted, ...]:
    """Return the hours that a text names; none if it names no hours."""
    hours = time_parsing.read_hours(text)
    return () if hours is None else (hours,)


def is_order(text: str) -> bool:
    """Return whether words after a name are an order about its hours."""
    verb, _, rest = text.casefold().partition(" ")
    alone = vocabulary.HOURS_ORDERS | {"resume", "skip"}
    is_verb = verb in (vocabulary.HOURS_EXCEPTIONS if rest else alone)
    return is_verb or bool(read_order_hours(text))


def is_span(word: str) -> bool:
    """Return whether a word joins the first and the last day of a span."""
    return word in {"to", "until", "till", "til", "through", "bis", "-", "\u2013"}
