"""The lead of a lesson's starts, and the failed starts of plans that are tried again; pure."""

import math
from dataclasses import dataclass
from typing import Final

from bot.domain.errands import Outcome
from bot.domain.hours import ON_TIME_SECONDS, Occurrence
from bot.domain.operations import Operation, OperationVerb

#: A lesson's starts begin between so many seconds before it.
LEAST: Final = 300.0
MOST: Final = 2_700.0
#: What a start takes where too few were measured.
USUAL: Final = 180.0
#: What idles for longer is stopped by its provider, so the lead is shorter by as much.
SPARE: Final = 60.0
#: A start that failed is tried again so much later.
AGAIN: Final = 60.0
#: What may pass by itself, by the word of a failure's cause.
_ROOM: Final = frozenset({"limit", "no_room"})
_ONCE_MORE: Final = frozenset({"conflict", "stopped_elsewhere"})
_PASSING: Final = _ROOM | _ONCE_MORE | {"gave_up", "provider_failed", "unanswered"}


@dataclass(frozen=True, slots=True)
class Pace:
    """Hold how a connection starts workspaces: so many a second, if it has such a limit.

    ``slow`` is what nine of ten starts took, ``idle`` after how long what nobody uses is stopped there, in
    seconds; None: not known.
    """

    per_second: float | None = None
    slow: float | None = None
    idle: float | None = None

    def lead(self, people: int) -> float:
        """Return for how many seconds before a lesson the starts of so many people begin.

        In whole minutes, as each change of it is one for all of them.
        """
        took = (people / self.per_second if self.per_second else 0.0) + (self.slow or USUAL)
        return max(min(max(math.ceil(took / 60.0) * 60.0, LEAST), self._longest), 0.0)

    @property
    def in_time(self) -> int | None:
        """Return for how many people the longest lead is enough, None for any number."""
        spare = max(self._longest - (self.slow or USUAL), 0.0)
        return None if self.per_second is None else int(spare * self.per_second)

    @property
    def _longest(self) -> float:
        return MOST if self.idle is None else min(MOST, self.idle - SPARE)


def is_no_room(cause: str | None) -> bool:
    """Return whether a start failed because its provider was full, or its person's own places are."""
    return (cause or "").partition(":")[0] in _ROOM


def tries_again(start: Operation, plan: Occurrence, now: float, *, is_lesson: bool) -> bool:
    """Return whether a failed start by a plan is tried again, as the cause may pass.

    Room is waited for in line unless a lesson is on, and what may have been lost in an outage is tried once
    more; anything else only before a lesson begins. What should have been made isn't: that is its person's
    to do.
    """
    word, is_first = (start.cause or "").partition(":")[0], start.created_at <= plan.at + ON_TIME_SECONDS
    goes_on = (word in _ROOM and is_lesson) or (word in _ONCE_MORE and is_first)
    latest = plan.latest_start if goes_on else plan.at - AGAIN
    is_passing = start.verb is OperationVerb.START and start.outcome is Outcome.FAILED and word in _PASSING
    return is_passing and now + AGAIN < latest
