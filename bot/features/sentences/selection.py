"""Read which things words mean: what they name or point at, all but some, and what is strange; pure."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, Literal

from bot.domain.runs import Run
from bot.domain.workspaces import Workspace
from bot.features.sentences import phrasebook
from bot.features.sentences.words import begins, is_emoji
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
#: So many words are looked at for slips at once.
_MOST_TOGETHER: Final = 6
#: Stand before what is left out, and belong to it.
_SMALL: Final = vocabulary.BEFORE_A_NAME | phrasebook.WHERE | vocabulary.CONJUNCTIONS | {"by"}
_IN_SOMETHING: Final = {("in", "the"), ("in", "my")}
_POINTING: Final[Mapping[Points, AbstractSet[str]]] = {
    "them": vocabulary.PLURAL_PRONOUNS,
    "other": {"other"},
    "it": vocabulary.SINGULAR_PRONOUNS,
}
#: Follow what is left out, and belong to it.
_GENERAL: Final = vocabulary.GENERIC_SINGULARS - vocabulary.SINGULAR_PRONOUNS
_OF_A_STATE: Final = vocabulary.STATE_FILLERS | phrasebook.RUNNING | phrasebook.STOPPED
#: Every one, and those of *but report*, *except for the hub ones*.
_EVERY: Final = (*phrasebook.REST, *phrasebook.ALL)
_LEFT_OUT: Final = (
    vocabulary.CONJUNCTIONS
    | vocabulary.BEFORE_A_NAME
    | vocabulary.GENERIC_SINGULARS
    | vocabulary.GENERIC_PLURALS
    | phrasebook.WHERE
    | {"ones", "or", "nor"}
)
_BEING: Final = frozenset({"are", "is", "that's", "still", "currently"})
#: Between these and what they are about.
_BETWEEN: Final = vocabulary.BEFORE_A_NAME | vocabulary.CONJUNCTIONS | {""}
#: Before a name or *the others* they say that nothing is done to these, or after a name.
_SPARING: Final = frozenset({"keep", "leave", "let", "touch", "spare"})
STAYING: Final = frozenset({"stay", "stays", "staying", "remain", "remains"})
#: Before a word that is part of a name, these ask for something new: ``a gpu``.
_INDEFINITE: Final = frozenset(
    {"a", "an", "another", "new", "ein", "eine", "einen", "neue", "neues", "neuen"}
)
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
    courses: tuple[Entity, ...] = ()
    templates: tuple[TemplateName, ...] = ()
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
        """Return all workspaces of the names, each once."""
        return list({one.id: one for group in self.workspaces for one in group}.values())

    @property
    def is_named(self) -> bool:
        """Return whether anything of one's own is named."""
        return bool(self.workspaces or self.runs or self.jobs or self.courses or self.connections)

    @property
    def is_nothing(self) -> bool:
        """Return whether it says nothing at all about which."""
        said = self.is_named or self.points or self.place or self.is_all or self.state
        return not (said or self.unknown)


def pieces_of(words: tuple[str, ...], names: Names) -> list[NameToken]:
    """Return words with names taken together; those of what few verbs take stay words, too."""
    found: list[NameToken] = []
    spans = {span.begin: span for span in names.find_spans(words) if is_name(span, words)}
    at = 0
    while at < len(words):
        span = spans.get(at)
        end = at + 1 if span is None else span.end
        typed = words[at] if span is None else " ".join(words[at:end])
        is_word = span is None or span.placeholder in RARE_PLACEHOLDERS
        found.append(NameToken(fold_word(typed) if is_word else "", typed, span))
        at = end
    return found


def which_of(pieces: Sequence[NameToken], names: Names, *, is_question: bool = False) -> Which:
    """Return what pieces name or point at, and which words nothing explains."""
    head, out = _parted(pieces)
    head = _placed(head)
    words = [piece.word for piece in head]
    all_at = _place_of(words, _EVERY)
    spans = [piece.span for piece in head if piece.span is not None]
    workspaces = tuple(span.workspaces for span in spans if span.workspaces)
    runs = tuple(run for span in spans if not span.workspaces for run in span.runs[:1])
    # `everything off` isn't about what is off.
    verbs = set() if all_at < 0 else phrasebook.PARTICLES
    states = [word for before, word in pairwise(("", *words)) if word not in verbs or before in _BEING]
    state = next((vocabulary.STATE_WORDS[word] for word in states if word in vocabulary.STATE_WORDS), "")
    if is_question and words[-1:] == ["on"]:
        state = state or "running"
    if not is_question and not set(words) & vocabulary.STATE_OBJECTS:
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
        is_rest=_place_of(words, phrasebook.REST) >= 0,
        state=state,
        besides=_besides(out, names),
        is_theirs=bool(names.find_owners(pieces)),
    )
    found, places = _unexplained(head, found, all_at, is_question=is_question)
    is_own = found.workspaces or found.runs or found.jobs or (is_question and found.courses)
    if places and not (is_own or found.is_all):
        found = _near(found, places, words, names, is_question=is_question)
    if places and found.workspaces and not (is_question or found.is_all):
        found = _listed(head, found, places, names)
    left = _left_out(head, [at for at in places if strip_end(head[at].typed) in found.unknown])
    pointing = vocabulary.SINGULAR_PRONOUNS | vocabulary.PLURAL_PRONOUNS
    said = {piece.word for at, piece in enumerate(head) if not any(at in phrase for phrase in left)}
    if found.quoted or not pointing & said:
        # `this banana` points at nothing.
        found = replace(found, points="" if found.points != "other" else "other")
    if not (found.workspaces or found.runs or found.jobs or found.points or found.place):
        return found
    phrases = (" ".join(head[at].typed for at in phrase) for phrase in left)
    return replace(found, left_out=tuple(map(strip_end, phrases)))


