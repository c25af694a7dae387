"""Names of a person's things among words; pure, except for the function that reads them from the store.

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
from bot.domain.workspaces import State, Workspace, get_name_in_id
from bot.providers import base
from bot.services import naming, snapshots
from bot.services.creation import TEMPLATE_FIELD, PersonalOffer
from bot.store import accounts
from bot.store import runs as run_rows
from bot.support.cleaning import fold
from handlers import vocabulary
from handlers.command_line import MARKUP_SIGNS, Quoted, fold_word, is_slip
from handlers.connections import list_making_connections
from handlers.hooks import RequestHooks
from handlers.request import Request

#: The placeholders of a workspace, a run or job, a course, a template and a connection.
_PLACEHOLDERS: Final = ("ww", "jj", "cc", "mm", "kk")
#: Few verbs take these; for the others their names are as good as any word.
RARE_PLACEHOLDERS: Final = frozenset({"cc", "mm"})
#: The number of words that are compared for slips.
MAX_SIMILAR_WORDS: Final = 12
#: Names have no more words than this unless they are quoted.
_MAX_NAME_WORDS: Final = 6
_QUOTES: Final = "\"'"
#: A word must be this long to be taken for a part of a name, and to name a connection with a slip.
_MIN_PART_LENGTH: Final = 3
_MIN_CONNECTION_LENGTH: Final = 5
_SEPARATOR_PATTERN: Final = re.compile(r"[\s_.-]+")

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
    """A job that is set up on a connection, by its name and key, whether it ever ran or not."""

    connection: str
    name: str
    key: str = ""


class TemplateName(Job):
    """A template of new workspaces on a connection, by its name and key."""


@dataclass(frozen=True, slots=True)
class NameSpan:
    """The things that words name, by kind: workspaces, the newest run first, jobs, courses, and so on."""

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
    def placeholder(self) -> str:
        """Return the placeholder of its kind in the vocabulary of the ranker."""
        kinds = (self.workspaces, self.runs or self.jobs, self.courses, self.templates, True)
        return next(placeholder for placeholder, members in zip(_PLACEHOLDERS, kinds, strict=True) if members)


@dataclass(frozen=True, slots=True)
class NameToken:
    """A word as rules compare it, or a name of several words (``word`` is "" then)."""

    word: str
    typed: str
    span: NameSpan | None = None

    @property
    def workspaces(self) -> tuple[Workspace, ...]:
        """Return the workspaces that it names."""
        return self.span.workspaces if self.span is not None else ()

    @property
    def connection(self) -> str:
        """Return the connection that it names, "" for none."""
        return self.span.connection if self.span is not None else ""


class Names:
    """The things of a person that words can name; found spans are cached."""

    def __init__(
        self,
        rows: Sequence[Workspace] = (),
        runs: Sequence[Run] = (),
        connections: Mapping[str, base.Provider] | None = None,
        jobs: Sequence[Job] = (),
        courses: Sequence[Entity] = (),
        templates: Sequence[TemplateName] = (),
        usernames: Mapping[str, str] = naming.NO_USERNAMES,
    ) -> None:
        self.rows = rows
        self._usernames = usernames
        self._runs = runs
        self._connections = connections or {}
        by_job = ((key, job) for job in jobs for key in {fold(job.name), fold(job.key)})
        self._jobs = _add_spoken_forms(_group(by_job))
        self._courses = _group((fold(card.title), card) for card in courses)
        self._templates = _group(
            (key, template) for template in templates for key in {fold(template.name), fold(template.key)}
        )
        self._spans_by_words: dict[tuple[str, ...], list[NameSpan]] = {}

    def find_spans(self, words: tuple[str, ...]) -> list[NameSpan]:
        """Return the whole names among words, the longest at each place, from left to right."""
        # Words in quotes and without are the same to a comparison.
        key = tuple(f'"{word}' if isinstance(word, Quoted) else word for word in words)
        if key not in self._spans_by_words:
            self._spans_by_words[key] = self._scan(words)
        return self._spans_by_words[key]

    def find_placeholders(self, words: tuple[str, ...]) -> dict[int, str]:
        """Return the placeholder of each name at its first place, "" at its others; a slip doesn't matter."""
        spans = [span for span in self.find_spans(words) if is_name(span, words)]
        within = {at for span in spans for at in range(span.begin, span.end)}
        strange = [
            at
            for at, word in enumerate(words)
            if at not in within and fold_word(word) not in vocabulary.DICTIONARY
        ]
        for at in strange[:MAX_SIMILAR_WORDS]:
            ends = [at + 2, at + 1] if at + 1 in strange else [at + 1]
            near = (self.find_similar(words[at:end], is_named=False) for end in ends if at not in within)
            if (span := next(filter(None, near), None)) is not None:
                spans.append(replace(span, begin=at, end=at + span.end))
                within.update(range(at, at + span.end))
        return dict.fromkeys(within, "") | {span.begin: span.placeholder for span in spans}

    def _scan(self, words: Sequence[str]) -> list[NameSpan]:
        spans_found: list[NameSpan] = []
        at = 0
        while at < len(words):
            begins_name = "@" in words[at] or fold(fold_word(words[at])) in self._beginnings
            is_alone = isinstance(words[at], Quoted) or not begins_name
            max_words = 1 if is_alone else min(_MAX_NAME_WORDS, len(words) - at)
            spans = (self._match_at(words, at, count) for count in range(max_words, 0, -1))
            span = next((candidate for candidate in spans if candidate is not None), None)
            spans_found += [span] if span is not None else []
            at = span.end if span is not None else at + 1
        return spans_found

    def _match_at(self, words: Sequence[str], at: int, count: int) -> NameSpan | None:
        for text in list_readings(words[at : at + count]):
            if "@" in text or naming.to_link(text):
                whole = naming.find_whole(text, self.rows, self._connections, self._usernames)
                if whole is not None:
                    return NameSpan(at, at + count, whole.workspaces)
            if (key := fold(text)) in self._keys:
                return self._collect(key, at, at + count)
        return None

    def _collect(self, key: str, begin: int, end: int) -> NameSpan:
        """Return all things of a name; a connection only if there is no other."""
        span = NameSpan(
            begin,
            end,
            self._workspaces.get(key, ()),
            self._runs_by_name.get(key, ()),
            self._jobs.get(key, ()),
            self._courses.get(key, ()),
            self._templates.get(key, ()),
        )
        return (
            replace(span, connection=self._connections_by_title.get(key, ""))
            if span.placeholder == "kk"
            else span
        )

    def find_similar(self, words: Sequence[str], *, is_named: bool) -> NameSpan | None:
        """Return the things that words may name with a slip, or by a part of the name; None for none.

        ``is_named``: they are where a name is, so that the beginning of one is enough.
        """
        text, end = " ".join(words).strip(MARKUP_SIGNS), len(words)
        if is_named and len(text) >= _MIN_PART_LENGTH:
            match = naming.find_workspace(text, self.rows, self._connections)
            if match.kind in {"one", "many"}:
                return NameSpan(0, end, match.workspaces, is_beginning=True)
        typed = fold(next(iter(list_readings(words))).strip(_QUOTES))
        candidates = {*self._by_letter.get(typed[:1], ()), *self._by_letter.get(typed[1:2], ())}
        slips = [self._collect(key, 0, end) for key in sorted(candidates) if _is_similar(typed, key)]
        own = [span for span in slips if span.placeholder not in {"mm", "kk"}]
        parts = [self._collect(key, 0, end) for key in self._by_part.get(typed, ())[:MAX_SIMILAR_WORDS]]
        spans = own or parts or slips
        if ids := {workspace.id for span in spans for workspace in span.workspaces}:
            return NameSpan(0, end, tuple(workspace for workspace in self.rows if workspace.id in ids))
        spans = [span for span in spans if not span.connection or len(typed) >= _MIN_CONNECTION_LENGTH]
        first = min(spans, key=lambda span: _PLACEHOLDERS.index(span.placeholder), default=None)
        if first is None or first.placeholder != "jj":
            return first
        # Several may have this in their names.
        runs = dict.fromkeys(run.id for span in spans for run in span.runs)
        matching_runs = tuple(run for run in self._runs if run.id in runs)
        jobs = dict.fromkeys(job for span in spans for job in span.jobs)
        return replace(first, runs=matching_runs, jobs=tuple(jobs))

    @cached_property
    def _workspaces(self) -> Mapping[str, tuple[Workspace, ...]]:
        by_alias = ((fold(workspace.alias), workspace) for workspace in self.rows if workspace.alias)
        by_name = (
            (name, workspace)
            for workspace in self.rows
            for name in {fold(workspace.name), fold(workspace.remote_id)}
        )
        in_ids = (
            (fold(name), workspace)
            for workspace in self.rows
            if (name := get_name_in_id(workspace.remote_id))
        )
        grouped = _group(in_ids) | _group(by_name) | _group(by_alias)
        existing = {
            key: tuple(one for one in rows if one.state is not State.GONE) for key, rows in grouped.items()
        }
        return _add_spoken_forms({key: existing[key] or rows for key, rows in grouped.items()})

    @cached_property
    def _runs_by_name(self) -> Mapping[str, tuple[Run, ...]]:
        return _add_spoken_forms(
            _group(
                (name, run)
                for run in self._runs
                for name in {fold(run.name), fold(run.id), fold(run.remote_id or "")}
            )
        )

    @cached_property
    def _keys(self) -> Mapping[str, None]:
        """Return all names of every kind."""
        own = (self._workspaces, self._runs_by_name, self._jobs, self._courses)
        return dict.fromkeys(chain(*own, self._templates, self._connections_by_title))

    @cached_property
    def _by_letter(self) -> Mapping[str, tuple[str, ...]]:
        return _group((name[:1], name) for name in self._keys)

    @cached_property
    def _by_part(self) -> Mapping[str, tuple[str, ...]]:
        """Return names by those of their words that say something: ``gpu`` of ``gpu-train``."""
        own = (
            fold(name)
            for name in chain((workspace.title for workspace in self.rows), (run.name for run in self._runs))
        )
        return _group(
            (part, key)
            for key in dict.fromkeys(chain(own, self._jobs, self._courses))
            for part in dict.fromkeys(_SEPARATOR_PATTERN.split(key))
            if len(part) >= _MIN_PART_LENGTH and part != key and part not in vocabulary.DICTIONARY
        )

    @cached_property
    def _beginnings(self) -> frozenset[str]:
        """Return the first words of all names: most words of a sentence begin none."""
        return frozenset(fold_word(words[0]) for name in self._keys if (words := name.split()))

    @cached_property
    def _connections_by_title(self) -> Mapping[str, str]:
        """Return connections by name and title, and by the words of a title that no other one has."""
        titles = {key: fold(provider.settings.title) for key, provider in self._connections.items()}
        counts = Counter(word for title in titles.values() for word in set(title.split()))
        by_word = {
            word: key
            for key, title in titles.items()
            for word in title.split()
            if counts[word] == 1
            and len(word) >= _MIN_PART_LENGTH
            and word not in vocabulary.GENERIC_TITLE_WORDS
            # A word with which a workspace's name begins means that.
            and not any(name.startswith(word) for name in self._workspaces)
        }
        return by_word | {title: key for key, title in titles.items()} | {fold(key): key for key in titles}

    def find_owners(self, tokens: Sequence[NameToken]) -> list[str]:
        """Return the other people to whom words ascribe something: a mention, ``bob's``, ``their``."""
        pairs = pairwise(token.word for token in tokens)
        owners = [
            other
            for before, other in pairs
            if before in vocabulary.BEFORE_AN_OWNER and other in vocabulary.OTHERS
        ]
        nexts = zip_longest(tokens, tokens[1:], tokens[2:], fillvalue=NameToken("", ""))
        for token, then, after in nexts:
            if (
                token.word.endswith("s")
                and then.word in vocabulary.GENERIC_SINGULARS - vocabulary.SINGULAR_PRONOUNS
            ):
                # `priyas workspace`
                owners += [] if token.word in vocabulary.DICTIONARY else [token.word]
            owner = next(
                (token.word.removesuffix(end) for end in ("'s", "s'") if token.word.endswith(end)), ""
            )
            if (
                not token.word
                or token.word in vocabulary.QUESTION_WORDS | vocabulary.FALSE_POSSESSIVES
                or is_day(owner)
                # `someone's using it`
                or (then.word.endswith("ing") and after.word in vocabulary.SINGULAR_PRONOUNS)
            ):
                continue
            is_mention = token.typed.startswith(("<@", "@")) and len(token.typed) > 1
            if owner or is_mention or token.word in vocabulary.OTHERS_POSSESSIVES:
                owners.append((owner or token.word).lstrip("@"))
        return owners


