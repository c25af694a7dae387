"""Selection of things by words: names, pronouns, all but some, and the unexplained words; pure."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, Literal

from bot.domain.runs import Run
from bot.domain.workspaces import Workspace
from bot.features.sentences import phrasebook
from bot.features.sentences.words import count_leading, is_emoji
from handlers import vocabulary
from handlers.command_line import Quoted, fold_word, is_clause_end
from handlers.names import (
    MAX_SIMILAR_WORDS,
    RARE_PLACEHOLDERS,
    Entity,
    Job,
    Names,
    NameToken,
    TemplateName,
    is_name,
    strip_end,
)

#: Whether a request is forbidden, on a condition, or quoted.
How = Literal["", "not", "if", "quote"]
Points = Literal["", "it", "them", "other"]
#: The number of words that are compared for slips at once.
_MAX_SIMILAR_RANGE: Final = 6
#: The words before a left-out phrase that belong to it.
_LEADING_FILLERS: Final = (
    vocabulary.BEFORE_A_NAME | phrasebook.PLACE_PREPOSITIONS | vocabulary.CONJUNCTIONS | {"by"}
)
_IN_SOMETHING: Final = {("in", "the"), ("in", "my")}
_PRONOUNS: Final[Mapping[Points, AbstractSet[str]]] = {
    "them": vocabulary.PLURAL_PRONOUNS,
    "other": {"other"},
    "it": vocabulary.SINGULAR_PRONOUNS,
}
#: The words after a left-out phrase that belong to it.
_TRAILING_FILLERS: Final = vocabulary.GENERIC_SINGULARS - vocabulary.SINGULAR_PRONOUNS
_STATE_FILLERS: Final = vocabulary.STATE_FILLERS | phrasebook.RUNNING_WORDS | phrasebook.STOPPED_WORDS
#: Every one, and those of *but report*, *except for the hub ones*.
_ALL_PHRASES: Final = (*phrasebook.REST_PHRASES, *phrasebook.ALL_PHRASES)
_EXCEPTION_FILLERS: Final = (
    vocabulary.CONJUNCTIONS
    | vocabulary.BEFORE_A_NAME
    | vocabulary.GENERIC_SINGULARS
    | vocabulary.GENERIC_PLURALS
    | phrasebook.PLACE_PREPOSITIONS
    | {"ones", "or", "nor"}
)
_COPULAS: Final = frozenset({"are", "is", "that's", "still", "currently"})
#: The words between these and their objects.
_SKIPPED_WORDS: Final = vocabulary.BEFORE_A_NAME | vocabulary.CONJUNCTIONS | {""}
#: Before a name or *the others* they say that nothing is done to these, or after a name.
_SPARING_WORDS: Final = frozenset({"keep", "leave", "let", "touch", "spare"})
STAYING_WORDS: Final = frozenset({"stay", "stays", "staying", "remain", "remains", "alone", "untouched"})
#: Before a word that is part of a name, these ask for something new: ``a gpu``.
_INDEFINITE_WORDS: Final = frozenset(
    {"a", "an", "another", "new", "ein", "eine", "einen", "neue", "neues", "neuen"}
)
_ORDINAL_WORDS: Final = vocabulary.ORDINALS.keys() | {"one", "ones"}


@dataclass(frozen=True, slots=True)
class Which:
    """The things that words name: workspaces of each name in their order, runs and so on; or their pronoun.

    ``place`` counts in the last list, from its end if negative; ``unknown`` are words that nothing explains.
    ``besides`` are left out.
    """

    workspaces: tuple[tuple[Workspace, ...], ...] = ()
    runs: tuple[Run, ...] = ()
    jobs: tuple[Job, ...] = ()
    courses: tuple[Entity, ...] = ()
    templates: tuple[TemplateName, ...] = ()
    connections: tuple[str, ...] = ()
    points: Points = ""
    place: int = 0
    is_all: bool = False
    #: All but the exceptions, or else the last referents: *the others*.
    is_rest: bool = False
    state: str = ""
    besides: tuple[Workspace, ...] = ()
    unknown: tuple[str, ...] = ()
    #: A quoted name that nothing has: it names nothing else.
    quoted: str = ""
    #: A name that may be meant: with a slip, or by its beginning.
    is_near: bool = False
    #: The words besides a name that aren't understood, as they were typed: ``with EPOCHS=20``.
    left_out: tuple[str, ...] = ()
    is_beginning: bool = False
    #: A word before a name says that another one may be meant, as in ``old report``.
    is_described: bool = False
    is_theirs: bool = False

    @property
    def named(self) -> list[Workspace]:
        """Return all workspaces of the names, each once."""
        return list({workspace.id: workspace for group in self.workspaces for workspace in group}.values())

    @property
    def is_named(self) -> bool:
        """Return whether anything of one's own is named."""
        return bool(self.workspaces or self.runs or self.jobs or self.courses or self.connections)

    @property
    def is_nothing(self) -> bool:
        """Return whether the words select nothing at all."""
        said = self.is_named or self.points or self.place or self.is_all or self.state
        return not (said or self.unknown)