def _place_of(words: Sequence[str], phrases: Sequence[tuple[str, ...]]) -> int:
    """Return where words have one of these phrases; -1 for nowhere."""
    return next((at for at in range(len(words)) if begins(words[at:], phrases)), -1)


def _parted(pieces: Sequence[NameToken]) -> tuple[list[NameToken], list[NameToken]]:
    """Return pieces without the names that are left out, and those: ``all``, ``report`` of *but report*.

    Of what is named, only *not report* leaves something out.
    """
    words, head, out, at = [piece.word for piece in pieces], list[NameToken](), list[NameToken](), 0
    is_all = _place_of(words, _EVERY) >= 0 or not (
        vocabulary.STATE_OBJECTS.isdisjoint(words) or vocabulary.STATE_WORDS.keys().isdisjoint(words)
    )
    while at < len(pieces):
        count = begins(words[at:], phrasebook.EXCEPT)
        is_out = count and (is_all or words[at + count - 1] == "not")
        begin = at + count if is_out else len(pieces)
        # All but report, or all, but leave report.
        begin = end = begin + (is_all and not _SPARING.isdisjoint(words[begin : begin + 1]))
        while end < len(pieces) and (pieces[end].span is not None or words[end] in _LEFT_OUT):
            end += 1
            if not is_all and is_clause_end(pieces[end - 1].typed):
                break
        if any(piece.workspaces or piece.connection for piece in pieces[begin:end]):
            out, at = [*out, *pieces[begin:end]], end
        else:
            head, at = [*head, pieces[at]], at + 1
    if not out:
        return _beside_all(head)
    return head, out


def _beside_all(pieces: list[NameToken]) -> tuple[list[NameToken], list[NameToken]]:
    """Return the same where names stand beside *all* or *the others*: these are spared, or the names are.

    ``keep report and stop the others``, ``stop report and leave the others``. Otherwise *the others* aren't
    understood.
    """
    words = [piece.word for piece in pieces]
    begin, rest_at = _place_of(words, _EVERY), _place_of(words, phrasebook.REST)
    named = [at for at, piece in enumerate(pieces) if piece.workspaces]
    if begin < 0 or not named:
        return pieces, []
    before = [
        next((word for word in reversed(words[:at]) if word not in _BETWEEN), "") for at in range(len(words))
    ]
    is_spared = before[begin] in _SPARING or not vocabulary.CONJUNCTIONS.isdisjoint(words[begin - 1 : begin])
    out = [
        at
        for at in named
        if before[at] in _SPARING
        or not STAYING.isdisjoint(words[at + 1 : at + 3])
        or (at < rest_at and not is_spared)
    ]
    if out:
        left = [piece for at, piece in enumerate(pieces) if at not in out]
        return left, [pieces[at] for at in out]
    strange = range(begin, begin + begins(words[begin:], _EVERY)) if rest_at >= 0 or is_spared else range(0)
    return [replace(one, word="?") if at in strange else one for at, one in enumerate(pieces)], []


def _besides(out: Sequence[NameToken], names: Names) -> tuple[Workspace, ...]:
    """Return the workspaces that are left out: those named, or all on a connection."""
    places = {piece.connection for piece in out if piece.connection}
    named = [one for piece in out for one in piece.workspaces if not places or one.connection in places]
    is_named = any(piece.workspaces for piece in out)
    return tuple(named if is_named else (one for one in names.rows if one.connection in places))


def _left_out(head: Sequence[NameToken], places: Sequence[int]) -> list[range]:
    """Return where words are that nothing explains, with small ones before them and general ones after.

    What is listed like a name is none of them; neighbours are one.
    """
    out: list[range] = []
    for at in places:
        begin, end, last = at, at + 1, out[-1].stop if out else 0
        while begin > last and head[begin - 1].word in _SMALL:
            begin -= 1
        is_listed = head[begin].word in vocabulary.CONJUNCTIONS or (
            begin and head[begin - 1].typed.endswith(",")
        )
        while end < len(head) and head[end].word in _GENERAL:
            end += 1
        if out and begin <= last:
            out[-1] = range(out[-1].start, end)
        elif not is_listed:
            out.append(range(begin, end))
    return out


