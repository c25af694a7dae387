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
    DUE = "due"  #: when a lease, retry or check is due; if impossibly far ahead, it becomes now
    GATE = "gate"  #: times that limit how often a workspace is read, which ``heal_gates`` corrects
    STAYS = "stays"  #: never corrected: set by people or providers, covered by a hash, or a duration


@dataclass(frozen=True, slots=True)
class Time:
    """A kind of time. For DUE, ``farthest`` limits how many seconds in the future it can be."""

    kind: Kind
    farthest: float = 0.0


def make_due(farthest: float) -> Time:
    """Return the ``Time`` for due times that are at most ``farthest`` seconds in the future."""
    return Time(Kind.DUE, farthest)


PAST: Final = Time(Kind.PAST)
SINCE: Final = Time(Kind.SINCE)
STAYS: Final = Time(Kind.STAYS)
GATE: Final = Time(Kind.GATE)
#: When a lease (a process's claim on a row) ends, at most a minute from now. ``Numbers.lease`` and
#: ``Timing.lease`` must not be longer.
LEASE: Final = make_due(60.0)
#: When a message is next sent, at most five minutes from now. ``MAX_PAUSE_SECONDS`` in
#: ``bot.slack.notifier.rendering`` must not be longer.
SEND: Final = make_due(300.0)

Past = Annotated[float, PAST]
Since = Annotated[float, SINCE]
Stays = Annotated[float, STAYS]
#: When the next step is due, usually at most ten minutes from now. ``Numbers.slow_tick`` must not be longer.
#: A provider's *Retry-After* may be longer. If Usher then calls too early, the provider responds with another
#: *Retry-After*.
Step = Annotated[float, make_due(600.0)]
Send = Annotated[float, SEND]
#: The deadline of an operation or a run. ``bot.domain.work_items.DEADLINE_SECONDS`` is much shorter than this
#: limit of a day, but in earlier releases, *Keep waiting* could extend a deadline by up to a day.
Deadline = Annotated[float, make_due(86_400.0)]
#: When an unfinished link expires. Its page is valid for ten minutes, and a code shown on the page is valid
#: for ten more (``bot.services.linking``).
LinkEnd = Annotated[float, make_due(1_200.0)]
#: When a task is due, at most 22 minutes from now. ``bot.services.linking.UNUSED_SECONDS`` must not be
#: longer. Otherwise, a credential could be revoked while its link page is still open.
TaskDue = Annotated[float, make_due(1_320.0)]
#: When a browser session ends. The limit is a week, because sessions that an earlier release created may last
#: that long.
SessionEnd = Annotated[float, make_due(7 * 86_400.0)]
