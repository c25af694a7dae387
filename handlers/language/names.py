"""Find the names of a person's workspaces, runs and connections among words, wherever they are; pure.

A whole name always comes first, however it reads. A word that nothing else explains may be one with a slip of
the finger, or the beginning of one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeVar

from bot.domain.runs import Run
from bot.domain.workspaces import Workspace
from bot.providers.base import Provider
from bot.services import naming
from handlers.command_line import Quoted
from handlers.language import vocabulary
from handlers.language.words import MARKS, is_slip, plain

#: Names have no more words than this unless they are quoted.
_WORDS_OF_A_NAME: Final = 6
_QUOTES: Final = "\"'"
#: A word must be this long to be taken for the beginning of a name.
_SHORTEST_BEGINNING: Final = 3


_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Span:
    """Hold what words name: workspaces or runs of one name, the newest run first, or a connection."""

    begin: int
    end: int
    workspaces: tuple[Workspace, ...] = ()
    runs: tuple[Run, ...] = ()
    connection: str = ""
    #: Whether it is the beginning of a name, and nothing else.
    is_beginning: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """Hold a word as rules compare it, or a name of several words (``word`` is "" then)."""

    word: str
    typed: str
    span: Span | None = None

    @property
    def workspaces(self) -> tuple[Workspace, ...]:
        """Return what it names, if that is a workspace."""
        return self.span.workspaces if self.span is not None else ()

    @property
    def connection(self) -> str:
        """Return what it names, if that is a connection."""
        return self.span.connection if self.span is not None else ""


class Names:
    """Hold everything of a person that words can name; what was found once is kept."""

    def __init__(
        self,
        rows: Sequence[Workspace] = (),
        runs: Sequence[Run] = (),
        connections: Mapping[str, Provider] | None = None,
    ) -> None:
        self._rows = rows
        self._runs = runs
        self._connections = connections or {}
        self._found: dict[tuple[str, ...], list[Span]] = {}

    def spans(self, words: tuple[str, ...]) -> list[Span]:
        """Return all whole names among words, the longest first at each place, from left to right."""
        # Words in quotes and without are the same to a comparison.
        key = tuple(f'"{word}' if isinstance(word, Quoted) else word for word in words)
        if key not in self._found:
            self._found[key] = self._spans(words)
        return self._found[key]

    def has(self, text: str) -> bool:
        """Return whether a workspace is called exactly that, whatever its signs and marks are."""
        return naming.fold(text) in self._workspaces

    def _spans(self, words: Sequence[str]) -> list[Span]:
        found: list[Span] = []
        at = 0
        while at < len(words):
            begins_one = "@" in words[at] or naming.fold(plain(words[at])) in self._beginnings
            is_alone = isinstance(words[at], Quoted) or not begins_one
            longest = 1 if is_alone else min(_WORDS_OF_A_NAME, len(words) - at)
            spans = (self._span(words, at, count) for count in range(longest, 0, -1))
            span = next((one for one in spans if one is not None), None)
            found += [span] if span is not None else []
            at = span.end if span is not None else at + 1
        return found

    def _span(self, words: Sequence[str], at: int, count: int) -> Span | None:
        for text in readings(words[at : at + count]):
            if "@" in text or "://" in text:
                whole = naming.find_whole(text, self._rows, self._connections)
                if whole is not None:
                    return Span(at, at + count, whole.workspaces)
            key = naming.fold(text)
            if key in self._workspaces:
                return Span(at, at + count, self._workspaces[key])
            if key in self._runs_by_name:
                return Span(at, at + count, runs=self._runs_by_name[key])
            if key in self._places:
                return Span(at, at + count, connection=self._places[key])
        return None

    def near(self, words: Sequence[str], *, is_named: bool) -> Span | None:
        """Return what words may name with a slip, or as the beginning of a name; None for nothing.

        ``is_named``: they are where a name is, so that the beginning of one is enough.
        """
        text = " ".join(words).strip(MARKS)
        if is_named and len(text) >= _SHORTEST_BEGINNING:
            found = naming.find(text, self._rows, self._connections)
            if found.kind in {"one", "many"}:
                return Span(0, len(words), found.workspaces, is_beginning=True)
        typed = naming.fold(next(iter(readings(words))).strip(_QUOTES))
        keys = {key for key in self._workspaces if _is_near(typed, key)}
        rows = tuple(one for one in self._rows if keys & {naming.fold(one.title), naming.fold(one.name)})
        if rows:
            return Span(0, len(words), rows)
        runs = next((runs for key, runs in self._runs_by_name.items() if _is_near(typed, key)), ())
        if runs:
            return Span(0, len(words), runs=runs)
        place = next((place for key, place in self._places.items() if _is_near(typed, key)), "")
        if place and len(typed) > _SHORTEST_BEGINNING + 1:
            return Span(0, len(words), connection=place)
        return None

    @cached_property
    def _workspaces(self) -> Mapping[str, tuple[Workspace, ...]]:
        by_alias = ((naming.fold(one.alias), one) for one in self._rows if one.alias)
        by_name = (
            (name, one) for one in self._rows for name in {naming.fold(one.name), naming.fold(one.remote_id)}
        )
        return _grouped(by_name) | _grouped(by_alias)

    @cached_property
    def _beginnings(self) -> frozenset[str]:
        """Return the first words of all names: most words of a sentence begin none."""
        names = (*self._workspaces, *self._runs_by_name, *self._places)
        return frozenset(plain(name.split()[0]) for name in names)

    @cached_property
    def _runs_by_name(self) -> Mapping[str, tuple[Run, ...]]:
        return _grouped(
            (name, run)
            for run in self._runs
            for name in {naming.fold(run.name), naming.fold(run.id), naming.fold(run.remote_id or "")}
        )

    @cached_property
    def _places(self) -> Mapping[str, str]:
        """Return connections by name and title, and by the words of a title that no other one has."""
        titles = {key: naming.fold(one.settings.title) for key, one in self._connections.items()}
        counts = Counter(word for title in titles.values() for word in set(title.split()))
        found = {
            word: key
            for key, title in titles.items()
            for word in title.split()
            if counts[word] == 1
            and len(word) >= _SHORTEST_BEGINNING
            and word not in vocabulary.NO_PLACES
            # A word with which a workspace's name begins means that.
            and not any(name.startswith(word) for name in self._workspaces)
        }
        return (
            found | {title: key for key, title in titles.items()} | {naming.fold(key): key for key in titles}
        )

    def owners(self, pieces: Sequence[Piece]) -> list[str]:
        """Return who else something is said to belong to: a mention, ``bob's``, ``their``."""
        found = []
        for piece in pieces:
            owner = next(
                (piece.word.removesuffix(end) for end in ("'s", "s'") if piece.word.endswith(end)), ""
            )
            if not piece.word or piece.word in vocabulary.ASKING | vocabulary.OF_ONESELF:
                continue
            if owner or piece.typed.startswith(("<@", "@")) or piece.word in vocabulary.OF_OTHERS:
                found.append((owner or piece.word).lstrip("@"))
        return found


