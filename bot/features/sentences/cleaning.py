"""Cleaning of a message's text (Slack's mrkdwn) before it is read; pure.

Code blocks and quoted lines are no request, each line or item of a list is a clause, and back-ticks, *cc @…*,
lines of greetings and the markers of lists say nothing.
"""

import re
from collections.abc import Iterable
from typing import Final

from bot.domain.time_parsing import LEADS
from bot.features.sentences.phrasebook import SMALL_TALK
from bot.support.cleaning import fold, unescape
from handlers.command_line import END_SIGNS, fold_word
from handlers.quotations import drop_code_marks, drop_quotations, read_quotation
from handlers.vocabulary import NEGATIONS, THEN_WORDS

#: One mark may uncover another one, such as an item of a list that is a quotation.
_MAX_PASSES: Final = 5
_PERSON_PATTERN: Final = r"(?:<@[^<>\s]+>|@[\w.-]+)"
_COPY_PATTERN: Final = (
    rf"/?\bcc\b:?[ \t]*{_PERSON_PATTERN}(?:[ \t,;]+(?:(?:and|und|&amp;)[ \t]+)?{_PERSON_PATTERN})*"
)
_COPIES: Final = re.compile(_COPY_PATTERN, re.IGNORECASE)
_MARKERS: Final = re.compile(
    rf"[ \t]*+(?:(?:[-*+–—][ \t]+|[•◦▪‣][ \t]*|{_COPY_PATTERN}(?:[ \t,;:]+|\Z)))*+", re.IGNORECASE
)
#: The number of an item; several are one.
_ITEM_NUMBER: Final = re.compile(r"(?<!\S)([0-9]{1,2})[.)](?:[ \t]+[0-9]{1,2}[.)])*(?=\s)")
_GOING_ON: Final = NEGATIONS | THEN_WORDS | LEADS.keys()
_LABELLED_LINK: Final = re.compile(r"<https?://[^<>|\s]+\|([^<>\n]+)>")
_ADDRESS_SIGN: Final = re.compile(r"\w[.:/]\S")
_BLANKS: Final = " \t\r"


def clean_message(text: str) -> str:
    """Return the own words of a message's writer, one clause a line; all of it if nothing is left."""
    lines, said = [text], text
    for _ in range(_MAX_PASSES if read_quotation(text) is None else 0):
        cleaned = _drop_marks(said)
        if not cleaned or cleaned == [said]:
            break
        lines, said = cleaned, "\n".join(cleaned)
    lines = [line for line in lines if not _is_greeting(line)] or lines
    return "\n".join([*map(_end_clause, lines[:-1]), *lines[-1:]])


def list_labels(text: str) -> list[str]:
    """Return the labels of links as they are read, but for those that look like another address."""
    return [unescape(label) for label in _LABELLED_LINK.findall(text) if not _ADDRESS_SIGN.search(label)]


def show_labels(text: str, names: Iterable[str]) -> str:
    """Return a text with the labels of its links in place of the addresses, if they are among ``names``."""
    folded = {fold(name) for name in names}
    return _LABELLED_LINK.sub(lambda link: link[1] if fold(unescape(link[1])) in folded else link[0], text)


def _drop_marks(text: str) -> list[str]:
    """Return the lines and items that are no quotation, without marks around them."""
    lines = _split_items(drop_code_marks(drop_quotations(text))).split("\n")
    bare = list[str]()
    for line in map(_drop_copies, lines):
        markers = _MARKERS.match(line)
        bare.append(line[markers.end() :] if markers and markers[0].strip() else line)
    return [line.strip() for line in bare if line.strip()] if len(lines) > 1 else [*filter(str.strip, bare)]


def _split_items(text: str) -> str:
    """Return a text with a line for each item of a list that counts from one, without the numbers.

    Any other number may be a date or a time.
    """
    every = list(_ITEM_NUMBER.finditer(text))
    at_start = [one for one in every if not text[text.rfind("\n", 0, one.start()) + 1 : one.start()].strip()]
    for items in (at_start, every):
        counted = [int(item[1]) for item in items]
        if len(items) > 1 and counted == [*range(1, len(items) + 1)] and items[:1] == at_start[:1]:
            begins = [0, *(item.end() for item in items)]
            ends = [*(item.start() for item in items), len(text)]
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
    return SMALL_TALK.get(tuple(map(fold_word, line.split()))) in {"hello", "thanks"}


def _end_clause(line: str) -> str:
    """Return a line that ends a clause: right at its last word, but after a name in quotes or an address.

    A clause goes on after a word that can't be its last: ``don't``, ``stop lab at``.
    """
    last = line.rsplit(maxsplit=1)[-1]
    if line[-1] in END_SIGNS or fold_word(last) in _GOING_ON:
        return line
    is_word = line[-1].isalnum() and "/" not in last
    return f"{line};" if is_word else f"{line} ;"
