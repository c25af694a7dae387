"""Days as people write them: single days, weekdays, spans and lists. Pure functions."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final, Literal

from bot.domain.time_parsing.spelling import MONTHS, WEEKDAY_NAMES, spell

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAYS: Final = frozenset(DAYS[:5])
WEEKEND: Final = frozenset(DAYS[5:])
EVERY_DAY: Final = frozenset(DAYS)
_DAYS_AHEAD: Final = {"today": 0, "tonight": 0, "tomorrow": 1, "overmorrow": 2}

_NAMED_DAYS: Final = {
    **dict.fromkeys(("weekday", "weekdays", "workday", "workdays"), WEEKDAYS),
    **dict.fromkeys(("weekend", "weekends"), WEEKEND),
    **dict.fromkeys(("day", "days", "daily", "everyday"), EVERY_DAY),
}
#: Short English and German forms of weekdays, which may stand at either end of a span: ``m-f``, ``mo-fr``.
_SHORT: Final = {
    **dict.fromkeys(("m", "mo"), "mon"),
    **dict.fromkeys(("tu", "di"), "tue"),
    **dict.fromkeys(("we", "w", "mi"), "wed"),
    **dict.fromkeys(("th", "do"), "thu"),
    **dict.fromkeys(("f", "fr"), "fri"),
    "sa": "sat",
    **dict.fromkeys(("su", "so"), "sun"),
}
_ISO_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATED: Final = re.compile(
    rf"(?:the_)?([0-9]{{1,2}})(?:({'|'.join(MONTHS)})|\.([0-9]{{1,2}})\.)?([0-9]{{4}})?"
)
_MAX_DAY_CHARACTERS: Final = 40
_ON_WEEKDAY: Final = re.compile(r"(\S*[0-9]\S*)_([a-z]+)")
_SPAN_WORDS: Final = frozenset({"to", "-", "until", "till", "through", "thru"})
_NOISE: Final = frozenset({"on", "the", "over", "during", "all", "of"})
_LENGTH_OF_DAYS: Final = re.compile(r"(?:for )?(?:the )?([0-9]{1,3}) (days?|weeks?)")
_MAX_DAYS: Final = 366

DaySpan = tuple[date, date]


# -- one day ---------------------------------------------------------------------------------------------


def is_day(word: str) -> bool:
    """Return whether a word names a day.

    It may be ``tomorrow``, a weekday, a date, or one of the forms that ``spelling`` produces.
    """
    if len(word) > _MAX_DAY_CHARACTERS:
        return False
    if word in _DAYS_AHEAD or find_weekday(word) is not None:
        return True
    if dated := _ON_WEEKDAY.fullmatch(word):
        word = dated[1]
    side, is_marked, name = word.partition("_")
    is_week = side in {"next", "week"} and bool(is_marked) and find_weekday(name) is not None
    return is_week or bool(_ISO_DATE.fullmatch(word) or _match_date(word))


def find_weekday(word: str) -> int | None:
    """Return the number of a weekday (Monday is 0), or None if the word doesn't name one.

    The word is the weekday's name, or the first three or four letters of it.
    """
    is_long = len(word) in {3, 4}
    return next(
        (at for at, day in enumerate(WEEKDAY_NAMES) if word == day or (is_long and day.startswith(word))),
        None,
    )


def resolve_day(word: str, today: date) -> tuple[date, ...]:
    """Return the dates, from ``today`` on, that a word for a day may mean. The nearest one comes first.

    *Next Friday* may mean the coming Friday, if it is in this week or tomorrow, or the Friday a week later.
    """
    if on_weekday := _ON_WEEKDAY.fullmatch(word):
        return tuple(
            day for day in resolve_day(on_weekday[1], today) if day.weekday() == find_weekday(on_weekday[2])
        )
    if word in _DAYS_AHEAD:
        return (today + timedelta(days=_DAYS_AHEAD[word]),)
    if found := find_day(word, today):
        return (found,) if found >= today or _ISO_DATE.fullmatch(word) else ()
    side, _, name = word.rpartition("_")
    weekday = find_weekday(name)
    if weekday is None:
        return ()
    ahead, next_monday = (weekday - today.weekday()) % 7, 7 - today.weekday()
    if side == "week":
        return (today + timedelta(days=next_monday + weekday),)
    coming = today + timedelta(days=ahead or 7 * bool(side))
    is_either = bool(side) and 0 < ahead < max(next_monday, 2)
    return (coming, coming + timedelta(days=7)) if is_either else (coming,)


def find_day(word: str, today: date, *, step: Literal[1, -1] = 1) -> date | None:
    """Return the nearest day that a weekday or date may mean, or None.

    The search goes forward from ``today`` or, if ``step`` is -1, backward. A date that includes a year means
    exactly that day.
    """
    if (weekday := find_weekday(word)) is not None:
        return today + timedelta(days=step * (step * (weekday - today.weekday()) % 7))
    if _ISO_DATE.fullmatch(word):
        return _to_date(*map(int, word.split("-")))
    if (dated := _match_date(word)) is None:
        return None
    month, year = MONTHS.index(dated[2]) + 1 if dated[2] else int(dated[3] or 0), int(dated[4] or 0)
    months = [month] if month else range(1, 13)[::step]
    years = [year] if year else [today.year + step * count for count in range(9)]
    every = (_to_date(one, other, int(dated[1])) for one in years for other in months)
    is_ahead = bool(year and month)
    return next((one for one in every if one and (is_ahead or step * (one - today).days >= 0)), None)


def has_date(word: str, today: date) -> bool:
    """Return whether the date in a word such as ``7dec_monday`` exists. Its weekday may be wrong."""
    on_weekday = _ON_WEEKDAY.fullmatch(word)
    return on_weekday is not None and bool(resolve_day(on_weekday[1], today))


def write_day(word: str) -> str:
    """Return a word for a day as people would write it, such as ``7 dec`` or ``next monday``."""
    if on_weekday := _ON_WEEKDAY.fullmatch(word):
        return f"{on_weekday[2]} {write_day(on_weekday[1]).removeprefix('on ')}"
    side, is_marked, name = word.partition("_")
    if is_marked:
        ending = {"1": "st", "2": "nd", "3": "rd"}.get(name[-1], "th") if name[:-1] != "1" else "th"
        return {"the": f"on the {name}{ending}", "week": f"{name} next week"}.get(side, f"{side} {name}")
    word = "day after tomorrow" if word == "overmorrow" else word
    if (dated := _match_date(word)) is None:
        return word
    return " ".join(filter(None, (dated[1], dated[2] or MONTHS[int(dated[3]) - 1], dated[4])))


def day_of(text: str, today: date) -> date | None:
    """Return the day, from ``today`` on, that a string names.

    Return None if it names none, or if it may mean two different days.
    """
    words = spell(f"on {text}").split()[1:]
    if len(words) != 1:
        return None
    found = resolve_day(words[0], today)
    is_past = not _ISO_DATE.fullmatch(text.strip()) and any(day < today for day in found)
    return found[0] if len(found) == 1 and not is_past else None


def _match_date(word: str) -> re.Match[str] | None:
    """Match a date written as one word: day, month (a name or a number) and year."""
    is_date = word.startswith("the_") or not word.isdecimal()
    return _DATED.fullmatch(word) if is_date else None


def _to_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


# -- days of a week --------------------------------------------------------------------------------------


def days_of(word: str) -> frozenset[str]:
    """Return the days that a word such as ``weekdays``, ``mon-fri`` or a date names.

    If it names none, return an empty set.
    """
    if word in _NAMED_DAYS:
        return _NAMED_DAYS[word]
    is_iso = _ISO_DATE.fullmatch(word) is not None and bool(resolve_day(word, date.min))
    if is_iso or _match_date(word) or (word in _DAYS_AHEAD and word != "tonight"):
        return frozenset({word})
    first, dash, last = word.partition("-")
    if dash:
        if not (first and last) or "-" in last:
            return frozenset()
        return span_weekdays(*(days_of(_SHORT.get(one, one)) for one in (first, last)))
    number = find_weekday(word.rstrip("s") if len(word) > 4 else word)
    return frozenset() if number is None else frozenset({DAYS[number]})


def span_weekdays(first: Iterable[str], last: Iterable[str]) -> frozenset[str]:
    """Return all weekdays from one to another. If either end isn't exactly one weekday, return none."""
    ends = [*first, *last]
    if len(ends) != 2 or not set(ends) <= EVERY_DAY:
        return frozenset()
    begin, end = map(DAYS.index, ends)
    return frozenset(DAYS[(begin + count) % 7] for count in range((end - begin) % 7 + 1))


