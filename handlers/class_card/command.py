"""A class card in one line: ``card RECIPE|NAME --title TEXT --until 17:00 --max 60``; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.messages.blocks.limits import Markup, fill
from bot.messages.texts import classes as words
from handlers.command_line import running_flags

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST: Final = 5_000
TITLE_MOST: Final = 80
#: In a shorter class, its end would be announced before anybody has pressed.
SOONEST_SECONDS: Final = 600.0
_TIME: Final = re.compile(r"([01]?\d|2[0-3])[:.h]([0-5]\d)")


@dataclass(slots=True)
class CardCommand:
    """Hold what to make or start, and the flags; ``problems`` are sentences about what is wrong."""

    what: str
    title: str = ""
    until: str = ""
    maximum: int | None = None
    problems: list[str] = field(default_factory=list)


def card_command(text: str, commands: Mapping[str, str]) -> CardCommand:
    """Parse a command: a flag's words go on until the next flag, so titles need no quotes."""
    what, flags = running_flags(text, commands)
    command = CardCommand(what)
    for flag, value in flags:
        _take(command, flag, value)
    return command


def _take(command: CardCommand, flag: str, value: str) -> None:
    match flag:
        case "title":
            command.title = " ".join(value.split())
            if not 1 <= len(command.title) <= TITLE_MOST:
                command.problems.append(fill(words.LONG_TITLE, most=TITLE_MOST))
        case "until":
            command.until = value or "?"
        case "max":
            is_number = value.isascii() and value.isdecimal() and len(value) < 6
            command.maximum = int(value) if is_number else 0
            if not 1 <= command.maximum <= MOST:
                command.problems.append(fill(words.BAD_MAX, most=MOST))
        case _:
            command.problems.append(fill(words.BAD_FLAG, flag=flag))


def zone_of(name: str | None) -> ZoneInfo:
    """Return a person's time zone; UTC if Slack gives none that is known here."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def ends_at(command: CardCommand, zone: ZoneInfo, now: float) -> float | None:
    """Return when the class ends, in epoch seconds: the next such time of day; None if none was given.

    What is wrong with it is added to the command's problems.
    """
    if not command.until:
        return None
    found = _TIME.fullmatch(command.until)
    if found is None:
        command.problems.append(fill(words.BAD_UNTIL, given=command.until))
        return None
    today = datetime.fromtimestamp(now, zone)
    # In wall-clock time: on the day of a clock change, a day doesn't have 24 hours.
    then = today.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
    if then.timestamp() <= now:
        then = (then.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
    if then.timestamp() - now < SOONEST_SECONDS:
        command.problems.append(fill(words.SOON_UNTIL, at=Markup(f"{then:%H:%M} ({zone.key})")))
        return None
    return then.timestamp()
