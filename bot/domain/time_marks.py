"""Placeholders for times in stored text. Each is replaced by the time in the reader's time zone."""

import re
from typing import Final

#: Matches a placeholder made by ``make_time_placeholder``. The group is the time in epoch seconds.
TIME_MARK: Final = re.compile(r"\{time:(\d{1,11})\}")


def make_time_placeholder(at: float) -> str:
    """Return the placeholder that represents a time (``at``, in epoch seconds) in a stored sentence."""
    return f"{{time:{int(at)}}}"
