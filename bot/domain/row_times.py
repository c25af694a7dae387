"""Kinds of stored times: how each is corrected if the clock was changed while no process served.

Only the serving process corrects times, when it starts (``docs/adr/0019-who-heals-clocks.md``). The type of a
model's field says what kind of time it is. For columns without such a field, the table says so
(``bot.store.tables``).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final


class Kind(StrEnum):
    """Kinds of times in columns."""

    PAST = "past"  #: when something happened: a time in the future becomes now
    SINCE = "since"  #: the same, but its age matters: if that can't be known, it becomes now
    DUE = "due"  #: a lease, a retry or a check: due now if further ahead than possible
    GATE = "gate"  #: the poll gate's two times, which ``heal_gates`` corrects so that it never opens early
    STAYS = "stays"  #: never corrected: named by people or providers, covered by a hash, or a duration


@dataclass(frozen=True, slots=True)
class Time:
    """A time's kind and, for DUE, the most seconds that it can be ahead."""

    kind: Kind
    farthest: float = 0.0


def make_due(farthest: float) -> Time:
    """Return the kind of a due time that is at most ``farthest`` seconds ahead."""
    return Time(Kind.DUE, farthest)


PAST: Final = Time(Kind.PAST)
SINCE: Final = Time(Kind.SINCE)
STAYS: Final = Time(Kind.STAYS)
GATE: Final = Time(Kind.GATE)
#: ``Numbers.lease`` and ``Timing.lease`` are shorter.
LEASE: Final = make_due(60.0)
#: The longest waits of ``bot.slack.notifier``.
SEND: Final = make_due(300.0)

Past = Annotated[float, PAST]
Since = Annotated[float, SINCE]
Stays = Annotated[float, STAYS]
#: ``Numbers.slow_tick``. A provider's *Retry-After* may be longer; the next step then gets it once more.
Step = Annotated[float, make_due(600.0)]
Send = Annotated[float, SEND]
#: ``bot.domain.work_items.DEADLINE_SECONDS`` from now or *Keep waiting*; in earlier releases up to a day.
Deadline = Annotated[float, make_due(86_400.0)]
#: ``bot.services.linking``: ten minutes for the page, and ten for the code.
LinkEnd = Annotated[float, make_due(1_200.0)]
#: ``bot.services.linking.UNUSED_SECONDS``.
TaskDue = Annotated[float, make_due(1_320.0)]
#: Next Monday, in whatever zone.
Monday = Annotated[float, make_due(8 * 86_400.0)]
#: ``bot.services.browsers.SESSION_SECONDS``; in earlier releases up to a week.
SessionEnd = Annotated[float, make_due(7 * 86_400.0)]
