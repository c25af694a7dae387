"""The life cycle on one screen: what to do next for a wish, given what was last observed.

``plan`` is pure and total: no clock, no I/O, an answer for every pair. The table of
``tests/unit/test_plan.py`` is its specification.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.models import Call, Outcome, State, Wish, WishVerb

#: How many times a start may fail for a while (time-outs, 5xx, 429) before the wish is given up; the waits
#: between them grow to a minute, so this is about a quarter of an hour of trying.
MAX_ATTEMPTS = 20


class Operation(StrEnum):
    """Name the one thing to do next."""

    READ = "read"  #: ask the poll gate for a status read, then plan again
    START = "start"  #: send the start call
    STOP = "stop"  #: send the stop call
    WAIT = "wait"  #: nothing until the next read
    END = "end"  #: the wish is over; ``outcome`` and ``cause`` say how
    WATCH = "watch"  #: the wish has ended before: show what is, do nothing


@dataclass(frozen=True, slots=True)
class Plan:
    """Hold the answer: an operation, and for END how it ended. ``cause`` names a text in ``bot.words``."""

    operation: Operation
    outcome: Outcome | None = None
    cause: str | None = None


READ = Plan(Operation.READ)
START = Plan(Operation.START)
STOP = Plan(Operation.STOP)
WAIT = Plan(Operation.WAIT)
WATCH = Plan(Operation.WATCH)
FULFILLED = Plan(Operation.END, Outcome.FULFILLED)


def _failed(cause: str) -> Plan:
    return Plan(Operation.END, Outcome.FAILED, cause)


def plan(wish: Wish, state: State, observed_at: float | None) -> Plan:
    """Decide the next operation for a wish whose workspace was last seen in ``state`` at ``observed_at``.

    A read counts only when it is younger than the wish and than its last call: nothing is decided on stale news.
    """
    if not wish.is_open:
        return WATCH
    if wish.attempts >= MAX_ATTEMPTS:
        return _failed("gave_up")
    if observed_at is None or observed_at < _news_since(wish):
        return READ
    if state is State.GONE:
        return FULFILLED if wish.verb is WishVerb.STOP else _failed("gone")
    if wish.verb is WishVerb.STOP:
        return _plan_stop(wish, state)
    if wish.verb is WishVerb.RESTART and not _is_down_since_stop(wish):
        return _plan_restart_down(wish, state)
    return _plan_start(wish, state)


def _news_since(wish: Wish) -> float:
    """Return the time that a read must not be older than."""
    return max(wish.created_at, wish.called_at or 0.0, wish.read_since or 0.0)


def _is_down_since_stop(wish: Wish) -> bool:
    return wish.start_call is not Call.NONE


def _plan_start(wish: Wish, state: State) -> Plan:
    accepted = wish.start_call is Call.ACCEPTED
    match state:
        case State.RUNNING:
            return FULFILLED
        case State.STARTING | State.UNKNOWN:
            return WAIT
        case State.STOPPING:
            # Started and stopping again: somebody stopped it elsewhere. Before our call: wait until it is down.
            return _failed("stopped_elsewhere") if accepted else WAIT
        case State.FAILED:
            # Before our call this is the rest of an earlier failure; after it, it is ours.
            return _failed("provider_failed") if accepted else START
        case State.STOPPED | State.SUSPENDED:
            return _failed("stopped_elsewhere") if accepted else START
        case _:
            return _failed("gone")


def _plan_stop(wish: Wish, state: State) -> Plan:
    match state:
        case State.STOPPED | State.SUSPENDED | State.FAILED:
            return FULFILLED
        case State.STOPPING:
            return WAIT
        case _:
            return WAIT if wish.stop_call is Call.ACCEPTED else STOP


def _plan_restart_down(wish: Wish, state: State) -> Plan:
    match state:
        case State.STOPPED | State.SUSPENDED | State.FAILED:
            return START
        case State.STOPPING:
            return WAIT
        case _:
            return WAIT if wish.stop_call is Call.ACCEPTED else STOP
