"""The *lives* of workspaces and runs: what ran, for how long, and how exactly this is known.

A life is one period of running (``docs/adr/0124-lives.md``). Its beginning and its end are either known
exactly, or known to have happened between two reads. Unknown time is never counted as hours.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo

from bot.domain.message_context import Facts, ObjectName, WorkspaceFacts
from bot.domain.observations import MAX_CLOCK_SKEW_SECONDS
from bot.domain.people import Principal
from bot.domain.prices import Price
from bot.domain.snapshots import Allowance
from bot.domain.time_parsing import resolve_instant
from bot.domain.time_parsing.days import Window, find_week

#: What a *life* (period of running) belongs to: a workspace or a run.
LifeKind = Literal["workspace", "run"]


class Known(StrEnum):
    """How Usher knows the beginning or end of a *life* (period of running).

    Attributes:
        ASKED: Usher caused it. The earliest time is Usher's call, or the last read that didn't show the
            effect yet.
        TOLD: The provider reported the time.
        SEEN: It happened between two reads.
        UNKNOWN: A beginning before the first sign of life, or an end after the last one.
    """

    ASKED = "asked"
    TOLD = "told"
    SEEN = "seen"
    UNKNOWN = "unknown"


class Moment(NamedTuple):
    """The earliest and latest possible time of the beginning or end of a *life* (period of running).

    Both are in epoch seconds. If the moment is known exactly, they are equal. For an UNKNOWN beginning, both
    are the first sign of life. An UNKNOWN end is after ``earliest``, the last sign of life. By ``latest``,
    nothing was running any more, or its state couldn't be determined.
    """

    earliest: float
    latest: float
    known: Known


def find_begin(
    seen_at: float, down_at: float | None, told_at: float | None, asked_at: float | None
) -> Moment:
    """Return when a *life* (one period of running) began, after a read found the workspace or run running.

    ``down_at`` is the time of the last read that showed it down, ``told_at`` is the time reported by the
    provider, and ``asked_at`` is when Usher's call brought it up. If the provider's time is before a read
    that showed it down, that time belongs to an earlier life.
    """
    if down_at is None and told_at is None and asked_at is None:
        return Moment(seen_at, seen_at, Known.UNKNOWN)
    return _find_moment(min(down_at or 0.0, seen_at), seen_at, told_at, asked_at)


def find_end(
    seen_at: float, up_at: float, told_at: float | None, asked_at: float | None, *, is_certain: bool
) -> Moment:
    """Return when a *life* (one period of running) ended, after a read found the workspace or run down.

    ``up_at`` is the time of the last read that showed it up, ``told_at`` is the time reported by the
    provider, and ``asked_at`` is when Usher's call brought it down. Without such a call, the end is known
    only if ``is_certain``. Otherwise, the workspace or run may merely be missing from a list.
    """
    first = min(up_at, seen_at)
    if asked_at is None and not is_certain:
        return Moment(first, seen_at, Known.UNKNOWN)
    return _find_moment(first, seen_at, told_at, asked_at)


def _find_moment(first: float, seen_at: float, told_at: float | None, asked_at: float | None) -> Moment:
    if told_at is not None and told_at >= first - MAX_CLOCK_SKEW_SECONDS:
        exact = min(max(told_at, first), seen_at)
        return Moment(exact, exact, Known.TOLD if asked_at is None else Known.ASKED)
    if asked_at is None:
        return Moment(first, seen_at, Known.SEEN)
    return Moment(max(first, min(asked_at, seen_at)), seen_at, Known.ASKED)


@dataclass(slots=True)
class Hours:
    """How many hours something ran: the best estimate, and a range that contains the true number.

    ``unknown`` is the number of lives with an unknown end. Each of them is counted up to its last sign of
    life.
    """

    best: float = 0.0
    lowest: float = 0.0
    highest: float = 0.0
    unknown: int = 0

    def add(self, other: Self) -> None:
        """Add other hours to these."""
        self.best += other.best
        self.lowest += other.lowest
        self.highest += other.highest
        self.unknown += other.unknown


# Not frozen: creating frozen instances takes three times as long, and a year has more than a thousand.
@dataclass(slots=True, kw_only=True)
class Life:
    """One period during which a workspace was running, or one run of a job.

    ``subject`` identifies something that can have only one life at a time: the gate of a workspace, which may
    be on the lists of several users, or the id of a run. ``principal`` is the user who started it, or on
    whose list it was first seen running. ``workspace_id`` is that user's row, which may no longer exist, and
    ``name`` is the name on their list. ``line`` is the key of the workspace or job whose lives are added up.
    ``hours`` covers only the window that was read. The best estimate of the hours runs from ``runs_from`` to
    ``runs_until``, which is the end of this period or its last sign of life.
    """

    id: str
    kind: LifeKind
    line: tuple[LifeKind, str]
    subject: str
    principal: Principal
    connection: str
    workspace_id: str | None
    name: str
    #: The size of the machine and the operator's template, as chosen in a form or reported by the provider.
    #: Each is None if it isn't known.
    size: str | None = None
    template: str | None = None
    began: Moment
    #: When this life ended. None if, as far as Usher knows, it hasn't.
    ended: Moment | None = None
    runs_from: float
    runs_until: float
    hours: Hours
    #: When a read last showed that the workspace or run was running.
    last_seen_at: float
    #: When the workspace was last opened in Usher. ``used_at`` is its last use according to its provider.
    opened_at: float | None = None
    used_at: float | None = None
    #: The price when this life began, or None if it isn't known.
    price: Price | None = None


@dataclass(slots=True)
class Sum:
    """The number of lives, and their hours in total and at each price. None stands for an unknown price."""

    lives: int = 0
    hours: Hours = field(default_factory=Hours)
    at_price: dict[Price | None, float] = field(default_factory=dict)

    @property
    def money(self) -> dict[str, Decimal]:
        """Return the cost in each currency. Amounts in different currencies aren't added up."""
        money: dict[str, Decimal] = {}
        for price, hours in self.at_price.items():
            if price is not None:
                cost = price.amount * Decimal(hours)
                money[price.currency] = money.get(price.currency, Decimal()) + cost
        return money

    @property
    def unpriced(self) -> float:
        """Return the number of hours whose price isn't known."""
        return self.at_price.get(None, 0.0)

    def add(self, hours: Hours, price: Price | None, lives: int = 1) -> None:
        """Add the hours of one life or of several that have the same price."""
        self.lives += lives
        self.hours.add(hours)
        self.at_price[price] = self.at_price.get(price, 0.0) + hours.best

    def merge(self, other: Self) -> None:
        """Add another total to this one."""
        self.lives += other.lives
        self.hours.add(other.hours)
        for price, hours in other.at_price.items():
            self.at_price[price] = self.at_price.get(price, 0.0) + hours


