"""Rank what a text may mean: a linear model over its words, trained from the phrases in ``sentences``; pure.

Names and times are marks by then, so that the model knows none of them. Nothing is done because of a rank: it
only chooses what is proposed.
"""

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

#: Made by ``make weights``.
WEIGHTS: Final = Path(__file__).with_name("weights.txt")
#: The marks of times are made from their kinds; those of names are given.
TIMES: Final[Mapping[str, str]] = {
    kind: f"t{kind}" for kind in ("at", "until", "for", "in", "long", "days", "span", "day")
}
#: A weight is two signs: which label it is for, counted from the first, and how much, more or less than none.
FIRST: Final = ord("!")
NONE: Final = ord("P")
#: What is less likely than this isn't worth proposing.
_LEAST: Final = 0.02
_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*|\?")
#: Words for a workspace in general mean the same, and so do numbers.
_GENERIC: Final = frozenset(
    ["box", "container", "environment", "instance", "machine", "server", "session", "vm", "workspace"]
)
#: Words with this many letters are also known by their first ones.
_BEGINNING: Final = 4
#: Slips that a word of this length or longer may have.
_SLIPS: Final = ((7, 2), (4, 1))


class Rank(NamedTuple):
    """Hold what a text may mean, a label, and how likely that is."""

    label: str
    likelihood: float


def marked(
    words: Iterable[str], names: Mapping[int, str], times: Mapping[int, str], taken: Collection[int] = ()
) -> tuple[str, ...]:
    """Return a text's words as the model knows them, with marks in place of names and times.

    ``names`` are marks and ``times`` kinds by their first places; ``taken`` are all the places of both.
    """
    found: list[str] = []
    for at, word in enumerate(words):
        if mark := names.get(at) or TIMES.get(times.get(at, "")):
            found.append(mark)
        elif at not in taken and at not in names:
            found += folded(word)
    return tuple(found)


def folded(text: str) -> list[str]:
    """Return the words of a text as the model knows them."""
    words = _WORD.findall(text.casefold().replace("’", "'"))
    return ["gg" if word in _GENERIC else "0" if word.isdigit() else word for word in words]


def features(words: Sequence[str]) -> list[str]:
    """Return what the model weighs: words, their beginnings, and neighbours."""
    found = [*words, *(f"{word[:_BEGINNING]}*" for word in words if len(word) > _BEGINNING)]
    found += [f"{one} {then}" for one, then in pairwise(["<", *words, ">"])]
    return sorted(set(found))


class Model:
    """Hold what was trained: by feature, which labels it speaks for or against."""

    def __init__(self, text: str) -> None:
        _, header, *lines = text.splitlines()
        scale, *labels = header.split()
        self._scale = float(scale)
        self._labels = [one.partition(":")[0] for one in labels]
        self._biases = [int(one.partition(":")[2]) for one in labels]
        #: By feature, which labels it speaks for or against.
        self._weights: dict[str, str] = {}
        for line in lines:
            first, alone, *neighbours = line.split("\t")
            self._weights[first] = alone
            for then, pairs in zip(neighbours[::2], neighbours[1::2], strict=True):
                self._weights[f"{first} {then}"] = pairs
        self._words = frozenset(one for one in self._weights if " " not in one and not one.endswith("*"))
        #: What a mistyped word may be, by its first letter, which is seldom wrong.
        long_words = sorted(word for word in self._words if len(word) >= _SLIPS[-1][0])
        self._nearby = {letter: tuple(group) for letter, group in groupby(long_words, key=itemgetter(0))}
        self._spelled = lru_cache(10_000)(self._nearest)

    def rank(self, words: Sequence[str]) -> tuple[Rank, ...]:
        """Return what a marked text may mean, the likeliest first."""
        known = sum(word in self._words for word in words)
        # Among words that nobody knows, a slip is no evidence.
        found = features([self._spelled(word) for word in words] if 2 * known >= len(words) - 1 else words)
        scores = [0] * len(self._labels)
        for one in found:
            pairs = self._weights.get(one, "")
            for label, weight in zip(pairs[::2], pairs[1::2], strict=True):
                scores[ord(label) - FIRST] += ord(weight) - NONE
        # Long texts weigh as much as short ones.
        share = 1 / math.sqrt(len(found))
        odds = [
            math.exp((bias + score * share) / self._scale)
            for bias, score in zip(self._biases, scores, strict=True)
        ]
        total = sum(odds)
        ranks = zip(self._labels, odds, strict=True)
        likely = [Rank(label, one / total) for label, one in ranks if one >= _LEAST * total]
        return tuple(sorted(likely, key=lambda one: (-one.likelihood, one.label)))

    def _nearest(self, word: str) -> str:
        """Return the known word that a mistyped one is nearest to; any other as it is."""
        slips = next((most for least, most in _SLIPS if len(word) >= least), 0)
        if not slips or word in self._words:
            return word
        near = process.extractOne(
            word, self._nearby.get(word[0], ()), scorer=OSA.distance, score_cutoff=slips
        )
        return word if near is None else near[0]


def rank(words: Sequence[str]) -> tuple[Rank, ...]:
    """Return what a marked text may mean, the likeliest first."""
    return _model().rank(words) if words else ()


@cache
def _model() -> Model:
    return Model(WEIGHTS.read_text(encoding="utf-8"))
