"""Past periods as people type them: ``last week``, ``September``, ``since 3 Nov``. Pure functions.

Weeks begin on Monday. A day or month without a year is the most recent one that has begun. A period may be
named within another: ``Mon-Fri last week``, ``Q3 2025``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from bot.domain.time_parsing.days import find_day
from bot.domain.time_parsing.moment import resolve_instant
from bot.domain.time_parsing.spelling import MONTHS, fold_signs, spell

#: Reasons why a past period that someone typed can't be used. It can't be read, contains a time of day,
#: hasn't begun, ends before it begins, or is older than the records.
WindowProblem = Literal["unreadable", "clock", "future", "backwards", "old"]

_MAX_CHARACTERS: Final = 60
#: How long records of usage are kept, in days. This is a year and a month, so that a month can be compared
#: with the same month a year earlier.
RETENTION_DAYS: Final = 400
#: Maps other spellings to the usual ones. They are accepted only where a past period is expected.
_SPELT: Final = {
    **dict.fromkeys(("letzte", "letzten", "letzter", "letztes", "vorige", "previous", "past"), "last"),
    **dict.fromkeys(("current", "diesen", "dieser", "dieses"), "this"),
    **dict.fromkeys(("since", "seit", "starting"), "from"),
    **dict.fromkeys(("monat", "monaten", "months"), "month"),
    **dict.fromkeys(("jahr", "jahren", "years"), "year"),
    **dict.fromkeys(("quartal", "quarters"), "quarter"),
    **dict.fromkeys(("kw", "weeks"), "week"),
    "days": "day",
    "prior": "last",
    "gestern": "yesterday",
    "now": "today",
}
_NOISE: Final = frozenset({"in", "for", "on", "during", "of", "the", "die", "my", "over"})
_COMING: Final = re.compile(r"next|coming|tomorrow|overmorrow|in [0-9]{1,3} [a-z]+")
_CLOCK: Final = re.compile(
    r"\b(?:[0-9]*(?:hours?|minutes?|h)|[0-9]{1,2}:[0-9]{2}|[0-9.:]+ ?[ap]m|o'clock|at [0-9]+)\b"
    r"|\b(?:morning|noon|lunch|afternoon|evening|tonight|night|midnight|eod)\b"
)
_UNIT: Final = "(day|week|weekend|weekdays|month|quarter|year)"
#: Replacements that give each period a single spelling. They are applied in this order. A period counted from
#: today becomes ``1 week ago``, for example.
_REWRITTEN: Final = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (r"\b(day|week|weekend)s\b", r"\1"),
        (r"\b([0-9]{1,3}) ?d\b", r"\1 day"),
        (r"\b([0-9]{1,3}) ?w\b", r"\1 week"),
        (r"(?<![0-9/])(20[0-9]{2})/([0-9]{2})/([0-9]{2})(?![0-9/])", r"\1-\2-\3"),
        (r"(?<![0-9/])(0[1-9]|1[0-2])/(20[0-9]{2})(?![0-9/])", r"\2-\1"),
        (r"(?<![0-9.])([0-9]{1,2}\.(?:0?[1-9]|1[0-2]))\b(?!\.?[0-9])\.?", r"\1."),
        (r"\b([1-4])(?:st|nd|rd|th) quarter\b", r"q\1"),
        (r"\b(?:week|w) (?=[0-9]{1,2}\b)", "w"),
        (r"\bweek (?:from|beginning|commencing|ending)\b", "week"),
        (r"\b(20[0-9]{2})[- ]?([wq][0-9]{1,2})\b", r"\2 \1"),
        # In `1nov - 15`, both days are in November.
        (r"\b([0-9]{1,2})([a-z]{3})( ?- ?| to )([0-9]{1,2})(?: (20[0-9]{2}))?$", r"\1\2 - \4\2\5"),
        # `17nov_tuesday` is the Tuesday within that day.
        (r"(\S*[0-9]\S*)_([a-z]+)", r"\2 \1"),
        (r"\bup to\b|\.\.|(?<=\.)-", " - "),
        (r" ?\b(?:so far|to date)\b ?", ""),
        (r"^$", "week"),
        (r"^(?=(?:week|month|quarter|year)$)", "this "),
        (r"\bthis last\b", "last"),
        (r"\bday before yesterday\b", "2 day ago"),
        (r"\btoday\b", "0 day ago"),
        (r"\byesterday\b", "1 day ago"),
        (rf"\bthis {_UNIT}\b", r"0 \1 ago"),
        (rf"\b{_UNIT} before last\b", r"2 \1 ago"),
        (rf"\blast {_UNIT}\b", r"1 \1 ago"),
        (rf"(?<![0-9] )\b(?={_UNIT} ago\b)", "1 "),
        (rf"\bbefore ([0-9]+ {_UNIT})\b", r"\1 ago"),
        (" +", " "),
    )
)
#: The names of periods counted from today, as people use them.
_NAMES: Final = {
    "0 week ago": "this week",
    "1 week ago": "last week",
    "1 weekend ago": "last weekend",
    "0 day ago": "today",
    "1 day ago": "yesterday",
}
_AGO: Final = re.compile(rf"([0-9]{{1,3}}) {_UNIT} ago")
_LATEST: Final = re.compile(r"(?:last )?([1-9][0-9]{0,2}) (day|week|month|quarter|year)")
_NUMBERED_WEEK: Final = "w(0?[1-9]|[1-4][0-9]|5[0-3])"
_YEAR: Final = re.compile(rf"(?:{_NUMBERED_WEEK} )?(20[0-9]{{2}})|([0-9]{{4}})-([0-9]{{2}})")
#: Maps patterns for recurring names, such as the names of months, to two values. The first is the unit that
#: the names stand for. The second is a function that tests whether a unit that begins on the given day has
#: the given name.
_NAMED: Final[dict[str, tuple[str, Callable[[date, str], bool]]]] = {
    "(weekend)": ("weekend", lambda *_: True),
    "(weekdays)": ("weekdays", lambda *_: True),
    f"({'|'.join(MONTHS)})": ("month", lambda first, name: MONTHS[first.month - 1] == name),
    "q([1-4])": ("quarter", lambda first, number: first.month == 3 * int(number) - 2),
    _NUMBERED_WEEK: ("week", lambda first, number: first.isocalendar().week == int(number)),
}
#: Matches the word between the first and the last day of a span, or the dash between two names.
_SPAN: Final = re.compile(r"\s(?:to|until|till|through|and|-)\s|(?<=[a-z0-9])-(?=[a-z])")
#: Maps each longer unit to its number of months. ``_DAYS_OF`` maps each shorter unit to its first and last
#: day of the week.
_MONTHS_OF: Final = {"month": 1, "quarter": 3, "year": 12}
_DAYS_OF: Final = {"week": (0, 6), "weekend": (5, 6), "weekdays": (0, 4)}
#: To find the latest unit with a given name, such as a month, at most this many units are searched backwards.
_MOST_AGO: Final = 480
_HALF_YEAR_DAYS: Final = 183

_Days = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Window:
    """A period from the day ``first`` to the day ``last`` in a time zone.

    ``since`` and ``until`` are its bounds in epoch seconds. ``name`` is its common name, such as *last week*,
    or "" if its dates describe it best.
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
    """Return the window that extends from a first to a last day in a time zone."""
    after = last + timedelta(days=1)
    return Window(first, last, resolve_instant(first, 0, zone), resolve_instant(after, 0, zone), name)