# -- several days ----------------------------------------------------------------------------------------


def list_days(spans: Sequence[DaySpan]) -> tuple[date, ...]:
    """Return all days of the spans, in order. If they add up to more than a year, return none."""
    if sum((last - first).days + 1 for first, last in spans) > _MAX_DAYS:
        return ()
    return tuple(
        first + timedelta(days=more) for first, last in spans for more in range((last - first).days + 1)
    )


def read_spans(text: str, today: date) -> tuple[DaySpan, ...]:
    """Parse a string that names days into spans, each a pair of first and last day.

    The string may be a single day, a list (``today and tomorrow``), a span (``from 21 dec to 4 jan``), a
    duration that begins today (``for a week``), or every day before a given day (``until monday``).
    """
    plain = spell(f"on {re.sub(r',(?! ?[0-9]{4})', ' and ', text)}").removeprefix("on ").replace("-", " - ")
    plain = re.sub(r"([0-9]{4}) - ([0-9]{2}) - ([0-9]{2})", r"\1-\2-\3", plain)
    listed = _split_list([word for word in plain.split() if word not in _NOISE])
    try:
        spans = [_read_span(one.split(), today) for one in listed]
    except OverflowError:  # After the year 9999.
        return ()
    found = sorted(one for one in spans if one is not None and one[0] <= one[1])
    return tuple(_join_spans(found)) if len(found) == len(listed) else ()


