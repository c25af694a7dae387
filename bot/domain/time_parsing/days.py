"""Days as people type them: one day, spans and lists of days ahead, and past periods. Pure functions.

Weeks begin on Monday. A future day without a year is the next one, and a past day or month without a year is
the most recent one that has begun. A period may be named within another: ``Mon-Fri last week``, ``Q3 2025``.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from bot.domain.time_parsing.words import MONTHS, WEEKDAY_NAMES, replace_phrases, spell

DAYS: Final = tuple(name[:3] for name in WEEKDAY_NAMES)
WEEKDAYS: Final = frozenset(DAYS[:5])
WEEKEND: Final = frozenset(DAYS[5:])
EVERY_DAY: Final = frozenset(DAYS)
_AHEAD: Final = {"today": 0, "tonight": 0, "tomorrow": 1, "overmorrow": 2}
_NAMED_DAYS: Final = {
    **dict.fromkeys(("weekday", "weekdays", "workday", "workdays"), WEEKDAYS),
    **dict.fromkeys(("weekend", "weekends"), WEEKEND),
    **dict.fromkeys(("day", "days", "daily", "everyday"), EVERY_DAY),
}
#: Maps short English and German names of weekdays to days. They are understood only at the ends of a span,
#: such as ``m-f`` or ``mo-fr``.
_SHORT: Final = {
    short: day
    for day, also in zip(DAYS, ("m mo", "tu di", "we w mi", "th do", "f fr", "sa", "su so"), strict=True)
    for short in also.split()
}
_ISO_DATE: Final = r"(?!0000)([0-9]{4})-([0-9]{2})-([0-9]{2})"
_NAME: Final = "|".join(f"{name}|{name[:4]}|{name[:3]}" for name in WEEKDAY_NAMES)
_WEEKDAY: Final = rf"(?:(next|week)_)?({_NAME})"
_DATE: Final = (
    rf"(?:the_)?(0?[1-9]|[12][0-9]|3[01])(?:({'|'.join(MONTHS)})|\.([0-9]{{1,2}})\.)?"
    rf"([0-9]{{4}})?(?:_({_NAME}))?"
)
_Days = tuple[date, date]
#: Direction in time: forward (1) or backward (-1).
Step = Literal[1, -1]


# -- one day ---------------------------------------------------------------------------------------------


class Day(NamedTuple):
    """A day as it was typed: a number of days from today, a weekday, or a date.

    A date's weekday may be given, too, and may be wrong. ``side`` is ``next`` or, for *Monday next week*,
    ``week``.
    """

    ahead: int | None = None
    weekday: int | None = None
    side: str = ""
    day: int = 0
    month: int = 0
    year: int = 0

    def resolve(self, today: date) -> tuple[date, ...]:
        """Return the dates that may be meant, nearest first. Only a date with a year may be before ``today``.

        *Next Friday* may mean the coming Friday or the one after it, if the coming Friday is tomorrow or
        later this week. Otherwise, it means the coming Friday.
        """
        if self.day or self.weekday is None:
            found = self.find(today)
            return (found,) if found and (found >= today or self.year) else ()
        next_monday = 7 - today.weekday()
        if self.side == "week":
            return (today + timedelta(days=next_monday + self.weekday),)
        ahead = (self.weekday - today.weekday()) % 7
        coming = today + timedelta(days=ahead or 7 * bool(self.side))
        is_either = bool(self.side) and 0 < ahead < max(next_monday, 2)
        return (coming, coming + timedelta(days=7)) if is_either else (coming,)

    def find(self, today: date, *, step: Step = 1) -> date | None:
        """Return the nearest matching date from ``today`` on or, if ``step`` is -1, up to ``today``.

        A complete date, including its year, may be on either side of ``today``.
        """
        if self.ahead is not None:
            return today + timedelta(days=self.ahead)
        if not self.day:
            return today + timedelta(days=step * (step * ((self.weekday or 0) - today.weekday()) % 7))
        months = [self.month] if self.month else range(1, 13)[::step]
        years = [self.year] if self.year else [today.year + step * count for count in range(9)]
        every = (_to_date(year, month, self.day) for year in years for month in months)
        is_exact = bool(self.year and self.month)
        found = next((one for one in every if one and (is_exact or step * (one - today).days >= 0)), None)
        return found if found and self.weekday in {None, found.weekday()} else None


def parse_day(word: str) -> Day | None:
    """Parse a word for a day: ``tomorrow``, a weekday, a date, or a form that ``spell`` produces."""
    if word in _AHEAD:
        return Day(ahead=_AHEAD[word])
    if found := re.fullmatch(_ISO_DATE, word):
        return Day(year=int(found[1]), month=int(found[2]), day=int(found[3]))
    if found := re.fullmatch(_WEEKDAY, word):
        return Day(weekday=DAYS.index(found[2][:3]), side=found[1] or "")
    found = re.fullmatch(_DATE, word)
    if found is None or not (found[2] or found[3] or word.startswith("the_")):
        return None
    day, name, number, year, weekday = found.groups()
    month = MONTHS.index(name) + 1 if name else int(number or 0)
    return Day(None, DAYS.index(weekday[:3]) if weekday else None, "", int(day), month, int(year or 0))


def is_day(word: str) -> bool:
    """Return whether a word names a day."""
    return parse_day(word) is not None


def resolve_day(word: str, today: date) -> tuple[date, ...]:
    """Return the dates, from ``today`` on, that a word for a day may mean. See ``Day.resolve``."""
    day = parse_day(word)
    return day.resolve(today) if day else ()


def find_weekday(word: str) -> int | None:
    """Return the number of a weekday (Monday is 0), or None if the word isn't simply a weekday."""
    day = parse_day(word)
    return day.weekday if day and not (day.day or day.side) else None


