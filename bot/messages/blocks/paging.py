"""Paged lists: one page of all rows, with buttons to the next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.messages.blocks import kit
from bot.messages.blocks.kit import Block, Element, Press
from bot.messages.texts import answers as texts
from bot.messages.texts import cards

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[_Row]):
    """Hold the rows of one page, and how many come after it."""

    shown: Sequence[_Row]
    number: int
    left: int


def page_of(rows: Sequence[_Row], number: int, size: int) -> Page[_Row]:
    """Return one page of all rows; a page beyond the end becomes the last one."""
    pages = max((len(rows) + size - 1) // size, 1)
    number = min(max(number, 1), pages)
    return Page(rows[(number - 1) * size : number * size], number, max(len(rows) - number * size, 0))


def listed(
    title: str,
    rows: Iterable[Block],
    page: Page[_Row],
    remark: str = "",
    *,
    verb: str = "",
    words: str = "",
) -> list[Block]:
    """Return a list: title, rows, how many are left, a remark, and the buttons of ``verb`` if any.

    ``words`` are those that the list was narrowed by, which its buttons keep.
    """
    blocks = [kit.section(f"*{title}*"), *rows]
    small = [texts.AND_MORE.format(count=page.left)] if page.left else []
    small += [remark] if remark else []
    if small:
        blocks.append(kit.context(*small))
    if not verb:
        return blocks
    buttons = [kit.button(cards.REFRESH, Press(verb, f"{page.number} {words}".strip(), mark="refresh"))]
    if page.left:
        buttons.append(kit.button(cards.MORE, Press(verb, f"{page.number + 1} {words}".strip(), mark="more")))
    return [*blocks, *kit.actions(buttons)]


def row(text: str, buttons: Sequence[Element]) -> list[Block]:
    """Return a row of a list: a single button goes beside its text, several below."""
    if len(buttons) == 1:
        return [kit.section(text, buttons[0])]
    return [kit.section(text), *kit.actions(buttons)]
