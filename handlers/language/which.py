"""Tell what words name or point at, and which of them nothing explains; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from bot.domain.runs import Run
from bot.domain.workspaces import Workspace
from handlers.command_line import Quoted
from handlers.language import vocabulary
from handlers.language.names import Names, Piece, Span, plain_end
from handlers.language.words import begins, is_emoji, plain

Points = Literal["", "it", "them", "other"]
#: So many words are looked at for slips, and so many at once.
_MOST_NEAR: Final = 12
_MOST_TOGETHER: Final = 6
_EXPLAINED: Final = (
    vocabulary.JOINING
    | vocabulary.BEFORE_A_NAME
    | vocabulary.GENERIC
    | vocabulary.GENERICS
    | vocabulary.IN_BETWEEN
    | vocabulary.IT
    | vocabulary.THEM
    | vocabulary.POINTING
)
_IN_QUESTIONS: Final = _EXPLAINED | vocabulary.OF_QUESTIONS | vocabulary.OF_JOBS
_OF_A_STATE: Final = vocabulary.WITH_A_STATE | vocabulary.RUNNING | vocabulary.STOPPED
_OF_A_PLACE: Final = vocabulary.ORDINALS.keys() | {"one", "ones"}


@dataclass(frozen=True, slots=True)
class Which:
    """Hold what words name: workspaces of each name in their order, runs, connections; or what they point at.

    ``place`` counts in the last list, from its end if negative; ``unknown`` are words that nothing explains.
    """

    workspaces: tuple[tuple[Workspace, ...], ...] = ()
    runs: tuple[Run, ...] = ()
    connections: tuple[str, ...] = ()
    points: Points = ""
    place: int = 0
    is_all: bool = False
    state: str = ""
    besides: tuple[Workspace, ...] = ()
    unknown: tuple[str, ...] = ()
    #: A name that may be meant: with a slip, or by its beginning.
    is_near: bool = False
    #: Another one is named in a remark, so that a part may not be understood.
    has_more: bool = False
    is_beginning: bool = False
    #: A word before a name says that another one may be meant, as in ``old report``.
    is_described: bool = False
    is_theirs: bool = False

    @property
    def named(self) -> list[Workspace]:
        """Return all workspaces of the names."""
        return [one for group in self.workspaces for one in group]

    @property
    def is_named(self) -> bool:
        """Return whether anything of one's own is named."""
        return bool(self.workspaces or self.runs or self.connections)

    @property
    def is_nothing(self) -> bool:
        """Return whether it says nothing at all about which."""
        return not (self.is_named or self.points or self.place or self.is_all or self.state or self.unknown)


def pieces_of(words: tuple[str, ...], names: Names) -> list[Piece]:
    """Return words with names taken together."""
    found: list[Piece] = []
    spans = {span.begin: span for span in names.spans(words) if _is_name(span, words)}
    at = 0
    while at < len(words):
        span = spans.get(at)
        end = at + 1 if span is None else span.end
        found.append(Piece(plain(words[at]) if span is None else "", " ".join(words[at:end]), span))
        at = end
    return found


def _is_name(span: Span, words: tuple[str, ...]) -> bool:
    """Return whether a span is a name here: not where its word means something else in a sentence."""
    is_word = span.end - span.begin == 1 and not isinstance(words[span.begin], Quoted)
    is_everyday = is_word and not span.connection and plain(words[span.begin]) in vocabulary.EVERYDAY
    return not is_everyday or len(words) == 1


def which_of(pieces: Sequence[Piece], names: Names, *, is_question: bool = False) -> Which:
    """Return what pieces name or point at, and which words nothing explains."""
    words = [piece.word for piece in pieces]
    all_at = next((at for at in range(len(words)) if begins(words[at:], vocabulary.ALL)), -1)
    besides, end = _besides(pieces, words, all_at)
    head = _placed(pieces[:end])
    workspaces = tuple(piece.workspaces for piece in head if piece.workspaces)
    runs = tuple(run for piece in head if piece.span is not None for run in piece.span.runs[:1])
    state = next((vocabulary.STATES[word] for word in words if word in vocabulary.STATES), "")
    if is_question and words[-1:] == ["on"]:
        state = state or "running"
    if not is_question and not set(words) & vocabulary.OF_A_STATE:
        state = ""
    found = Which(
        workspaces=workspaces,
        runs=runs,
        connections=tuple(dict.fromkeys(piece.connection for piece in head if piece.connection)),
        points="" if workspaces or runs or all_at >= 0 else _points(words[:end]),
        place=next((vocabulary.ORDINALS[word] for word in words if word in vocabulary.ORDINALS), 0),
        is_all=all_at >= 0,
        state=state,
        besides=besides,
        has_more=not besides and any(piece.span is not None for piece in pieces[end:]),
        is_theirs=bool(names.owners(pieces)),
    )
    found, places = _unexplained(head, found, all_at, is_question=is_question)
    if places and not found.workspaces and not found.runs and not found.is_all:
        return _near(found, places, names, is_question=is_question)
    return found


