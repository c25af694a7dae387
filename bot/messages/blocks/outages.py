"""What administrators are told of a connection that does not answer, and that it answers again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.messages.blocks import kit
from bot.messages.blocks.limits import fill
from bot.messages.texts import outages, times

if TYPE_CHECKING:
    from bot.domain.models import Answer


def away(title: str, since: float, now: float) -> Answer:
    """Say that a connection gives no usable answer; times in epoch seconds."""
    told = fill(outages.AWAY, title=title, since=kit.moment(since, now))
    return kit.answer(fill(outages.AWAY_SHORT, title=title), [kit.section(told)])


def back(title: str, since: float, now: float) -> Answer:
    """Say that it answers again, and for how long it did not."""
    lasted = times.duration(now - since)
    told = fill(outages.BACK, title=title, since=kit.moment(since, now), lasted=lasted)
    return kit.answer(fill(outages.BACK_SHORT, title=title), [kit.section(told)])


def locked_out(title: str) -> Answer:
    """Say that a connection's own secret is refused."""
    told = fill(outages.LOCKED_OUT, title=title)
    return kit.answer(fill(outages.LOCKED_OUT_SHORT, title=title), [kit.section(told)])


def let_in(title: str) -> Answer:
    """Say that it is taken again."""
    return kit.answer(
        fill(outages.LET_IN_SHORT, title=title), [kit.section(fill(outages.LET_IN, title=title))]
    )


def people_out(title: str) -> Answer:
    """Say that a connection refuses several people's sign-ins at once."""
    told = fill(outages.PEOPLE_OUT, title=title)
    return kit.answer(fill(outages.PEOPLE_OUT_SHORT, title=title), [kit.section(told)])


def people_in(title: str) -> Answer:
    """Say that it does not any more."""
    told = fill(outages.PEOPLE_IN, title=title)
    return kit.answer(fill(outages.PEOPLE_IN_SHORT, title=title), [kit.section(told)])
