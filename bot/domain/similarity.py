"""Likeness of a username to a person's names: the people whom it may mean."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from rapidfuzz.distance import OSA

#: From this likeness on, of 0 to 1, a username may mean somebody.
ALIKE: Final = 0.79
_BETWEEN = re.compile(r"[\W_]+")
#: A shorter word of a name says too little about whom it means.
_SHORTEST: Final = 3


def score_likeness(username: str, *called: str) -> float:
    """Return the likeness of a username to the closest of a name, a handle and an e-mail address.

    What isn't alike is 0. It is asked of everybody in a Slack workspace: some 15 µs each.
    """
    # A domain before it, or after it, says nothing about whom it means.
    wanted = "".join(_words(username.replace("\\", "/").rpartition("/")[2].partition("@")[0]))
    forms = (form for each in called for form in _forms(each))
    return max((OSA.normalized_similarity(wanted, form, score_cutoff=ALIKE) for form in forms), default=0.0)


def _forms(called: str) -> Iterator[str]:
    """Yield the usual usernames of a person: all words together, each alone, and with an initial."""
    words = _words(called.partition("@")[0])
    if words:
        yield "".join(words)
    if len(words) > 1:
        first, last = words[0], words[-1]
        yield from (last + first, first[0] + last, first + last[0], last + first[0])
        yield from (word for word in words if len(word) >= _SHORTEST)


def _words(text: str) -> list[str]:
    """Return the words of a text without case, accents and numbers at their end."""
    plain = text.casefold()
    if not text.isascii():
        parts = unicodedata.normalize("NFKD", text).casefold()
        plain = "".join(letter for letter in parts if not unicodedata.combining(letter))
    return [word.rstrip("0123456789") or word for word in _BETWEEN.split(plain) if word]
