"""Understand what people type: smart quotes, dashes, upper case, Slack's links and mentions, long names."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bot.blocks.limits import clean
from handlers import routes

#: Longer commands are cut: no name that can be meant is longer.
_LONGEST: Final = 2000

#: By code point, as some can't be told apart by eye: curly, low, angle, prime and full-width quotes; hyphens.
_DOUBLE: Final = dict.fromkeys((0x201C, 0x201D, 0x201E, 0x201F, 0xAB, 0xBB, 0x2033, 0xFF02), '"')
_SINGLE: Final = dict.fromkeys((0x2018, 0x2019, 0x201A, 0x201B, 0x2039, 0x203A, 0x2032, 0xFF07), "'")
_HYPHENS: Final = dict.fromkeys((0x2010, 0x2011, 0xFE63, 0xFF0D), "-")
_QUOTES: Final = str.maketrans({**_DOUBLE, **_SINGLE, **_HYPHENS})
#: A dash (figure, en, em, bar, minus) before a word stands for the two hyphens that a keyboard made it of.
_DASHES: Final = re.compile(r"(?:(?<=\s)|^)-?[\u2012-\u2015\u2212]+-?(?=\w)")
_ENCODED: Final = re.compile(r"<([^<>|\s]+)(?:\|([^<>]*))?>")
#: What a person writes before a verb to say what it is about, by the folder of the verbs.
FOLDERS: Final = MappingProxyType(
    {"job": "job", "jobs": "job", "workspace": "workspace", "workspaces": "workspace"}
)
NO_COMMANDS: Final[Mapping[str, str]] = MappingProxyType({})
_TRAILING: Final = ",;:.!?"
#: Marks of bold and code that people put round what help shows them.
_MARKS: Final = "`*"


@dataclass(frozen=True, slots=True)
class Parsed:
    """Hold a command in parts: the verb in lower case, names as they were typed, known flags.

    ``folder`` is whose verb it is, where the person wrote that before it (``job list``); empty otherwise.
    """

    verb: str
    arguments: tuple[str, ...]
    flags: frozenset[str]
    folder: str = ""


def parse(text: str, commands: Mapping[str, str] = NO_COMMANDS) -> Parsed:
    """Take a command apart. ``commands`` are slash commands, with their folders, that may stand in a message.

    Never raises: quotes that don't close are part of a name.
    """
    tokens = _tokens(normalise(text))
    folder = ""
    if tokens:
        first = tokens[0].casefold()
        folder = commands.get(first, "") or FOLDERS.get(first.rstrip(_TRAILING), "")
        if folder:
            tokens = tokens[1:]
    flags = frozenset(token[2:].casefold() for token in tokens if _is_flag(token))
    words = [token for token in tokens if not _is_flag(token)]
    verb = words[0].casefold().rstrip(_TRAILING) if words else ""
    return Parsed(verb, tuple(words[1:]), flags, folder)


def normalise(text: str) -> str:
    """Return the text as it was meant: Slack's encoding undone, nothing invisible in it, quotes straight."""
    plain = clean(html.unescape(decoded(text[:_LONGEST])))
    if plain.isascii():
        # None of the quotes and dashes below is.
        return plain.strip(_MARKS).strip()
    return _DASHES.sub("--", plain.translate(_QUOTES).strip().strip(_MARKS).strip())


def straight(text: str) -> str:
    """Return a text with straight quotes, and two hyphens where a keyboard made a dash of them."""
    return text if text.isascii() else _DASHES.sub("--", text.translate(_QUOTES))


def decoded(text: str) -> str:
    """Undo what Slack makes of addresses and mentions; its entities are still to be undone."""
    return _ENCODED.sub(_decode, text)


def _decode(found: re.Match[str]) -> str:
    """Undo one ``<…>`` of Slack: an address, a mention (kept), a channel, a mail address."""
    inside, label = found.group(1), found.group(2)
    match inside[0]:
        case "@":
            # Guarded against the cleaning of entities; the angle brackets come back as they were.
            return f"&lt;{inside}&gt;"
        case "#":
            return f"#{label or inside[1:]}"
        case "!":
            return label or ""
    bare = inside.removeprefix("mailto:").removeprefix("http://")
    # Slack makes an address of what only looks like one (app.py): the label is what was typed.
    return label if label and label == bare else inside


def _is_flag(token: str) -> bool:
    return token.startswith("--") and token[2:].casefold() in routes.flags()


def _tokens(text: str) -> list[str]:
    """Split at blanks, except within quotes; a quote opens at the start of a word only (alice's is whole)."""
    if '"' not in text and "'" not in text:
        return text.split()
    tokens: list[str] = []
    position = 0
    while position < len(text):
        character = text[position]
        if character.isspace():
            position += 1
            continue
        end = -1
        if character in "\"'":
            end = closing(text, position)
        if end > 0:
            tokens.append(text[position + 1 : end])
            position = end + 1
        else:
            begin = position
            while position < len(text) and not text[position].isspace():
                position += 1
            tokens.append(text[begin:position])
    return [token.strip() for token in tokens if token.strip()]


def closing(text: str, start: int) -> int:
    """Return where a quotation ends: the same mark before a blank or the end; -1 when it never does."""
    quote = text[start]
    end = text.find(quote, start + 1)
    while end > 0 and end + 1 < len(text) and not text[end + 1].isspace():
        end = text.find(quote, end + 1)
    return end
