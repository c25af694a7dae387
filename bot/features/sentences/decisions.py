"""Decisions about a message: tables from its reading to its subject, its objects and its outcome; pure.

``is_complete`` decides whether anything is done: any other reading is proposed
(``bot.features.sentences.proposals``). What ends for good asks in any case (``handlers.workspace``).
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final, Literal

from bot.features.sentences.objections import accepts_time, find_bars
from bot.features.sentences.reading import Reading
from bot.features.sentences.selection import Which
from bot.features.sentences.times import is_exception
from bot.messages.verb import Effect, find_verb
from handlers.command_line import fold_word
from handlers.request import Manner

Number = Literal["one", "several"]
#: The effect of a verb, and *asks* for one that asks by itself before it does anything.
Kind = Effect | Literal["asks"]
_ASKS: Final = frozenset({"cancel", "remove"})


class RequestSubject(StrEnum):
    """The subject of a request."""

    OTHERS = "theirs"  #: somebody else's
    LAST_ACT = "last act"  #: *cancel* without a name
    RUN = "run"  #: a run of a job
    HOURS = "hours"  #: the hours of whatever has some
    OVERVIEW = "overview"  #: everything, of a verb that shows it
    CONNECTION = "place"  #: a connection itself
    OWN = "own"  #: one's own workspaces


#: The first that fits.
SUBJECTS: Final[tuple[tuple[RequestSubject, Callable[[Reading], bool]], ...]] = (
    (RequestSubject.OTHERS, lambda it: it.which.is_theirs),
    (RequestSubject.LAST_ACT, lambda it: it.what == "cancel" and _is_unnamed(it.which)),
    (RequestSubject.RUN, lambda it: bool(it.which.runs) and not it.which.workspaces),
    (RequestSubject.HOURS, lambda it: it.what == "hours" and (it.which.is_nothing or _is_all_hours(it))),
    (RequestSubject.OVERVIEW, lambda it: it.what == "status" and it.which.is_nothing),
    (RequestSubject.CONNECTION, lambda it: it.what == "status" and _is_only_connection(it.which)),
    (RequestSubject.OWN, lambda _: True),
)


def _is_all_hours(reading: Reading) -> bool:
    return reading.which.is_all and is_exception(reading.hours)


class SelectionMode(StrEnum):
    """The way of choosing workspaces of one's own."""

    NAMED = "named"
    ALL = "all"  #: all, or all in a state
    UNKNOWN = "unknown"  #: a name that nobody has
    POINTED = "pointed"  #: *it*, *the second one*, *the one on the hub*
    USUAL = "usual"  #: nothing is said about which


#: The first that fits.
CHOICES: Final[tuple[tuple[SelectionMode, Callable[[Which], bool]], ...]] = (
    (SelectionMode.NAMED, lambda it: bool(it.workspaces)),
    (SelectionMode.ALL, lambda it: it.is_all or (bool(it.state) and not it.unknown)),
    (SelectionMode.POINTED, lambda it: bool(it.place or it.points)),
    (SelectionMode.UNKNOWN, lambda it: bool(it.unknown)),
    (SelectionMode.POINTED, lambda it: bool(it.connections)),
    (SelectionMode.USUAL, lambda _: True),
)


class Confidence(StrEnum):
    """The confidence in a reading of a request."""

    CLEAR = "clear"  #: nothing is left over, and exactly that is named or pointed at
    AGREED = "agreed"  #: typed with consent
    GUESS = "guess"  #: a slip, or a beginning of a name


class AnswerStyle(StrEnum):
    """The outcome of a request: an act, a question or an offer."""

    DONE = "done"
    QUESTION = "asked"  #: its own question comes first, even if it was agreed to
    OFFERED = "offered"  #: one button
    LIST = "listed"
    AT_ONCE = "at once"  #: done to all of them
    COMBINED = "together"  #: one button for all of them, or what is said instead