def find_week(at: float, zone: ZoneInfo, *, ago: int = 0) -> Window:
    """Return the week that contains a given time in a zone.

    With ``ago``, return the week that many weeks earlier.
    """
    names = ("this week", "last week")
    days = _span_unit(datetime.fromtimestamp(at, zone).date(), "week", ago)
    return make_window(*days, zone, names[ago] if ago < len(names) else "")


def read_window(text: str, zone: ZoneInfo, now: float) -> Window | WindowProblem:
    """Return the window that a string names, or what is wrong with it. An empty string means this week."""
    if len(text) > _MAX_CHARACTERS:
        return "unreadable"
    today = datetime.fromtimestamp(now, zone).date()
    plain = [_SPELT.get(word.strip(",;!?"), word) for word in fold_signs(text).casefold().split()]
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
        first, last = found
        if first > today:
            return "future"
        if first > last:
            return "backwards"
        is_old = last < today - timedelta(days=RETENTION_DAYS)
        return "old" if is_old else make_window(first, last, zone, _name(words, found, today))
    except (ValueError, OverflowError):  # No such month or year.
        return "unreadable"


def _read(words: str, today: date) -> _Days | None:
    """Return the days that a string means, or None if it can't be read."""
    lead, _, rest = words.partition(" ")
    if lead not in {"from", "between"}:
        lead, rest = "", words
    first, joint, last = _split_span(rest)
    if (found := _read_period(rest, today)) is not None:
        # Without an end, "between" is unreadable, while "from" means all days up to today.
        return found if joint else {"": found, "from": (found[0], today)}.get(lead)
    begin, end = _read_period(first, today), _read_period(last, today)
    if begin is None or end is None:
        return None
    if begin[0] > end[1] and (earlier := _read_name(first, end[1])):
        # On a Wednesday, the Monday of "Mon - Fri" is that of last week.
        is_one_span = earlier[0].year == end[1].year or (end[1] - earlier[0]).days < _HALF_YEAR_DAYS
        begin = earlier if is_one_span else begin
    # "Monday and Friday" isn't a period.
    has_gap = joint == " and " and lead != "between" and begin[1] + timedelta(days=1) != end[0]
    return None if has_gap else (begin[0], end[1])


