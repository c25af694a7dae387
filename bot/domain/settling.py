"""When an unknown outcome has settled, and when what reads say is news; pure, for operations and runs alike.

One observation is not the truth: a call that got no answer may still take effect, and a read that is refused,
or finds nothing, may be a gateway's own mistake.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from bot.domain.models import Call, Doubt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.models import Created

#: A start or stop of unknown outcome shows within so many seconds, or is sent once more: twice does no harm.
START_SETTLES: Final = 60.0
#: What may have been made or launched is looked for during so many seconds before anything is concluded.
MAKE_SETTLES: Final = 120.0
#: A start that was accepted and is still shown as down: when the card says so, and when it came to nothing.
STILL_DOWN_AFTER: Final = 60.0
NEVER_UP_AFTER: Final = 180.0
#: A call that was under way in another process is over so long after it began, or that process is. Longer
#: than a call may take, and than the lease of its step.
CALL_ENDS: Final = 45.0
#: How long a question stays open, and how long a connection may be missing before it is gone for good.
ANSWER_SECONDS: Final = 86_400.0

#: While its person is asked, it is looked for at least so often.
_SELDOM: Final = 300.0

#: What a read may say that is no news yet, beside the kinds of refusals.
GONE: Final = "gone"
#: The same of a list, which a read or the next list confirms.
UNLISTED: Final = "unlisted"
LEFT_OUT: Final = "left_out"
#: How often in a row it must be said, and over how many seconds; refusals are the rest.
_CERTAIN: Final = {GONE: (2, 0.0), LEFT_OUT: (3, 0.0)}
_REFUSAL_CERTAIN: Final = (3, 60.0)


def unknown_since(known: Call, called_at: float | None, since: float | None) -> float:
    """Return since when the outcome of a call is unknown; one that is still under way ends first."""
    if since is not None and known is not Call.CALLING:
        return since
    return (called_at or 0.0) + CALL_ENDS


def look_in(pace: Pacing, asked_at: float | None, now: float) -> float:
    """Return the seconds until the next look: at the usual pace, and less often while its person is asked."""
    usual = max(pace.pending, pace.min_poll_interval)
    return usual if asked_at is None else max(usual, min((now - asked_at) / 20.0, _SELDOM))


def has_settled(known: Call, called_at: float | None, since: float | None, now: float) -> bool:
    """Say whether what a creation or launch of unknown outcome may have made would have shown by now."""
    return now >= unknown_since(known, called_at, since) + MAKE_SETTLES


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


class Verdict(StrEnum):
    """Name what a look that found nothing certain leads to."""

    LOOK = "look"  #: it may still show: look again at the usual pace
    REPEAT = "repeat"  #: it certainly came to nothing: do it once more
    NOTHING = "nothing"  #: the same where nobody wants it any more
    ASK = "ask"  #: nobody can tell: its person decides
    UNTOLD = "untold"  #: the same where nobody wants it any more


def judge(
    ours: Created | None,
    unexplained: Sequence[Created],
    *,
    is_proof: bool,
    has_settled: bool,
    is_wanted: bool,
) -> Created | Verdict:
    """Decide what a look after an unknown outcome means.

    What carries our mark, or is the only thing that can have come of the call, is taken at once.
    ``is_proof``: the provider would show our mark, so that nothing found is nothing made.
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
    """Say whether reads said something often and long enough for it to be told."""
    times, seconds = _CERTAIN.get(doubt.kind, _REFUSAL_CERTAIN)
    return doubt.times >= times and now - doubt.since >= seconds


def doubted(before: Doubt | None, kind: str, now: float) -> Doubt:
    """Return the count after one more read; another kind starts the count again."""
    if before is None or before.kind != kind:
        return Doubt(kind, 1, now)
    return Doubt(kind, before.times + 1, before.since)