def _grouped(pairs: Iterable[tuple[str, _Row]]) -> dict[str, tuple[_Row, ...]]:
    found: dict[str, list[_Row]] = {}
    for name, row in pairs:
        found.setdefault(name, []).append(row)
    return {name: tuple(rows) for name, rows in found.items() if name}


def _is_near(typed: str, name: str) -> bool:
    """Return whether a word is a name with a slip; it begins alike, and the name is no everyday word."""
    begins_alike = typed[:1] == name[:1] or (typed[1:2], typed[:1]) == (name[:1], name[1:2])
    return begins_alike and name not in vocabulary.EVERYDAY and is_slip(typed, name)


def readings(words: Sequence[str]) -> dict[str, None]:
    """Return what words may be as a name: as typed, without marks and punctuation, without *'s*."""
    *first, last = words
    if isinstance(last, Quoted):
        return dict.fromkeys([" ".join(words)])
    typed = " ".join([*first, plain_end(last)])
    bare = [word.strip(MARKS) or word for word in words]
    text = " ".join([*bare[:-1], (plain_end(bare[-1]).strip(MARKS + "(") or bare[-1])])
    return dict.fromkeys([typed, text, text.removesuffix("'s"), " ".join(words)])


def plain_end(word: str) -> str:
    """Return a word without what ends a sentence, as it was typed."""
    return word.rstrip(",;:!?….)") or word
