"""Working hours of workspaces, and workspaces left running. Pure functions.

The times of an hours rule are local times in the time zone that the owner had set in Slack when they made the
rule. The rule's starts and stops, its *occurrences*, are computed rather than stored, so they always match
the rule. An occurrence is identified by its local date and time, so none happens twice, even after a crash or
a clock change. A time that the clocks skip is moved later by the length of the gap. If a time occurs twice,
its first occurrence counts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo

from bot.domain.people import Principal
from bot.domain.row_times import Past, Stays
from bot.domain.time_parsing import DAY_MINUTES, DAYS, EVERY_DAY, Wanted, load_zone, resolve_instant
from bot.domain.timers import SOONEST_SECONDS, TIMER_WARNING_SECONDS
from bot.domain.workspaces import State, Workspace

Side = Literal["start", "stop"]

#: A stop at the end of working hours is planned this many seconds ahead, to leave time to warn the owner.
STOP_CHECK_SECONDS: Final = TIMER_WARNING_SECONDS + 2 * SOONEST_SECONDS
#: Assumed length, in seconds, of working hours without a stop. Used to decide whether a start is too late.
OPEN_HOURS_SECONDS: Final = 12 * 3600.0
#: A late start is sent only if enough time is left until the stop: at least this share of the working hours,
#: and at least ``MIN_SECONDS_LEFT`` seconds.
MIN_SHARE_LEFT: Final = 1.0 / 3.0
MIN_SECONDS_LEFT: Final = 1_800.0
#: A start that is at most this many seconds late is sent even if the stop is close.
ON_TIME_SECONDS: Final = 60.0
#: How far back to look, in seconds, for missed starts and stops. If a rule simply repeats every week, this is
#: also how far ahead to look for its next start or stop. A new rule is refused if its first start or stop is
#: further ahead than this.
HORIZON_SECONDS: Final = 30 * 86_400.0
#: How far ahead to look, in seconds, for the next start or stop of an hours rule or course that has a last
#: day, excludes days, or is for certain dates.
YEAR_SECONDS: Final = 366 * 86_400.0
#: How far ahead to look, in seconds, for a stop that is planned for the same time as a start of the same
#: workspace. Such a stop isn't carried out, so the workspace keeps running. Every weekday occurs at least
#: twice in this time.
RUN_THROUGH_SECONDS: Final = 15 * 86_400.0
#: Maximum number of hours rules per workspace.
MAX_RULES: Final = 14
#: Times of day, in minutes after midnight. Between them, Usher asks owners whether they still need a
#: workspace that was left running. Without an answer, Usher may stop it at ``EVENING``.
DAYTIME: Final = (9 * 60, 17 * 60)
EVENING: Final = 18 * 60
#: Number of unused starts in a row after which working hours are paused.
UNUSED_PAUSES: Final = 5
#: If a provider reports use of a workspace within this many seconds of a start, that use is attributed to the
#: start itself.
START_USE_SECONDS: Final = 900.0


class Occurrence(NamedTuple):
    """A single start or stop. It has a time, and the local time for which it was planned.

    It becomes due at ``due_at``. For a start, ``until`` is the end of the period that it begins. All times
    except ``local`` are in epoch seconds.
    """

    at: float
    side: Side
    local: str
    due_at: float
    until: float

    @property
    def latest_start(self) -> float:
        """Return the latest time at which a start may be sent. After that, too little time would be left."""
        left = max((self.until - self.at) * MIN_SHARE_LEFT, MIN_SECONDS_LEFT)
        return max(self.until - left, self.at + ON_TIME_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable(ABC):
    """The days and times at which something begins and ends, in a time zone.

    ``days`` are names of weekdays or, for hours that happen only once, dates. Only days from ``first_day`` to
    ``last_day`` count. ``off`` lists dates to exclude. A start is due ``lead_seconds`` early.
    """

    days: frozenset[str] = frozenset()
    starts: int | None = None
    stops: int | None = None
    first_day: str = ""
    last_day: str = ""
    off: frozenset[str] = frozenset()
    lead_seconds: Stays = 0.0

    @property
    @abstractmethod
    def time_zone(self) -> str:
        """Return the time zone of the timetable's days and times."""

    @property
    def wanted(self) -> Wanted:
        """Return the hours in the form in which they were requested."""
        return Wanted(self.days, self.starts, self.stops)

    def after(self, moment: float) -> Occurrence | None:
        """Return the first start or stop after a time, or None if none is planned that far ahead."""
        return next(self.coming(moment), None)

    def coming(self, moment: float) -> Iterator[Occurrence]:
        """Yield the starts and stops after a time, first those of the next days."""
        is_sparse = self.last_day or self.off or self.days - EVERY_DAY
        spans = (2 * 86_400.0, 9 * 86_400.0, YEAR_SECONDS if is_sparse else HORIZON_SECONDS)
        return (one for span in spans for one in self.between(moment, moment + span))

    def between(self, after: float, until: float) -> list[Occurrence]:
        """Return the starts and stops later than ``after`` and no later than ``until``, in order."""
        first, last = self.day(after), self.day(until)
        # Hours that begin on one day may end on the next, so the day before is included.
        days = (first + timedelta(days=count) for count in range(-1, (last - first).days + 1))
        return sorted(one for day in days for one in self.on(day) if after < one.at <= until)

    def begin(self, one: Occurrence) -> Occurrence:
        """Return the first start or stop on the same day as the given one.

        A stop after midnight counts towards the day before.
        """
        day = date.fromisoformat(one.local[:10])
        every = (self.on(day - timedelta(days=before)) for before in (0, 1))
        return next((found[0] for found in every if one in found), one)

    def list_days_over(self, now: float) -> frozenset[str]:
        """Return the excluded days whose starts and stops are over.

        If such a day were restored, they would count as missed.
        """
        every = replace(self, off=frozenset())
        return frozenset(
            day for day in self.off if any(one.until <= now for one in every.on(date.fromisoformat(day)))
        )

    def day(self, at: float) -> date:
        """Return the date of a given time, in the timetable's zone."""
        return datetime.fromtimestamp(at, load_zone(self.time_zone)).date()

    def on(self, day: date) -> list[Occurrence]:
        """Return the start and the stop (or just one of the two) of the hours that begin on a day."""
        named = day.isoformat()
        is_usual = self.days & {named, DAYS[day.weekday()]} and named >= self.first_day
        is_usual = is_usual and (not self.last_day or named <= self.last_day)
        if named in self.off or not is_usual:
            return []
        zone, starts, stops = load_zone(self.time_zone), self.starts, self.stops
        if starts is not None and stops is not None and stops <= starts:
            stops += DAY_MINUTES
        start = None if starts is None else resolve_instant(day, starts, zone)
        stop = None if stops is None else resolve_instant(day, stops, zone)
        if start is not None and stop is not None and stop <= start:
            return []  # The clocks skip all of it.
        found = []
        if start is not None and starts is not None:
            until = start + OPEN_HOURS_SECONDS if stop is None else stop
            found.append(Occurrence(start, "start", _local(day, starts), start - self.lead_seconds, until))
        if stop is not None and stops is not None:
            usual = stop - STOP_CHECK_SECONDS
            due_at = usual if start is None else max(usual, start + 1.0)
            found.append(Occurrence(stop, "stop", _local(day, stops), due_at, stop))
        return found


