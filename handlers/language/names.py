"""Find the names of a person's things among words, and what words point at; pure but for what loads them.

A whole name always comes first, however it reads. A word that nothing else explains may be one with a slip of
the finger, or the beginning of one.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, pairwise
from typing import Final, Literal, NamedTuple, TypeVar

from bot.domain.classes import ClassCard
from bot.domain.forms import Purpose
from bot.domain.runs import Run
from bot.domain.workspaces import Workspace
from bot.providers import base
from bot.services import lessons, naming, snapshots
from bot.services.making import TEMPLATE, PersonalOffer
from bot.support.cleaning import fold
from handlers.command_line import MARKS, Quoted, plain
from handlers.connections import makers
from handlers.language import vocabulary
from handlers.language.words import begins, ends_clause, is_emoji, is_slip
from handlers.request import Request

#: What stands for a workspace, a run or job, a course, a template and a connection.
_MARKS: Final = ("ww", "jj", "cc", "mm", "kk")
#: Few verbs take these; for the others their names are as good as any word.
_SELDOM: Final = frozenset({"cc", "mm"})
#: Names have no more words than this unless they are quoted.
_WORDS_OF_A_NAME: Final = 6
_QUOTES: Final = "\"'"
#: A word must be this long to be taken for a part of a name, and to name a connection with a slip.
_SHORTEST_PART: Final = 3
_SHORTEST_PLACE: Final = 5
_PARTS: Final = re.compile(r"[\s_.-]+")

#: Whether a request is forbidden, on a condition, or quoted.
How = Literal["", "not", "if", "quote"]
_Row = TypeVar("_Row")


class Job(NamedTuple):
    """Hold a job that is set up on a connection, by its name and key, whether it ever ran or not."""

    connection: str
    name: str
    key: str = ""


class Template(Job):
    """Hold what a new workspace can be made from in the same way."""


@dataclass(frozen=True, slots=True)
class Span:
    """Hold all that words name, of each kind: workspaces, the newest run first, jobs, courses, and so on."""

    begin: int
    end: int
    workspaces: tuple[Workspace, ...] = ()
    runs: tuple[Run, ...] = ()
    jobs: tuple[Job, ...] = ()
    courses: tuple[ClassCard, ...] = ()
    templates: tuple[Template, ...] = ()
    connection: str = ""
    #: Whether it is the beginning of a name, and nothing else.
    is_beginning: bool = False

    @property
    def mark(self) -> str:
        """Return what stands for it where it doesn't matter which it is (``handlers.language.ranker``)."""
        kinds = (self.workspaces, self.runs or self.jobs, self.courses, self.templates, True)
        return next(mark for mark, found in zip(_MARKS, kinds, strict=True) if found)


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
        connections: Mapping[str, base.Provider] | None = None,
        jobs: Sequence[Job] = (),
        courses: Sequence[ClassCard] = (),
        templates: Sequence[Template] = (),
    ) -> None:
        self.rows = rows
        self._runs = runs
        self._connections = connections or {}
        self._jobs = _grouped((key, job) for job in jobs for key in {fold(job.name), fold(job.key)})
        self._courses = _grouped((fold(card.title), card) for card in courses)
        self._templates = _grouped((key, one) for one in templates for key in {fold(one.name), fold(one.key)})
        self._found: dict[tuple[str, ...], list[Span]] = {}

    def spans(self, words: tuple[str, ...]) -> list[Span]:
        """Return all whole names among words, the longest first at each place, from left to right."""
        # Words in quotes and without are the same to a comparison.
        key = tuple(f'"{word}' if isinstance(word, Quoted) else word for word in words)
        if key not in self._found:
            self._found[key] = self._spans(words)
        return self._found[key]

    def marks(self, words: tuple[str, ...]) -> dict[int, str]:
        """Return the mark of each name at its first place, and "" at its others; a slip doesn't matter."""
        spans = [span for span in self.spans(words) if _is_name(span, words)]
        within = {at for span in spans for at in range(span.begin, span.end)}
        strange = [at for at, word in enumerate(words) if at not in within and plain(word) not in _KNOWN]
        for at in strange[:_MOST_NEAR]:
            ends = [at + 2, at + 1] if at + 1 in strange else [at + 1]
            near = (self.near(words[at:end], is_named=False) for end in ends if at not in within)
            if (span := next(filter(None, near), None)) is not None:
                spans.append(replace(span, begin=at, end=at + span.end))
                within.update(range(at, at + span.end))
        return dict.fromkeys(within, "") | {span.begin: span.mark for span in spans}

    def _spans(self, words: Sequence[str]) -> list[Span]:
        found: list[Span] = []
        at = 0
        while at < len(words):
            begins_one = "@" in words[at] or fold(plain(words[at])) in self._beginnings
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
                whole = naming.find_whole(text, self.rows, self._connections)
                if whole is not None:
                    return Span(at, at + count, whole.workspaces)
            if (key := fold(text)) in self._keys:
                return self._called(key, at, at + count)
        return None

    def _called(self, key: str, begin: int, end: int) -> Span:
        """Return all that is called something; a connection only if nothing else is."""
        span = Span(
            begin,
            end,
            self._workspaces.get(key, ()),
            self._runs_by_name.get(key, ()),
            self._jobs.get(key, ()),
            self._courses.get(key, ()),
            self._templates.get(key, ()),
        )
        return replace(span, connection=self._places.get(key, "")) if span.mark == "kk" else span

    def near(self, words: Sequence[str], *, is_named: bool) -> Span | None:
        """Return what words may name with a slip, or by a part of the name; None for nothing.

        ``is_named``: they are where a name is, so that the beginning of one is enough.
        """
        text, end = " ".join(words).strip(MARKS), len(words)
        if is_named and len(text) >= _SHORTEST_PART:
            found = naming.find(text, self.rows, self._connections)
            if found.kind in {"one", "many"}:
                return Span(0, end, found.workspaces, is_beginning=True)
        typed = fold(next(iter(readings(words))).strip(_QUOTES))
        alike = {*self._by_letter.get(typed[:1], ()), *self._by_letter.get(typed[1:2], ())}
        slips = [self._called(key, 0, end) for key in sorted(alike) if _is_near(typed, key)]
        own = [span for span in slips if span.mark not in {"mm", "kk"}]
        parts = [self._called(key, 0, end) for key in self._by_part.get(typed, ())[:_MOST_NEAR]]
        spans = own or parts or slips
        if ids := {one.id for span in spans for one in span.workspaces}:
            return Span(0, end, tuple(one for one in self.rows if one.id in ids))
        spans = [span for span in spans if not span.connection or len(typed) >= _SHORTEST_PLACE]
        first = min(spans, key=lambda span: _MARKS.index(span.mark), default=None)
        if first is None or first.mark != "jj":
            return first
        # Several may have this in their names.
        runs = tuple(run for span in spans for run in span.runs)
        return replace(first, runs=runs, jobs=tuple(job for span in spans for job in span.jobs))

    @cached_property
    def _workspaces(self) -> Mapping[str, tuple[Workspace, ...]]:
        by_alias = ((fold(one.alias), one) for one in self.rows if one.alias)
        by_name = ((name, one) for one in self.rows for name in {fold(one.name), fold(one.remote_id)})
        return _grouped(by_name) | _grouped(by_alias)

    @cached_property
    def _runs_by_name(self) -> Mapping[str, tuple[Run, ...]]:
        return _grouped(
            (name, run)
            for run in self._runs
            for name in {fold(run.name), fold(run.id), fold(run.remote_id or "")}
        )

    @cached_property
    def _keys(self) -> Mapping[str, None]:
        """Return all names of every kind."""
        own = (self._workspaces, self._runs_by_name, self._jobs, self._courses)
        return dict.fromkeys(chain(*own, self._templates, self._places))

    @cached_property
    def _by_letter(self) -> Mapping[str, tuple[str, ...]]:
        return _grouped((name[:1], name) for name in self._keys)

    @cached_property
    def _by_part(self) -> Mapping[str, tuple[str, ...]]:
        """Return names by those of their words that say something: ``gpu`` of ``gpu-train``."""
        own = (
            fold(name) for name in chain((one.title for one in self.rows), (run.name for run in self._runs))
        )
        return _grouped(
            (part, key)
            for key in dict.fromkeys(chain(own, self._jobs, self._courses))
            for part in dict.fromkeys(_PARTS.split(key))
            if len(part) >= _SHORTEST_PART and part != key and part not in _KNOWN
        )

    @cached_property
    def _beginnings(self) -> frozenset[str]:
        """Return the first words of all names: most words of a sentence begin none."""
        return frozenset(plain(name.split()[0]) for name in self._keys)

    @cached_property
    def _places(self) -> Mapping[str, str]:
        """Return connections by name and title, and by the words of a title that no other one has."""
        titles = {key: fold(one.settings.title) for key, one in self._connections.items()}
        counts = Counter(word for title in titles.values() for word in set(title.split()))
        found = {
            word: key
            for key, title in titles.items()
            for word in title.split()
            if counts[word] == 1
            and len(word) >= _SHORTEST_PART
            and word not in vocabulary.NO_PLACES
            # A word with which a workspace's name begins means that.
            and not any(name.startswith(word) for name in self._workspaces)
        }
        return found | {title: key for key, title in titles.items()} | {fold(key): key for key in titles}

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
#: Stand before what is left out, and belong to it.
_SMALL: Final = vocabulary.BEFORE_A_NAME | vocabulary.WHERE | vocabulary.JOINING | {"by"}
_IN_SOMETHING: Final = {("in", "the"), ("in", "my")}
_POINTING: Final[Mapping[Points, AbstractSet[str]]] = {
    "them": vocabulary.THEM,
    "other": {"other"},
    "it": vocabulary.IT,
}
#: Follow what is left out, and belong to it.
_GENERAL: Final = vocabulary.GENERIC - vocabulary.IT
_IN_QUESTIONS: Final = _EXPLAINED | vocabulary.OF_QUESTIONS | vocabulary.OF_JOBS
_OF_A_STATE: Final = vocabulary.WITH_A_STATE | vocabulary.RUNNING | vocabulary.STOPPED
#: No names with a slip, though nothing explains them where they stand.
_KNOWN: Final = _IN_QUESTIONS.union(
    vocabulary.EVERYDAY,
    *vocabulary.SYNONYMS.values(),
    *(one.values() for one in vocabulary.SYNONYMS.values()),
)
#: Every one, and those of *but report*, *except for the hub ones*.
_EVERY: Final = (*vocabulary.REST, *vocabulary.ALL)
_LEFT_OUT: Final = (
    vocabulary.JOINING
    | vocabulary.BEFORE_A_NAME
    | vocabulary.GENERIC
    | vocabulary.GENERICS
    | vocabulary.WHERE
    | {"ones", "or", "nor"}
)
_BEING: Final = frozenset({"are", "is", "that's", "still", "currently"})
#: Between these and what they are about.
_BETWEEN: Final = vocabulary.BEFORE_A_NAME | vocabulary.JOINING | {""}
#: Before a name or *the others* they say that nothing is done to these, or after a name.
_SPARING: Final = frozenset({"keep", "leave", "let", "touch", "spare"})
_STAYING: Final = frozenset({"stay", "stays", "staying", "remain", "remains"})
_OF_A_PLACE: Final = vocabulary.ORDINALS.keys() | {"one", "ones"}


