"""Orders about hours and lessons: the words that follow a name, and the days among them."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from bot.domain import time_parsing
from bot.domain.hours import FormerHours, HoursRule
from bot.domain.time_parsing import DAY_MINUTES, EVERY_DAY, Wanted
from handlers.requests import vocabulary


def read_order_hours(text: str) -> tuple[Wanted, ...]:
    """Return the hours that a text names; none if it names no hours."""
    hours = time_parsing.read_hours(text)
    return () if hours is None else (hours,)


def write_former(rules: Sequence[HoursRule]) -> str:
    """Write hours for a button that sets them again; "" if it can't: consent to a loss is given anew."""
    if any(one.agreed for one in rules) or not rules:
        return ""
    written = [
        [
            ",".join(sorted(one.days)),
            one.starts,
            one.stops,
            one.zone,
            ",".join(sorted(one.off)),
            bool(one.paused),
        ]
        for one in rules
    ]
    return json.dumps(written, separators=(",", ":"))


def read_former(carried: Any) -> list[FormerHours]:
    """Read hours as ``write_former`` writes them; raises ValueError and TypeError for anything else."""
    found = []
    for days, starts, stops, zone, off, is_paused in carried:
        wanted = Wanted(frozenset(days.split(",")), _read_minute(starts), _read_minute(stops))
        skipped = frozenset(off.split(",")) - {""}
        for day in {*wanted.days, *skipped} - EVERY_DAY:
            date.fromisoformat(day)
        found.append(FormerHours(wanted, zone, skipped, bool(is_paused)))
    return found


def _read_minute(carried: int | None) -> int | None:
    if carried is not None and not 0 <= carried <= DAY_MINUTES:
        raise ValueError(carried)
    return carried


def is_order(text: str) -> bool:
    """Return whether words after a name are an order about its hours."""
    verb, _, rest = text.casefold().partition(" ")
    alone = vocabulary.HOURS_ORDERS | {"resume", "skip"}
    is_verb = verb in (vocabulary.HOURS_EXCEPTIONS if rest else alone)
    return is_verb or bool(read_order_hours(text))


def is_span(word: str) -> bool:
    """Return whether a word joins the first and the last day of a span."""
    return word in {"to", "until", "till", "til", "through", "bis", "-", "\u2013"}
