"""Removes mentions of Usher, by id or by name, from messages that people write to it."""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Final

#: Matches text in quotes. Quoted text is always a name, whatever it contains.
_QUOTATION_PATTERN: Final = re.compile(
    r"(?<!\S)\"[^\"]*\"(?!\S)|(?<!\S)'[^']*'(?!\S)|[\u201c-\u201e\xab][^\u201c-\u201e\xab\xbb]*[\u201c\u201d\xbb]"
)
#: Matches punctuation between a mention at the beginning and the words that follow. ``--yes`` and ``:wave:``
#: count as words.
_SEPARATOR_PATTERN: Final = re.compile(
    r"\A(?:[\s,;]|[.!?\u2026]+(?=\s|\Z)|[-\u2013\u2014]+(?=\s|\Z)|:(?![\w+-]+:))*"
)
#: Matches words after which a mention is the subject of a question, as in ``can @usher stop lab?``.
_MODAL_PATTERN: Final = re.compile(
    r"(?:\A|[,.;:!?]\s|\b(?:please|what|how)\s)\s*(?:can|could|will|would)\Z", re.IGNORECASE
)
_SUBJECT_PRONOUNS: Final = frozenset(
    {"i", "you", "u", "we", "he", "she", "it", "they", "somebody", "someone"}
)
_GREETING_WORDS: Final = frozenset({"hi", "hey", "hello", "ok", "dear"})
_BLANK_SIGNS: Final = " \t"
_SEPARATOR_SIGNS: Final = " \t,:;"
_MARK_SIGNS: Final = "*_~`"
#: Punctuation that may follow a mention but belongs to the words before it.
_CLOSING_SIGNS: Final = ",;:.!?\u2026)\n"


def remove_own_mentions(text: str, ids: Iterable[str | None], name: str) -> str:
    """Remove mentions of these ids, and of the name after an @. The text is in Slack's encoding.

    Mentions are removed anywhere in the text, but the name is kept if it is quoted or part of a longer name.
    """
    if "@" not in text:
        return text
    pieces = _split_at_mentions(text, _build_mention_pattern(tuple(filter(None, ids)), name))
    kept = pieces[:1]
    for after in pieces[1:]:
        kept[-1:] = _close_gap(kept[-1], after)
    return "".join(kept)


@lru_cache(maxsize=256)
def _build_mention_pattern(ids: tuple[str, ...], name: str) -> re.Pattern[str]:
    """Return the pattern for a mention. It includes marks around the mention, such as those for bold text."""
    one_of = "|".join(map(re.escape, ids))
    mentions = rf"<@(?:{one_of})(?:\|[^<>]*)?>|&lt;@(?:{one_of})&gt;|" if ids else ""
    # `lab@usher` is a workspace on a connection, and `@usher-x` is another user.
    plain = rf"(?<![^\W_])(?<![@.|/&+-])@{re.escape(name)}(?![^\W_]|[@/&+]|[-._]\w)"
    return re.compile(rf"(?P<marks>[*_~`]{{0,3}})(?:{mentions}{plain})(?P=marks)", re.IGNORECASE)


def _split_at_mentions(text: str, mention: re.Pattern[str]) -> list[str]:
    """Split a message at its mentions. Pieces that only separate two mentions are left out."""
    quotations = [found.span() for found in _QUOTATION_PATTERN.finditer(text)][::-1]
    places = [(0, 0)]
    for found in mention.finditer(text):
        while quotations and quotations[-1][1] <= found.start():
            quotations.pop()
        is_quoted = bool(quotations) and quotations[-1][0] < found.start()
        if not (is_quoted and found[0].strip(_MARK_SIGNS).startswith("@")):
            places.append(found.span())
    places.append((len(text), len(text)))
    pieces = [text[end:begin] for (_, end), (begin, _) in pairwise(places)]
    return [*pieces[:1], *(one for one in pieces[1:-1] if one.strip(_SEPARATOR_SIGNS)), *pieces[1:][-1:]]


def _close_gap(before: str, after: str) -> tuple[str, str]:
    """Join the words around a removed mention, and clean up the punctuation and spaces between them."""
    after = after.removeprefix("'s").removeprefix("\u2019s")
    rest = _SEPARATOR_PATTERN.sub("", after, count=1)
    if not before.rpartition("\n")[2].replace("&gt;", "").strip(_BLANK_SIGNS + _MARK_SIGNS):
        return before, rest
    if rest and before.strip(_SEPARATOR_SIGNS + "\n").casefold() in _GREETING_WORDS:
        return "", rest
    rest = after.lstrip(_BLANK_SIGNS)
    if rest[:1] in {"", "\n"} or after[0] in _CLOSING_SIGNS:
        return before.rstrip(_SEPARATOR_SIGNS), rest
    said = before.rstrip(_BLANK_SIGNS)
    is_asked = _MODAL_PATTERN.search(said) and rest.split()[0].casefold() not in _SUBJECT_PRONOUNS
    return f"{said} you " if is_asked else f"{said} ", rest