def split_tokens(words: tuple[str, ...], names: Names) -> list[NameToken]:
    """Return the tokens of words, one for each name; rarely accepted names stay words, too."""
    tokens: list[NameToken] = []
    spans = {span.begin: span for span in names.find_spans(words) if is_name(span, words)}
    at = 0
    while at < len(words):
        span = spans.get(at)
        end = at + 1 if span is None else span.end
        typed = words[at] if span is None else " ".join(words[at:end])
        is_word = span is None or span.placeholder in RARE_PLACEHOLDERS
        tokens.append(NameToken(fold_word(typed) if is_word else "", typed, span))
        at = end
    return tokens


def select(tokens: Sequence[NameToken], names: Names, *, is_question: bool = False) -> Which:
    """Return the things that tokens name, or their pronoun, and the unexplained words."""
    head, out = _split_exceptions(tokens)
    head = _merge_connections(head)
    words = [token.word for token in head]
    all_at = _find_place(words, _ALL_PHRASES)
    spans = [token.span for token in head if token.span is not None]
    workspaces = tuple(span.workspaces for span in spans if span.workspaces)
    runs = tuple(run for span in spans if not span.workspaces for run in span.runs[:1])
    # `everything off` isn't about what is off.
    verbs = set() if all_at < 0 else phrasebook.PARTICLES
    states = [word for before, word in pairwise(("", *words)) if word not in verbs or before in _COPULAS]
    state = next((vocabulary.STATE_WORDS[word] for word in states if word in vocabulary.STATE_WORDS), "")
    if is_question and words[-1:] == ["on"]:
        state = state or "running"
    if not is_question and not set(words) & vocabulary.STATE_OBJECTS:
        state = ""
    which = Which(
        workspaces=workspaces,
        runs=runs,
        jobs=tuple(job for span in spans for job in span.jobs),
        courses=tuple(card for span in spans for card in span.courses),
        templates=tuple(template for span in spans for template in span.templates),
        connections=tuple(dict.fromkeys(span.connection for span in spans if span.connection)),
        points="" if workspaces or runs or all_at >= 0 else _find_pronoun(words),
        place=next((vocabulary.ORDINALS[word] for word in words if word in vocabulary.ORDINALS), 0),
        is_all=all_at >= 0,
        is_rest=_find_place(words, phrasebook.REST_PHRASES) >= 0,
        state=state,
        besides=_list_excluded(out, names),
        is_theirs=bool(names.find_owners(tokens)),
    )
    which, places = _find_unexplained(head, which, all_at, is_question=is_question)
    is_own = which.workspaces or which.runs or which.jobs or (is_question and which.courses)
    if places and not (is_own or which.is_all):
        which = _select_similar(which, places, words, names, is_question=is_question)
    if places and which.workspaces and not (is_question or which.is_all):
        which = _add_enumerated(head, which, places, names)
    ranges = _find_left_out(head, [at for at in places if strip_end(head[at].typed) in which.unknown])
    pointing = vocabulary.SINGULAR_PRONOUNS | vocabulary.PLURAL_PRONOUNS
    words_said = {token.word for at, token in enumerate(head) if not any(at in phrase for phrase in ranges)}
    if which.quoted or not pointing & words_said:
        # `this banana` points at nothing.
        which = replace(which, points="" if which.points != "other" else "other")
    if not (which.workspaces or which.runs or which.jobs or which.points or which.place):
        return which
    phrases = (" ".join(head[at].typed for at in phrase) for phrase in ranges)
    return replace(which, left_out=tuple(map(strip_end, phrases)))


def _find_place(words: Sequence[str], phrases: tuple[tuple[str, ...], ...]) -> int:
    """Return the place of the first of these phrases in words; -1 for none."""
    return next((at for at in range(len(words)) if count_leading(words[at:], phrases)), -1)