def is_name(span: NameSpan, words: tuple[str, ...]) -> bool:
    """Return whether a span is a name here: not where its word means something else in a sentence."""
    is_word = span.end - span.begin == 1 and not isinstance(words[span.begin], Quoted)
    is_everyday = is_word and not span.connection and fold_word(words[span.begin]) in vocabulary.EVERYDAY
    return not is_everyday or len(words) == 1


def _group(pairs: Iterable[tuple[str, _Row]]) -> dict[str, tuple[_Row, ...]]:
    groups: dict[str, list[_Row]] = {}
    for name, row in pairs:
        groups.setdefault(name, []).append(row)
    return {name: tuple(rows) for name, rows in groups.items() if name}


def _add_spoken_forms(by_name: Mapping[str, tuple[_Row, ...]]) -> dict[str, tuple[_Row, ...]]:
    """Return names and the spoken forms of those with signs between words, ``gpu train`` for ``gpu-train``.

    A real name comes first, and a spoken form of general words is no name. Back-ticks aren't read.
    """
    parts = {name: _SEPARATOR_PATTERN.split(name) for name in by_name if _SEPARATOR_PATTERN.search(name)}
    spoken = {
        " ".join(words): by_name[name]
        for name, words in parts.items()
        if not vocabulary.DICTIONARY.issuperset(words)
    }
    spoken |= {name.replace("`", ""): rows for name, rows in by_name.items() if "`" in name}
    return spoken | dict(by_name)


