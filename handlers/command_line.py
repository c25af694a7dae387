"""Read what people type: smart quotes, dashes, upper case, Slack's links and mentions, long names, flags.

``parse`` reads any command: its verb, names, and flags that are on or off. Verbs with flags that have values
read their own text once more: ``command_line`` takes a word for each, and leaves a program's own words behind
``--`` as they are; ``running_flags`` takes all words up to the next flag, so that titles need no quotes.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bot.services.filling import Flag
from bot.support.visible import clean
from handlers import routes

#: Longer commands are cut: no name that can be meant is longer.
_LONGEST_NAMES: Final = 2000
#: Nothing of a program's own words may be cut off: what is longer is refused.
LONGEST: Final = 6000

#: By code point, as some can't be told apart by eye: curly, low, angle, prime and full-width quotes; hyphens.
_DOUBLE: Final = dict.fromkeys((0x201C, 0x201D, 0x201E, 0x201F, 0xAB, 0xBB, 0x2033, 0xFF02), '"')
_SINGLE: Final = dict.fromkeys((0x2018, 0x2019, 0x201A, 0x201B, 0x2039, 0x203A, 0x2032, 0xFF07), "'")
_HYPHENS: Final = dict.fromkeys((0x2010, 0x2011, 0xFE63, 0xFF0D), "-")
_STRAIGHT: Final = str.maketrans({**_DOUBLE, **_SINGLE, **_HYPHENS})
_QUOTES: Final = "\"'"
#: A dash (figure, en, em, bar, minus) before a word stands for the two hyphens that a keyboard made it of.
_DASHES: Final = re.compile(r"(?:(?<=\s)|^)-?[\u2012-\u2015\u2212]+-?(?=\w)")
#: The same where two hyphens stand alone.
_ALONE: Final = re.compile(r"--|[\u2012-\u2015\u2212]")
_ENCODED: Final = re.compile(r"<([^<>|\s]+)(?:\|([^<>]*))?>")
_FLAG: Final = re.compile(r"--([A-Za-z][\w.-]*)(=?)")
_RUNNING_FLAG: Final = re.compile(r"(?:(?<=\s)|^)--([A-Za-z][\w-]*)(?:=|\s+|$)")
#: What a person writes before a verb to say what it is about, by the folder of the verbs.
_FOLDERS: Final = MappingProxyType(
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


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Hold the words after the verb, the flags, and what stands behind ``--`` (None without it)."""

    words: tuple[str, ...]
    flags: tuple[Flag, ...]
    tail: str | None = None


def parse(text: str, commands: Mapping[str, str] = NO_COMMANDS) -> Parsed:
    """Take a command apart. ``commands`` are slash commands, with their folders, that may stand in a message.

    Never raises: quotes that don't close are part of a name.
    """
    tokens = _tokens(normalise(text))
    folder = _folder(tokens[0], commands) if tokens else ""
    if folder:
        tokens = tokens[1:]
    flags = frozenset(token[2:].casefold() for token in tokens if _is_flag(token))
    words = [token for token in tokens if not _is_flag(token)]
    verb = words[0].casefold().rstrip(_TRAILING) if words else ""
    return Parsed(verb, tuple(words[1:]), flags, folder)


def command_line(text: str, commands: Mapping[str, str]) -> CommandLine:
    """Take a command apart whose flags have values of one word each; never raises.

    The words behind ``--`` stay as they were typed, quotes and line breaks with them.
    """
    rest = _after_verb(text, commands)
    words: list[str] = []
    flags: list[Flag] = []
    while rest:
        if _begins_tail(rest):
            return CommandLine(tuple(words), tuple(flags), rest[_word_end(rest) :].strip())
        named = _FLAG.match(rest)
        if named is not None and (named[2] or named.end() == _word_end(rest)):
            value, rest = _value(rest[named.end() :], is_joined=bool(named[2]))
            flags.append(Flag(named[1], value))
        else:
            word, rest = _word(rest)
            words.append(word)
    return CommandLine(tuple(words), tuple(flags))


