"""Remove invisible characters from texts that come from outside."""

from __future__ import annotations

import unicodedata
from typing import Final

#: How much of a name is shown, once escaped: names may be thousands of characters long.
SHOWN: Final = 80
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co"})
#: Invisible despite their category: fillers that make a name look empty.
_FILLERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0")


def clean(text: object) -> str:
    """Strip control, bidi, zero-width and private characters; keep line breaks, make other blanks spaces."""
    given = str(text)
    if given.isascii() and given.isprintable():
        # There is nothing to strip, as in nearly all names.
        return given.strip()
    kept = []
    for character in given:
        category = unicodedata.category(character)
        if character == "\n":
            kept.append(character)
        elif category in {"Zs", "Zl", "Zp"} or character in "\t\r\v\f":
            kept.append(" ")
        elif category not in _INVISIBLE and character not in _FILLERS:
            kept.append(character)
    return "".join(kept).strip()


def has_invisible(text: str) -> bool:
    """Return whether a text has characters that nobody sees; line breaks and tabs are seen."""
    return any(
        (unicodedata.category(character) in _INVISIBLE and character not in "\n\t") or character in _FILLERS
        for character in text
    )


def escape(text: str) -> str:
    """Escape the three special characters of Slack's markup, so no text from outside mentions or links."""
    return text.translate(_ESCAPES)


def unescape(text: str) -> str:
    """Undo ``escape``: Slack's payloads bring texts back with its three entities, and no others."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
