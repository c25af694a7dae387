"""Marks of times in stored texts, which are replaced by the time in each reader's own zone."""

import re
from typing import Final

#: Pattern of what ``make_time_placeholder`` writes. The group is the time in epoch seconds.
TIME_MARK: Final = re.compile(r"\{time:(\d{1,11})\}")


def make_time_placeholder(at: float) -> str:
    """Return the placeholder of a time in a stored sentence; ``at`` in epoch seconds."""
    return f"{{time:{int(at)}}}"
