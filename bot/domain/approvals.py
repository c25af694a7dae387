"""When to send messages about requests to link a username. Pure functions."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

#: How long, in seconds, a request waits for an administrator's decision before it expires.
MAX_UNDECIDED_SECONDS: Final = 7 * 86_400.0
#: Reason recorded when a request expires without a decision.
UNDECIDED: Final = "undecided"
#: Local hour at which administrators are reminded of a request, once it is at least ``_MIN_REMINDER_SECONDS``
#: old.
_REMINDER_HOUR: Final = 9
_MIN_REMINDER_SECONDS: Final = 8 * 3600.0


def find_next_morning(asked_at: float, zone: ZoneInfo) -> float:
    """Return when to remind an administrator of a request: the next morning in this time zone."""
    earliest = datetime.fromtimestamp(asked_at + _MIN_REMINDER_SECONDS, zone)
    morning = earliest.replace(hour=_REMINDER_HOUR, minute=0, second=0, microsecond=0)
    return (morning if morning >= earliest else morning + timedelta(days=1)).timestamp()