def write_day(word: str) -> str:
    """Return a day in the form in which people write it, such as ``7 dec`` or ``monday next week``."""
    day = parse_day(word)
    if day is None or re.fullmatch(_ISO_DATE, word):
        return word
    name = "" if day.weekday is None else WEEKDAY_NAMES[day.weekday]
    if not day.day:
        side = {"next": f"next {name}", "week": f"{name} next week"}
        return "day after tomorrow" if day.ahead == 2 else side.get(day.side, word)
    if not day.month:
        ending = {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10 if day.day // 10 != 1 else 0, "th")
        return f"{name or 'on'} the {day.day}{ending}"
    return f"{name} {day.day} {MONTHS[day.month - 1]} {day.year or ''}".strip()


def day_of(text: str, today: date) -> date | None:
    """Return the day, from ``today`` on, that a string names. None if it names no day or is ambiguous."""
    words = spell(f"on {text}").split()[1:]
    found = resolve_day(words[0], today) if len(words) == 1 else ()
    return found[0] if len(found) == 1 else None


def _to_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def resolve_instant(day: date, minute: int, zone: tzinfo, after: float = -math.inf) -> float:
    """Return the instant at which clocks in a zone show a given time of day.

    ``minute`` counts from midnight, and may reach into the next day. A time that the clocks skip is moved
    later by the length of the gap. If the clocks show a time twice, the first instant is returned, unless
    only the second is later than ``after``.
    """
    local = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minute)
    first, second = (local.replace(fold=fold).timestamp() for fold in (0, 1))
    return second if first <= after < second else first


# -- weekdays --------------------------------------------------------------------------------------------


def days_of(word: str) -> frozenset[str]:
    """Return the days that a word such as ``weekdays``, ``mon-fri`` or a date names, or an empty set."""
    if word in _NAMED_DAYS:
        return _NAMED_DAYS[word]
    first, dash, last = word.partition("-")
    day = parse_day(word)
    if day is not None and (day.day or day.ahead is not None):
        is_none = word == "tonight" or day.weekday is not None or day.find(date.min) is None
        return frozenset() if is_none else frozenset({word})
    if dash and "-" not in last:
        return span_weekdays(days_of(_SHORT.get(first, first)), days_of(_SHORT.get(last, last)))
    weekday = find_weekday(word.rstrip("s") if len(word) > 4 else word)
    return frozenset() if weekday is None else frozenset({DAYS[weekday]})


