"""A class card in one line: ``card RECIPE|NAME --title TEXT --until 17:00 --max 60``; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bot.domain import moments
from bot.messages.blocks import moments as answers
from bot.messages.blocks.limits import fill
from bot.messages.texts import classes as words
from handlers.command_line import running_flags, written

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

MOST: Final = 5_000
TITLE_MOST: Final = 80
#: In a shorter class, its end would be announced before anybody has pressed.
SOONEST_SECONDS: Final = 600.0


@dataclass(slots=True)
class CardCommand:
    """Hold what to make or start, and the flags; ``problems`` are sentences about what is wrong."""

    what: str
    title: str = ""
    until: str | None = None
    maximum: int | None = None
    problems: list[str] = field(default_factory=list)

    def about(self, what: str) -> str:
        """Return it as it is typed after the verb, for something else."""
        given = [("title", self.title), ("until", self.until), ("max", self.maximum)]
        flags = [f"--{flag} {value}" for flag, value in given if value]
        return " ".join([written([what]), *flags])


def card_command(text: str, commands: Mapping[str, str]) -> CardCommand:
    """Parse a command: a flag's words reach to the next flag, so titles need no quotes."""
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
            command.until = value
        case "max":
            is_number = value.isascii() and value.isdecimal() and len(value) < 6
            command.maximum = int(value) if is_number else 0
            if not 1 <= command.maximum <= MOST:
                command.problems.append(fill(words.BAD_MAX, most=MOST))
        case _:
            command.problems.append(fill(words.BAD_FLAG, flag=flag))


def ends_at(command: CardCommand, zone: ZoneInfo, now: float) -> float | None:
    """Return when the class ends, in epoch seconds; None if no end was given.

    What is wrong with it is added to the command's problems.
    """
    given = command.until
    if given is None:
        return None
    found = moments.read(given, zone, now, kind="time", soonest=SOONEST_SECONDS)
    if isinstance(found, moments.Moment):
        return found.at
    command.problems.append(answers.unread(found, given, SOONEST_SECONDS))
    return None