def list_months(began: float, ended: float) -> list[tuple[str, float, float]]:
    """Return the months (in UTC) that a period touches, each as its start and the next month's start."""
    months: list[tuple[str, float, float]] = []
    first = datetime.fromtimestamp(began, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while not months or first.timestamp() < ended:
        following = (first + timedelta(days=32)).replace(day=1)
        months.append((f"{first:%Y-%m}", first.timestamp(), following.timestamp()))
        first = following
    return months


# -- usage as shown to people --------------------------------------------------------------------------------

#: How long, in seconds, a workspace must have been idle for messages to mention it.
MIN_IDLE_SECONDS: Final = 3600.0


@dataclass(slots=True)
class UsageLine:
    """The total of all lives of one workspace, or of all runs of one job, within a window.

    ``key`` is the key of its lives. ``name`` and ``workspace_id`` are taken from the newest life. ``spread``
    is the number of hours by which the total may be off, because a life began or ended between two reads.
    ``is_least`` means that the total may be too low, because a life may have begun before its first sign.
    ``unknown_from`` is the last sign of life before an end that no read saw.
    """

    kind: LifeKind
    key: str
    connection: str
    name: str = ""
    workspace_id: str | None = None
    sum: Sum = field(default_factory=Sum)
    spread: float = 0.0
    is_least: bool = False
    is_open: bool = False
    unknown_from: float | None = None

    def add(
        self, part: Sum, *, is_open: bool, is_seen: bool, is_least: bool, unknown_from: float | None
    ) -> None:
        """Add the total of some of this line's lives.

        ``is_seen`` means that their hours aren't exact, because they began or ended between two reads.
        """
        self.sum.merge(part)
        self.is_open |= is_open
        self.is_least |= is_least
        if unknown_from is not None:
            self.unknown_from = max(self.unknown_from or 0.0, unknown_from)
        if is_seen:
            hours = part.hours
            more = 0.0 if is_open else hours.highest - hours.best
            self.spread += max(hours.best - hours.lowest, more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """The longest time during which a workspace ran without being used or being opened from Usher."""

    name: str
    connection: str
    workspace_id: str | None
    since: float
    until: float
    is_open: bool
    is_use_known: bool

    @property
    def seconds(self) -> float:
        """Return how long the workspace was unused, in seconds."""
        return self.until - self.since


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of one user within a window. The lines are sorted, with the longest first."""

    lines: tuple[UsageLine, ...] = ()
    idle: Idle | None = None

    @property
    def total(self) -> Sum:
        """Return the total of all lines."""
        return sum_parts(one.sum for one in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageFacts(Facts):
    """A person's usage within a window, for a message to that person.

    ``titles`` contains the titles of connections, ``running`` the workspaces that are still running, and
    ``left`` what is left of each connection's limits. ``is_weekly`` says whether last week's hours are sent
    every Monday.
    """

    window: Window
    usage: Usage
    titles: Mapping[str, str] = field(default_factory=dict)
    running: tuple[WorkspaceFacts, ...] = ()
    left: Mapping[str, Sequence[Allowance]] = field(default_factory=dict)
    is_weekly: bool = False

    @property
    def objects(self) -> dict[str, ObjectName]:
        """Return the names of the workspaces that are still running."""
        return {key: name for one in self.running for key, name in one.objects.items()}


#: Minimum number of people in a total that is shown to readers who may not see individuals' hours.
MIN_PEOPLE: Final = 5


@dataclass(frozen=True, slots=True)
class GroupUsage:
    """The usage of several people: the total, and its parts by connection and by person, longest first.

    ``is_withheld`` means that the total isn't shown, because it includes so few people that it would reveal
    the hours of an individual. ``leaves_out`` says whether connections were left out for the same reason.
    """

    people: int = 0
    total: Sum = field(default_factory=Sum)
    by_connection: tuple[tuple[str, int, Sum], ...] = ()
    by_person: tuple[tuple[str, Sum], ...] = ()
    is_withheld: bool = False
    leaves_out: bool = False


#: The hour of the day at which last week's usage is sent on Mondays.
MONDAY_HOUR: Final = 9


def find_next_monday(after: float, zone: ZoneInfo) -> float:
    """Return the time of the next Monday at 9:00 in a time zone."""
    monday = find_week(after, zone).first
    times = (resolve_instant(monday + timedelta(days=days), MONDAY_HOUR * 60, zone) for days in (0, 7))
    return next(at for at in times if at > after)


# -- as a picture --------------------------------------------------------------------------------------------


class SpanKind(StrEnum):
    """What is known about a span of time: something ran, is planned to run, or may have run."""

    RAN = "ran"
    PLANNED = "planned"
    UNKNOWN = "unknown"


class Span(NamedTuple):
    """A span that is drawn in a row, in epoch seconds. It may extend beyond the days that are drawn."""

    begins_at: float
    ends_at: float
    kind: SpanKind = SpanKind.RAN


class UsageRow(NamedTuple):
    """A row of a usage chart, for a workspace or job. Its name may contain any text."""

    name: str
    spans: tuple[Span, ...]


# -- of several people ---------------------------------------------------------------------------------------


def group_class(sums: Mapping[str, Sum], *, is_seen: bool) -> GroupUsage:
    """Compute a class's usage from each person's total. ``is_seen``: whether teachers see these totals."""
    if not is_seen and 0 < len(sums) < MIN_PEOPLE:
        return GroupUsage(is_withheld=True)
    total = sum_parts(sums.values())
    persons = sorted(sums.items(), key=lambda pair: (-pair[1].hours.best, pair[0]))
    return GroupUsage(len(sums), total, by_person=tuple(persons) if is_seen else ())


def sum_parts(parts: Iterable[Sum]) -> Sum:
    """Add up several totals."""
    total = Sum()
    for one in parts:
        total.merge(one)
    return total
