"""Flags of a command, and what is wrong with them, as parts of a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.domain.models.forms import flag_name
from bot.messages.blocks.limits import Markup, fill, line
from bot.messages.texts import runs as words

if TYPE_CHECKING:
    from bot.domain.models.forms import FlagProblem

#: How many alternatives are listed.
NAMED: Final = 8


def flag(name: str, *value: str) -> str:
    """Return a field's flag, with a value if one is given."""
    return f"`--{' '.join(line(word, 40) for word in (flag_name(name), *value))}`"


def wrong(problem: FlagProblem) -> str:
    """Say what is wrong with a flag."""
    match problem.kind:
        case "empty":
            return words.FLAG_EMPTY
        case "twice":
            return words.FLAG_TWICE
    if not problem.offered:
        return words.FLAG_NONE_OFFERED
    named = Markup(", ".join(f"`{line(label, 40)}`" for label in problem.offered[:NAMED]))
    template = words.FLAG_NOT_OFFERED if len(problem.offered) <= NAMED else words.FLAG_SOME_OFFERED
    return fill(template, value=Markup(f"`{line(problem.value, 40)}`"), offered=named)
