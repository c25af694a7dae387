"""Sections of a person's Home: each has a place and a function that draws it from what was gathered."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

from bot.messages.blocks.kit import Block


class HomeContent(Protocol):
    """The facts of a Home that features draw from."""

    @property
    def now(self) -> float:
        """Return the time of the drawing."""

    @property
    def command(self) -> str:
        """Return the slash command of workspaces."""

    @property
    def parts(self) -> Mapping[str, Any]:
        """Return the facts that features have gathered, by name."""

    @property
    def links(self) -> Sequence[Any]:
        """Return the person's connections."""


#: What draws each part of a person's own Home, by its place from above; features add theirs.
SECTIONS: Final[dict[int, Callable[[Any], list[Block]]]] = {}
#: What draws each kind of question; features add theirs.
QUESTION_RENDERERS: Final[dict[str, Callable[[Any], list[Block]]]] = {}
Draws = TypeVar("Draws", bound=Callable[[Any], list[Block]])


def add_section(place: int) -> Callable[[Draws], Draws]:
    """Return the decorator of a section's renderer, by its place; raises ValueError if that is taken."""

    def add(draw: Draws) -> Draws:
        if SECTIONS.setdefault(place, draw) is not draw:
            raise ValueError(f"two parts of a Home are at {place}")
        return draw

    return add
