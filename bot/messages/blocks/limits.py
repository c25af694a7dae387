"""Slack's limits and escaping: every text from outside passes through here once.

The rule is in ``docs/rules.md``, "Text from outside is escaped once".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from bot.support.cleaning import SHOWN, clean, escape

SECTION: Final = 3000
HEADER: Final = 150
BUTTON: Final = 75
VALUE: Final = 2000
OPTION: Final = 75
OPTION_VALUE: Final = 150
#: Options of a menu behind three dots.
MENU_OPTIONS: Final = 5
ID: Final = 255
URL: Final = 3000
TITLE: Final = 24
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30
LABEL: Final = 2000
PLACEHOLDER: Final = 150
MESSAGE_BLOCKS: Final = 50
#: All texts in the blocks of a message together (``docs/slack.md``, "Messages").
MESSAGE_TEXT: Final = 10_000
VIEW_BLOCKS: Final = 100
CONTEXT_ELEMENTS: Final = 10
#: Slack cuts the text that accompanies blocks at 40,000 and recommends 4,000; ours is a notification's line.
TEXT: Final = 3000
NAME: Final = SHOWN

ELLIPSIS: Final = "…"
#: Replaces a text that turned out empty, because Slack rejects empty ones.
NOTHING: Final = "–"

#: Paragraphs aren't shortened to less than this.
_SHORTEST: Final = 100

_ENTITY: Final = re.compile(r"&(?:amp|lt|gt);")


class Markup(str):
    """Mark a text as our own Slack markup: it is not escaped again."""

    __slots__ = ()


def cut(escaped: str, limit: int) -> str:
    """Cut an escaped text to a limit, with an ellipsis, never inside an entity, a mention or a time."""
    if len(escaped) <= limit:
        return escaped
    end = limit - len(ELLIPSIS)
    for entity in _ENTITY.finditer(escaped, max(end - 5, 0), min(end + 5, len(escaped))):
        if entity.start() < end < entity.end():
            end = entity.start()
    opened = escaped.rfind("<", 0, end)
    if opened > escaped.rfind(">", 0, end) and ">" in escaped[end:]:
        end = opened
    return escaped[:end].rstrip() + ELLIPSIS


def safe(text: object, limit: int = SECTION) -> str:
    """Return a text from outside, safe for any text of Slack: cleaned, escaped, cut, never empty."""
    return cut(escape(clean(text)), limit) or NOTHING


def line(text: object, limit: int = NAME) -> str:
    """Return a name from outside on one line, safe for any text of Slack."""
    return safe(" ".join(clean(text).split()), limit)


def fill(template: str, **values: object) -> str:
    """Fill one of our own templates with names from outside, each escaped and cut; Markup stays as it is."""
    return template.format_map(
        {name: value if isinstance(value, Markup) else line(value) for name, value in values.items()}
    )


def fit(blocks: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Return blocks that a message can hold: its longest paragraphs are shortened, never refused.

    What is too much even so is left out, from the end.
    """
    fitting = tuple(blocks)[:MESSAGE_BLOCKS]
    most = SECTION
    while _characters(fitting) > MESSAGE_TEXT and most > _SHORTEST:
        most -= _SHORTEST
        fitting = tuple(_shortened(block, most) for block in fitting)
    while _characters(fitting) > MESSAGE_TEXT:
        fitting = fitting[:-1]
    return fitting


def _characters(part: object) -> int:
    """Return how many characters of text are in blocks, or in any part of them."""
    if isinstance(part, dict):
        own = len(part["text"]) if isinstance(part.get("text"), str) else 0
        return own + sum(map(_characters, part.values()))
    return sum(map(_characters, part)) if isinstance(part, list | tuple) else 0


def _shortened(block: dict[str, Any], most: int) -> dict[str, Any]:
    match block:
        case {"type": "section", "text": {"text": text} as paragraph}:
            return {**block, "text": {**paragraph, "text": cut(text, most)}}
        case {"type": "context", "elements": elements}:
            return {**block, "elements": [{**one, "text": cut(one["text"], most)} for one in elements]}
        case _:
            return block
