"""Marks of moments in stored texts, which are replaced in each reader's own zone."""

import re
from typing import Final

#: What ``make_time_placeholder`` writes; the group is the epoch second.
TIME_MARK: Final = re.compile(r"\{time:(\d{1,11})\}")


def make_time_placeholder(at: float) -> str:
    """Return the placeholder of a time in a stored sentence; ``at`` in epoch seconds."""
    return f"{{time:{int(at)}}}"
