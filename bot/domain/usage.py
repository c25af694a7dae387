"""What ran, for how long, and what is known about it: the lives of workspaces and runs.

A life is one time of running, from its begin to its end (``docs/adr/0124-lives.md``). Each of the two is a
moment: exact, or between two reads. What isn't known is never counted as hours.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, Literal, Self

from bot.domain.observations import MAX_CLOCK_SKEW_SECONDS
from bot.domain.people import Principal
from bot.domain.prices import Price

#: What a life is of.
LifeKind = Literal["workspace", "run"]
_HOUR: Final = 3600.0


class Known(StrEnum):
    """How the begin or the end of a life is known.

    Attributes:
        ASKED: Usher did it. The earliest time is its call, or the last read that didn't show the effect yet.
        TOLD: It is the provider's own time.
        SEEN: It happened between two reads.
        UNKNOWN: A begin before the first sign of life, or an end after the last one.
    """

    ASKED = "asked"
    TOLD = "told"
    SEEN = "seen"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Moment:
    """A begin or an end: the times between which it lies (epoch seconds), equal if it is exact.

    Of an UNKNOWN begin, both are the first sign of life. An UNKNOWN end is after ``earliest``, the last sign
    of life; at ``latest`` nothing ran any more, or nobody could tell.
    """

    earliest: float
    latest: float
    known: Known

    @property
    def best(self) -> float:
        """Return the most probable time: what Usher does takes effect soon, anything else at any time."""
        return (self.earliest + self.latest) / 2 if self.known is Known.SEEN else self.earliest


def find_begin(
    seen_at: float, down_at: float | None, told_at: float | None, asked_at: float | None
) -> Moment:
    """Return when what a read found running began.

    ``down_at`` is the last read that showed it down, ``told_at`` the provider's own time, ``asked_at`` the
    call of Usher that brought it up. A time of the provider before it was seen down is of an earlier life.
    """
    first = min(down_at or 0.0, seen_at)
    known = Known.SEEN if asked_at is None else Known.ASKED
    if told_at is not None and told_at >= first - MAX_CLOCK_SKEW_SECONDS:
        exact = min(max(told_at, first), seen_at)
        return Moment(exact, exact, Known.TOLD if asked_at is None else known)
    if asked_at is not None:
        first = max(first, min(asked_at, seen_at))
    elif down_at is None:
        return Moment(seen_at, seen_at, Known.UNKNOWN)
    return Moment(first, seen_at, known)


def find_end(
    seen_at: float, up_at: float, told_at: float | None, asked_at: float | None, *, is_certain: bool
) -> Moment:
    """Return when what a read found down ended.

    ``up_at`` is the last read that showed it up, ``told_at`` the provider's own time, ``asked_at`` the call
    of Usher that brought it down. Without such a call, the end is only known if it is ``is_certain`` that it
    is down: it may just not be shown any more.
    """
    first = min(up_at, seen_at)
    if asked_at is None and not is_certain:
        return Moment(first, seen_at, Known.UNKNOWN)
    known = Known.SEEN if asked_at is None else Known.ASKED
    if told_at is not None and told_at >= first - MAX_CLOCK_SKEW_SECONDS:
        exact = min(max(told_at, first), seen_at)
        return Moment(exact, exact, Known.TOLD if asked_at is None else known)
    return Moment(first if asked_at is None else max(first, min(asked_at, seen_at)), seen_at, known)


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of running: the best figure, and what it lies between.

    ``unknown`` is the number of lives whose end isn't known: each is counted up to its last sign of life.
    """

    best: float = 0.0
    lowest: float = 0.0
    highest: float = 0.0
    unknown: int = 0

    @property
    def is_exact(self) -> bool:
        """Return whether the figure is right to the minute, and all of it is known."""
        return not self.unknown and self.highest - self.lowest < 1 / 60

    def __add__(self, other: Self) -> "Hours":
        """Return both together."""
        return Hours(
            self.best + other.best,
            self.lowest + other.lowest,
            self.highest + other.highest,
            self.unknown + other.unknown,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One time of running of a workspace, or a run of a job.

    ``subject`` is what can only live once at a time: the gate of a workspace, which several people may have
    on their lists, or the id of a run. ``principal`` is the person who started it, or on whose list it was
    first seen running. ``workspace_id`` is their row, which may be gone, and ``name`` what they called it.
    """

    id: str
    kind: LifeKind
    subject: str
    principal: Principal
    connection: str
    workspace_id: str | None
    name: str
    #: As the form had them; None if it wasn't created by Usher, or its provider has none.
    size: str | None = None
    template: str | None = None
    began: Moment
    #: None while it goes on, as far as is known.
    ended: Moment | None = None
    #: The last read that showed it running.
    last_seen_at: float
    #: When it was last opened from Usher, and when it was last used, as its provider says.
    opened_at: float | None = None
    used_at: float | None = None
    #: The price when it began; None if it isn't known.
    price: Price | None = None

    @property
    def is_open(self) -> bool:
        """Return whether it goes on, as far as is known."""
        return self.ended is None

    @property
    def counts_until(self) -> float:
        """Return up to when it counts: its end, or its last sign of life."""
        return self.last_seen_at if self.ended is None else self.ended.best

    def measure(self, since: float, until: float, now: float) -> Hours:
        """Return the hours within a window, which may reach into the future.

        A life that goes on counts up to its last sign of life, and may have run until now.
        """
        until = min(until, now)
        ended = self.ended or Moment(self.last_seen_at, now, Known.ASKED)
        is_unknown = ended.known is Known.UNKNOWN
        longest = ended.earliest if is_unknown else ended.latest
        return Hours(
            _overlap(self.began.best, ended.best, since, until),
            _overlap(self.began.latest, ended.earliest, since, until),
            _overlap(self.began.earliest, longest, since, until),
            int(is_unknown and since <= ended.earliest < until),
        )


def _overlap(began: float, ended: float, since: float, until: float) -> float:
    return max(0.0, min(ended, until) - max(began, since)) / _HOUR


@dataclass(slots=True)
class Sum:
    """Lives added up: their number, their hours, and their money by currency.

    Money of different currencies is never added. ``unpriced`` are the hours of lives without a price.
    """

    lives: int = 0
    hours: Hours = Hours()
    money: dict[str, Decimal] = field(default_factory=dict)
    unpriced: float = 0.0

    def add(self, life: Life, hours: Hours) -> None:
        """Add the hours of a life."""
        price = life.price
        currency, cost = (
            ("", Decimal()) if price is None else (price.currency, price.amount * Decimal(hours.best))
        )
        self.add_priced(1, hours, currency, cost)

    def add_priced(self, lives: int, hours: Hours, currency: str, cost: Decimal) -> None:
        """Add the hours of some lives and what they cost together; the currency is "" without a price."""
        self.lives += lives
        self.hours += hours
        if currency:
            self.money[currency] = self.money.get(currency, Decimal()) + cost
        else:
            self.unpriced += hours.best


def list_months(began: float, ended: float) -> list[tuple[str, float, float]]:
    """Return the months in UTC that a time span touches: each with its begin and the begin of the next."""
    months: list[tuple[str, float, float]] = []
    first = datetime.fromtimestamp(began, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while not months or first.timestamp() < ended:
        following = (first + timedelta(days=32)).replace(day=1)
        months.append((f"{first:%Y-%m}", first.timestamp(), following.timestamp()))
        first = following
    return months


#: What lives are added up by.
SumKey = Literal["workspace", "person", "connection", "template"]


def get_sum_key(life: Life, by: SumKey) -> str:
    """Return what a life counts for in sums of one kind; "" if it has no template."""
    match by:
        case "workspace":
            return life.subject
        case "person":
            return life.principal.key
        case "connection":
            return life.connection
        case _:
            return life.template or ""


def sum_up(lives: Iterable[Life], by: SumKey, since: float, until: float, now: float) -> dict[str, Sum]:
    """Add up lives within a window."""
    sums: dict[str, Sum] = {}
    for life in lives:
        sums.setdefault(get_sum_key(life, by), Sum()).add(life, life.measure(since, until, now))
    return sums