def _placed(pieces: list[NameToken]) -> list[NameToken]:
    """Return pieces where a connection belongs to the name right before it: ``a and b on saturn``."""
    if sum(bool(piece.workspaces) for piece in pieces) < 2:
        return pieces
    small = phrasebook.WHERE | vocabulary.BEFORE_A_NAME
    found: list[NameToken] = []
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
    head: Sequence[NameToken], found: Which, all_at: int, *, is_question: bool
) -> tuple[Which, list[int]]:
    """Return it with the words that nothing explains, and their places."""
    words = [piece.word for piece in head]
    explained = vocabulary.IN_QUESTIONS if is_question else vocabulary.EXPLAINED
    if found.is_all or found.state:
        explained |= _OF_A_STATE
    if found.place:
        explained |= _OF_A_PLACE
    skipped = begins(words[all_at:], _EVERY) if found.is_all else 0
    places: list[int] = []
    for at, piece in enumerate(head):
        is_quoted = isinstance(piece.typed, Quoted)
        mark = piece.span.placeholder if piece.span is not None else ""
        is_name = mark not in {"", "mm"} and (is_question or mark not in RARE_PLACEHOLDERS)
        if is_name or (not piece.word and not is_quoted) or is_emoji(piece.typed):
            continue
        then = next((one for one in head[at + 1 :] if one.word not in vocabulary.BEFORE_A_NAME), piece)
        is_where = piece.word in phrasebook.WHERE and bool(then.connection)
        is_known = piece.word in explained | vocabulary.CONDITIONS | vocabulary.NEGATIONS
        if is_quoted or not (is_where or is_known or all_at <= at < all_at + skipped):
            places.append(at)
    is_described = any(
        (at + 1 < len(head) and bool(head[at + 1].workspaces) and not head[at].typed.endswith((",", ";")))
        or (at > 0 and words[at - 1] == "of" and bool(found.workspaces))
        for at in places
    )
    unknown = tuple(strip_end(head[at].typed) for at in places)
    quoted = next((str(head[at].typed) for at in places if isinstance(head[at].typed, Quoted)), "")
    return replace(found, unknown=unknown, quoted=quoted, is_described=is_described), places


def _near(
    found: Which, places: Sequence[int], said: Sequence[str], names: Names, *, is_question: bool
) -> Which:
    """Return what the words that nothing explains may name with a slip, or by its beginning."""
    words = found.unknown
    is_together = len(words) <= _MOST_TOGETHER and places[-1] - places[0] == len(words) - 1
    ranges = [(0, len(words))] if is_together else []
    most = min(len(words), MAX_SIMILAR_WORDS)
    ranges += [(at, at + count) for count in (2, 1) for at in range(most - count + 1)]
    is_of_job = not vocabulary.JOB_WORDS.isdisjoint(map(fold_word, said))
    for begin, end in dict.fromkeys(ranges):
        is_named = not is_question and (begin, end) == (0, len(words))
        span = names.find_similar(words[begin:end], is_named=is_named)
        is_any = said[max(places[begin] - 1, 0)] in _INDEFINITE
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


def _listed(head: Sequence[NameToken], found: Which, places: Sequence[int], names: Names) -> Which:
    """Return it with what is listed beside names and is a part of another one: ``churn and dashboard``."""
    words, more = [piece.word for piece in head], dict[str, tuple[Workspace, ...]]()
    for at in places:
        before, then = words[at - 1] if at else "", words[at + 1] if at + 1 < len(words) else ""
        is_listed = not vocabulary.CONJUNCTIONS.isdisjoint({before, then}) or head[at - 1].typed.endswith(",")
        span = names.find_similar([head[at].typed], is_named=False) if is_listed else None
        if span is not None and span.workspaces:
            more[strip_end(head[at].typed)] = span.workspaces
    unknown = tuple(word for word in found.unknown if word not in more)
    return replace(
        found,
        workspaces=(*found.workspaces, *more.values()),
        unknown=unknown,
        is_near=found.is_near or bool(more),
    )


def how_of(pieces: Sequence[NameToken], which: Which) -> How:
    """Return whether a request is forbidden or depends on something."""
    words = [piece.word for piece in _parted(pieces)[0]]
    if set(words) & vocabulary.NEGATIONS:
        return "not"
    # `in the big one` is no time.
    said = {word for word, then in pairwise((*words, "")) if (word, then) not in _IN_SOMETHING}
    is_about_any = which.is_named or which.is_all or which.points
    return "if" if is_about_any and said & vocabulary.CONDITIONS else ""
