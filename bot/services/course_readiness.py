"""Preparing lessons: starting workspaces, warning members who won't be ready, and reporting to teachers."""

import math
from typing import Final, NamedTuple

from bot.domain import timetable
from bot.domain.courses import ClassCard
from bot.domain.hours import Occurrence
from bot.domain.notices import NoticeKind
from bot.domain.timers import REST
from bot.domain.timetable import LATEST_REPORT_SECONDS, PREPARE_SECONDS, REPORT_SECONDS
from bot.services.caller import Caller
from bot.services.context import Context
from bot.store import courses as store
from bot.store import operations
from bot.store.tables import CLASS_CARDS
from bot.store.transaction import Transaction

NOTICES_PER_TRANSACTION: Final = 30
#: Maximum number of members' rows to mark in one transaction when a lesson becomes due.
MEMBERS_PER_TRANSACTION: Final = 50
#: Number of members assumed for a course without a maximum, high enough for a large class.
LARGE_CLASS_SIZE: Final = 500
#: Interval, in seconds, between checks of the progress while a lesson's workspaces are being started.
PREPARE_INTERVAL_SECONDS: Final = 10.0
#: Limits of the lead time, in seconds. The lead time is how long before a lesson Usher begins to start its
#: workspaces. If the provider stops unused workspaces early, the lead time may be even shorter.
MIN_SECONDS_AHEAD: Final = 300.0
MAX_SECONDS_AHEAD: Final = 2_700.0
#: Assumed duration of a start, in seconds, until enough starts have been measured.
USUAL_START_SECONDS: Final = 180.0
#: How much shorter, in seconds, the lead time must be than the provider's idle limit. Otherwise, the provider
#: might stop an unused workspace before its lesson.
IDLE_MARGIN_SECONDS: Final = 60.0
#: How long, in seconds, the summary of a class or course waits for workspaces that are still being stopped.
SUMMARY_SECONDS: Final = 900.0


class StartRate(NamedTuple):
    """The rate at which a connection starts workspaces, if it is limited.

    ``slow`` is the time within which nine out of ten starts were completed. ``idle`` is how long a workspace
    may be unused before the provider stops it. Both are in seconds, or None if unknown.
    """

    per_second: float | None = None
    slow: float | None = None
    idle: float | None = None

    def get_seconds_ahead(self, people: int) -> float:
        """Return how many seconds before a lesson to begin starting ``people`` workspaces.

        The result is a whole number of minutes.
        """
        took = (people / self.per_second if self.per_second else 0.0) + (self.slow or USUAL_START_SECONDS)
        return max(min(max(math.ceil(took / 60.0) * 60.0, MIN_SECONDS_AHEAD), self._max_seconds_ahead), 0.0)

    @property
    def max_people(self) -> int | None:
        """Return how many people's workspaces can start within the longest lead time. None means no limit."""
        spare = max(self._max_seconds_ahead - (self.slow or USUAL_START_SECONDS), 0.0)
        return None if self.per_second is None else int(spare * self.per_second)

    @property
    def _max_seconds_ahead(self) -> float:
        return (
            MAX_SECONDS_AHEAD
            if self.idle is None
            else min(MAX_SECONDS_AHEAD, self.idle - IDLE_MARGIN_SECONDS)
        )


def _get_start_rate(tx: Transaction, context: Context, card: ClassCard) -> StartRate:
    provider = context.connections.get(card.connection)
    slow = operations.estimate_slow_seconds(tx, card.principal, card.connection, card.spec)
    if provider is None:
        return StartRate(slow=slow)
    return StartRate(provider.settings.starts_per_second, slow, provider.settings.idle_seconds)


def get_max_in_time(tx: Transaction, caller: Caller, card: ClassCard) -> int | None:
    """Return how many people's workspaces can be ready in time, or None if there is no limit."""
    found = _get_start_rate(tx, caller.context, card).max_people
    return None if found is None or found >= (card.maximum or LARGE_CLASS_SIZE) else found


def prepare(tx: Transaction, context: Context, card: ClassCard) -> float | None:
    """Prepare a course's next lesson. Return when to check again, or None if there is no next lesson.

    On the evening before, members without a workspace are notified. Shortly before the lesson, Usher
    determines the lead time and begins to start the workspaces. Five minutes before the lesson, or up to
    three minutes later if some are still starting, teachers are told how many members are ready.
    """
    now = tx.now()
    coming = timetable.find_lesson(card, now)
    if coming is None:
        return None
    evening, prepares_at = timetable.get_evening_before(card, coming), coming.at - PREPARE_SECONDS
    if evening <= now < coming.due_at and _notify_members_not_ready(tx, context, card, coming, evening):
        return now
    if now < prepares_at:
        return min(one for one in (evening, prepares_at) if one > now)
    counts = store.count_members(tx, card.id)
    if now < coming.due_at:
        lead_seconds = _get_start_rate(tx, context, card).get_seconds_ahead(counts.joined)
        if lead_seconds != card.lead_seconds:
            CLASS_CARDS.change(tx, {"id": card.id}, lead_seconds=lead_seconds)
        return max(coming.at - lead_seconds, now + REST)
    if store.open_lesson(tx, card, coming, MEMBERS_PER_TRANSACTION) == MEMBERS_PER_TRANSACTION:
        return now
    if now >= coming.at:
        return coming.until
    is_settled = not (counts.starting or counts.coming or counts.no_room)
    if now >= coming.at - (REPORT_SECONDS if is_settled else LATEST_REPORT_SECONDS):
        body = {"connection": card.connection, "begins": coming.at, "ends": coming.until}
        store.notify(tx, card, NoticeKind.LESSON_REPORT, coming.local, body, card.teachers)
    return min(now + PREPARE_INTERVAL_SECONDS, coming.at)


def open_missed_lesson(tx: Transaction, card: ClassCard) -> bool:
    """Mark a missed lesson as due for a batch of members. Return whether there may be more members.

    The lesson never began for these members. Because it is over, nothing is started, and each of them is told
    once that the lesson was missed.
    """
    last = timetable.find_last_lesson(card, tx.now())
    if last is None:
        return False
    return store.open_lesson(tx, card, last, MEMBERS_PER_TRANSACTION) == MEMBERS_PER_TRANSACTION


def _notify_members_not_ready(
    tx: Transaction, context: Context, card: ClassCard, coming: Occurrence, joined_by: float
) -> bool:
    """Tell a batch of members what they still need for a lesson. Return whether there may be more members."""
    provider, spec = context.connections.get(card.connection), card.spec
    found = [
        (one.key, state == "coming")
        for one, state in store.list_members_not_ready(tx, card, joined_by)
        if state != "coming"
        or (provider is not None and spec is not None and provider.is_withheld(spec, one))
    ]
    for key, is_withheld in found[:NOTICES_PER_TRANSACTION]:
        body = {"connection": card.connection, "begins": coming.at, "is_withheld": is_withheld}
        store.notify(tx, card, NoticeKind.LESSON_NOT_READY, coming.local, body, [key])
    return len(found) > NOTICES_PER_TRANSACTION
