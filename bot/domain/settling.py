"""When an unknown outcome has settled, and when reads count as certain; pure, for operations and runs alike.

One observation is not the truth: a call without an answer may still take effect, and a read that is refused
or finds nothing may be a gateway's error.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Protocol

from bot.domain.models import Call, Created, Doubt

#: A start or stop of unknown outcome that shows no effect within this many seconds is sent again; sending it
#: twice does no harm.
START_SETTLES: Final = 60.0
#: How many seconds to look for what may have been created or launched before concluding anything.
MAKE_SETTLES: Final = 120.0
#: An accepted start that still shows as down: when the card says so, and when the start counts as failed.
STILL_DOWN_AFTER: Final = 60.0
NEVER_UP_AFTER: Final = 180.0
#: After this many seconds a call begun by another process has ended, or that process has. Longer than a
#: call's time-out and its step's lease.
CALL_ENDS: Final = 45.0
#: How long a question stays open, and how long a connection may be missing before it counts as removed.
ANSWER_SECONDS: Final = 86_400.0

#: The longest interval between looks while the person is asked.
_SELDOM: Final = 300.0

#: What a read may report that isn't certain yet, besides the kinds of refusals.
GONE: Final = "gone"
#: The same for a list; a read or the next list confirms it.
UNLISTED: Final = "unlisted"
LEFT_OUT: Final = "left_out"
#: How many times in a row, and over how many seconds, it must be reported; every other kind is a refusal.
_CERTAIN: Final = {GONE: (2, 0.0), LEFT_OUT: (3, 0.0)}
_REFUSAL_CERTAIN: Final = (3, 60.0)


def unknown_since(call: Call, called_at: float | None, since: float | None) -> float:
    """Return when a call's outcome became unknown; for a call still in flight, the latest time it can end."""
    if since is not None and call is not Call.CALLING:
        return since
    return (called_at or 0.0) + CALL_ENDS


def look_in(pace: Pacing, asked_at: float | None, now: float) -> float:
    """Return the seconds until the next look: the usual pace, and less often while the person is asked."""
    usual = max(pace.pending, pace.min_poll_interval)
    return usual if asked_at is None else max(usual, min((now - asked_at) / 20.0, _SELDOM))


def has_settled(call: Call, called_at: float | None, since: float | None, now: float) -> bool:
    """Return whether the result of a creation or launch of unknown outcome would have shown up by now."""
    return now >= unknown_since(call, called_at, since) + MAKE_SETTLES


class Pacing(Protocol):
    """Describe how often a provider may be read, in seconds; ``bot.providers.base.Pace`` is one."""

    @property
    def min_poll_interval(self) -> float:
        """Return the least seconds between two reads of a resource."""
        ...

    @property
    def pending(self) -> float:
        """Return the seconds between reads while an operation or transition is in progress."""
        ...

    @property
    def running(self) -> float:
        """Return the seconds between reads of a running workspace in use."""
        ...

    @property
    def unused(self) -> float:
        """Return the seconds between reads of a workspace unused for a day."""
        ...


class Verdict(StrEnum):
    """Name what follows from a look that found nothing certain."""

    LOOK = "look"  #: it may still show up: look again at the usual pace
    REPEAT = "repeat"  #: nothing was made: send the call again
    NOTHING = "nothing"  #: nothing was made, and nobody wants it any more
    ASK = "ask"  #: it can't be determined: the person decides
    UNTOLD = "untold"  #: it can't be determined, and nobody wants it any more


def judge(
    ours: Created | None,
    unexplained: Sequence[Created],
    *,
    is_proof: bool,
    has_settled: bool,
    is_wanted: bool,
) -> Created | Verdict:
    """Decide what a look after an unknown outcome means.

    A resource with Usher's mark, or the only one that the call can have made, is adopted. ``is_proof``:
    the provider would show Usher's mark, so finding nothing means nothing was made.
    """
    if ours is not None:
        return ours
    if len(unexplained) == 1:
        return unexplained[0]
    if not has_settled:
        return Verdict.LOOK
    if is_proof and not unexplained:
        return Verdict.REPEAT if is_wanted else Verdict.NOTHING
    return Verdict.ASK if is_wanted else Verdict.UNTOLD


def is_certain(doubt: Doubt, now: float) -> bool:
    """Return whether reads reported something often and long enough to act on it."""
    times, seconds = _CERTAIN.get(doubt.kind, _REFUSAL_CERTAIN)
    return doubt.times >= times and now - doubt.since >= seconds


def doubted(before: Doubt | None, kind: str, now: float) -> Doubt:
    """Return the count after one more read; a different kind restarts it."""
    if before is None or before.kind != kind:
        return Doubt(kind, 1, now)
    return Doubt(kind, before.times + 1, before.since)