def span_weekdays(first: Iterable[str], last: Iterable[str]) -> frozenset[str]:
    """Return all weekdays from ``first`` to ``last``, or none if either isn't exactly one weekday."""
    ends = [*first, *last]
    if len(ends) != 2 or not set(ends) <= EVERY_DAY:
        return frozenset()
    begin, end = map(DAYS.index, ends)
    return frozenset(DAYS[(begin + count) % 7] for count in range((end - begin) % 7 + 1))


# -- periods ---------------------------------------------------------------------------------------------

#: Reasons why a past period that someone typed can't be used: it can't be read, contains a time of day,
#: hasn't begun, ends before it begins, or is older than the records.
WindowProblem = Literal["unreadable", "clock", "future", "backwards", "old"]

#: Maximum length of a typed period, in characters. Longer strings aren't parsed.
_MAX_CHARACTERS: Final = 80
#: Maximum number of days that one command can exclude from a workspace's hours.
_MAX_DAYS: Final = 366
#: How long records of usage are kept, in days. This is a year and a month, so that a month can be compared
#: with the same month a year earlier.
RETENTION_DAYS: Final = 400
_NOISE: Final = frozenset({"in", "on", "during", "of", "the", "die", "my", "over"})
_CLOCK: Final = (
    r"\b(?:[0-9]*(?:hour|minute|h)|[0-9]{1,2}:[0-9]{2}|[0-9.:]+ ?[ap]m|o'clock|at [0-9]+)\b"
    r"|\b(?:morning|noon|lunch|afternoon|evening|tonight|night|midnight|eod)\b"
)
_COMING: Final = r"\b(?:next|coming|tomorrow|overmorrow)(?:\b|_)|\bin [0-9]+ [a-z]+$"
_UNIT: Final = "(day|week|weekend|weekdays|month|quarter|year)"
#: Replacements, in order, that give each kind of period a single spelling. For example, a period counted from
#: today becomes ``1 week ago``.
_PERIODS: Final = (
    (r"^all (?=.)|^for (?![0-9])", ""),
    (r"\bsince\b", "from"),
    (r"\b([0-9]{1,3}) ?d\b", r"\1 day"),
    (r"\b([0-9]{1,3}) ?w\b", r"\1 week"),
    (r"(?<![0-9/])(20[0-9]{2})/([0-9]{2})/([0-9]{2})(?![0-9/])", r"\1-\2-\3"),
    (r"(?<![0-9/])(0[1-9]|1[0-2])/(20[0-9]{2})(?![0-9/])", r"\2-\1"),
    (r"\b([1-4])(?:st|nd|rd|th) quarter\b", r"q\1"),
    (r"\b(?:week|w) (?=[0-9]{1,2}\b)", "w"),
    (r"\bweek (?:from|beginning|commencing|ending)\b", "week"),
    (r"\b(20[0-9]{2})[- ]?([wq][0-9]{1,2})\b", r"\2 \1"),
    # In `1nov - 15`, the month applies to both days.
    (r"\b([0-9]{1,2})([a-z]{3})( ?- ?| to )([0-9]{1,2})(?: (20[0-9]{2}))?$", r"\1\2 - \4\2\5"),
    (r"\bup to\b|\.\.|(?<=\.)-|(?<=[a-z0-9])-(?=[a-z])|(?<=[a-z])-(?=[0-9])", " - "),
    (r" ?\b(?:so far|to date)\b ?", ""),
    (r"^(?=(?:week|month|quarter|year)$)", "this "),
    (r"\bthis last\b", "last"),
    (r"\bday before yesterday\b", "2 day ago"),
    (r"\btoday\b", "0 day ago"),
    (r"\byesterday\b", "1 day ago"),
    (rf"\bnext {_UNIT}\b", r"-1 \1 ago"),
    (rf"\b(?:this|rest|coming) {_UNIT}\b", r"0 \1 ago"),
    (rf"\b{_UNIT} before last\b", r"2 \1 ago"),
    (rf"\blast {_UNIT}\b", r"1 \1 ago"),
    (rf"(?<![0-9] )\b(?={_UNIT} ago\b)", "1 "),
    (rf"\bbefore ([0-9]+ {_UNIT})\b", r"\1 ago"),
    ("^between (.+?) and ", r"from \1 to "),
    (" +", " "),
)
#: Replacements that are made only in past periods, where ``1.11`` is a date.
_PAST: Final = (
    (r"\bpast\b", "last"),
    (r"\bnow\b", "today"),
    (r"\bfor ", ""),
    (r"(?<![0-9.])([0-9]{1,2}\.(?:0?[1-9]|1[0-2]))\b(?!\.?[0-9])\.?", r"\1."),
)
#: Matches the word between the first and the last day of a span.
_JOINT: Final = " (?:to|until|till|through|thru|-) | (?=for )"
#: Maps each unit longer than a week to its number of months.
_MONTHS_OF: Final = {"month": 1, "quarter": 3, "year": 12}
#: Maps a week, and each part of it, to its first and last weekday. Monday is 0.
_DAYS_OF: Final = {"week": (0, 6), "weekend": (5, 6), "weekdays": (0, 4)}


