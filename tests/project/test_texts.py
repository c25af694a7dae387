"""Tests that each text for people is used, and that only messages contain Block Kit."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.messages.texts import texts_in_place
from tests.project.repository import named, nodes, python_files

ROOT = Path(__file__).resolve().parents[2]
TEXTS = sorted((ROOT / "bot/messages").rglob("*.py"))
USED = Counter(
    word
    for room in ("bot", "handlers")
    for path in (ROOT / room).rglob("*")
    if path.suffix in {".py", ".html", ".js"}
    for word in re.findall(r"\b[A-Z][A-Z0-9_]+\b", path.read_text(encoding="utf-8"))
)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_text_is_used(path):
    names = re.findall(r"^([A-Z][A-Z0-9_]+)\b(?:: \w+)? = ", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name in names if USED[name] < 2] == []


#: The types of Slack's blocks, elements, texts and views.
DRAWN = {
    "actions",
    "button",
    "context",
    "divider",
    "header",
    "home",
    "input",
    "modal",
    "mrkdwn",
    "plain_text",
    "section",
}


def drawn_in(path: Path) -> list[int]:
    """Return the lines on which a module writes Block Kit."""
    return [
        node.lineno
        for node in nodes(path)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "type"
        if isinstance(value, ast.Constant) and value.value in DRAWN
    ]


def test_block_kit_is_drawn_in_messages_alone():
    found = {named(path): drawn_in(path) for path in python_files("bot", "handlers")}
    assert {name for name, lines in found.items() if lines} <= {
        name for name in found if re.match(r"bot/messages/blocks/", name)
    }


#: Matches a mention whose id is filled in. In a regular expression, a mention is only searched for.
MENTION = re.compile(r"<@\{(?!re\.)")
#: The places that mention people to a reader, and one that puts a mention into a button's command, which
#: nobody reads.
MENTIONS = {"bot/messages/blocks/kit.py", "handlers/linking.py"}


def test_people_are_mentioned_in_one_place():
    written = {named(path): path.read_text(encoding="utf-8") for path in python_files("bot", "handlers")}
    assert {name for name, text in written.items() if MENTION.search(text)} == MENTIONS


#: Matches a title or name used as a noun, as in "your *Statistics*" or "another *{name}*".
AS_NOUN = re.compile(r"\b(?:an?|another|own|their|your)[\s\"]+\*\{\w+\}\*")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_text_says_of_what_kind_a_named_thing_is(path):
    assert AS_NOUN.findall(path.read_text(encoding="utf-8")) == []


def test_texts_in_place_say_of_what_kind_a_named_thing_is():
    assert {place: text for place, text in texts_in_place() if AS_NOUN.search(text)} == {}
