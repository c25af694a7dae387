"""Golden messages: what people read, written as text so that changes show in a diff.

Each family of messages has a file. ``UPDATE_GOLDEN=1 pytest …`` rewrites the files; review the diff before
you commit it.
"""

import fcntl
import os
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from bot.domain.markup import Part, list_parts
from bot.domain.notices import Answer
from bot.messages.blocks import kit as kit_of
from bot.messages.blocks import limits, stored
from bot.messages.blocks.button_values import ButtonValue
from bot.support.cleaning import unescape
from playground.slack import kit
from playground.slack.content import characters
from playground.slack.methods.chat import BLOCKS_LIMIT
from tests.rigs import golden_text
from tests.rigs.drawn import as_shown
from tests.rigs.golden_files import FAMILIES, FOLDER, entries, shown

__all__ = ["FAMILIES", "FOLDER", "check_golden", "check_golden_text", "check_limits", "entries", "shown"]
_LINK = re.compile(r"<https?:[^|>]*\|([^>]*)>")
#: The time at which golden messages are rendered.
_NOW = 1_800_000_000
#: Matches a time that a message announces or says has passed. Times in a timetable have no zone, so they
#: don't match.
_MOMENT = re.compile(r"(?<!as of )(?<!since )<!date\^(\d+)\^[^>]*UTC>")
_SIGNS = re.compile(r"[\W_]+")


def check_golden(name: str, answer: Answer | dict[str, Any]) -> None:
    """Compare an answer or a view with its golden entry, and check Slack's limits."""
    if isinstance(answer, Answer):
        # The buttons already show what the answer offers.
        plain = replace(answer, offers="")
        answer, shown = plain, as_shown(plain)
    else:
        shown = answer
    check_limits(answer)
    written = golden_text.write(shown)
    assert golden_text.read(written) == shown, "the text leaves something out"
    _compare(name, written)


def check_limits(answer: Answer | dict[str, Any]) -> None:
    """Fail if an answer or a view exceeds a limit that the local Slack checks.

    Also fail if more than one button is coloured, if more than two are next to each other, or if a screen
    reader gives two buttons the same name.
    """
    if isinstance(answer, Answer):
        body: dict[str, Any] = {"text": answer.text, "blocks": list(answer.blocks)}
        assert 0 < len(answer.text.strip()) <= limits.MAX_TEXT_LENGTH
        check_notification(answer)
        check_moments(answer)
        assert characters(body["blocks"]) <= BLOCKS_LIMIT
        report = kit.check_message(body["blocks"])
        if answer.view is not None:
            check_limits(answer.view)
    else:
        body = answer
        report = kit.check_view(answer, str(answer["type"]))
    rows = [block["elements"] for block in body["blocks"] if block["type"] == "actions"]
    assert all(sum(one["type"] == "button" for one in row) <= kit_of.BUTTONS_PER_ROW for row in rows)
    assert sum("style" in one for one in kit_of.iterate_buttons(body["blocks"])) <= 1
    names = [get_accessible_name(button) for button in list_buttons(body["blocks"])]
    assert len(names) == len(set(names)), names
    assert report.messages == []
    assert report.remarks == []


def list_buttons(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the buttons in blocks, not counting the options of menus."""
    found: list[dict[str, Any]] = []
    for block in blocks:
        found += block["elements"] if block["type"] == "actions" else []
        found += [block["accessory"]] if "accessory" in block else []
    return [element for element in found if element["type"] == "button"]


def get_accessible_name(button: dict[str, Any]) -> str:
    """Return the name that a screen reader gives a button."""
    return str(button.get("accessibility_label") or unescape(button["text"]["text"]))


def check_notification(answer: Answer) -> None:
    """Fail if a phone's notification doesn't match the beginning of the message itself."""
    texts = [
        str(text.get("text") or "")
        for block in answer.blocks
        for text in (block["elements"] if block["type"] == "context" else [block.get("text") or {}])
    ]
    said = _SIGNS.sub("", _LINK.sub(r"\1", "".join(texts)))
    assert not answer.blocks or said.startswith(_SIGNS.sub("", answer.text)), (answer.text, texts)


def check_moments(answer: Answer) -> None:
    """Fail if an answer shows a time that it doesn't list, or announces it even after it has passed.

    Lists are exempt, because they say as of when they are true.
    """
    is_list = any(
        ButtonValue.from_button(one).mark == "refresh" for one in kit_of.iterate_buttons(answer.blocks)
    )
    for block in () if is_list else answer.blocks:
        shown = {int(at) for line in kit_of.iterate_lines([block]) for at in _MOMENT.findall(line)}
        assert {at for at in shown if at > _NOW} <= _list_moments([block]), block
    for at in _list_moments(answer.blocks):
        left = stored.drop_past(answer, partial(_names, at))
        assert left is None or at not in _list_moments(left.blocks)


def _list_moments(blocks: Iterable[dict[str, Any]]) -> set[int]:
    return {at for part in list_parts(blocks) for at in part.moments}


def _names(at: int, part: Part) -> bool:
    return at in part.moments


def check_golden_text(name: str, texts: dict[str, str]) -> None:
    """Compare a catalogue of texts with its golden entry."""
    _compare(f"texts/{name}", "\n".join(f"{key}: {text!r}" for key, text in sorted(texts.items())))


def _compare(name: str, written: str) -> None:
    family, _, own = name.partition("/")
    if os.environ.get("UPDATE_GOLDEN"):
        _write(family, name, written)
    assert name in entries(family), f"no golden message {own}: run with UPDATE_GOLDEN=1 and look at it"
    assert written == entries(family)[name]


def _write(family: str, name: str, written: str) -> None:
    """Write one entry into its family's file. Other test processes may be writing the same file."""
    FOLDER.mkdir(exist_ok=True)
    folder = os.open(FOLDER, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        entries.cache_clear()
        texts = {**entries(family), name: written}
        parts = [f"## {key.partition('/')[2]}\n\n{texts[key]}" for key in sorted(texts)]
        fresh = FOLDER / f".{family}"
        fresh.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
        fresh.replace(FOLDER / f"{family}.txt")
    finally:
        os.close(folder)
    entries.cache_clear()