def _split_span(words: str) -> tuple[str, str, str]:
    """Return the beginning of a span, its joining word, and its end.

    If the words aren't a span, all are "".
    """
    found = _SPAN.search(words)
    return (words[: found.start()], found[0], words[found.end() :]) if found else ("", "", "")


def _name(words: str, days: _Days, today: date) -> str:
    """Return the common name of a period, or "" if it has none."""
    if words in _NAMES:
        return _NAMES[words]
    labels = {"month": f"{days[0]:%B}", "quarter": f"Q{(days[0].month + 2) // 3}", "year": ""}
    label = next((label for unit, label in labels.items() if days == _span_unit(days[0], unit)), None)
    is_told = label and days[0].year == today.year
    return "" if label is None else label if is_told else f"{label} {days[0].year}".strip()


def _read_period(words: str, today: date) -> _Days | None:
    """Return the days of a period. It may be named within another one.

    Examples are ``Sep - Oct 2025`` and ``Monday last week``.
    """
    if found := _read_one(words, today):
        return found
    parts = words.split()
    for at in range(1, len(parts)):
        halves = " ".join(parts[:at]), " ".join(parts[at:])
        for outer, inner in (halves, halves[::-1]):
            limits = _read_one(outer, today)
            found = _read_names(inner, limits[1]) if limits else None
            if limits and found and found[0] >= limits[0]:
                before = _read_names(inner, found[0] - timedelta(days=1))
                # "Monday last month" may be any of four days.
                return None if before and before[0] >= limits[0] else found
    return None


def _read_one(words: str, today: date) -> _Days | None:
    """Return the days of a period that is counted from today, includes a year, or has a name."""
    if ago := _AGO.fullmatch(words):
        return _span_unit(today, ago[2], int(ago[1]))
    if latest := _LATEST.fullmatch(words):
        return _count_back(today, int(latest[1]), latest[2])
    if (dated := _YEAR.fullmatch(words)) is None:
        return _read_name(words, today)
    week, year, month = dated[1], int(dated[2] or dated[3]), dated[4]
    if week:
        return _span_unit(date.fromisocalendar(year, int(week), 1), "week")
    return _span_unit(date(year, int(month or 1), 1), "month" if month else "year")


def _read_names(words: str, today: date) -> _Days | None:
    """Return the days that a name means, or all days from one name to another. See ``_read_name``."""
    first, _, last = _split_span(words)
    end = _read_name(last or words, today)
    begin = _read_name(first, end[1]) if end and last else end
    return (begin[0], end[1]) if begin and end else None


def _read_name(words: str, today: date) -> _Days | None:
    """Return the days of the latest period with this name.

    It must have begun or, with *last*, be over.
    """
    is_last, name = words.startswith("last "), words.removeprefix("last ").removeprefix("this ")
    by = today - timedelta(days=is_last)
    for pattern, (unit, fits) in _NAMED.items():
        if found := re.fullmatch(pattern, name):
            every = (_span_unit(by, unit, ago) for ago in range(_MOST_AGO))
            return next((days for days in every if days[is_last] <= by and fits(days[0], found[1])), None)
    day = find_day(name.removeprefix("week "), by, step=-1)
    return None if day is None else _span_unit(day, "week" if name.startswith("week ") else "day")


def _span_unit(day: date, unit: str, ago: int = 0) -> _Days:
    """Return the first and last day of a unit, such as a month. The unit is the one that contains ``day``.

    With ``ago``, it is the one that many units earlier.
    """
    if months := _MONTHS_OF.get(unit):
        count = (12 * day.year + day.month - 1) // months - ago
        first, after = (date(one // 12, one % 12 + 1, 1) for one in (count * months, (count + 1) * months))
        return first, after - timedelta(days=1)
    if unit == "day":
        return (day - timedelta(days=ago),) * 2
    monday = day - timedelta(days=day.weekday() + 7 * ago)
    begin, end = _DAYS_OF[unit]
    return monday + timedelta(days=begin), monday + timedelta(days=end)


def _count_back(today: date, count: int, unit: str) -> _Days:
    """Return the last ``count`` days, weeks, months, quarters or years, up to today."""
    if months := _MONTHS_OF.get(unit):
        first, last = _span_unit(today, "month", count * months)
        return min(first + timedelta(days=today.day), last + timedelta(days=1)), today
    return today - timedelta(days=count * (1 if unit == "day" else 7) - 1), today