@dataclass(frozen=True, slots=True)
class HoursRule(Timetable):
    """A rule for a workspace's working hours, in the time zone ``zone``.

    Starts and stops up to ``processed_until`` have been handled. ``agreed`` means that the rule's owner
    knows that a stop can't be undone for this workspace.
    """

    id: str
    principal: Principal
    connection: str
    workspace_id: str
    zone: str
    processed_until: Past
    agreed: bool = False
    #: Why the rule is paused, as a cause from ``bot.messages.texts.problems``, or "" if it isn't paused.
    paused: str = ""
    #: The workspace's name and its id at the provider. They are stored here because unlinking the account
    #: deletes the workspace's row. If the account is linked again, Usher finds the workspace by this id.
    name: str = ""
    remote_id: str = ""
    #: When the rule last started its workspace.
    started_at: Past | None = None
    #: The number of unused starts in a row.
    unused: int = 0

    @property
    def time_zone(self) -> str:
        """Return the time zone of the timetable's days and times."""
        return self.zone

    def started(self, at: float, *, is_used: bool) -> Self:
        """Return a copy of the rule with one more start counted.

        ``is_used`` says whether the workspace was used after the previous start.
        """
        return replace(self, started_at=at, unused=0 if is_used else self.unused + 1)

    def due(self, now: float) -> list[Occurrence]:
        """Return the starts and stops that are due and haven't been processed yet, in order."""
        since = max(self.processed_until, now - HORIZON_SECONDS)
        until = now + max(STOP_CHECK_SECONDS, self.lead_seconds)
        return [one for one in self.between(since, until) if one.due_at <= now]

    def next_stop(self, now: float, beside: Collection[HoursRule] = ()) -> float | None:
        """Return when the rule will next stop its workspace, or None if it won't.

        A stop is ignored if the hours in ``beside`` start the workspace at the same time.
        """
        found = (one.at for one in self.coming(max(now, self.processed_until)) if one.side == "stop")
        coming = (at for at in found if not is_planned(beside, "start", at))
        return None if self.paused else next(coming, None)

    def is_on(self, now: float) -> bool:
        """Return whether the rule's hours are in progress."""
        coming = self.after(now)
        return coming is not None and coming.side == "stop" and self.starts is not None


