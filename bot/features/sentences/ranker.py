"""Ranks of a text's meanings: a linear model over its words, trained from the phrases in ``sentences``; pure.

Names and times are placeholders by then, so that the model knows none of them. Nothing is done because of a
rank: it only chooses proposals.
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
#: The placeholders of times are made from their kinds; those of names are given.
TIME_PLACEHOLDERS: Final[Mapping[str, str]] = {
    kind: f"t{kind}" for kind in ("at", "until", "for", "in", "long", "days", "span", "day")
}
#: A weight is two signs: which label it is for, counted from the first, and how much, more or less than none.
FIRST_LABEL_CODE: Final = ord("!")
ZERO_WEIGHT_CODE: Final = ord("P")
#: A less likely label isn't worth proposing.
_MIN_LIKELIHOOD_SHARE: Final = 0.02
_WORD_PATTERN: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*|\?")
#: Words for a workspace in general mean the same, and so do numbers.
_GENERIC_WORDS: Final = frozenset(
    ["box", "container", "environment", "instance", "machine", "server", "session", "vm", "workspace"]
)
#: Words with this many letters are also known by their first ones.
_BEGINNING_LENGTH: Final = 4
#: Slips that a word of this length or longer may have.
_ALLOWED_SLIPS: Final = ((7, 2), (4, 1))


class Rank(NamedTuple):
    """A possible meaning of a text, as a label with its likelihood."""

    label: str
    likelihood: float


def replace_with_placeholders(
    words: Iterable[str],
    names: Mapping[int, str],
    times: Mapping[int, str],
    taken_places: Collection[int] = (),
) -> tuple[str, ...]:
    """Return a text's words as the model knows them, with placeholders for names and times.

    ``names`` are placeholders and ``times`` kinds by first places; ``taken_places`` are all places of both.
    """
    words_found: list[str] = []
    for at, word in enumerate(words):
        if placeholder := names.get(at) or TIME_PLACEHOLDERS.get(times.get(at, "")):
            words_found.append(placeholder)
        elif at not in taken_places and at not in names:
            words_found += fold_words(word)
    return tuple(words_found)


def fold_words(text: str) -> list[str]:
    """Return the words of a text as the model knows them."""
    words = _WORD_PATTERN.findall(text.casefold().replace("’", "'"))
    return ["gg" if word in _GENERIC_WORDS else "0" if word.isdigit() else word for word in words]


def list_features(words: Sequence[str]) -> list[str]:
    """Return the features that the model weighs: words, their beginnings, and neighbours."""
    found = [*words, *(f"{word[:_BEGINNING_LENGTH]}*" for word in words if len(word) > _BEGINNING_LENGTH)]
    found += [f"{one} {then}" for one, then in pairwise(["<", *words, ">"])]
    return sorted(set(found))


class Model:
    """The trained model: by feature, the labels for or against which it speaks."""

    def __init__(self, text: str) -> None:
        _, header, *lines = text.splitlines()
        scale, *labels = header.split()
        self._scale = float(scale)
        self._labels = [text_.partition(":")[0] for text_ in labels]
        self._biases = [int(text_.partition(":")[2]) for text_ in labels]
        #: By feature, the labels for or against which it speaks.
        self._weights: dict[str, str] = {}
        for line in lines:
            first, alone, *neighbours = line.split("\t")
            self._weights[first] = alone
            for then, pairs in zip(neighbours[::2], neighbours[1::2], strict=True):
                self._weights[f"{first} {then}"] = pairs
        self._words = frozenset(
            text_ for text_ in self._weights if " " not in text_ and not text_.endswith("*")
        )
        #: The candidates for a mistyped word, by its first letter, which is seldom wrong.
        long_words = sorted(word for word in self._words if len(word) >= _ALLOWED_SLIPS[-1][0])
        self._words_by_letter = {
            letter: tuple(group) for letter, group in groupby(long_words, key=itemgetter(0))
        }
        self._correct_spelling = lru_cache(10_000)(self._find_nearest)

    def rank(self, words: Sequence[str]) -> tuple[Rank, ...]:
        """Return the ranks of a text with placeholders, the likeliest first."""
        known_count = sum(word in self._words for word in words)
        # Among words that nobody knows, a slip is no evidence.
        found = list_features(
            [self._correct_spelling(word) for word in words] if 2 * known_count >= len(words) - 1 else words
        )
        scores = [0] * len(self._labels)
        for feature in found:
            pairs = self._weights.get(feature, "")
            for label, weight in zip(pairs[::2], pairs[1::2], strict=True):
                scores[ord(label) - FIRST_LABEL_CODE] += ord(weight) - ZERO_WEIGHT_CODE
        # Long texts weigh as much as short ones.
        share = 1 / math.sqrt(len(found))
        odds = [
            math.exp((bias + score * share) / self._scale)
            for bias, score in zip(self._biases, scores, strict=True)
        ]
        total = sum(odds)
        ranks = zip(self._labels, odds, strict=True)
        likely = [
            Rank(label, feature / total)
            for label, feature in ranks
            if feature >= _MIN_LIKELIHOOD_SHARE * total
        ]
        return tuple(sorted(likely, key=lambda feature: (-feature.likelihood, feature.label)))

    def _find_nearest(self, word: str) -> str:
        """Return the known word nearest to a mistyped one; any other word as it is."""
        slips = next((allowed for min_length, allowed in _ALLOWED_SLIPS if len(word) >= min_length), 0)
        if not slips or word in self._words:
            return word
        match = process.extractOne(
            word, self._words_by_letter.get(word[0], ()), scorer=OSA.distance, score_cutoff=slips
        )
        return word if match is None else match[0]


def rank(words: Sequence[str]) -> tuple[Rank, ...]:
    """Return the ranks of a text with placeholders, the likeliest first."""
    return _load_model().rank(words) if words else ()


@cache
def _load_model() -> Model:
    return Model(WEIGHTS.read_text(encoding="utf-8"))
