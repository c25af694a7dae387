"""When people are reminded that a link of theirs ends: a week and a day before its credential does; pure."""

from __future__ import annotations

from typing import Final, Literal

Occasion = Literal["week", "day", ""]

#: How long before the end each reminder comes, in seconds; the earliest first.
_BEFORE: Final[tuple[tuple[Occasion, float], ...]] = (("week", 7 * 86_400.0), ("day", 86_400.0))


def first_reminder(linked_at: float, ends_at: float | None) -> float | None:
    """Return when the first reminder comes; None if there is none, as it would come with the link itself."""
    if ends_at is None:
        return None
    return next((ends_at - before for _, before in _BEFORE if ends_at - before > linked_at), None)


def reminder(ends_at: float, now: float) -> tuple[Occasion, float | None]:
    """Return which reminder is due, "" for none once it has ended, and when the next look is.

    The last look is at the end, when what was said before is no longer so. After a while without anybody
    looking, only the latest reminder is due.
    """
    if now >= ends_at:
        return "", None
    due: Occasion = ""
    for occasion, before in _BEFORE:
        if now < ends_at - before:
            return due, ends_at - before
        due = occasion
    return due, ends_at
