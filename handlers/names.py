"""Find the names of a person's things among words, and what words point at; pure but for what loads them.

A whole name always comes first, however it reads. A word that nothing else explains may be one with a slip of
the finger, or the beginning of one.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, pairwise, zip_longest
from typing import Final, NamedTuple, Protocol, TypeVar

from bot.domain.forms import Purpose
from bot.domain.runs import Run
from bot.domain.time_parsing import is_day
from bot.domain.workspaces import Workspace
from bot.providers import base
from bot.services import naming, snapshots
from bot.services.creation import TEMPLATE, PersonalOffer
from bot.store import accounts
from bot.store import runs as run_rows
from bot.support.cleaning import fold
from handlers import vocabulary
from handlers.command_line import MARKUP_SIGNS, Quoted, fold_word, is_slip
from handlers.connections import list_making_connections
from handlers.hooks import RequestHooks
from handlers.request import Request

#: What stands for a workspace, a run or job, a course, a template and a connection.
_MARKS: Final = ("ww", "jj", "cc", "mm", "kk")
#: Few verbs take these; for the others their names are as good as any word.
SELDOM: Final = frozenset({"cc", "mm"})
#: So many words are looked at for slips.
MOST_NEAR: Final = 12
#: Names have no more words than this unless they are quoted.
_WORDS_OF_A_NAME: Final = 6
_QUOTES: Final = "\"'"
#: A word must be this long to be taken for a part of a name, and to name a connection with a slip.
_SHORTEST_PART: Final = 3
_SHORTEST_PLACE: Final = 5
_PARTS: Final = re.compile(r"[\s_.-]+")

_Row = TypeVar("_Row")


class Entity(Protocol):
    """A thing of a feature that words can name, such as a course."""

    @property
    def id(self) -> str:
        """Return its key."""

    @property
    def title(self) -> str:
        """Return its name."""


class Job(NamedTuple):
    """Hold a job that is set up on a connection, by its name and key, whether it ever ran or not."""

    connection: str
    name: str
    key: str = ""


class TemplateName(Job):
    """Hold what a new workspace can be made from in the same way."""


@dataclass(frozen=True, slots=True)
class EntityGroups:
    """Hold all that words name, of each kind: workspaces, the newest run first, jobs, courses, and so on."""

    begin: int
    end: int
    workspaces: tuple[Workspace, ...] = ()
    runs: tuple[Run, ...] = ()
    jobs: tuple[Job, ...] = ()
    courses: tuple[Entity, ...] = ()
    templates: tuple[TemplateName, ...] = ()
    connection: str = ""
    #: Whether it is the beginning of a name, and nothing else.
    is_beginning: bool = False

    @property
    def mark(self) -> str:
        """Return what stands for it where it doesn't matter which it is (``ranker``)."""
        kinds = (self.workspaces, self.runs or self.jobs, self.courses, self.templates, True)
        return next(mark for mark, found in zip(_MARKS, kinds, strict=True) if found)


