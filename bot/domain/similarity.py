"""Compares what people typed with what they may have meant, and usernames with people's names."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

#: Minimum similarity, from 0 to 1, at which a username is taken to match a person's name.
ALIKE: Final = 0.79
_BETWEEN = re.compile(r"[\W_]+")
#: Minimum length of a word in a name, in letters. Shorter words are ignored, because they match too many
#: people.
_SHORTEST: Final = 3
#: Pairs of a word's minimum length and the number of its letters that may be mistyped, longest words first.
#: Words shorter than these must be typed correctly.
_ALLOWED_SLIPS: Final = ((7, 2), (3, 1))


def is_slip(typed: str, word: str) -> bool:
    """Return whether a typed word may be a misspelling of ``word``."""
    from rapidfuzz.distance import OSA  # noqa: PLC0415 - only needed for typing mistakes

    allowed = count_allowed_slips(typed)
    return allowed > 0 and OSA.distance(typed, word, score_cutoff=allowed) <= allowed


def count_allowed_slips(word: str) -> int:
    """Return how many letters of a word may be wrong before it no longer counts as a misspelling."""
    return next((allowed for min_length, allowed in _ALLOWED_SLIPS if len(word) >= min_length), 0)


def score_likeness(username: str, *called: str) -> float:
    """Return how similar a username is to a person's name, handle or e-mail address, whichever fits best.

    Any similarity below ``ALIKE`` is returned as 0.
    """
    from rapidfuzz.distance import OSA  # noqa: PLC0415 - only needed for typing mistakes

    # A domain before or after the username says nothing about the person, so it is ignored.
    wanted = "".join(_words(username.replace("\\", "/").rpartition("/")[2].partition("@")[0]))
    forms = (form for each in called for form in _forms(each))
    return max((OSA.normalized_similarity(wanted, form, score_cutoff=ALIKE) for form in forms), default=0.0)


def _forms(called: str) -> Iterator[str]:
    """Yield usernames that a person with this name might have."""
    words = _words(called.partition("@")[0])
    if words:
        yield "".join(words)
    if len(words) > 1:
        first, last = words[0], words[-1]
        yield from (last + first, first[0] + last, first + last[0], last + first[0])
        yield from (word for word in words if len(word) >= _SHORTEST)


def _words(text: str) -> list[str]:
    """Return the words of a string in lower case, without accents or trailing numbers."""
    plain = text.casefold()
    if not text.isascii():
        parts = unicodedata.normalize("NFKD", text).casefold()
        plain = "".join(letter for letter in parts if not unicodedata.combining(letter))
    return [word.rstrip("0123456789") or word for word in _BETWEEN.split(plain) if word]