def _split_exceptions(tokens: Sequence[NameToken]) -> tuple[list[NameToken], list[NameToken]]:
    """Return pieces without the names that are left out, and those: ``all``, ``report`` of *but report*.

    Of what is named, only *not report* leaves something out.
    """
    words, head, out, at = [token.word for token in tokens], list[NameToken](), list[NameToken](), 0
    is_all = _find_place(words, _ALL_PHRASES) >= 0 or not (
        vocabulary.STATE_OBJECTS.isdisjoint(words) or vocabulary.STATE_WORDS.keys().isdisjoint(words)
    )
    while at < len(tokens):
        count = count_leading(words[at:], phrasebook.EXCEPTION_PHRASES)
        is_out = count and (is_all or words[at + count - 1] == "not")
        begin = at + count if is_out else len(tokens)
        # All but report, or all, but leave report.
        begin = end = begin + (is_all and not _SPARING_WORDS.isdisjoint(words[begin : begin + 1]))
        while end < len(tokens) and (tokens[end].span is not None or words[end] in _EXCEPTION_FILLERS):
            end += 1
            if not is_all and is_clause_end(tokens[end - 1].typed):
                break
        if any(token.workspaces or token.connection for token in tokens[begin:end]):
            out, at = [*out, *tokens[begin:end]], end
        else:
            head, at = [*head, tokens[at]], at + 1
    if not out:
        return _split_spared(head)
    return head, out


def _split_spared(tokens: list[NameToken]) -> tuple[list[NameToken], list[NameToken]]:
    """Split tokens where names stand beside *all* or *the others*: these are spared, or the names are.

    ``keep report and stop the others``, ``stop report and leave the others``. Otherwise *the others* aren't
    understood.
    """
    words = [token.word for token in tokens]
    begin, rest_at = _find_place(words, _ALL_PHRASES), _find_place(words, phrasebook.REST_PHRASES)
    name_places = [at for at, token in enumerate(tokens) if token.workspaces]
    if begin < 0 or not name_places:
        return tokens, []
    before = [
        next((word for word in reversed(words[:at]) if word not in _SKIPPED_WORDS), "")
        for at in range(len(words))
    ]
    is_spared = before[begin] in _SPARING_WORDS or not vocabulary.CONJUNCTIONS.isdisjoint(
        words[begin - 1 : begin]
    )
    out = [
        at
        for at in name_places
        if before[at] in _SPARING_WORDS
        or not STAYING_WORDS.isdisjoint(words[at + 1 : at + 3])
        or (at < rest_at and not is_spared)
    ]
    if out:
        others = [token for at, token in enumerate(tokens) if at not in out]
        return others, [tokens[at] for at in out]
    strange = (
        range(begin, begin + count_leading(words[begin:], _ALL_PHRASES))
        if rest_at >= 0 or is_spared
        else range(0)
    )
    return [replace(token_, word="?") if at in strange else token_ for at, token_ in enumerate(tokens)], []


def _list_excluded(out: Sequence[NameToken], names: Names) -> tuple[Workspace, ...]:
    """Return the workspaces that are left out: those named, or all on a connection."""
    connections = {token.connection for token in out if token.connection}
    workspaces = [
        workspace
        for token in out
        for workspace in token.workspaces
        if not connections or workspace.connection in connections
    ]
    is_named = any(token.workspaces for token in out)
    return tuple(
        workspaces
        if is_named
        else (workspace for workspace in names.rows if workspace.connection in connections)
    )


def _find_left_out(head: Sequence[NameToken], places: Sequence[int]) -> list[range]:
    """Return the ranges of unexplained words, with fillers before and after them.

    What is listed like a name is none of them; neighbours are one.
    """
    out: list[range] = []
    for at in places:
        begin, end, last = at, at + 1, out[-1].stop if out else 0
        while begin > last and head[begin - 1].word in _LEADING_FILLERS:
            begin -= 1
        is_enumerated = head[begin].word in vocabulary.CONJUNCTIONS or (
            begin and head[begin - 1].typed.endswith(",")
        )
        while end < len(head) and head[end].word in _TRAILING_FILLERS:
            end += 1
        if out and begin <= last:
            out[-1] = range(out[-1].start, end)
        elif not is_enumerated:
            out.append(range(begin, end))
    return out


def _merge_connections(tokens: list[NameToken]) -> list[NameToken]:
    """Merge each connection into the name right before it: ``a and b on saturn``."""
    if sum(bool(token.workspaces) for token in tokens) < 2:
        return tokens
    small = phrasebook.PLACE_PREPOSITIONS | vocabulary.BEFORE_A_NAME
    merged: list[NameToken] = []
    for token in tokens:
        at = next((at for at in reversed(range(len(merged))) if merged[at].word not in small), -1)
        before = merged[at] if merged else token
        on_connection = tuple(
            workspace for workspace in before.workspaces if token.connection == workspace.connection
        )
        if on_connection and before.span is not None:
            merged[at] = replace(before, span=replace(before.span, workspaces=on_connection))
        else:
            merged.append(token)
    return merged