def _join_spans(spans: Sequence[DaySpan]) -> list[DaySpan]:
    """Merge spans that overlap or directly follow each other. They must be in order."""
    joined = list[DaySpan]()
    for first, last in spans:
        if joined and first <= joined[-1][1] + timedelta(days=1):
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def read_pause(verb: str, text: str, today: date) -> tuple[DaySpan, ...]:
    """Return the days that *skip* or *pause* leaves out. *Pause Monday* means "pause until Monday"."""
    is_until = verb == "pause" and day_of(text, today) is not None and spell(text) != "today"
    return read_spans(f"until {text}" if is_until else text, today)


def _split_list(words: list[str]) -> list[str]:
    """Split a list into its spans. ``between A and B`` isn't split."""
    if words[:1] == ["between"]:
        words = ["from", *("to" if word == "and" else word for word in words[1:])]
    return [one for one in re.split(r" ?(?:\band\b|&) ?", " ".join(words)) if one]


def _read_span(words: list[str], today: date) -> DaySpan | None:
    """Return the first and the last day of a span, or None if it can't be read."""
    if length := _LENGTH_OF_DAYS.fullmatch(" ".join(words)):
        return today, today + timedelta(days=int(length[1]) * (7 if length[2].startswith("week") else 1) - 1)
    if words[:1] in (["until"], ["till"]):
        end, _ = _read_ends(words[1:], today) or (None, None)
        # On a Friday, "until Friday" means Friday of next week.
        is_again = end == today and find_weekday(words[-1]) is not None
        return (today, end + timedelta(days=6 if is_again else -1 if end > today else 0)) if end else None
    is_from, words = words[:1] == ["from"], words[words[:1] in (["from"], ["for"]) :]
    at = next(
        (at for at, word in enumerate(words) if word in _SPAN_WORDS or (word == "for" and at)), len(words)
    )
    begin = _read_ends(words[:at], today)
    if begin is None or at == len(words):
        return None if is_from else begin
    last = _read_span(words[at:], begin[0]) if words[at] == "for" else _read_ends(words[at + 1 :], begin[0])
    return (begin[0], last[1]) if last else None


def _read_ends(words: list[str], today: date) -> DaySpan | None:
    """Return the first and last day of what a string names, which is a day, a week or a weekend.

    Return None if it names none of these.
    """
    monday = today - timedelta(days=today.weekday())
    match words:
        case ["next", "week"]:
            return monday + timedelta(days=7), monday + timedelta(days=13)
        case ["week"] | ["this" | "rest", "week"]:
            return today, monday + timedelta(days=6)
        case ["weekend"] | ["this" | "coming", "weekend"]:
            return max(today, monday + timedelta(days=5)), monday + timedelta(days=6)
        case [word] if len(found := resolve_day(word, today)) == 1:
            return found[0], found[0]
    return None