@dataclass(frozen=True, slots=True)
class Which:
    """Hold what words name: workspaces of each name in their order, runs and so on; or what they point at.

    ``place`` counts in the last list, from its end if negative; ``unknown`` are words that nothing explains.
    ``besides`` are left out.
    """

    workspaces: tuple[tuple[Workspace, ...], ...] = ()
    runs: tuple[Run, ...] = ()
    jobs: tuple[Job, ...] = ()
    courses: tuple[ClassCard, ...] = ()
    templates: tuple[Template, ...] = ()
    connections: tuple[str, ...] = ()
    points: Points = ""
    place: int = 0
    is_all: bool = False
    #: All but what is left out, or else what was last spoken of: *the others*.
    is_rest: bool = False
    state: str = ""
    besides: tuple[Workspace, ...] = ()
    unknown: tuple[str, ...] = ()
    #: What was quoted and nobody has: it names nothing else.
    quoted: str = ""
    #: A name that may be meant: with a slip, or by its beginning.
    is_near: bool = False
    #: What is said besides a name and isn't understood, as it was typed: ``with EPOCHS=20``.
    left_out: tuple[str, ...] = ()
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
        return bool(self.workspaces or self.runs or self.jobs or self.courses or self.connections)

    @property
    def is_nothing(self) -> bool:
        """Return whether it says nothing at all about which."""
        said = self.is_named or self.points or self.place or self.is_all or self.state
        return not (said or self.unknown)