_KINDS: Final[tuple[Kind, ...]] = (Effect.SHOWS, Effect.STARTS, Effect.ENDS, Effect.MAKES, "asks")
#: The style of an answer, by the number of its objects and the confidence in them.
ANSWER_STYLES: Final[Mapping[tuple[Number, Confidence], tuple[AnswerStyle, ...]]] = {
    #                           shows         starts        ends          makes         asks
    ("one", Confidence.CLEAR): (
        AnswerStyle.DONE,
        AnswerStyle.DONE,
        AnswerStyle.DONE,
        AnswerStyle.DONE,
        AnswerStyle.DONE,
    ),
    ("one", Confidence.AGREED): (
        AnswerStyle.DONE,
        AnswerStyle.DONE,
        AnswerStyle.DONE,
        AnswerStyle.DONE,
        AnswerStyle.DONE,
    ),
    ("one", Confidence.GUESS): (
        AnswerStyle.DONE,
        AnswerStyle.OFFERED,
        AnswerStyle.OFFERED,
        AnswerStyle.OFFERED,
        AnswerStyle.QUESTION,
    ),
    ("several", Confidence.CLEAR): (
        AnswerStyle.LIST,
        AnswerStyle.COMBINED,
        AnswerStyle.COMBINED,
        AnswerStyle.COMBINED,
        AnswerStyle.COMBINED,
    ),
    ("several", Confidence.AGREED): (
        AnswerStyle.LIST,
        AnswerStyle.AT_ONCE,
        AnswerStyle.AT_ONCE,
        AnswerStyle.AT_ONCE,
        AnswerStyle.AT_ONCE,
    ),
    ("several", Confidence.GUESS): (AnswerStyle.COMBINED,) * 5,
}


def is_complete(reading: Reading, given: Sequence[str]) -> bool:
    """Return whether the words ``given`` are a complete order, and nothing bars it."""
    if not reading.is_full or reading.kind != "verb" or _is_plain_command(reading, given):
        return reading.is_full
    time, label = reading.time, find_label(reading)
    has_time = bool(time.when or time.more or time.hours)
    if has_time and label != "hours" and not accepts_time(label):
        return False
    return find_bars(reading, given, reading.which).find(label) is None


def _is_plain_command(reading: Reading, given: Sequence[str]) -> bool:
    """Return whether words are a verb and the names of workspaces alone, in which no word means anything."""
    names = [word for workspace in reading.which.named for word in workspace.title.casefold().split()]
    return list(map(fold_word, given)) == [reading.what, *names]


def find_label(reading: Reading) -> str:
    """Return the label of a reading's act: what a verb of workspaces says about a run is of jobs."""
    if reading.folder == "workspace" and find_subject(reading) is RequestSubject.RUN:
        return f"job-{find_verb('workspace', reading.what).of_run or 'run'}"
    if reading.what == "card" and reading.which.courses:
        return f"{word}-course" if (word := reading.words[0].casefold()) in {"pause", "end"} else word
    return f"job-{reading.what}" if reading.folder == "job" else reading.what


def find_subject(reading: Reading) -> RequestSubject:
    """Return the subject of a request."""
    return next(subject for subject, matches in SUBJECTS if matches(reading))


def find_selection_mode(reading: Reading) -> SelectionMode:
    """Return the choice of the workspaces that a request is about."""
    return next(choice for choice, matches in CHOICES if matches(reading.which))


def find_kind(verb: str) -> Kind:
    """Return the effect of a verb of workspaces, or *asks*."""
    return "asks" if verb in _ASKS else find_verb("workspace", verb).effect


def find_answer_style(number: Number, confidence: Confidence, kind: Kind) -> AnswerStyle:
    """Return the outcome of a request from the table ``ANSWER_STYLES``."""
    return ANSWER_STYLES[number, confidence][_KINDS.index(kind)]


def find_confidence(which: Which, *, is_single: bool, is_clear: bool, is_agreed: bool) -> Confidence:
    """Return the confidence in a request: for one, if nothing was guessed; for several, if all are known."""
    if is_single:
        return Confidence.CLEAR if is_clear else Confidence.GUESS
    if which.unknown:
        return Confidence.GUESS
    return Confidence.AGREED if is_agreed else Confidence.CLEAR


def has_exact_names(reading: Reading) -> bool:
    """Return whether names are exact; of a typed start, a beginning is enough."""
    which, effect = reading.which, find_verb("workspace", reading.what).effect
    is_begun = which.is_beginning and reading.manner is Manner.TYPED and effect is Effect.STARTS
    return (not which.is_near or is_begun) and not (which.unknown or which.left_out)


def _is_unnamed(which: Which) -> bool:
    return which.is_nothing or bool(which.points) or which.is_all


def _is_only_connection(which: Which) -> bool:
    return bool(which.connections) and not (which.workspaces or which.points or which.unknown)
