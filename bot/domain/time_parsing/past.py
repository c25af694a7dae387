"""Past periods as people type them: ``last week``, ``September``, ``since 3 Nov``. Pure functions.

Weeks begin on Monday. A day or month without a year is the most recent one that has begun.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final, Literal
from zoneinfo import ZoneInfo

from bot.domain.time_parsing.days import find_weekday, resolve_past_day
from bot.domain.time_parsing.moment import resolve_instant
from bot.domain.time_parsing.spelling import MONTHS, fold_signs, spell

#: Why a past period that someone typed can't be used: it can't be read, contains a time of day, hasn't begun,
#: ends before it begins, or is older than the records.
WindowProblem = Literal["unreadable", "clock", "future", "backwards", "old"]

_MAX_CHARACTERS: Final = 60
#: How long run records are kept, in days: a year and a month, so that a month can be compared with the same
#: month a year earlier.
RETENTION_DAYS: Final = 400
#: Maps other spellings of words to the usual ones. They are accepted only where a past period is expected.
_SPELT: Final = {
    **dict.fromkeys(("letzte", "letzten", "letzter", "letztes", "vorige", "previous", "past"), "last"),
    **dict.fromkeys(("current", "diesen", "dieser", "dieses"), "this"),
    **dict.fromkeys(("since", "seit", "starting"), "from"),
    **dict.fromkeys(("monat", "months"), "month"),
    **dict.fromkeys(("jahr", "years"), "year"),
    "quartal": "quarter",
    "kw": "week",
    "gestern": "yesterday",
}
_NOISE: Final = frozenset({"in", "for", "on", "during", "of", "the", "die", "my", "over"})
_COMING: Final = re.compile(r"next|coming|tomorrow|overmorrow|in [0-9]{1,3} [a-z]+")
_CLOCK: Final = re.compile(
    r"\b(?:[0-9]*(?:hours?|minutes?|h)|[0-9]{1,2}:[0-9]{2}|[0-9.:]+ ?[ap]m|o'clock|at [0-9]+)\b"
    r"|\b(?:morning|noon|lunch|afternoon|evening|tonight|night|midnight|eod)\b"
)
#: Replacements that give days, weeks and quarters one spelling, applied in this order.
_REWRITTEN: Final = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (r"\bday before yesterday\b", "2 days ago"),
        (r"(?<![0-9/])(20[0-9]{2})/([0-9]{2})/([0-9]{2})(?![0-9/])", r"\1-\2-\3"),
        (r"(?<![0-9/])(0[1-9]|1[0-2])/(20[0-9]{2})(?![0-9/])", r"\2-\1"),
        (r"\b([1-4])(?:st|nd|rd|th) quarter\b", r"q\1"),
        (r"\b(?:week|w) (?=[0-9]{1,2}\b)", "w"),
        (r"\b(20[0-9]{2})[- ]?([wq][0-9]{1,2})\b", r"\2 \1"),
        # In `1nov - 15`, both days are in November.
        (r"\b([0-9]{1,2})([a-z]{3})( ?- ?| to )([0-9]{1,2})(?: (20[0-9]{2}))?$", r"\1\2 - \4\2\5"),
    )
)
_YEAR: Final = re.compile(r"20[0-9]{2}")
_MONTH: Final = re.compile(rf"({'|'.join(MONTHS)})(?: (20[0-9]{{2}}))?")
_ISO_MONTH: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_QUARTER: Final = re.compile(r"q([1-4])(?: (20[0-9]{2}))?")
_WEEK: Final = re.compile(r"w(0?[1-9]|[1-4][0-9]|5[0-3])(?: (20[0-9]{2}))?")
_COUNTED: Final = re.compile(r"(?:last )?([0-9]{1,3}) ?(d|days?|w|weeks?|months?)")
_DAYS_AGO: Final = re.compile(r"([0-9]{1,3}) days? ago")
#: Matches the word between the first and the last day of a span, or the dash between two names.
_SPAN: Final = re.compile(r"\s(?:to|until|till|through|-)\s|(?<=[a-z0-9])-(?=[a-z])")
_YEAR_LAST: Final = re.compile(r"20[0-9]{2}$")

_Days = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Window:
    """A period from the day ``first`` to the day ``last`` in a time zone.

    ``since`` and ``until`` are its bounds in epoch seconds. ``name`` is what people call it, such as *last
    week*, or "" if its dates describe it best.
    """

    first: date
    last: date
    since: float
    until: float
    name: str = ""

    @property
    def days(self) -> int:
        """Return the number of days in the period."""
        return (self.last - self.first).days + 1


def make_window(first: date, last: date, zone: ZoneInfo, name: str = "") -> Window:
    """Return the window from a first to a last day in a zone."""
    after = last + timedelta(days=1)
    return Window(first, last, resolve_instant(first, 0, zone), resolve_instant(after, 0, zone), name)


def find_week(at: float, zone: ZoneInfo, *, ago: int = 0) -> Window:
    """Return the week in which a time falls in a zone, or the week ``ago`` weeks earlier."""
    monday = _find_monday(datetime.fromtimestamp(at, zone).date()) - timedelta(days=7 * ago)
    names = ("this week", "last week")
    return make_window(monday, monday + timedelta(days=6), zone, names[ago] if ago < len(names) else "")


def read_window(text: str, zone: ZoneInfo, now: float) -> Window | WindowProblem:
    """Return the window that a string names (this week if it's empty), or what is wrong with the string."""
    if len(text) > _MAX_CHARACTERS:
        return "unreadable"
    today = datetime.fromtimestamp(now, zone).date()
    plain = [_normalize(word) for word in fold_signs(text).casefold().split()]
    spelt = spell(" ".join(plain)).replace(" – ", " - ")
    if any(map(_COMING.fullmatch, (spelt, *map(spell, plain)))):
        return "future"
    words = " ".join(word for word in spelt.split() if word not in _NOISE)
    for pattern, said in _REWRITTEN:
        words = pattern.sub(said, words)
    try:
        found = _read(words, today)
        if found is None:
            return "clock" if _CLOCK.search(words) else "unreadable"
        (first, last), name = found
        if first > today:
            return "future"
        if first > last:
            return "backwards"
        is_old = last < today - timedelta(days=RETENTION_DAYS)
        return "old" if is_old else make_window(first, last, zone, name)
    except (ValueError, OverflowError):  # No such month or year.
        return "unreadable"


def _normalize(word: str) -> str:
    return _SPELT.get(word.strip(",;!?"), word)


def _read(words: str, today: date) -> tuple[_Days, str] | None:
    """Return the days that a string means, with their usual name; None if it can't be read."""
    if words in {"", "week", "month", "quarter", "year"}:
        words = f"this {words or 'week'}"
    if counted := _COUNTED.fullmatch(words):
        count = int(counted[1])
        return (_count_back(count, counted[2], today), "") if count else None
    lead, _, rest = words.partition(" ")
    if lead in {"from", "between"} and rest:
        words = rest.replace(" and ", " - ") if lead == "between" else rest
    first, *last = _SPAN.split(words, maxsplit=1)
    if last or (lead == "from" and rest):
        # Without an end, "between" is unreadable, while "from" means all days up to today.
        span = _read_span(first, last[0] if last else "today", today)
        return None if span is None else (span, "")
    found = None if lead == "between" else _read_period(words, today)
    return None if found is None else (found, _name(words, *found, today))


def _count_back(count: int, unit: str, today: date) -> _Days:
    """Return the last ``count`` days, weeks or months, up to today."""
    if not unit.startswith("month"):
        return today - timedelta(days=count * (7 if unit.startswith("w") else 1) - 1), today
    year, month = divmod(today.year * 12 + today.month - 1 - count, 12)
    last_day = _span_month(date(year, month + 1, 1))[1].day
    return date(year, month + 1, min(today.day, last_day)) + timedelta(days=1), today


def _read_span(first: str, last: str, today: date) -> _Days | None:
    """Return the days of a span; a year after the last day also applies to the first, if possible."""
    year = _YEAR_LAST.findall(last)
    texts = [*(f"{first}{blank}{one}" for one in year for blank in ("", " ")), first]
    begins = [begin for begin in (_read_period(one, today) for one in texts) if begin]
    end = _read_period(last, today)
    if not begins or end is None:
        return None
    begin = next((one[0] for one in begins if one[0] <= end[1]), begins[-1][0])
    # Each weekday is read as the most recent one, so on a Wednesday, the Monday of "Mon - Fri" must be moved
    # back a week.
    is_week_earlier = begin > end[1] and find_weekday(first) is not None
    return begin - timedelta(days=7 * is_week_earlier), end[1]


def _name(words: str, first: date, last: date, today: date) -> str:
    """Return what people call a period, or "" if it has no such name."""
    if words in {"this week", "last week", "last weekend", "today", "yesterday"}:
        return words
    length = (last - first).days
    if length < 27:
        return ""
    label = f"{first:%B}" if length < 31 else f"Q{_count_quarters(first) % 4 + 1}" if length < 92 else ""
    return " ".join(filter(None, [label, "" if label and first.year == today.year else str(first.year)]))


def _read_period(words: str, today: date) -> _Days | None:
    """Return the first and last day of the day, week, month or year that a string names, or None."""
    monday, month = _find_monday(today), today.replace(day=1)
    saturday = _find_monday(today + timedelta(days=2)) - timedelta(days=2)
    named = {
        "this week": (monday, monday + timedelta(days=6)),
        "last week": (monday - timedelta(days=7), monday - timedelta(days=1)),
        "weekend": (saturday, saturday + timedelta(days=1)),
        "this weekend": (monday + timedelta(days=5), monday + timedelta(days=6)),
        "last weekend": (monday - timedelta(days=2), monday - timedelta(days=1)),
        "this month": _span_month(month),
        "last month": _span_month((month - timedelta(days=1)).replace(day=1)),
        "this quarter": _span_quarter(_count_quarters(today)),
        "last quarter": _span_quarter(_count_quarters(today) - 1),
        "this year": _span_year(today.year),
        "last year": _span_year(today.year - 1),
        "yesterday": (today - timedelta(days=1), today - timedelta(days=1)),
    }
    is_last, name = words.startswith("last "), words.removeprefix("last ").removeprefix("this ")
    if words in named:
        return named[words]
    for pattern, span in _SPANS.items():
        if dated := pattern.fullmatch(name):
            return _find_latest(partial(span, dated[1]), dated[2], today, is_last=is_last)
    if name.startswith("week ") and (week := _read_period(name.removeprefix("week "), today)):
        monday = _find_monday(week[0])
        return (monday, monday + timedelta(days=6)) if week[0] == week[1] else None
    if ago := _DAYS_AGO.fullmatch(words):
        return (today - timedelta(days=int(ago[1])),) * 2
    if iso := _ISO_MONTH.fullmatch(words):
        return _span_month(date(int(iso[1]), int(iso[2]), 1))
    if _YEAR.fullmatch(words):
        return _span_year(int(words))
    day = resolve_past_day(name, today - timedelta(days=is_last))
    return None if day is None else (day, day)


def _find_latest(
    span: Callable[[int], _Days | None], year: str | None, today: date, *, is_last: bool
) -> _Days | None:
    """Return a period's days in the given year or, without one, in the latest year in which it has begun.

    With ``is_last``, the period must also have ended.
    """
    if year is not None:
        return span(int(year))
    every = filter(None, map(span, range(today.year + 1, today.year - 9, -1)))
    return next((days for days in every if days[is_last] <= today - timedelta(days=is_last)), None)


def _find_monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _span_month(first: date) -> _Days:
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _span_year(year: int) -> _Days:
    return date(year, 1, 1), date(year, 12, 31)


def _count_quarters(day: date) -> int:
    return 4 * day.year + (day.month - 1) // 3


def _span_quarter(count: int) -> _Days:
    first = date(count // 4, count % 4 * 3 + 1, 1)
    return first, _span_month(first + timedelta(days=62))[1]


def _span_week(number: str, year: int) -> _Days | None:
    if int(number) > date(year, 12, 28).isocalendar().week:
        return None
    return date.fromisocalendar(year, int(number), 1), date.fromisocalendar(year, int(number), 7)


#: Maps the pattern of each kind of period, such as a quarter, to a function that returns its days in a year.
_SPANS: Final[Mapping[re.Pattern[str], Callable[[str, int], _Days | None]]] = {
    _MONTH: lambda name, year: _span_month(date(year, MONTHS.index(name) + 1, 1)),
    _QUARTER: lambda number, year: _span_quarter(4 * year + int(number) - 1),
    _WEEK: _span_week,
}
