"""Kinds of stored times, and how to correct each if the clock was changed while no process was serving.

Only the serving process corrects times, when it starts (``docs/adr/0019-who-heals-clocks.md``). The type of a
model's field shows the kind of time stored in it. For columns without such a field, the table declares the
kind of time (``bot.store.tables``).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final


class Kind(StrEnum):
    """The kinds of times that columns contain."""

    PAST = "past"  #: when something happened; a time in the future becomes now
    SINCE = "since"  #: like PAST, but used to compute an age; becomes now if the age can't be known
    DUE = "due"  #: when a lease, retry or message is due; if impossibly far ahead, it becomes now
    CHECK = "check"  #: like DUE, but may be farther ahead than its limit, because checking early does no harm
    GATE = "gate"  #: times that limit how often a workspace is read, which ``heal_gates`` corrects
    STAYS = "stays"  #: never corrected: set by people or providers, covered by a hash, or a duration


@dataclass(frozen=True, slots=True)
class Time:
    """A kind of time.

    For DUE and CHECK, ``farthest`` limits how many seconds in the future it can be. Each start on SQLite sets
    times beyond the limit to now. So only a CHECK may be written with such a time.
    """

    kind: Kind
    farthest: float = 0.0


def make_due(farthest: float) -> Time:
    """Return the ``Time`` for due times that are at most ``farthest`` seconds in the future."""
    return Time(Kind.DUE, farthest)


def make_check(farthest: float) -> Time:
    """Return the ``Time`` for checks that a restart makes due if they are over ``farthest`` seconds ahead."""
    return Time(Kind.CHECK, farthest)


PAST: Final = Time(Kind.PAST)
SINCE: Final = Time(Kind.SINCE)
STAYS: Final = Time(Kind.STAYS)
GATE: Final = Time(Kind.GATE)
#: When a lease (a process's claim on a row) ends, at most a minute from now. ``Numbers.lease`` and
#: ``Timing.lease`` must not exceed that.
LEASE: Final = make_due(60.0)
#: The earliest time at which a message may be updated again, or a Slack method called again: at most five
#: minutes from now. ``MAX_PAUSE_SECONDS`` in ``bot.slack.notifier.rendering`` must not exceed that.
SEND: Final = make_due(300.0)

Past = Annotated[float, PAST]
Since = Annotated[float, SINCE]
Stays = Annotated[float, STAYS]
#: When the next step is due, usually at most ten minutes from now. ``Numbers.slow_tick`` must not exceed
#: that. A start that waits for its turn, or for another attempt with a refused credential, may be due later:
#: if its step comes early, it simply goes on waiting.
Step = Annotated[float, make_check(600.0)]
#: When a call may be repeated, at most ten minutes from now. ``MAX_BUSY_SECONDS`` in ``bot.domain.timeouts``
#: must not exceed that, nor may ``MAX_REQUESTED_PAUSE_SECONDS`` in ``bot.reconciler.runtimes`` plus a quarter
#: for jitter.
Retry = Annotated[float, make_due(600.0)]
Send = Annotated[float, SEND]
#: The deadline of an operation or a run, at most a day from now. New deadlines are much closer
#: (``bot.domain.work_items.DEADLINE_SECONDS``), but in earlier releases *Keep waiting* could extend them by
#: up to a day.
Deadline = Annotated[float, make_due(86_400.0)]
#: When an unfinished link expires. Its page is valid for ten minutes, and a code shown on the page is valid
#: for ten more (``bot.services.linking``).
LinkEnd = Annotated[float, make_due(1_200.0)]
#: When a task is due, at most a day from now. Possible owners of a requested account have that long to answer
#: (``bot.services.approvals``). All other tasks are due much sooner.
TaskDue = Annotated[float, make_due(86_400.0)]
#: When a browser session ends, at most a week from now. Sessions from an earlier release may last that long.
SessionEnd = Annotated[float, make_due(7 * 86_400.0)]