def pieces_of(words: tuple[str, ...], names: Names) -> list[Piece]:
    """Return words with names taken together; those of what few verbs take stay words, too."""
    found: list[Piece] = []
    spans = {span.begin: span for span in names.spans(words) if _is_name(span, words)}
    at = 0
    while at < len(words):
        span = spans.get(at)
        end = at + 1 if span is None else span.end
        typed = words[at] if span is None else " ".join(words[at:end])
        is_word = span is None or span.mark in _SELDOM
        found.append(Piece(plain(typed) if is_word else "", typed, span))
        at = end
    return found


def _is_name(span: Span, words: tuple[str, ...]) -> bool:
    """Return whether a span is a name here: not where its word means something else in a sentence."""
    is_word = span.end - span.begin == 1 and not isinstance(words[span.begin], Quoted)
    is_everyday = is_word and not span.connection and plain(words[span.begin]) in vocabulary.EVERYDAY
    return not is_everyday or len(words) == 1


def which_of(pieces: Sequence[Piece], names: Names, *, is_question: bool = False) -> Which:
    """Return what pieces name or point at, and which words nothing explains."""
    head, out = _parted(pieces)
    head = _placed(head)
    words = [piece.word for piece in head]
    all_at = _place_of(words, _EVERY)
    spans = [piece.span for piece in head if piece.span is not None]
    workspaces = tuple(span.workspaces for span in spans if span.workspaces)
    runs = tuple(run for span in spans if not span.workspaces for run in span.runs[:1])
    # `everything off` isn't about what is off.
    verbs = set() if all_at < 0 else vocabulary.PARTICLES
    states = [word for before, word in pairwise(("", *words)) if word not in verbs or before in _BEING]
    state = next((vocabulary.STATES[word] for word in states if word in vocabulary.STATES), "")
    if is_question and words[-1:] == ["on"]:
        state = state or "running"
    if not is_question and not set(words) & vocabulary.OF_A_STATE:
        state = ""
    found = Which(
        workspaces=workspaces,
        runs=runs,
        jobs=tuple(job for span in spans for job in span.jobs),
        courses=tuple(card for span in spans for card in span.courses),
        templates=tuple(one for span in spans for one in span.templates),
        connections=tuple(dict.fromkeys(span.connection for span in spans if span.connection)),
        points="" if workspaces or runs or all_at >= 0 else _points(words),
        place=next((vocabulary.ORDINALS[word] for word in words if word in vocabulary.ORDINALS), 0),
        is_all=all_at >= 0,
        is_rest=_place_of(words, vocabulary.REST) >= 0,
        state=state,
        besides=_besides(out, names),
        is_theirs=bool(names.owners(pieces)),
    )
    found, places = _unexplained(head, found, all_at, is_question=is_question)
    is_own = found.workspaces or found.runs or found.jobs or (is_question and found.courses)
    if places and not (is_own or found.is_all):
        found = _near(found, places, names, is_question=is_question)
    left = _left_out(head, [at for at in places if plain_end(head[at].typed) in found.unknown])
    pointing = vocabulary.IT | vocabulary.THEM
    said = {piece.word for at, piece in enumerate(head) if not any(at in phrase for phrase in left)}
    if found.quoted or not pointing & said:
        # `this banana` points at nothing.
        found = replace(found, points="" if found.points != "other" else "other")
    if not (found.workspaces or found.runs or found.jobs or found.points or found.place):
        return found
    phrases = (" ".join(head[at].typed for at in phrase) for phrase in left)
    return replace(found, left_out=tuple(map(plain_end, phrases)))


