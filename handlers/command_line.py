"""A command with flags that have values, and with a program's own words behind ``--`` (``job run …``).

Names of workspaces need none of this, so it stands apart from ``handlers.parsing``, which most requests take.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.blocks.limits import clean
from bot.services.filling import Flag
from handlers.parsing import FOLDERS, closing, decoded, straight

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Nothing of a program's own words may be cut off: what is longer is refused.
LONGEST: Final = 6000
#: What a keyboard makes of two hyphens that stand alone: dashes and bars.
_ALONE: Final = re.compile(r"--|[\u2012-\u2015\u2212]")
_MARKS: Final = "`*"
_NAME: Final = re.compile(r"--([A-Za-z][\w.-]*)(=?)")


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Hold the words after the verb, the flags, and what stands behind ``--`` (None without it)."""

    words: tuple[str, ...]
    flags: tuple[Flag, ...]
    tail: str | None = None


def command_line(text: str, commands: Mapping[str, str]) -> CommandLine:
    """Take a command apart whose first word, after its slash command or ``job``, is the verb; never raises.

    The words behind ``--`` stay as they were typed, quotes and line breaks with them.
    """
    rest = _without_verb(typed(text), commands)
    words: list[str] = []
    flags: list[Flag] = []
    while rest:
        if _begins_tail(rest):
            return CommandLine(tuple(words), tuple(flags), rest[_token_end(rest) :].strip())
        named = _NAME.match(rest)
        if named is not None and (named[2] or named.end() == _token_end(rest)):
            value, rest = _value(rest[named.end() :], is_joined=bool(named[2]))
            flags.append(Flag(named[1], value))
        else:
            word, rest = _word(rest)
            words.append(word)
    return CommandLine(tuple(words), tuple(flags))


def typed(text: str) -> str:
    """Return a text as it was typed: without Slack's encoding, what is invisible, and marks round it all."""
    plain = straight(clean(html.unescape(decoded(text))))
    while len(plain) > 1 and plain[0] in _MARKS and plain[0] == plain[-1]:
        plain = plain[1:-1].strip()
    return plain


def _without_verb(text: str, commands: Mapping[str, str]) -> str:
    """Leave out the slash command or ``job``, and the verb after it."""
    first, rest = text[: _token_end(text)].casefold(), text[_token_end(text) :].lstrip()
    if first in commands or first in FOLDERS:
        rest = typed(rest)
        rest = rest[_token_end(rest) :].lstrip()
    return rest


def _begins_tail(rest: str) -> bool:
    return _ALONE.fullmatch(rest, 0, _token_end(rest)) is not None


def _value(rest: str, *, is_joined: bool) -> tuple[str | None, str]:
    """Return a flag's value and what follows; None where the next words are another flag, or none."""
    if is_joined:
        return _word(rest) if rest and not rest[0].isspace() else ("", rest.lstrip())
    rest = rest.lstrip()
    if not rest or _begins_tail(rest) or _NAME.match(rest):
        return None, rest
    return _word(rest)


def _word(rest: str) -> tuple[str, str]:
    """Return the first word, without its quotes, and what follows it."""
    end = closing(rest, 0) if rest[0] in "\"'" else -1
    if end > 0:
        return rest[1:end], rest[end + 1 :].lstrip()
    end = _token_end(rest)
    return rest[:end], rest[end:].lstrip()


def _token_end(text: str) -> int:
    return next((place for place, character in enumerate(text) if character.isspace()), len(text))
