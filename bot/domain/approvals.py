"""Times of messages about people's requests to be linked as a username. Pure functions."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

#: Seconds that a request waits for a decision.
MAX_UNDECIDED_SECONDS: Final = 7 * 86_400.0
#: Cause of a request that ended because nobody decided.
UNDECIDED: Final = "undecided"
#: Hour of their day at which administrators are reminded, and the least seconds after the request.
_REMINDER_HOUR: Final = 9
_MIN_REMINDER_SECONDS: Final = 8 * 3600.0


def find_next_morning(asked_at: float, zone: ZoneInfo) -> float:
    """Return when to remind an administrator, in the given zone, of a request made at ``asked_at``."""
    earliest = datetime.fromtimestamp(asked_at + _MIN_REMINDER_SECONDS, zone)
    morning = earliest.replace(hour=_REMINDER_HOUR, minute=0, second=0, microsecond=0)
    return (morning if morning >= earliest else morning + timedelta(days=1)).timestamp()