def _besides(pieces: Sequence[Piece], words: Sequence[str], all_at: int) -> tuple[tuple[Workspace, ...], int]:
    """Return what *all* leaves out, and where what is said about which ends: at a remark, or there."""
    first = next((at for at, piece in enumerate(pieces) if piece.span is not None), len(pieces))
    end = next((at for at in range(first + 1, len(words)) if words[at] in vocabulary.REMARKS), len(pieces))
    excepted = next((at for at in range(1, len(words)) if begins(words[at:], vocabulary.EXCEPT)), -1)
    if 0 <= all_at < excepted:
        besides = tuple(one for piece in pieces[excepted:] for one in piece.workspaces)
        if besides:
            return besides, excepted
    return (), end


def _placed(pieces: Sequence[Piece]) -> Sequence[Piece]:
    """Return pieces where a connection belongs to the name right before it: ``a and b on saturn``."""
    if sum(bool(piece.workspaces) for piece in pieces) < 2:
        return pieces
    found: list[Piece] = []
    last = -1
    for piece in pieces:
        there = [one for one in found[last].workspaces if one.connection == piece.connection] if found else []
        if last >= 0 and there and (span := found[last].span) is not None:
            found[last] = replace(found[last], span=replace(span, workspaces=tuple(there)))
            last = -1
            continue
        found.append(piece)
        if piece.workspaces:
            last = len(found) - 1
        elif piece.word not in vocabulary.WHERE | vocabulary.BEFORE_A_NAME:
            last = -1
    return found


def _points(words: Sequence[str]) -> Points:
    said = set(words)
    return (
        "them"
        if said & vocabulary.THEM
        else "other"
        if "other" in said
        else "it"
        if said & vocabulary.IT
        else ""
    )


def _unexplained(
    head: Sequence[Piece], found: Which, all_at: int, *, is_question: bool
) -> tuple[Which, list[int]]:
    """Return it with the words that nothing explains, and their places."""
    words = [piece.word for piece in head]
    explained = _IN_QUESTIONS if is_question else _EXPLAINED
    if found.is_all or found.state:
        explained |= _OF_A_STATE
    if found.place:
        explained |= _OF_A_PLACE
    skipped = begins(words[all_at:], vocabulary.ALL) if found.is_all else 0
    places: list[int] = []
    for at, piece in enumerate(head):
        is_quoted = isinstance(piece.typed, Quoted)
        if piece.span is not None or (not piece.word and not is_quoted) or is_emoji(piece.typed):
            continue
        is_where = piece.word in vocabulary.WHERE and _is_before_place(head, at + 1)
        is_known = piece.word in explained | vocabulary.CONDITIONS | vocabulary.NEGATIONS
        if is_quoted or not (is_where or is_known or all_at <= at < all_at + skipped):
            places.append(at)
    is_described = any(
        (at + 1 < len(head) and bool(head[at + 1].workspaces) and not head[at].typed.endswith((",", ";")))
        or (at > 0 and words[at - 1] == "of" and bool(found.workspaces))
        for at in places
    )
    unknown = tuple(plain_end(head[at].typed) for at in places)
    return replace(found, unknown=unknown, is_described=is_described), places


def _is_before_place(pieces: Sequence[Piece], at: int) -> bool:
    while at < len(pieces) and pieces[at].word in vocabulary.BEFORE_A_NAME:
        at += 1
    return at < len(pieces) and bool(pieces[at].connection)


def _near(found: Which, places: Sequence[int], names: Names, *, is_question: bool) -> Which:
    """Return what the words that nothing explains may name with a slip, or by its beginning."""
    words = found.unknown
    is_together = len(words) <= _MOST_TOGETHER and places[-1] - places[0] == len(words) - 1
    ranges = [(0, len(words))] if is_together else []
    most = min(len(words), _MOST_NEAR)
    ranges += [(at, at + count) for count in (2, 1) for at in range(most - count + 1)]
    for begin, end in dict.fromkeys(ranges):
        is_named = not is_question and (begin, end) == (0, len(words))
        span = names.near(words[begin:end], is_named=is_named)
        if span is not None and not (span.connection and found.connections):
            return replace(
                found,
                workspaces=(span.workspaces,) if span.workspaces else (),
                runs=span.runs,
                connections=found.connections or ((span.connection,) if span.connection else ()),
                points="",
                unknown=(*words[:begin], *words[end:]),
                is_near=True,
                is_beginning=span.is_beginning,
            )
    return found