def _place_of(words: Sequence[str], phrases: Sequence[tuple[str, ...]]) -> int:
    """Return where words have one of these phrases; -1 for nowhere."""
    return next((at for at in range(len(words)) if begins(words[at:], phrases)), -1)


def _parted(pieces: Sequence[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Return pieces without the names that are left out, and those: ``all``, ``report`` of *but report*.

    Of what is named, only *not report* leaves something out.
    """
    words, head, out, at = [piece.word for piece in pieces], list[Piece](), list[Piece](), 0
    is_all = _place_of(words, _EVERY) >= 0
    while at < len(pieces):
        count = begins(words[at:], vocabulary.EXCEPT)
        is_out = count and (is_all or words[at + count - 1] == "not")
        begin = at + count if is_out else len(pieces)
        # All but report, or all, but leave report.
        begin = end = begin + (is_all and not _SPARING.isdisjoint(words[begin : begin + 1]))
        while end < len(pieces) and (pieces[end].span is not None or words[end] in _LEFT_OUT):
            end += 1
            if not is_all and ends_clause(pieces[end - 1].typed):
                break
        if any(piece.workspaces or piece.connection for piece in pieces[begin:end]):
            out, at = [*out, *pieces[begin:end]], end
        else:
            head, at = [*head, pieces[at]], at + 1
    if not out:
        return _beside_all(head)
    return (head, out) if is_all or any(piece.span for piece in head) else (list(pieces), [])


def _beside_all(pieces: list[Piece]) -> tuple[list[Piece], list[Piece]]:
    """Return the same where names stand beside *all* or *the others*: these are spared, or the names are.

    ``keep report and stop the others``, ``stop report and leave the others``. Otherwise *the others* aren't
    understood.
    """
    words = [piece.word for piece in pieces]
    begin, rest_at = _place_of(words, _EVERY), _place_of(words, vocabulary.REST)
    named = [at for at, piece in enumerate(pieces) if piece.workspaces]
    if begin < 0 or not named:
        return pieces, []
    before = [
        next((word for word in reversed(words[:at]) if word not in _BETWEEN), "") for at in range(len(words))
    ]
    is_spared = before[begin] in _SPARING or not vocabulary.JOINING.isdisjoint(words[begin - 1 : begin])
    out = [
        at
        for at in named
        if before[at] in _SPARING
        or not _STAYING.isdisjoint(words[at + 1 : at + 3])
        or (at < rest_at and not is_spared)
    ]
    if out:
        left = [piece for at, piece in enumerate(pieces) if at not in out]
        return left, [pieces[at] for at in out]
    strange = range(begin, begin + begins(words[begin:], _EVERY)) if rest_at >= 0 or is_spared else range(0)
    return [replace(one, word="?") if at in strange else one for at, one in enumerate(pieces)], []


def _besides(out: Sequence[Piece], names: Names) -> tuple[Workspace, ...]:
    """Return the workspaces that are left out: those named, or all on a connection."""
    places = {piece.connection for piece in out if piece.connection}
    named = [one for piece in out for one in piece.workspaces if not places or one.connection in places]
    is_named = any(piece.workspaces for piece in out)
    return tuple(named if is_named else (one for one in names.rows if one.connection in places))


def _left_out(head: Sequence[Piece], places: Sequence[int]) -> list[range]:
    """Return where words are that nothing explains, with small ones before them and general ones after.

    What is listed like a name is none of them; neighbours are one.
    """
    out: list[range] = []
    for at in places:
        begin, end, last = at, at + 1, out[-1].stop if out else 0
        while begin > last and head[begin - 1].word in _SMALL:
            begin -= 1
        is_listed = head[begin].word in vocabulary.JOINING or (begin and head[begin - 1].typed.endswith(","))
        while end < len(head) and head[end].word in _GENERAL:
            end += 1
        if out and begin <= last:
            out[-1] = range(out[-1].start, end)
        elif not is_listed:
            out.append(range(begin, end))
    return out


def _placed(pieces: list[Piece]) -> list[Piece]:
    """Return pieces where a connection belongs to the name right before it: ``a and b on saturn``."""
    if sum(bool(piece.workspaces) for piece in pieces) < 2:
        return pieces
    small = vocabulary.WHERE | vocabulary.BEFORE_A_NAME
    found: list[Piece] = []
    for piece in pieces:
        at = next((at for at in reversed(range(len(found))) if found[at].word not in small), -1)
        before = found[at] if found else piece
        there = tuple(one for one in before.workspaces if piece.connection == one.connection)
        if there and before.span is not None:
            found[at] = replace(before, span=replace(before.span, workspaces=there))
        else:
            found.append(piece)
    return found


def _points(words: Sequence[str]) -> Points:
    return next((points for points, said in _POINTING.items() if said & set(words)), "")


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
    skipped = begins(words[all_at:], _EVERY) if found.is_all else 0
    places: list[int] = []
    for at, piece in enumerate(head):
        is_quoted = isinstance(piece.typed, Quoted)
        mark = piece.span.mark if piece.span is not None else ""
        is_name = mark not in {"", "mm"} and (is_question or mark not in _SELDOM)
        if is_name or (not piece.word and not is_quoted) or is_emoji(piece.typed):
            continue
        then = next((one for one in head[at + 1 :] if one.word not in vocabulary.BEFORE_A_NAME), piece)
        is_where = piece.word in vocabulary.WHERE and bool(then.connection)
        is_known = piece.word in explained | vocabulary.CONDITIONS | vocabulary.NEGATIONS
        if is_quoted or not (is_where or is_known or all_at <= at < all_at + skipped):
            places.append(at)
    is_described = any(
        (at + 1 < len(head) and bool(head[at + 1].workspaces) and not head[at].typed.endswith((",", ";")))
        or (at > 0 and words[at - 1] == "of" and bool(found.workspaces))
        for at in places
    )
    unknown = tuple(plain_end(head[at].typed) for at in places)
    quoted = next((str(head[at].typed) for at in places if isinstance(head[at].typed, Quoted)), "")
    return replace(found, unknown=unknown, quoted=quoted, is_described=is_described), places


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
        if span is None or (span.connection and found.connections):
            continue
        if not is_question and span.mark in _SELDOM:
            continue
        return replace(
            found,
            workspaces=(span.workspaces,) if span.workspaces else (),
            runs=span.runs,
            jobs=span.jobs,
            courses=span.courses,
            templates=span.templates,
            connections=found.connections or ((span.connection,) if span.connection else ()),
            points="",
            unknown=(*words[:begin], *words[end:]),
            is_near=True,
            is_beginning=span.is_beginning and not found.quoted,
        )
    return found


def how_of(pieces: Sequence[Piece], which: Which) -> How:
    """Return whether a request is forbidden or depends on something."""
    words = [piece.word for piece in _parted(pieces)[0]]
    if set(words) & vocabulary.NEGATIONS:
        return "not"
    # `in the big one` is no time.
    said = {word for word, then in pairwise((*words, "")) if (word, then) not in _IN_SOMETHING}
    is_about_any = which.is_named or which.is_all or which.points
    return "if" if is_about_any and said & vocabulary.CONDITIONS else ""


async def names_of(request: Request, rows: Sequence[Workspace]) -> Names:
    """Return everything of a person that words can name; ``rows`` are their workspaces."""
    kept, services, store = request.spoken.names, request.services, request.services.store
    if isinstance(kept, Names) and kept.rows is rows:
        return kept
    able: dict[Purpose, list[str]] = {one: makers(services, one) for one in ("job", "workspace")}
    offered: dict[Purpose, list[tuple[str, str, str]]] = {one: [] for one in able}
    for account in await store.accounts(request.principal):
        purposes = [one for one in able if account.connection in able[one]]
        known = await snapshots.templates(services.context, account) if purposes else None
        if known is None:
            continue
        provider = services.connections[account.connection]
        for purpose in purposes:
            field = PersonalOffer(provider, known, purpose, request.principal).form({}).field(TEMPLATE)
            choices = field.choices if field is not None else ()
            offered[purpose] += [(account.connection, one.label, one.value) for one in choices]
    courses = [card for card, _ in await request.asked.see(lessons.own)]
    jobs, templates = (
        [Job(*one) for one in offered["job"]],
        [Template(*one) for one in offered["workspace"]],
    )
    runs = await store.runs(request.principal)
    names = request.spoken.names = Names(rows, runs, services.connections, jobs, courses, templates)
    return names
