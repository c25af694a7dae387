"""Serialises and parses the data in *Undo* buttons, which reverse the change that an answer reports."""

import json
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeVar

from bot.domain.hours import FormerHours, HoursRule
from bot.domain.time_parsing import DAY_MINUTES, EVERY_DAY, Wanted
from bot.messages.blocks import replies
from bot.messages.texts import answers
from handlers.requests.request import Answered, Request

_T = TypeVar("_T")


def read_carried(request: Request, read: Callable[[Any], _T]) -> tuple[str, _T]:
    """Return the key that a button carries, and the JSON data after the key, converted with ``read``.

    If no button of this release carries data in this format, raise Answered.
    """
    key, _, text = (request.target or "").partition(" ")
    try:
        return key, read(json.loads(text))
    except (ValueError, TypeError):
        raise Answered(replies.hint(request.fill(answers.OLD_BUTTON))) from None


def write_former(rules: Sequence[HoursRule]) -> str:
    """Serialise hours for a button that restores them. Return "" if the button can't be offered.

    That is the case if there are no hours, or if they include consent to losing something. Restoring those
    would need the consent again.
    """
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
    """Parse hours that ``write_former`` has serialised. Raise ValueError or TypeError for anything else."""
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