def running_flags(text: str, commands: Mapping[str, str]) -> tuple[str, list[tuple[str, str]]]:
    """Return what stands before the first flag, and each flag with all that follows it; never raises."""
    rest = _unmarked(_after_verb(text, commands))
    found = list(_RUNNING_FLAG.finditer(rest))
    ends = [*(flag.start() for flag in found), len(rest)]
    flags = [
        (flag[1].casefold(), _unquoted(rest[flag.end() : end]))
        for flag, end in zip(found, ends[1:], strict=True)
    ]
    return _unquoted(rest[: ends[0]]), flags


def normalise(text: str) -> str:
    """Return what was meant: Slack's encoding undone, nothing invisible in it, quotes straight, no marks."""
    plain = clean(html.unescape(_decoded(text[:_LONGEST_NAMES])))
    return _straight(plain.strip(_MARKS).strip())


def typed(text: str) -> str:
    """Return a text as it was typed: the same, but whole, and with marks only where they are round it all."""
    return _unmarked(_straight(clean(html.unescape(_decoded(text)))))


def _unmarked(text: str) -> str:
    """Leave out marks that are round all of a text; what is decoded already is not decoded once more."""
    while len(text) > 1 and text[0] in _MARKS and text[0] == text[-1]:
        text = text[1:-1].strip()
    return text


def _straight(text: str) -> str:
    """Return a text with straight quotes, and two hyphens where a keyboard made a dash of them."""
    return text if text.isascii() else _DASHES.sub("--", text.translate(_STRAIGHT))


def _decoded(text: str) -> str:
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


def _folder(word: str, commands: Mapping[str, str]) -> str:
    """Return whose verbs a first word announces; empty where it announces none."""
    word = word.casefold()
    return commands.get(word, "") or _FOLDERS.get(word.rstrip(_TRAILING), "")


def _after_verb(text: str, commands: Mapping[str, str]) -> str:
    """Leave out the verb, and the slash command or ``run`` before it."""
    text = typed(text)
    if _folder(text[: _word_end(text)], commands):
        text = _unmarked(text[_word_end(text) :].strip())
    return text[_word_end(text) :].lstrip()


def _is_flag(token: str) -> bool:
    return token.startswith("--") and token[2:].casefold() in routes.flags()


def _tokens(text: str) -> list[str]:
    """Split at blanks, except within quotes."""
    if '"' not in text and "'" not in text:
        return text.split()
    tokens: list[str] = []
    while text := text.lstrip():
        token, text = _word(text)
        tokens.append(token.strip())
    return [token for token in tokens if token]


def _begins_tail(rest: str) -> bool:
    return _ALONE.fullmatch(rest, 0, _word_end(rest)) is not None


def _value(rest: str, *, is_joined: bool) -> tuple[str | None, str]:
    """Return a flag's value and what follows; None where the next words are another flag, or none."""
    if is_joined:
        return _word(rest) if rest and not rest[0].isspace() else ("", rest.lstrip())
    rest = rest.lstrip()
    if not rest or _begins_tail(rest) or _FLAG.match(rest):
        return None, rest
    return _word(rest)


def _word(rest: str) -> tuple[str, str]:
    """Return the first word, without its quotes, and what follows; within a word a quote is a letter."""
    end = _closing(rest) if rest[0] in _QUOTES else -1
    if end > 0:
        return rest[1:end], rest[end + 1 :].lstrip()
    end = _word_end(rest)
    return rest[:end], rest[end:].lstrip()


def _closing(text: str) -> int:
    """Return where a quotation at the start ends: the same mark before a blank or the end; else -1."""
    end = text.find(text[0], 1)
    while end > 0 and end + 1 < len(text) and not text[end + 1].isspace():
        end = text.find(text[0], end + 1)
    return end


def _word_end(text: str) -> int:
    return next((place for place, character in enumerate(text) if character.isspace()), len(text))


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] in _QUOTES and text[-1] == text[0]:
        text = text[1:-1].strip()
    return text
