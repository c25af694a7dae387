"""Slack's limits and escaping: every text from outside passes through here once.

The rule is in ``docs/rules.md``, "Text from outside is escaped once".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from bot.support.visible import SHOWN, clean, escape

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
ACTIONS: Final = 25
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


class LimitError(ValueError):
    """Name every limit that a message or view exceeds."""


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


def check(message: dict[str, Any]) -> None:
    """Raise LimitError naming every limit that a message (``text``, ``blocks``) or a view exceeds."""
    problems: list[str] = []
    is_view = "type" in message
    if not is_view and not str(message.get("text") or "").strip():
        problems.append("text: missing beside the blocks")
    if len(str(message.get("text") or "")) > TEXT:
        problems.append(f"text: more than {TEXT}")
    blocks = message.get("blocks") or []
    most = VIEW_BLOCKS if is_view else MESSAGE_BLOCKS
    if len(blocks) > most:
        problems.append(f"blocks: {len(blocks)} of at most {most}")
    if not is_view and _characters(blocks) > MESSAGE_TEXT:
        problems.append(f"blocks: {_characters(blocks)} characters of at most {MESSAGE_TEXT}")
    if is_view:
        for key in ("title", "submit", "close"):
            if message.get(key):
                _check_text(message[key], TITLE, key, problems)
    for number, block in enumerate(blocks):
        _check_block(block, f"blocks[{number}]", problems)
    if problems:
        raise LimitError("; ".join(problems))


def _check_block(block: dict[str, Any], place: str, problems: list[str]) -> None:
    _check_length(block.get("block_id"), ID, f"{place}.block_id", problems)
    elements: list[dict[str, Any]] = []
    match block.get("type"):
        case "section":
            _check_text(block.get("text"), SECTION, place, problems)
            elements = [block["accessory"]] if "accessory" in block else []
        case "header":
            _check_text(block.get("text"), HEADER, place, problems)
        case "context":
            _check_count(block["elements"], CONTEXT_ELEMENTS, place, problems)
            for element in block["elements"]:
                _check_text(element, SECTION, place, problems)
        case "actions":
            elements = block["elements"]
            _check_count(elements, ACTIONS, place, problems)
        case "input":
            _check_text(block.get("label"), LABEL, place, problems)
            elements = [block["element"]]
        case "divider":
            pass
        case other:
            problems.append(f"{place}: unknown type {other!r}")
    names = [element.get("action_id") for element in elements]
    if len(set(names)) < len(names):
        problems.append(f"{place}: an action_id twice")
    for element in elements:
        _check_element(element, place, problems)


def _check_element(element: dict[str, Any], place: str, problems: list[str]) -> None:
    if not element.get("action_id"):
        problems.append(f"{place}: an element without action_id")
    _check_length(element.get("action_id"), ID, f"{place}.action_id", problems)
    if element.get("type") == "button":
        _check_text(element.get("text"), BUTTON, f"{place}.button", problems)
        _check_length(element.get("value"), VALUE, f"{place}.value", problems)
        _check_length(element.get("url"), URL, f"{place}.url", problems)
    if element.get("type") == "overflow":
        _check_count(element["options"], MENU_OPTIONS, f"{place}.options", problems)
        for option in element["options"]:
            _check_text(option.get("text"), OPTION, f"{place}.option", problems)
            _check_length(option.get("value"), OPTION_VALUE, f"{place}.option.value", problems)
            _check_length(option.get("url"), URL, f"{place}.option.url", problems)
    if "placeholder" in element:
        _check_text(element["placeholder"], PLACEHOLDER, f"{place}.placeholder", problems)
    if "confirm" in element:
        confirm = element["confirm"]
        _check_text(confirm.get("title"), CONFIRM_TITLE, f"{place}.confirm.title", problems)
        _check_text(confirm.get("text"), CONFIRM_TEXT, f"{place}.confirm.text", problems)
        for key in ("confirm", "deny"):
            _check_text(confirm.get(key), CONFIRM_BUTTON, f"{place}.confirm.{key}", problems)


def _check_text(text: dict[str, Any] | None, limit: int, place: str, problems: list[str]) -> None:
    if not text or not str(text.get("text") or "").strip():
        problems.append(f"{place}: empty text")
    else:
        _check_length(text["text"], limit, place, problems)


def _check_length(value: str | None, limit: int, place: str, problems: list[str]) -> None:
    if value is not None and not 1 <= len(value) <= limit:
        problems.append(f"{place}: {len(value)} characters of at most {limit}")


def _check_count(elements: list[Any], limit: int, place: str, problems: list[str]) -> None:
    if not 1 <= len(elements) <= limit:
        problems.append(f"{place}: {len(elements)} elements of at most {limit}")