@dataclass(frozen=True, slots=True)
class NameToken:
    """Hold a word as rules compare it, or a name of several words (``word`` is "" then)."""

    word: str
    typed: str
    span: EntityGroups | None = None

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
        courses: Sequence[Entity] = (),
        templates: Sequence[TemplateName] = (),
    ) -> None:
        self.rows = rows
        self._runs = runs
        self._connections = connections or {}
        by_job = ((key, job) for job in jobs for key in {fold(job.name), fold(job.key)})
        self._jobs = _spoken(_grouped(by_job))
        self._courses = _grouped((fold(card.title), card) for card in courses)
        self._templates = _grouped((key, one) for one in templates for key in {fold(one.name), fold(one.key)})
        self._found: dict[tuple[str, ...], list[EntityGroups]] = {}

    def spans(self, words: tuple[str, ...]) -> list[EntityGroups]:
        """Return all whole names among words, the longest first at each place, from left to right."""
        # Words in quotes and without are the same to a comparison.
        key = tuple(f'"{word}' if isinstance(word, Quoted) else word for word in words)
        if key not in self._found:
            self._found[key] = self._spans(words)
        return self._found[key]

    def marks(self, words: tuple[str, ...]) -> dict[int, str]:
        """Return the mark of each name at its first place, and "" at its others; a slip doesn't matter."""
        spans = [span for span in self.spans(words) if is_name(span, words)]
        within = {at for span in spans for at in range(span.begin, span.end)}
        strange = [
            at
            for at, word in enumerate(words)
            if at not in within and fold_word(word) not in vocabulary.DICTIONARY
        ]
        for at in strange[:MOST_NEAR]:
            ends = [at + 2, at + 1] if at + 1 in strange else [at + 1]
            near = (self.near(words[at:end], is_named=False) for end in ends if at not in within)
            if (span := next(filter(None, near), None)) is not None:
                spans.append(replace(span, begin=at, end=at + span.end))
                within.update(range(at, at + span.end))
        return dict.fromkeys(within, "") | {span.begin: span.mark for span in spans}

    def _spans(self, words: Sequence[str]) -> list[EntityGroups]:
        found: list[EntityGroups] = []
        at = 0
        while at < len(words):
            begins_one = "@" in words[at] or fold(fold_word(words[at])) in self._beginnings
            is_alone = isinstance(words[at], Quoted) or not begins_one
            longest = 1 if is_alone else min(_WORDS_OF_A_NAME, len(words) - at)
            spans = (self._span(words, at, count) for count in range(longest, 0, -1))
            span = next((one for one in spans if one is not None), None)
            found += [span] if span is not None else []
            at = span.end if span is not None else at + 1
        return found

    def _span(self, words: Sequence[str], at: int, count: int) -> EntityGroups | None:
        for text in readings(words[at : at + count]):
            if "@" in text or naming.to_link(text):
                whole = naming.find_whole(text, self.rows, self._connections)
                if whole is not None:
                    return EntityGroups(at, at + count, whole.workspaces)
            if (key := fold(text)) in self._keys:
                return self._called(key, at, at + count)
        return None

    def _called(self, key: str, begin: int, end: int) -> EntityGroups:
        """Return all that is called something; a connection only if nothing else is."""
        span = EntityGroups(
            begin,
            end,
            self._workspaces.get(key, ()),
            self._runs_by_name.get(key, ()),
            self._jobs.get(key, ()),
            self._courses.get(key, ()),
            self._templates.get(key, ()),
        )
        return replace(span, connection=self._places.get(key, "")) if span.mark == "kk" else span

    def near(self, words: Sequence[str], *, is_named: bool) -> EntityGroups | None:
        """Return what words may name with a slip, or by a part of the name; None for nothing.

        ``is_named``: they are where a name is, so that the beginning of one is enough.
        """
        text, end = " ".join(words).strip(MARKUP_SIGNS), len(words)
        if is_named and len(text) >= _SHORTEST_PART:
            found = naming.find(text, self.rows, self._connections)
            if found.kind in {"one", "many"}:
                return EntityGroups(0, end, found.workspaces, is_beginning=True)
        typed = fold(next(iter(readings(words))).strip(_QUOTES))
        alike = {*self._by_letter.get(typed[:1], ()), *self._by_letter.get(typed[1:2], ())}
        slips = [self._called(key, 0, end) for key in sorted(alike) if _is_near(typed, key)]
        own = [span for span in slips if span.mark not in {"mm", "kk"}]
        parts = [self._called(key, 0, end) for key in self._by_part.get(typed, ())[:MOST_NEAR]]
        spans = own or parts or slips
        if ids := {one.id for span in spans for one in span.workspaces}:
            return EntityGroups(0, end, tuple(one for one in self.rows if one.id in ids))
        spans = [span for span in spans if not span.connection or len(typed) >= _SHORTEST_PLACE]
        first = min(spans, key=lambda span: _MARKS.index(span.mark), default=None)
        if first is None or first.mark != "jj":
            return first
        # Several may have this in their names.
        runs = dict.fromkeys(run.id for span in spans for run in span.runs)
        kept = tuple(run for run in self._runs if run.id in runs)
        jobs = dict.fromkeys(job for span in spans for job in span.jobs)
        return replace(first, runs=kept, jobs=tuple(jobs))

    @cached_property
    def _workspaces(self) -> Mapping[str, tuple[Workspace, ...]]:
        by_alias = ((fold(one.alias), one) for one in self.rows if one.alias)
        by_name = ((name, one) for one in self.rows for name in {fold(one.name), fold(one.remote_id)})
        return _spoken(_grouped(by_name) | _grouped(by_alias))

    @cached_property
    def _runs_by_name(self) -> Mapping[str, tuple[Run, ...]]:
        return _spoken(
            _grouped(
                (name, run)
                for run in self._runs
                for name in {fold(run.name), fold(run.id), fold(run.remote_id or "")}
            )
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
            if len(part) >= _SHORTEST_PART and part != key and part not in vocabulary.DICTIONARY
        )

    @cached_property
    def _beginnings(self) -> frozenset[str]:
        """Return the first words of all names: most words of a sentence begin none."""
        return frozenset(fold_word(words[0]) for name in self._keys if (words := name.split()))

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
            and word not in vocabulary.GENERIC_TITLE_WORDS
            # A word with which a workspace's name begins means that.
            and not any(name.startswith(word) for name in self._workspaces)
        }
        return found | {title: key for key, title in titles.items()} | {fold(key): key for key in titles}

    def owners(self, pieces: Sequence[NameToken]) -> list[str]:
        """Return who else something is said to belong to: a mention, ``bob's``, ``their``."""
        pairs = pairwise(piece.word for piece in pieces)
        found = [
            other
            for before, other in pairs
            if before in vocabulary.BEFORE_AN_OWNER and other in vocabulary.OTHERS
        ]
        for piece, then in zip_longest(pieces, pieces[1:], fillvalue=NameToken("", "")):
            if (
                piece.word.endswith("s")
                and then.word in vocabulary.GENERIC_SINGULARS - vocabulary.SINGULAR_PRONOUNS
            ):
                # `priyas workspace`
                found += [] if piece.word in vocabulary.DICTIONARY else [piece.word]
            owner = next(
                (piece.word.removesuffix(end) for end in ("'s", "s'") if piece.word.endswith(end)), ""
            )
            if (
                not piece.word
                or piece.word in vocabulary.QUESTION_WORDS | vocabulary.FALSE_POSSESSIVES
                or is_day(owner)
            ):
                continue
            is_mention = piece.typed.startswith(("<@", "@")) and len(piece.typed) > 1
            if owner or is_mention or piece.word in vocabulary.OTHERS_POSSESSIVES:
                found.append((owner or piece.word).lstrip("@"))
        return found


