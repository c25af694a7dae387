"""How early the starts of a lesson begin, so that everybody's workspace is ready when it does; pure."""

import math
from dataclasses import dataclass
from typing import Final

from bot.domain.errands import Outcome
from bot.domain.hours import Occurrence
from bot.domain.operations import Operation, OperationVerb

#: A lesson's starts begin between so many seconds before it.
LEAST: Final = 300.0
MOST: Final = 2_700.0
#: What a start takes where too few were measured.
USUAL: Final = 180.0
#: What idles for longer is stopped by its provider, so the lead is shorter by as much.
SPARE: Final = 60.0
#: A start that failed is tried again so much later, and not after so long before the lesson.
AGAIN: Final = 60.0
#: Where a provider has no room, a start is tried for so long into a lesson, or so much of it if that is more.
STILL: Final = 900.0
SHARE: Final = 0.25
#: What may pass by itself, by the word of a failure's cause.
PASSING: Final = frozenset(
    {"conflict", "gave_up", "limit", "no_room", "provider_failed", "stopped_elsewhere", "unanswered"}
)


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


def tries_until(lesson: Occurrence) -> float:
    """Return until when starts for which there is no room are tried again, given a lesson's begin."""
    return min(lesson.at + max(SHARE * (lesson.until - lesson.at), STILL), lesson.until)


def is_no_room(cause: str | None) -> bool:
    """Return whether a start failed because its provider was full, or its person's own places are."""
    return (cause or "").partition(":")[0] in {"limit", "no_room"}


def tries_again(
    operation: Operation, outcome: Outcome | None, cause: str | None, now: float, until: float = 0.0
) -> bool:
    """Return whether a lesson's start that fails now is tried again before the lesson begins.

    For want of room, it is tried ``until`` later. What should have made it isn't: that is its person's to do.
    """
    is_start = operation.verb is OperationVerb.START
    is_passing = is_start and outcome is Outcome.FAILED and (cause or "").partition(":")[0] in PASSING
    latest = (operation.planned_for or 0.0) - AGAIN
    return is_passing and now + AGAIN < (max(latest, until) if is_no_room(cause) else latest)
