"""Compare words as people write them: small letters, no signs or marks around them, nothing inside quotes."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from handlers.command_line import Quoted

#: What may end a sentence, or begin one.
ENDS: Final = ".,;:!?…)(¿¡"
#: Slack's marks for bold, code, italics and what is struck out.
MARKS: Final = "*`_~"


def plain(word: str) -> str:
    """Return a word as rules compare it: in small letters, without signs and marks around; "" if quoted."""
    if isinstance(word, Quoted):
        return ""
    return word.casefold().strip(ENDS + MARKS) or word.casefold()


def is_struck(word: str) -> bool:
    """Return whether a word is struck out, or where that begins or ends: it may be meant as taken back."""
    return not isinstance(word, Quoted) and word.strip(ENDS + MARKS) != word.strip(
        ENDS + MARKS.replace("~", "")
    )


def begins(words: Sequence[str], phrases: Sequence[tuple[str, ...]]) -> int:
    """Return how many words the first phrase has that they begin with; 0 for none."""
    folded = tuple(map(plain, words[: max(map(len, phrases))]))
    return next((len(one) for one in phrases if folded[: len(one)] == one), 0)


def ends(words: Sequence[str], phrases: Sequence[tuple[str, ...]]) -> int:
    """Return the same for what they end with."""
    folded = tuple(map(plain, words[-max(map(len, phrases)) :]))
    return next((len(one) for one in phrases if folded[-len(one) :] == one), 0)


def is_emoji(word: str) -> bool:
    """Return whether a word is one of Slack's ``:wave:``, or a sign without letters or digits."""
    is_named = len(word) > 2 and word[0] == word[-1] == ":"
    return not isinstance(word, Quoted) and (is_named or not any(sign.isalnum() for sign in word))


def is_sign(word: str) -> bool:
    """Return whether a word is an emoji for sure, and no sign that means something before a text."""
    return is_emoji(word) and (word.startswith(":") or not word.isascii())


def without(words: tuple[str, ...], dropped: AbstractSet[str]) -> tuple[str, ...]:
    """Return the words that aren't among those; what is quoted always stays."""
    return tuple(word for word in words if isinstance(word, Quoted) or plain(word) not in dropped)