def is_name(span: EntityGroups, words: tuple[str, ...]) -> bool:
    """Return whether a span is a name here: not where its word means something else in a sentence."""
    is_word = span.end - span.begin == 1 and not isinstance(words[span.begin], Quoted)
    is_everyday = is_word and not span.connection and fold_word(words[span.begin]) in vocabulary.EVERYDAY
    return not is_everyday or len(words) == 1


def _grouped(pairs: Iterable[tuple[str, _Row]]) -> dict[str, tuple[_Row, ...]]:
    found: dict[str, list[_Row]] = {}
    for name, row in pairs:
        found.setdefault(name, []).append(row)
    return {name: tuple(rows) for name, rows in found.items() if name}


def _spoken(named: Mapping[str, tuple[_Row, ...]]) -> dict[str, tuple[_Row, ...]]:
    """Return names with what people say for those with signs between words, ``gpu train`` for ``gpu-train``.

    What is called so itself comes first, and what is said of many things is no name. Back-ticks aren't read.
    """
    parts = {name: _PARTS.split(name) for name in named if _PARTS.search(name)}
    said = {
        " ".join(words): named[name]
        for name, words in parts.items()
        if not vocabulary.DICTIONARY.issuperset(words)
    }
    said |= {name.replace("`", ""): rows for name, rows in named.items() if "`" in name}
    return said | dict(named)


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
    bare = [word.strip(MARKUP_SIGNS) or word for word in words]
    text = " ".join([*bare[:-1], (plain_end(bare[-1]).strip(MARKUP_SIGNS + "(") or bare[-1])])
    return dict.fromkeys([typed, text, text.removesuffix("'s"), " ".join(words)])


def plain_end(word: str) -> str:
    """Return a word without what ends a sentence, as it was typed."""
    return word.rstrip(",;:!?….)") or word


async def names_of(request: Request, rows: Sequence[Workspace]) -> Names:
    """Return everything of a person that words can name; ``rows`` are their workspaces."""
    kept, services, store = request.notes.names, request.services, request.services.store
    if isinstance(kept, Names) and kept.rows is rows:
        return kept
    able: dict[Purpose, list[str]] = {
        one: list_making_connections(services, one) for one in ("job", "workspace")
    }
    offered: dict[Purpose, list[tuple[str, str, str]]] = {one: [] for one in able}
    for account in await store.read(accounts.accounts, request.principal):
        purposes = [one for one in able if account.connection in able[one]]
        known = await snapshots.templates(services.context, account) if purposes else None
        if known is None:
            continue
        provider = services.connections[account.connection]
        for purpose in purposes:
            field = PersonalOffer(provider, known, purpose, request.principal).form({}).field(TEMPLATE)
            choices = field.choices if field is not None else ()
            offered[purpose] += [(account.connection, one.label, one.value) for one in choices]
    courses = [one for hooks in RequestHooks.list_subscribers() for one in await hooks.list_entities(request)]
    jobs, templates = (
        [Job(*one) for one in offered["job"]],
        [TemplateName(*one) for one in offered["workspace"]],
    )
    runs = await store.read(run_rows.runs, request.principal)
    names = request.notes.names = Names(rows, runs, services.connections, jobs, courses, templates)
    return names
