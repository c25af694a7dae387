"""Finds the verbs that a mistyped word may mean.

A verb that ends or deletes something is never suggested if a verb that starts, makes or shows something is at
least as similar.
"""

from collections.abc import Collection, Mapping
from typing import Final

from bot.domain.similarity import count_allowed_slips
from bot.messages.verb import Effect, find_verb, list_synonyms


def split_words(text: str) -> frozenset[str]:
    """Split a string into a set of its words."""
    return frozenset(text.split())


def index_words(table: Mapping[str, str]) -> Mapping[str, str]:
    """Map words to keys, given a table that maps each key to a string of words."""
    return {word: verb for verb, others in table.items() for word in others.split()}


#: Words for things that Usher can't do, which aren't treated as misspellings of its verbs.
UNSUPPORTED_VERBS: Final = split_words(
    """clone copy duplicate fork backup save share invite move transfer upload download export import
    quiet upgrade update resize reset clear refresh edit change"""
)
#: Minimum length of the synonyms to compare. Shorter ones resemble too many words.
_MIN_SYNONYM_LENGTH: Final = 4
_MAX_SUGGESTED_VERBS: Final = 2


def find_similar_verbs(word: str, folder: str, verbs: Collection[str]) -> list[str]:
    """Return the verbs that most resemble an unknown word, or [] if none does."""
    from rapidfuzz.distance import OSA  # noqa: PLC0415 - only needed for typing mistakes

    wrong = 0 if word in UNSUPPORTED_VERBS else count_allowed_slips(word)
    candidates = [(verb, verb) for verb in verbs]
    candidates += [
        (other, verb)
        for other, verb in list_synonyms(folder).items()
        if verb in verbs and len(other) >= _MIN_SYNONYM_LENGTH
    ]
    #: For each similar verb, its edit distance and whether it was found by a synonym rather than its own
    #: name. A verb found by a synonym is less likely to be the one meant.
    ranks: dict[str, tuple[int, bool]] = {}
    for other, verb in candidates:
        rank = (OSA.distance(word, other, score_cutoff=wrong), other != verb)
        # If two letters are wrong, at least the first letter has to be right.
        if rank[0] <= (wrong if word[:1] == other[:1] else min(wrong, 1)):
            ranks[verb] = min(rank, ranks.get(verb, rank))
    gentle = min((far for verb, (far, _) in ranks.items() if not _is_ending(folder, verb)), default=wrong + 1)
    offered = {verb: rank for verb, rank in ranks.items() if rank[0] < gentle or not _is_ending(folder, verb)}
    nearest = min(offered.values(), default=None)
    return sorted(verb for verb, rank in offered.items() if rank == nearest)[:_MAX_SUGGESTED_VERBS]


def _is_ending(folder: str, verb: str) -> bool:
    """Return whether a verb ends or deletes something, so that it is suggested only as a last resort."""
    return folder == "workspace" and find_verb(folder, verb).effect is Effect.ENDS
