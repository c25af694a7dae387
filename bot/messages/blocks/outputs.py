"""A program's output as preformatted text in one Slack paragraph; the newest lines take precedence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bot.messages.blocks.limits import ELLIPSIS, SECTION
from bot.support.cleaning import clean, escape

_FENCE: Final = "```"
#: A fence inside the text would end ours: a zero-width space separates each mark from the next.
_TOGETHER: Final = re.compile("`(?=`)")
_PARTED: Final = "`\u200b"
_LONGEST: Final = SECTION - 2 * len(_FENCE) - 2
_TAB: Final = 4


@dataclass(frozen=True, slots=True)
class Preformatted:
    """Hold an escaped text between fences, its number of lines, and whether any were left out."""

    text: str
    lines: int
    is_cut: bool


def preformatted(text: str) -> Preformatted | None:
    """Return the end of a text that fits into one paragraph; None if nothing in it is visible."""
    given = text.rstrip().splitlines()
    room, kept = _LONGEST, list[str]()
    for raw in reversed(given):
        line = _line(raw)
        if len(line) + 1 > room:
            if not kept:
                kept.append(_end_of(raw, room - 1))
            break
        room -= len(line) + 1
        kept.append(line)
    while kept and not kept[-1]:
        kept.pop()
    if not kept:
        return None
    body = "\n".join(reversed(kept))
    return Preformatted(f"{_FENCE}\n{body}\n{_FENCE}", len(kept), is_cut=len(kept) < len(given))


def _line(raw: str) -> str:
    """Return one line, escaped and without invisible characters, its indentation kept."""
    line = raw.expandtabs(_TAB)
    rest = line.lstrip(" ")
    return " " * (len(line) - len(rest)) + _TOGETHER.sub(_PARTED, escape(clean(rest)))


def _end_of(raw: str, room: int) -> str:
    """Return the end of a line that is too long on its own."""
    tail = raw[-room:]
    while len(_line(tail)) + len(ELLIPSIS) > room:
        over = len(_line(tail)) + len(ELLIPSIS) - room
        tail = tail[max(over // 8, 1) :]
    return ELLIPSIS + _line(tail)
