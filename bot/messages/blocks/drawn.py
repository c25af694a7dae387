"""What is said by a kind of message: each is declared once, where it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from bot.domain.notices import Answer, NoticeKind
from bot.messages.texts import past as words

Line = str | Callable[[Any], str]
D = TypeVar("D", bound=Callable[..., Answer])


@dataclass(frozen=True, slots=True)
class Drawn:
    """Hold how a kind of message is drawn, and what becomes of it.

    ``past`` is the line that it becomes: a template, or what draws it. ``held`` is its line among those that
    quiet hours held back: if it isn't given, a template ``past``, or its notification. ``holds`` says whether
    what it said is still so. ``keeps_open``: it offers *Open* for as long as its workspace runs.
    """

    draw: Callable[[Any], Answer]
    past: Line
    held: Line | None
    holds: Callable[[Any], bool]
    keeps_open: bool


DRAWN: Final[dict[NoticeKind, Drawn]] = {}


def draws(
    kind: NoticeKind,
    *,
    past: Line = words.OVER,
    held: Line | None = None,
    holds: Callable[[Any], bool] = lambda _facts: True,
    keeps_open: bool = False,
) -> Callable[[D], D]:
    """Declare what draws messages of a kind, from the facts of its family."""

    def declare(draw: D) -> D:
        if kind in DRAWN:
            raise ValueError(f"two functions draw {kind}")
        DRAWN[kind] = Drawn(draw, past, held, holds, keeps_open)
        return draw

    return declare