def _span_unit(day: date, unit: str, ago: int = 0) -> _Days:
    """Return the first and last day of the week, month or other unit that contains ``day``.

    With ``ago``, go back that many units.
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


def _count(today: date, step: Step, count: str, unit: str) -> _Days:
    """Return a number of days, weeks, months, quarters or years that begin or, looking back, end today."""
    if months := _MONTHS_OF.get(unit):
        first, last = _span_unit(today, "month", -step * int(count) * months)
        if step > 0:
            return today, min(first + timedelta(days=today.day - 2), last)
        return min(first + timedelta(days=today.day), last + timedelta(days=1)), today
    other = today + step * timedelta(days=int(count) * (1 if unit == "day" else 7) - 1)
    return min(today, other), max(today, other)


_WEEK: Final = "w(0?[1-9]|[1-4][0-9]|5[0-3])"
#: Patterns for periods that are counted from today or contain a year. Each maps to a function that returns
#: the period's days, given ``today``, the direction, and the parts that the pattern matched.
_FORMS: Final[dict[str, Callable[..., _Days]]] = {
    f"(-?[0-9]{{1,3}}) {_UNIT} ago": lambda today, _, count, unit: _span_unit(today, unit, int(count)),
    "(?:for |last )?([1-9][0-9]{0,2}) (day|week|month|quarter|year)": _count,
    f"{_WEEK} (20[0-9]{{2}})": lambda _, __, week, year: _span_unit(
        date.fromisocalendar(int(year), int(week), 1), "week"
    ),
    "(20[0-9]{2})": lambda _, __, year: _span_unit(date(int(year), 1, 1), "year"),
    "([0-9]{4})-([0-9]{2})": lambda _, __, year, month: _span_unit(date(int(year), int(month), 1), "month"),
}
#: Patterns for names of recurring periods, such as *September* or *Q3*. Each maps to the unit of the period,
#: and to a function that says whether the unit that begins on a given day has the matched name.
_NAMED: Final[dict[str, tuple[str, Callable[[date, str], bool]]]] = {
    "(weekend)": ("weekend", lambda *_: True),
    "(weekdays)": ("weekdays", lambda *_: True),
    f"({'|'.join(MONTHS)})": ("month", lambda first, name: MONTHS[first.month - 1] == name),
    "q([1-4])": ("quarter", lambda first, number: first.month == 3 * int(number) - 2),
    _WEEK: ("week", lambda first, number: first.isocalendar().week == int(number)),
}
#: Maximum number of periods to check when looking for the nearest one with a given name.
_MAX_UNITS: Final = 480
_HALF_YEAR_DAYS: Final = 183
#: Maps periods counted from today to the names that people use for them.
_NAMES: Final = {
    "0 week ago": "this week",
    "1 week ago": "last week",
    "1 weekend ago": "last weekend",
    "0 day ago": "today",
    "1 day ago": "yesterday",
}


class Window(NamedTuple):
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
    """Return the window from the day ``first`` to the day ``last`` in a time zone."""
    after = last + timedelta(days=1)
    return Window(first, last, resolve_instant(first, 0, zone), resolve_instant(after, 0, zone), name)


def find_week(at: float, zone: ZoneInfo, *, ago: int = 0) -> Window:
    """Return the week that contains a given time in a zone, or the week ``ago`` weeks earlier."""
    days = _span_unit(datetime.fromtimestamp(at, zone).date(), "week", ago)
    return make_window(*days, zone, _NAMES.get(f"{ago} week ago", ""))


def read_window(text: str, zone: ZoneInfo, now: float) -> Window | WindowProblem:
    """Parse the name of a past period into a window, or return what is wrong with it. "" means this week."""
    today = datetime.fromtimestamp(now, zone).date()
    if len(text) > _MAX_CHARACTERS:
        return "unreadable"
    spelt = replace_phrases(spell(text), _PAST)
    if re.search(_COMING, f"{text} {spelt}".casefold()):
        return "future"
    words = _rewrite(spelt) or "0 week ago"
    try:
        spans = [_read_span(one, today, -1) for one in words.split(" and ")]
        if None in spans:
            return "clock" if re.search(_CLOCK, words) else "unreadable"
        found = sorted(span for span in spans if span)
        # "Monday and Friday" isn't a single period, because there are other days in between.
        has_gap = any(then[0] > before[1] + timedelta(days=1) for before, then in pairwise(found))
        first, last = found[0][0], max(end for _, end in found)
        if has_gap or first > today or first > last:
            return "unreadable" if has_gap else "future" if first > today else "backwards"
        is_old = last < today - timedelta(days=RETENTION_DAYS)
        return "old" if is_old else make_window(first, last, zone, _name(words, (first, last), today))
    except (ValueError, OverflowError):  # No such month or year.
        return "unreadable"


def _name(words: str, days: _Days, today: date) -> str:
    """Return the common name of a period, or "" if it has none."""
    if words in _NAMES:
        return _NAMES[words]
    labels = {"month": f"{days[0]:%B}", "quarter": f"Q{(days[0].month + 2) // 3}", "year": ""}
    label = next((label for unit, label in labels.items() if days == _span_unit(days[0], unit)), None)
    is_told = label and days[0].year == today.year
    return "" if label is None else label if is_told else f"{label} {days[0].year}".strip()


def read_spans(text: str, today: date) -> tuple[_Days, ...]:
    """Parse a string that names days ahead into spans, each a pair of first and last day.

    The string may be a single day, a list (``today and tomorrow``), a span (``from 21 dec to 4 jan``), a
    duration that begins today (``for a week``), or every day before a given day (``until monday``).
    """
    words = _rewrite(spell(f"on {re.sub(r',(?! ?[0-9]{4}(?!-))', ' and ', text)}"))
    listed = [one for one in re.split(r" ?(?:\band\b|&) ?", words) if one]
    try:
        found = [span for one in listed if (span := _read_span(one, today, 1)) and span[0] <= span[1]]
    except (ValueError, OverflowError):  # No such month, or after the year 9999.
        return ()
    return tuple(sorted(found)) if len(found) == len(listed) else ()


def read_pause(verb: str, text: str, today: date) -> tuple[_Days, ...]:
    """Return the days that *skip* or *pause* leaves out. *Pause Monday* means the days until Monday."""
    is_until = verb == "pause" and day_of(text, today) is not None and spell(text) != "today"
    return read_spans(f"until {text}" if is_until else text, today)


def list_days(spans: Sequence[_Days]) -> tuple[date, ...]:
    """Return all days of the spans, in order, or none if they add up to more than a year."""
    if sum((last - first).days + 1 for first, last in spans) > _MAX_DAYS:
        return ()
    every = {first + timedelta(days=more) for first, last in spans for more in range((last - first).days + 1)}
    return tuple(sorted(every))


def _rewrite(spelt: str) -> str:
    """Drop filler words from the result of ``spell``, and rewrite each period in its standard form."""
    return replace_phrases(" ".join(word for word in spelt.split() if word not in _NOISE), _PERIODS).strip()


def _read_span(words: str, today: date, step: Step) -> _Days | None:
    """Return the first and last day of a period or span, or None if the words don't name one."""
    if len(words) > _MAX_CHARACTERS:
        return None
    lead, _, rest = words.partition(" ")
    if lead in {"until", "till"} and step > 0 and (found := _read_period(rest, today, step)):
        # On a Friday, "until Friday" means Friday of the next week.
        is_again = found[0] == today and find_weekday(rest) is not None
        return today, found[0] + timedelta(days=6 if is_again else -1 if found[0] > today else 0)
    rest = rest if lead == "from" else words
    if found := _read_period(rest, today, step):
        # If the words are about the past, "from Monday" means all days from Monday up to today.
        return found if rest == words or re.search(_JOINT, rest) else (found[0], today) if step < 0 else None
    joint = re.search(_JOINT, rest)
    if joint is None:
        return None
    first, last = rest[: joint.start()], rest[joint.end() :]
    begin = _read_period(first, today, step)
    end = begin and _read_period(last, begin[0] if step > 0 else today, step)
    if begin is None or end is None:
        return None
    if begin[0] > end[1] and (earlier := _read_name(first, end[1], step)):
        # On a Wednesday, the Monday in "Mon - Fri" is the one in the week of that Friday.
        is_one_span = earlier[0].year == end[1].year or (end[1] - earlier[0]).days < _HALF_YEAR_DAYS
        begin = earlier if is_one_span else begin
    return begin[0], end[1]


