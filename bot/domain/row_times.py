"""Kinds of stored times: how each is corrected if the clock was changed while no process was serving.

Only the serving process corrects times, when it starts (``docs/adr/0019-who-heals-clocks.md``). The type of a
model's field says what kind of time it is. For columns without such a field, the table says so
(``bot.store.tables``).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final


class Kind(StrEnum):
    """Kinds of times stored in columns."""

    PAST = "past"  #: when something happened: a time in the future becomes now
    SINCE = "since"  #: the same, but its age matters: if that can't be known, it becomes now
    DUE = "due"  #: a lease, a retry or a check: due now if further ahead than possible
    GATE = "gate"  #: the poll gate's two times, which ``heal_gates`` corrects so that it never opens early
    STAYS = "stays"  #: never corrected: named by people or providers, covered by a hash, or a duration


@dataclass(frozen=True, slots=True)
class Time:
    """A time's kind and, for DUE, the maximum number of seconds that it can be ahead."""

    kind: Kind
    farthest: float = 0.0


def make_due(farthest: float) -> Time:
    """Return the kind of a due time that is at most ``farthest`` seconds ahead."""
    return Time(Kind.DUE, farthest)


PAST: Final = Time(Kind.PAST)
SINCE: Final = Time(Kind.SINCE)
STAYS: Final = Time(Kind.STAYS)
GATE: Final = Time(Kind.GATE)
#: Kind of time for the end of a lease, at most this many seconds ahead: longer than ``Numbers.lease`` and
#: ``Timing.lease``.
LEASE: Final = make_due(60.0)
#: Kind of time for the next sending of a message, at most this many seconds ahead: as long as the longest
#: waits of ``bot.slack.notifier``.
SEND: Final = make_due(300.0)

Past = Annotated[float, PAST]
Since = Annotated[float, SINCE]
Stays = Annotated[float, STAYS]
#: Kind of time for the next step, at most this many seconds ahead: enough for ``Numbers.slow_tick``. A
#: provider's *Retry-After* may be longer; if Usher waits for less than that, the provider repeats it at the
#: next step.
Step = Annotated[float, make_due(600.0)]
Send = Annotated[float, SEND]
#: Kind of time for a deadline, at most a day ahead. That is enough for
#: ``bot.domain.work_items.DEADLINE_SECONDS`` from now or from a press of *Keep waiting*, which in earlier
#: releases could add up to a day.
Deadline = Annotated[float, make_due(86_400.0)]
#: Kind of time for the end of a link in progress, at most this many seconds ahead: as in
#: ``bot.services.linking``, ten minutes for the page and ten for the code.
LinkEnd = Annotated[float, make_due(1_200.0)]
#: Kind of time at which a task is due, at most this many seconds ahead: enough for
#: ``bot.services.linking.UNUSED_SECONDS``.
TaskDue = Annotated[float, make_due(1_320.0)]
#: Kind of time for the end of a browser session, at most a week ahead: the longest that
#: ``bot.services.browsers.SESSION_SECONDS`` has been in any release.
SessionEnd = Annotated[float, make_due(7 * 86_400.0)]
