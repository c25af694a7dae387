"""Find the verbs that a mistyped word may mean; pure.

Nothing that takes something away is suggested for a word that is at least as close to one that starts, makes
or shows something.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from rapidfuzz.distance import OSA

from handlers.language.vocabulary import NO_VERBS, SYNONYMS

#: How many letters may be wrong in a word of this length or longer.
_SLIPS: Final = ((7, 2), (3, 1))
#: Shorter synonyms are near to too many words.
_SHORTEST: Final = 4
_MOST: Final = 2


def is_slip(typed: str, word: str) -> bool:
    """Return whether a typed word may be another one with a slip of the finger."""
    slips = _slips(typed)
    return slips > 0 and OSA.distance(typed, word, score_cutoff=slips) <= slips


def _slips(word: str) -> int:
    """Return how many letters may be wrong in a word."""
    return next((most for least, most in _SLIPS if len(word) >= least), 0)


def near_verbs(
    word: str, folder: str, verbs: Collection[str], takes_away: Callable[[str], bool]
) -> list[str]:
    """Return the verbs nearest to an unknown word, the nearest first; empty if none is near."""
    slips = 0 if word in NO_VERBS else _slips(word)
    known = [(verb, verb) for verb in verbs]
    known += [
        (other, verb)
        for other, verb in SYNONYMS.get(folder, {}).items()
        if verb in verbs and len(other) >= _SHORTEST
    ]
    #: By verb: how far it is, and whether by another word for it, which is less likely to be the one.
    ranks: dict[str, tuple[int, bool]] = {}
    for other, verb in known:
        rank = (OSA.distance(word, other, score_cutoff=slips), other != verb)
        # With two slips, only a word that begins alike is near enough.
        if rank[0] <= (slips if word[:1] == other[:1] else min(slips, 1)):
            ranks[verb] = min(rank, ranks.get(verb, rank))
    gentle = min(
        (distance for verb, (distance, _) in ranks.items() if not takes_away(verb)), default=slips + 1
    )
    left = {verb: rank for verb, rank in ranks.items() if rank[0] < gentle or not takes_away(verb)}
    nearest = min(left.values(), default=None)
    return sorted(verb for verb, rank in left.items() if rank == nearest)[:_MOST]