def _read_period(words: str, today: date, step: Step) -> _Days | None:
    """Return the days of a period. It may be named within another period, as in ``Monday last week``."""
    if found := _read_one(words, today, step):
        # If the words are about the future, "this week" means the rest of this week, beginning today.
        return (max(found[0], today), found[1]) if step > 0 and found[1] >= today else found
    parts = words.split()
    for at in range(1, len(parts)):
        halves = " ".join(parts[:at]), " ".join(parts[at:])
        for outer, inner in (halves, halves[::-1]):
            limits = _read_one(outer, today, step)
            found = _read_names(inner, limits[1]) if limits else None
            if limits and found and found[0] >= limits[0]:
                before = _read_names(inner, found[0] - timedelta(days=1))
                # "Monday last month" is ambiguous, because a month has several Mondays.
                return None if before and before[0] >= limits[0] else found
    return None


def _read_one(words: str, today: date, step: Step) -> _Days | None:
    """Return the days of one period: one counted from today, one with a year, or one that has a name."""
    for pattern, list_period in _FORMS.items():
        if found := re.fullmatch(pattern, words):
            return list_period(today, step, *found.groups())
    return _read_name(words, today, step)


def _read_names(words: str, today: date) -> _Days | None:
    """Return the days that a name, or a span from one name to another, means at or before ``today``."""
    first, *last = re.split(_JOINT, words, maxsplit=1)
    end = _read_name("".join(last) or first, today, -1)
    begin = _read_name(first, end[1], -1) if end and last else end
    return (begin[0], end[1]) if begin and end else None


def _read_name(words: str, today: date, step: Step) -> _Days | None:
    """Return the days of the nearest period with this name.

    If the words are about the past, *last* rules out a period that isn't over yet.
    """
    is_last, name = words.startswith("last "), words.removeprefix("last ").removeprefix("this ")
    by = today - timedelta(days=is_last)
    for pattern, (unit, fits) in _NAMED.items():
        if found := re.fullmatch(pattern, name):
            every = (_span_unit(by, unit, -step * count) for count in range(_MAX_UNITS))
            side = 1 if step > 0 or is_last else 0  # The last day of a period ahead, or of one that is over.
            named = (days for days in every if step * (days[side] - by).days >= 0 and fits(days[0], found[1]))
            return next(named, None)
    unit, _, word = name.rpartition(" ")
    day = parse_day(word)
    if day is None or unit not in {"", "week"} or (step < 0 and word == "tonight"):
        return None
    dates = day.resolve(by) if step > 0 else (day.find(by, step=-1),)
    return _span_unit(dates[0], unit or "day") if len(dates) == 1 and dates[0] else None
