"""Cleaning of a message's text (Slack's mrkdwn) before it is read; pure.

Code blocks and quoted lines are no request, each line or item of a list is a clause, and back-ticks, *cc @…*,
lines of greetings and the markers of lists say nothing.
"""

import re
from collections.abc import Iterable
from typing import Final

from bot.domain.moments import LEADS
from bot.support.cleaning import fold, unescape
from handlers.command_line import ENDS, plain
from handlers.language.vocabulary import NEGATIONS, TALK, THEN

#: One mark may uncover another one, such as an item of a list that is a quotation.
_MAX_PASSES: Final = 5
_BLOCK: Final = re.compile(r"```(.*?)```", re.DOTALL)
_INLINE: Final = re.compile(r"`+([^`\n]+)`+")
#: What begins a quoted line, as Slack sends it; three of them quote everything that follows.
_QUOTE: Final = r"(?:&(?:amp;)?gt;|>)"
_QUOTED_LINE: Final = re.compile(rf"\s*{_QUOTE}")
_QUOTED_REST: Final = re.compile(rf"\s*{_QUOTE}{{3}}")
_QUOTE_MARKS: Final = re.compile(rf"^[ \t]*{_QUOTE}+[ \t]*", re.MULTILINE)
_LEADING_QUOTATIONS: Final = re.compile(
    rf"(?:\s*(?:{_BLOCK.pattern}|{_QUOTE}{{3}}.*|{_QUOTE}[^\n]*))*\s*", re.DOTALL
)
_PERSON: Final = r"(?:<@[^<>\s]+>|@[\w.-]+)"
_COPY: Final = rf"/?\bcc\b:?[ \t]*{_PERSON}(?:[ \t,;]+(?:(?:and|und|&amp;)[ \t]+)?{_PERSON})*"
_COPIES: Final = re.compile(_COPY, re.IGNORECASE)
_MARKERS: Final = re.compile(
    rf"[ \t]*+(?:(?:[-*+–—][ \t]+|[•◦▪‣][ \t]*|{_COPY}(?:[ \t,;:]+|\Z)))*+", re.IGNORECASE
)
#: The number of an item; several are one.
_NUMBER: Final = re.compile(r"(?<!\S)([0-9]{1,2})[.)](?:[ \t]+[0-9]{1,2}[.)])*(?=\s)")
_GOING_ON: Final = NEGATIONS | THEN | LEADS.keys()
_LINK: Final = re.compile(r"<https?://[^<>|\s]+\|([^<>\n]+)>")
_ADDRESS: Final = re.compile(r"\w[.:/]\S")
_BLANKS: Final = " \t\r"


def clean_message(text: str) -> str:
    """Return what the writer of a message says, one clause a line; all of it if nothing is left."""
    for _ in range(_MAX_PASSES):
        cleaned = "\n".join(_list_clauses(text))
        if cleaned in {"", text}:
            break
        text = cleaned
    return text


def read_quotation(text: str) -> str | None:
    """Return the words of a text that is nothing but code and quoted lines; None for any other text."""
    if _list_clauses(_INLINE.sub("", _BLOCK.sub("\n", text))):
        return None
    words = _INLINE.sub(r"\1", _BLOCK.sub(r"\1", _QUOTE_MARKS.sub("", text)))
    return words if words != text else None


def skip_quotations(text: str) -> str:
    """Return a text without the code blocks and quoted lines that it begins with."""
    found = _LEADING_QUOTATIONS.match(text)
    return text[found.end() :] if found else text


def list_labels(text: str) -> list[str]:
    """Return the labels of links as they are read, but for those that look like another address."""
    return [unescape(label) for label in _LINK.findall(text) if not _ADDRESS.search(label)]


def show_labels(text: str, names: Iterable[str]) -> str:
    """Return a text with the labels of its links in place of their addresses where they are names."""
    folded = {fold(name) for name in names}
    return _LINK.sub(lambda link: link[1] if fold(unescape(link[1])) in folded else link[0], text)


def _list_clauses(text: str) -> list[str]:
    """Return the lines and items that are no quotation; each but the last ends a clause."""
    clauses = list[str]()
    lines = _split_items(_INLINE.sub(r"\1", _BLOCK.sub(_drop_block, text))).split("\n")
    for line in map(_drop_copies, lines):
        markers = _MARKERS.match(line)
        clause = line[markers.end() :] if markers and markers[0].strip() else line
        if _QUOTED_REST.match(clause):
            break
        if clause.strip() and not _QUOTED_LINE.match(clause):
            clauses.append(clause.strip() if len(lines) > 1 else clause)
    clauses = [clause for clause in clauses if not _is_greeting(clause)] or clauses
    return [*map(_end_clause, clauses[:-1]), *clauses[-1:]]


def _drop_block(block: re.Match[str]) -> str:
    """Return a line break in place of a code block; the words of a short one that stands within a line."""
    line_start = block.string.rfind("\n", 0, block.start()) + 1
    before = block.string[line_start : block.start()].rstrip()
    is_within_line = before and not before.endswith("```") and "\n" not in block[1]
    return f" {block[1]} " if is_within_line else "\n"


def _split_items(text: str) -> str:
    """Return a text with a line for each item of a list that counts from one, without the numbers.

    Any other number may be a date or a time.
    """
    every = list(_NUMBER.finditer(text))
    at_start = [one for one in every if not text[text.rfind("\n", 0, one.start()) + 1 : one.start()].strip()]
    for items in (at_start, every):
        counted = [int(one[1]) for one in items]
        if len(items) > 1 and counted == [*range(1, len(items) + 1)] and items[:1] == at_start[:1]:
            begins = [0, *(one.end() for one in items)]
            ends = [*(one.start() for one in items), len(text)]
            return "\n".join(text[begin:end] for begin, end in zip(begins, ends, strict=True))
    return text


def _drop_copies(line: str) -> str:
    """Return a line without *cc @…* at its end."""
    found = list(_COPIES.finditer(line)) if "@" in line else []
    while found and not line[found[-1].end() :].strip(f"{_BLANKS}.,;!?)"):
        copy = found.pop()
        line = line[: copy.start()].rstrip(f"{_BLANKS},;(–—-") + line[copy.end() :].strip(f"{_BLANKS}.,;)")
    return line


def _is_greeting(line: str) -> bool:
    return TALK.get(tuple(map(plain, line.split()))) in {"hello", "thanks"}


def _end_clause(line: str) -> str:
    """Return a line that ends a clause: right at its last word, but after a name in quotes or an address.

    A clause goes on after a word that can't be its last: ``don't``, ``stop lab at``.
    """
    last = line.rsplit(maxsplit=1)[-1]
    if line[-1] in ENDS or plain(last) in _GOING_ON:
        return line
    is_word = line[-1].isalnum() and "/" not in last
    return f"{line};" if is_word else f"{line} ;"
