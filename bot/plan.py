"""The life cycle on one screen: what to do next for a wish, given what was observed; when to look again.

``plan`` and ``next_read`` are pure and total: no clock, no I/O, an answer for every input. The tables of
``tests/unit/test_plan.py`` are their specification.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.models import Action, Call, Effects, Outcome, State, StopEffect, StopMode, Wish, WishVerb
from bot.models.stopping import gentlest_mode, is_final, restart_mode

#: How many times in a row a call may fail for a while (time-outs, 5xx, 429) before the wish is given up; the
#: waits between them grow to a minute, so this is about a quarter of an hour of trying.
MAX_ATTEMPTS = 20

#: An accepted start may show in the provider's status a moment later: what a read says sooner is no news.
ACCEPTED_SETTLES = 5.0
#: A start of unknown outcome may still be under way at the provider: only a read this much later clears it.
UNKNOWN_SETTLES = 15.0

#: What was read so shortly before a wish is good for its first call; just longer than Saturn's interval.
FRESH = 12.0

#: An accepted stop may take its time, and some servers say *running* until it is done; what is up for longer
#: was started again by somebody else.
STOP_SETTLES = 600.0

#: The call of a creation that was replaced may be under way in another process: only so long after it began
#: has it ended, or its process has. Longer than a call may take, and than the lease of its step.
CALL_ENDS = 45.0

#: Without use for so long, a running workspace is looked at less often.
UNUSED_AFTER = 86_400.0

_DOWN = (State.STOPPED, State.SUSPENDED, State.FAILED)


class Operation(StrEnum):
    """Name the one thing to do next."""

    READ = "read"  #: ask the poll gate for a status read, then plan again
    START = "start"  #: send the start call
    CREATE = "create"  #: send the call that makes it
    FIND = "find"  #: look for what a creation of unknown outcome made
    STOP = "stop"  #: send the stop call
    SUSPEND = "suspend"  #: send the stop call that keeps its state
    FORCE = "force"  #: send the stop call that does not ask the IDE
    REMOVE = "remove"  #: send the call that deletes it
    RENEW = "renew"  #: it has ended as agreed: put a new one in its place, which is made then
    WAIT = "wait"  #: nothing until the next read
    END = "end"  #: the wish is over; ``outcome`` and ``cause`` say how
    WATCH = "watch"  #: the wish has ended before: show what is, do nothing


@dataclass(frozen=True, slots=True)
class Plan:
    """Hold the answer: an operation, and for END how it ended. ``cause`` names a text in ``bot.words``.

    ``at`` says for a WAIT that nothing else wakes until when it waits, in epoch seconds.
    """

    operation: Operation
    outcome: Outcome | None = None
    cause: str | None = None
    at: float | None = None


READ = Plan(Operation.READ)
START = Plan(Operation.START)
CREATE = Plan(Operation.CREATE)
FIND = Plan(Operation.FIND)
STOP = Plan(Operation.STOP)
WAIT = Plan(Operation.WAIT)
WATCH = Plan(Operation.WATCH)
FULFILLED = Plan(Operation.END, Outcome.FULFILLED)
NOT_MADE = Plan(Operation.END, Outcome.FULFILLED, "not_made")

REMOVE = Plan(Operation.REMOVE)
RENEW = Plan(Operation.RENEW)

#: The call of each way of stopping, and what is said when it was taken, yet nothing came of it.
_DOWNWARDS: dict[StopMode, tuple[Plan, str]] = {
    "stop": (STOP, "started_elsewhere"),
    "suspend": (Plan(Operation.SUSPEND), "not_suspended"),
    "force": (Plan(Operation.FORCE), "started_elsewhere"),
}
#: What must be permitted for a call.
_ACTIONS: dict[Operation, Action] = {
    Operation.STOP: "stop",
    Operation.SUSPEND: "suspend",
    Operation.FORCE: "force",
    Operation.REMOVE: "remove",
}
_CALLS = frozenset({Operation.START, *_ACTIONS})
#: What stopping does where nothing else is declared.
_USUAL: Effects = {"stop": StopEffect.RETURNS, "suspend": StopEffect.KEEPS, "force": StopEffect.RETURNS}


def _failed(cause: str) -> Plan:
    return Plan(Operation.END, Outcome.FAILED, cause)


def plan(
    wish: Wish,
    state: State,
    observed_at: float | None,
    actions: frozenset[Action] | None = None,
    effects: Effects = _USUAL,
) -> Plan:
    """Decide the next operation for a wish whose workspace was last seen in ``state`` at ``observed_at``.

    ``actions`` is what its provider lets be done with it now, None for whatever it can do: what is starting
    and can't be brought down yet is left to come up. ``effects`` is what stopping it means: nothing ends for
    good unless its person agreed to that.

    A read counts only when it is younger than the wish and its last call: nothing ends on stale news. A first
    call may go by news that was fresh when the wish was made: it does no harm where that has changed, and the
    gate would only make the person wait. A wish that failed too often in a row makes no further call, but
    what has come true by itself still counts.
    """
    if not wish.is_open:
        return WATCH
    if observed_at is None:
        return READ
    decided = _decide(wish, state, observed_at, actions, effects)
    is_call = decided.operation in _CALLS
    if _is_stale(wish, observed_at) and not (is_call and _is_fresh_enough(wish, observed_at)):
        return READ
    if is_call and wish.attempts >= MAX_ATTEMPTS:
        return _failed("gave_up")
    return decided


def plan_unmade(wish: Wish, creation: Wish | None, now: float) -> Plan:
    """Decide for a workspace that its provider has yet to make, as far as is known; there is nothing to read.

    ``creation`` is the wish to make it: ``wish`` itself, or one that it has replaced. Nothing is made twice:
    after an unknown outcome comes FIND, and only where that finds nothing, CREATE. What calls a creation off
    finds out first whether something was made; what was, is stopped or removed as any other.
    """
    if not wish.is_open:
        return WATCH
    if wish.verb is not WishVerb.CREATE and not wish.verb.brings_down:
        return _failed("unmade")
    known = Call.NONE if creation is None else creation.start_call
    if creation is None or known is Call.NONE:
        if wish.verb is not WishVerb.CREATE:
            return NOT_MADE
        return _failed("gave_up") if wish.attempts >= MAX_ATTEMPTS else CREATE
    is_under_way = known is Call.CALLING and wish.verb is not WishVerb.CREATE
    at = (creation.called_at or 0.0) + (CALL_ENDS if is_under_way else UNKNOWN_SETTLES)
    return FIND if now >= at else Plan(Operation.WAIT, at=at)


def _decide(
    wish: Wish, state: State, observed_at: float, actions: frozenset[Action] | None, effects: Effects
) -> Plan:
    if state is State.GONE:
        if wish.verb is WishVerb.CREATE and observed_at < (wish.called_at or 0.0) + UNKNOWN_SETTLES:
            return READ  # What was made a moment ago may not be in every list yet.
        if wish.agreed and wish.verb is WishVerb.RESTART:
            return RENEW
        is_done = wish.verb.brings_down and (wish.verb is not WishVerb.SUSPEND or wish.agreed)
        return FULFILLED if is_done else _failed("gone")
    restarts = wish.verb is WishVerb.RESTART and wish.start_call is Call.NONE
    if not (wish.verb.brings_down or restarts):
        if wish.start_call is Call.NONE and wish.verb is not WishVerb.CREATE:
            return _before_start(state)
        return _after_start(wish, state, observed_at)
    if wish.verb is WishVerb.REMOVE:
        return _bring_down(wish, state, observed_at, actions, (REMOVE, "not_removed"))
    mode = _mode(wish, effects)
    if mode is None:
        return _failed("no_restart")
    ends = is_final(effects, mode)
    if state in _DOWN and not ends:  # What is suspended can still be ended for good.
        if not restarts:
            return FULFILLED
        return RENEW if wish.agreed and mode not in effects else START
    if ends and not wish.agreed:
        return _failed("not_agreed")
    call, failed = _DOWNWARDS[mode]
    return _bring_down(wish, state, observed_at, actions, (call, "not_removed" if ends else failed))


def _mode(wish: Wish, effects: Effects) -> StopMode | None:
    """Return how a wish stops its workspace; None where a restart could not bring it back."""
    match wish.verb:
        case WishVerb.RESTART:
            return "stop" if wish.agreed else restart_mode(effects)
        case WishVerb.SUSPEND:
            return gentlest_mode(effects) if wish.agreed else "suspend"
        case WishVerb.FORCE:
            return "force"
        case _:
            return "stop"


def _is_stale(wish: Wish, observed_at: float) -> bool:
    """Say whether a read is older than the wish, or not younger than what it has to be news of."""
    return observed_at < wish.created_at or observed_at <= max(wish.called_at or 0.0, wish.read_since or 0.0)


def _is_fresh_enough(wish: Wish, observed_at: float) -> bool:
    """Say whether a read from before the wish is young enough for its first call."""
    untouched = wish.called_at is None and wish.read_since is None
    return untouched and observed_at >= wish.created_at - FRESH


def _bring_down(
    wish: Wish,
    state: State,
    observed_at: float,
    actions: frozenset[Action] | None,
    downward: tuple[Plan, str],
) -> Plan:
    """Decide for what is not yet as far down as was asked. An unknown stop is called again: it does no harm.

    One that was accepted is not: whoever started it since would lose what they have. What is stopping already
    is left to that, except by who can't wait for it.
    """
    call, failed = downward
    waits = state is State.STOPPING and wish.verb not in (WishVerb.FORCE, WishVerb.REMOVE)
    waits |= state is State.STARTING and actions is not None and _ACTIONS[call.operation] not in actions
    if waits or wish.stop_call is not Call.ACCEPTED:
        return WAIT if waits else call
    is_there = state in (State.RUNNING, State.STARTING, *_DOWN)
    settled = observed_at >= (wish.called_at or 0.0) + STOP_SETTLES
    return _failed(failed) if is_there and settled else WAIT


def _before_start(state: State) -> Plan:
    match state:
        case State.RUNNING:
            return FULFILLED
        case State.STARTING | State.STOPPING | State.UNKNOWN:
            return WAIT
        case _:  # Stopped, suspended, or the rest of an earlier failure.
            return START


def _after_start(wish: Wish, state: State, observed_at: float) -> Plan:
    """Decide after the start call, whose outcome may be unknown: nothing here starts what was accepted.

    What was made was started with that.
    """
    accepted = wish.start_call is Call.ACCEPTED or wish.verb is WishVerb.CREATE
    settled = observed_at >= (wish.called_at or 0.0) + (ACCEPTED_SETTLES if accepted else UNKNOWN_SETTLES)
    match state:
        case State.RUNNING:
            return FULFILLED
        case State.STARTING | State.UNKNOWN:
            return WAIT
        case State.STOPPING:  # It was down before the call, so it has been up since, and somebody stops it.
            return _failed("stopped_elsewhere")
        case State.FAILED:  # Ours, or not to be told from ours: no second start on a guess.
            return _failed("provider_failed") if settled else READ
        case _:
            if not settled:
                return READ
            return _failed("stopped_elsewhere") if accepted else START


class Pacing(Protocol):
    """Say how often a provider may be asked, in seconds; ``bot.providers.base.Pace`` is one."""

    @property
    def min_poll_interval(self) -> float:
        """Return the least seconds between two reads of a resource."""
        ...

    @property
    def pending(self) -> float:
        """Return the seconds between reads while something is under way."""
        ...

    @property
    def running(self) -> float:
        """Return the seconds between reads while it runs and is used."""
        ...

    @property
    def unused(self) -> float:
        """Return the seconds between reads of what nobody has used for a day."""
        ...


def next_read(
    state: State, *, has_open_wish: bool, used_at: float | None, now: float, pace: Pacing
) -> float | None:
    """Return the seconds until a workspace is read again, None for *when somebody asks*.

    Never below ``min_poll_interval``. Source of the intervals: design §3, rule 1.
    """
    used = used_at is not None and now - used_at < UNUSED_AFTER
    if has_open_wish or state in (State.STARTING, State.STOPPING):
        seconds = pace.pending
    elif state is State.RUNNING:
        seconds = pace.running if used else pace.unused
    elif state is State.GONE or not used:
        return None
    else:
        seconds = pace.unused
    return max(seconds, pace.min_poll_interval)


def backoff(attempts: int, jitter: float, *, longest: float = 60.0) -> float:
    """Return the seconds to wait after the ``attempts``-th failure in a row: doubling from 1 s, jittered.

    ``jitter`` is in 0–1 and takes away up to half: many that failed together do not come back together.
    """
    whole = min(2.0 ** min(max(attempts - 1, 0), 16), longest)
    return whole * (1.0 - jitter / 2.0)
