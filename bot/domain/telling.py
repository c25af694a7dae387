"""Whether something is sent as a direct message, and when: one table for preferences and quiet hours; pure.

Failures, and warnings before something is lost, are always sent at once, and so is what the person asked
for recently. What the person switched off only shows on the card, if there is one. That a link of theirs
ends is said a week and a day before its credential does.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from bot.domain.notices import Mark, NoticeKind
from bot.domain.people import Preferences

#: People are still waiting for what they asked for within this many seconds.
ASKED_SECONDS: Final = 3600.0
#: Quiet hours end within a day, which has 25 hours when summer time ends.
FARTHEST: Final = 25 * 3600.0
_DAY_MINUTES: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class News:
    """Hold what decides about one notice.

    ``chosen`` is what its person set for that workspace, None for nothing. ``asked_at`` is when they asked
    for it, None if they didn't. ``has_card``: a card of theirs shows it, too.
    """

    kind: NoticeKind
    chosen: bool | None = None
    asked_at: float | None = None
    is_failure: bool = False
    has_card: bool = False


@dataclass(frozen=True, slots=True)
class Telling:
    """Say what happens: sent ``now``, ``later`` (at ``at``, epoch seconds), or only on the ``card``."""

    way: Literal["now", "later", "card"]
    at: float = 0.0


NOW: Final = Telling("now")
CARD: Final = Telling("card")


def tell(news: News, preferences: Preferences, now: float, zone: ZoneInfo) -> Telling:
    """Decide how something is reported."""
    if news.is_failure:
        return NOW
    topic = news.kind.topic
    if topic is not None and (topic == "stopped" or news.has_card):
        wants: bool = getattr(preferences, topic) if news.chosen is None else news.chosen
        if not wants:
            return CARD
    if Mark.CAN_WAIT not in news.kind.marks:
        return NOW
    if news.asked_at is not None and now - news.asked_at <= ASKED_SECONDS:
        return NOW
    until = quiet_until(preferences, now, zone)
    return NOW if until is None else Telling("later", until)


def quiet_until(preferences: Preferences, now: float, zone: ZoneInfo) -> float | None:
    """Return when the current quiet hours end, by the zone's own clock; None outside of them."""
    begin, end = preferences.quiet_from, preferences.quiet_to
    if begin is None or end is None or begin == end:
        return None
    local = datetime.fromtimestamp(now, zone)
    minute = local.hour * 60 + local.minute
    is_quiet = begin <= minute < end if begin < end else minute >= begin or minute < end
    if not is_quiet:
        return None
    day = local.date() + timedelta(days=1 if minute >= end else 0)
    last = datetime.combine(day, time(end // 60, end % 60), zone)
    # When summer time begins, an hour is skipped: the clock next shows what comes after it.
    while datetime.fromtimestamp(last.timestamp(), zone).replace(tzinfo=None) != last.replace(tzinfo=None):
        last += timedelta(minutes=1)
    # When it ends, an hour occurs twice.
    return next((at for fold in (0, 1) if (at := last.replace(fold=fold).timestamp()) > now), None)


def minutes(text: str) -> int | None:
    """Return the minutes since midnight that ``HH:MM`` means; None if it is no time of day."""
    hour, colon, minute = text.partition(":")
    if not colon or not (hour.isdecimal() and minute.isdecimal()):
        return None
    found = int(hour) * 60 + int(minute)
    return found if int(minute) < 60 and found < _DAY_MINUTES else None


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
