"""Find the times among words; pure."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from bot.domain import moments
from handlers.command_line import plain
from handlers.language import hours


@dataclass(frozen=True, slots=True)
class Times:
    """Hold the times of a text, and at which places their words stand."""

    places: frozenset[int] = frozenset()
    when: moments.Phrase | None = None
    more: float = 0.0
    hours: str = ""
    is_unread: bool = False
    marks: Mapping[int, str] = field(default_factory=dict)


NONE: Final = Times()


def find(words: tuple[str, ...], named: AbstractSet[int]) -> Times:
    """Return the times among words; ``named`` are the places of names."""
    verb = plain(words[0]) if words else ""
    left, order = hours.split(verb, words, named)
    more = moments.longer(left)
    if more is not None and more[1]:
        return Times(_gone(words, more[0]), None, more[1])
    rest, when = moments.split(left, named if left == words else ())
    return Times(_gone(words, rest), when, 0.0, order)


def _gone(words: tuple[str, ...], left: tuple[str, ...]) -> frozenset[int]:
    at, found = 0, set()
    for place, word in enumerate(words):
        if at < len(left) and left[at] is word:
            at += 1
        else:
            found.add(place)
    return frozenset(found)