class FormerHours(NamedTuple):
    """Working hours that were turned off, in the form in which the button that restores them stores them."""

    wanted: Wanted
    zone: str
    off: frozenset[str]
    is_paused: bool


def find_hours_stop(rules: Iterable[HoursRule], now: float) -> float | None:
    """Return when a workspace's working hours will next stop it, or None if they won't."""
    every = tuple(rules)
    stops = [one.next_stop(now, every) for one in every]
    return min((at for at in stops if at is not None), default=None)


def is_planned(rules: Iterable[HoursRule], side: str, at: float) -> bool:
    """Return whether working hours start (or stop) a workspace at this time, even if it is in the past."""
    active = (one for one in rules if not one.paused)
    return any((one.side, one.at) == (side, at) for rule in active for one in rule.between(at - 1.0, at))


def find_run_through(rules: Collection[HoursRule], rule: HoursRule, now: float) -> Occurrence | None:
    """Return the next stop at whose time a start is planned, too, so that the workspace keeps running.

    At least one of the two must come from ``rule``.
    """
    coming = (
        (one, rules if own is rule else [rule])
        for own in (rule, *rules)
        for one in own.between(now, now + RUN_THROUGH_SECONDS)
        if one.side == "stop" and not own.paused
    )
    return min((stop for stop, others in coming if is_planned(others, "start", stop.at)), default=None)


def _local(day: date, minute: int) -> str:
    at = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001 - a local time
    return at.isoformat(timespec="minutes")


def list_dates(first: date, until: date) -> list[str]:
    """Return all dates from ``first`` up to, but not including, ``until``, in the format that rules use."""
    return [(first + timedelta(days=count)).isoformat() for count in range((until - first).days)]


def group_days(of: Timetable, days: Collection[str]) -> list[tuple[str, str]]:
    """Group days into spans of (first day, last day). Days without a start or stop don't interrupt a span."""
    found: list[tuple[str, str]] = []
    for day in sorted(days):
        since, until = date.fromisoformat(found[-1][1] if found else day), date.fromisoformat(day)
        is_next = found and not any(of.on(date.fromisoformat(one)) for one in list_dates(since, until)[1:])
        found[-1:] = [(found[-1][0], day)] if is_next else [*found[-1:], (day, day)]
    return found


# -- idle workspaces -----------------------------------------------------------------------------------------


def was_used(workspace: Workspace, since: float) -> bool:
    """Return whether a workspace has been used since it started, according to Usher or its provider."""
    requested_at, used_at = workspace.last_request_at or 0.0, workspace.last_used_at or 0.0
    return requested_at >= since or used_at >= since + START_USE_SECONDS


def find_idle_since(workspace: Workspace) -> tuple[float, bool] | None:
    """Return when a workspace became idle, and whether its provider reports use.

    Return None if that isn't known, or if the workspace isn't running. If it isn't known when the workspace
    came up, the time of the first read that found it running is used instead.
    """
    used, began = workspace.last_used_at, workspace.started_at or workspace.running_since
    if workspace.current_state is not State.RUNNING:
        return None
    if used is not None and used >= (workspace.started_at or 0.0):
        return used, True
    return None if began is None else (began, False)


def find_asking_evening(workspace: Workspace, seconds: float, now: float, zone: ZoneInfo) -> float | None:
    """Return a time this evening if an idle workspace's owner should be asked about it now, else None.

    Owners are asked in the daytime, once the workspace has been idle for ``seconds``. If they don't answer by
    the returned time, the workspace may be stopped. Anything they do with it in Slack counts as use.
    """
    left, local = find_idle_since(workspace), datetime.fromtimestamp(now, zone)
    if left is None or now - max(left[0], workspace.used_at or 0.0) < seconds:
        return None
    is_daytime = DAYTIME[0] <= local.hour * 60 + local.minute < DAYTIME[1]
    return resolve_instant(local.date(), EVENING, zone) if is_daytime else None
