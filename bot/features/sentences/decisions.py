"""Decide what a message leads to: tables from what was read to what it is about and what becomes of it; pure.

``is_complete`` decides whether anything is done: all else is proposed
(``bot.features.sentences.proposals``). What ends for good asks in any case (``handlers.workspace``).
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final, Literal

from bot.features.sentences.objections import find_bars, takes_time
from bot.features.sentences.reading import Reading
from bot.features.sentences.selection import Which
from bot.features.sentences.times import rests
from handlers import routes
from handlers.request import Manner
from handlers.routes import Effect

Number = Literal["one", "several"]
#: What a verb does, and *asks* for one that asks by itself before it does anything.
Kind = Effect | Literal["asks"]
#: What a verb of workspaces does to a run.
OF_RUNS: Final = {"stop": "stop", "cancel": "stop", "open": "status", "status": "status"}
_ASKS: Final = frozenset({"cancel", "remove"})


class RequestSubject(StrEnum):
    """The subject of a request."""

    THEIRS = "theirs"  #: somebody else's
    LAST_ACT = "last act"  #: *cancel* without a name
    RUN = "run"  #: a run of a job
    HOURS = "hours"  #: the hours of whatever has some
    OVERVIEW = "overview"  #: everything, of a verb that shows it
    PLACE = "place"  #: a connection itself
    OWN = "own"  #: one's own workspaces


#: The first that fits.
SUBJECTS: Final[tuple[tuple[RequestSubject, Callable[[Reading], bool]], ...]] = (
    (RequestSubject.THEIRS, lambda it: it.which.is_theirs),
    (RequestSubject.LAST_ACT, lambda it: it.what == "cancel" and _is_unnamed(it.which)),
    (RequestSubject.RUN, lambda it: bool(it.which.runs) and not it.which.workspaces),
    (RequestSubject.HOURS, lambda it: it.what == "hours" and (it.which.is_nothing or _is_all_hours(it))),
    (RequestSubject.OVERVIEW, lambda it: it.what == "status" and it.which.is_nothing),
    (RequestSubject.PLACE, lambda it: it.what == "status" and _is_only_a_place(it.which)),
    (RequestSubject.OWN, lambda _: True),
)


def _is_all_hours(reading: Reading) -> bool:
    return reading.which.is_all and rests(reading.hours)


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


class Way(StrEnum):
    """The outcome of a request: an act, a question or an offer."""

    DONE = "done"
    ASKED = "asked"  #: its own question comes first, even if it was agreed to
    OFFERED = "offered"  #: one button
    LISTED = "listed"
    AT_ONCE = "at once"  #: done to all of them
    TOGETHER = "together"  #: one button for all of them, or what is said instead


_COLUMNS: Final[tuple[Kind, ...]] = (Effect.SHOWS, Effect.STARTS, Effect.ENDS, Effect.MAKES, "asks")
#: What becomes of a request, by how many it is about and how sure that is.
WAYS: Final[Mapping[tuple[Number, Confidence], tuple[Way, ...]]] = {
    #                           shows         starts        ends          makes         asks
    ("one", Confidence.CLEAR): (Way.DONE, Way.DONE, Way.DONE, Way.DONE, Way.DONE),
    ("one", Confidence.AGREED): (Way.DONE, Way.DONE, Way.DONE, Way.DONE, Way.DONE),
    ("one", Confidence.GUESS): (Way.DONE, Way.OFFERED, Way.OFFERED, Way.OFFERED, Way.ASKED),
    ("several", Confidence.CLEAR): (Way.LISTED, Way.TOGETHER, Way.TOGETHER, Way.TOGETHER, Way.TOGETHER),
    ("several", Confidence.AGREED): (Way.LISTED, Way.AT_ONCE, Way.AT_ONCE, Way.AT_ONCE, Way.AT_ONCE),
    ("several", Confidence.GUESS): (Way.TOGETHER,) * 5,
}


def is_complete(reading: Reading, given: Sequence[str]) -> bool:
    """Return whether the words ``given`` are a complete order, and nothing bars it."""
    if not reading.is_full or reading.kind != "verb":
        return reading.is_full
    time, label = reading.time, label_of(reading)
    has_time = bool(time.when or time.more or time.hours)
    if has_time and label != "hours" and not takes_time(label):
        return False
    return find_bars(reading, given, reading.which).find(label) is None


def label_of(reading: Reading) -> str:
    """Return the label of a reading's act: what a verb of workspaces says about a run is of jobs."""
    if reading.folder == "workspace" and subject_of(reading) is RequestSubject.RUN:
        return f"job-{OF_RUNS.get(reading.what, 'run')}"
    if reading.what == "card" and reading.which.courses:
        return f"{word}-course" if (word := reading.words[0].casefold()) in {"pause", "end"} else word
    return f"job-{reading.what}" if reading.folder == "job" else reading.what


def subject_of(reading: Reading) -> RequestSubject:
    """Return the subject of a request."""
    return next(subject for subject, fits in SUBJECTS if fits(reading))


def choice_of(reading: Reading) -> SelectionMode:
    """Return the choice of the workspaces that a request is about."""
    return next(choice for choice, fits in CHOICES if fits(reading.which))


def kind_of(verb: str) -> Kind:
    """Return the effect of a verb of workspaces, or *asks*."""
    return "asks" if verb in _ASKS else routes.find_traits("workspace", verb).effect


def way_of(number: Number, sure: Confidence, kind: Kind) -> Way:
    """Return the outcome of a request from the table ``WAYS``."""
    return WAYS[number, sure][_COLUMNS.index(kind)]


def sure_of(which: Which, *, is_one: bool, is_clear: bool, is_agreed: bool) -> Confidence:
    """Return the confidence in a request: for one, if nothing was guessed; for several, if all are known."""
    if is_one:
        return Confidence.CLEAR if is_clear else Confidence.GUESS
    if which.unknown:
        return Confidence.GUESS
    return Confidence.AGREED if is_agreed else Confidence.CLEAR


def is_sure_of(reading: Reading) -> bool:
    """Return whether names are meant as they stand there; of a typed start, a beginning is enough."""
    which, effect = reading.which, routes.find_traits("workspace", reading.what).effect
    is_begun = which.is_beginning and reading.manner is Manner.TYPED and effect is Effect.STARTS
    return (not which.is_near or is_begun) and not (which.unknown or which.left_out)


def _is_unnamed(which: Which) -> bool:
    return which.is_nothing or bool(which.points) or which.is_all


def _is_only_a_place(which: Which) -> bool:
    return bool(which.connections) and not (which.workspaces or which.points or which.unknown)