def _find_pronoun(words: Sequence[str]) -> Points:
    return next((points for points, pronouns in _PRONOUNS.items() if pronouns & set(words)), "")


def _find_unexplained(
    head: Sequence[NameToken], found: Which, all_at: int, *, is_question: bool
) -> tuple[Which, list[int]]:
    """Return a selection with the unexplained words, and their places."""
    words = [token.word for token in head]
    explained = vocabulary.IN_QUESTIONS if is_question else vocabulary.EXPLAINED
    if found.is_all or found.state:
        explained |= _STATE_FILLERS
    if found.place:
        explained |= _ORDINAL_WORDS
    skipped = count_leading(words[all_at:], _ALL_PHRASES) if found.is_all else 0
    places: list[int] = []
    for at, token in enumerate(head):
        is_quoted = isinstance(token.typed, Quoted)
        placeholder = token.span.placeholder if token.span is not None else ""
        is_name = placeholder not in {"", "mm"} and (is_question or placeholder not in RARE_PLACEHOLDERS)
        if is_name or (not token.word and not is_quoted) or is_emoji(token.typed):
            continue
        then = next(
            (token_ for token_ in head[at + 1 :] if token_.word not in vocabulary.BEFORE_A_NAME), token
        )
        is_where = token.word in phrasebook.PLACE_PREPOSITIONS and bool(then.connection)
        is_explained = token.word in explained | vocabulary.CONDITIONS | vocabulary.NEGATIONS
        if is_quoted or not (is_where or is_explained or all_at <= at < all_at + skipped):
            places.append(at)
    is_described = any(
        (at + 1 < len(head) and bool(head[at + 1].workspaces) and not head[at].typed.endswith((",", ";")))
        or (at > 0 and words[at - 1] == "of" and bool(found.workspaces))
        for at in places
    )
    unknown = tuple(strip_end(head[at].typed) for at in places)
    quoted = next((str(head[at].typed) for at in places if isinstance(head[at].typed, Quoted)), "")
    return replace(found, unknown=unknown, quoted=quoted, is_described=is_described), places


def _select_similar(
    found: Which, places: Sequence[int], words_said: Sequence[str], names: Names, *, is_question: bool
) -> Which:
    """Return the things that unexplained words may name with a slip, or by its beginning."""
    words = found.unknown
    is_contiguous = len(words) <= _MAX_SIMILAR_RANGE and places[-1] - places[0] == len(words) - 1
    ranges = [(0, len(words))] if is_contiguous else []
    max_words = min(len(words), MAX_SIMILAR_WORDS)
    ranges += [(at, at + count) for count in (2, 1) for at in range(max_words - count + 1)]
    is_of_job = not vocabulary.JOB_WORDS.isdisjoint(map(fold_word, words_said))
    for begin, end in dict.fromkeys(ranges):
        is_named = not is_question and (begin, end) == (0, len(words))
        span = names.find_similar(words[begin:end], is_named=is_named)
        is_any = words_said[max(places[begin] - 1, 0)] in _INDEFINITE_WORDS
        if span is None or (span.connection and found.connections):
            continue
        if is_any or (is_of_job and span.workspaces):
            continue
        if not is_question and span.placeholder in RARE_PLACEHOLDERS:
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


def _add_enumerated(head: Sequence[NameToken], found: Which, places: Sequence[int], names: Names) -> Which:
    """Add the things of partial names in an enumeration: ``churn and dashboard``."""
    words, more = [piece.word for piece in head], dict[str, tuple[Workspace, ...]]()
    for at in places:
        before, then = words[at - 1] if at else "", words[at + 1] if at + 1 < len(words) else ""
        is_enumerated = not vocabulary.CONJUNCTIONS.isdisjoint({before, then}) or head[at - 1].typed.endswith(
            ","
        )
        span = names.find_similar([head[at].typed], is_named=False) if is_enumerated else None
        if span is not None and span.workspaces:
            more[strip_end(head[at].typed)] = span.workspaces
    unknown = tuple(word for word in found.unknown if word not in more)
    return replace(
        found,
        workspaces=(*found.workspaces, *more.values()),
        unknown=unknown,
        is_near=found.is_near or bool(more),
    )


def find_obstacle(tokens: Sequence[NameToken], which: Which) -> How:
    """Return whether a request is forbidden or depends on something."""
    words = [token.word for token in _split_exceptions(tokens)[0]]
    if set(words) & vocabulary.NEGATIONS:
        return "not"
    # `in the big one` is no time.
    words_said = {word for word, then in pairwise((*words, "")) if (word, then) not in _IN_SOMETHING}
    is_about_any = which.is_named or which.is_all or which.points
    return "if" if is_about_any and words_said & vocabulary.CONDITIONS else ""