def _is_similar(typed: str, name: str) -> bool:
    """Return whether a word is a name with a slip; it begins alike, and the name is no everyday word."""
    has_same_start = typed[:1] == name[:1] or (typed[1:2], typed[:1]) == (name[:1], name[1:2])
    return has_same_start and name not in vocabulary.EVERYDAY and is_slip(typed, name)


def list_readings(words: Sequence[str]) -> dict[str, None]:
    """Return the possible names in words: as typed, without signs and punctuation, without *'s*."""
    *first, last = words
    if isinstance(last, Quoted):
        return dict.fromkeys([" ".join(words)])
    typed = " ".join([*first, strip_end(last)])
    bare = [word.strip(MARKUP_SIGNS) or word for word in words]
    text = " ".join([*bare[:-1], (strip_end(bare[-1]).strip(MARKUP_SIGNS + "(") or bare[-1])])
    return dict.fromkeys([typed, text, text.removesuffix("'s"), " ".join(words)])


def strip_end(word: str) -> str:
    """Return a typed word without the signs at its end."""
    return word.rstrip(",;:!?….)") or word


async def read_names(request: Request, rows: Sequence[Workspace]) -> Names:
    """Return the things of a person that words can name; ``rows`` are their workspaces."""
    cached, services, store = request.notes.names, request.services, request.services.store
    if isinstance(cached, Names) and cached.rows is rows:
        return cached
    connections: dict[Purpose, list[str]] = {
        one: list_making_connections(services, one) for one in ("job", "workspace")
    }
    choices_by_purpose: dict[Purpose, list[tuple[str, str, str]]] = {purpose: [] for purpose in connections}
    usernames: dict[str, str] = {}
    for account in await store.read(accounts.list_accounts, request.principal):
        usernames[account.connection] = account.username
        purposes = [purpose for purpose in connections if account.connection in connections[purpose]]
        snapshot = await snapshots.load_templates(services.context, account) if purposes else None
        if snapshot is None:
            continue
        provider = services.connections[account.connection]
        for purpose in purposes:
            field = (
                PersonalOffer(provider, snapshot, purpose, request.principal).form({}).field(TEMPLATE_FIELD)
            )
            choices = field.choices if field is not None else ()
            choices_by_purpose[purpose] += [
                (account.connection, choice.label, choice.value) for choice in choices
            ]
    courses = [
        entity for hooks in RequestHooks.list_subscribers() for entity in await hooks.list_entities(request)
    ]
    jobs, templates = (
        [Job(*one) for one in choices_by_purpose["job"]],
        [TemplateName(*one) for one in choices_by_purpose["workspace"]],
    )
    runs = await store.read(run_rows.list_runs, request.principal)
    names = request.notes.names = Names(rows, runs, services.connections, jobs, courses, templates, usernames)
    return names
