"""Texts from outside without what can't be seen in them."""

from __future__ import annotations

import unicodedata
from typing import Final

#: The most of a name that is shown, as it is escaped: names may be thousands of characters long.
SHOWN: Final = 80
_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co"})
#: Invisible too, though their categories are visible ones: fillers that make a name look empty.
_FILLERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0")


def clean(text: object) -> str:
    """Strip control, bidi, zero-width and private characters; keep line breaks, make other blanks plain."""
    given = str(text)
    if given.isascii() and given.isprintable():
        # Nothing of that is in it, as in nearly all names.
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


def escape(text: str) -> str:
    """Escape the three characters that Slack's markup is made of: nothing from outside mentions or links."""
    return text.translate(_ESCAPES)
