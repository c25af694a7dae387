"""Words for times: English and German spellings, typing mistakes, and the names of time zones.

``spell`` is the tokenizer. It gives each word a single spelling, writes numbers in digits and units in the
singular, and turns each day into a single word that ``days.parse_day`` reads: ``7dec2026``, ``7.12.``,
``the_7`` (the 7th), ``7dec_monday``, ``next_monday``, ``week_monday`` (Monday next week). ``~`` marks a time
written in words: *half past 7* becomes ``7~30``.

The patterns of this package are plain strings, which ``re`` compiles on first use. Compiling them all delays
the start.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Kind = Literal["", "length", "time"]
Phrases = tuple[tuple[str, str], ...]

#: Maps each word that can introduce a time to what follows it: a duration or a time of day. *About* can
#: introduce either. In a phrase such as ``for about 2h``, the other word (*for*) decides.
LEADS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("for", "in", "after"), "length"),
    **dict.fromkeys(("until", "till", "til", "'til", "at", "by", "before"), "time"),
    "about": "",
}
WEEKDAY_NAMES: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
PARTS: Final = ("morning", "afternoon", "evening", "night", "lunch")
#: Words, each followed by its other spellings, which are replaced by it. The words listed after ``-`` are
#: dropped, because they add nothing to a time.
_SPELLINGS: Final = """
- instead sharp approximately lang; about around circa ca roughly gegen approx
at um @; until bis untill; for für fuer; from von ab vom; since seit starting; after nach; before vor; and und
every jeden jede jedes each; last letzte letzten letzter letztes vorige previous prior
this diesen diese dieser dieses current; coming kommenden kommende kommender
next nächsten nächste nächster nächstes naechsten naechste
today heute; yesterday gestern; tomorrow tmrw tmr tomorow tommorow morgen; overmorrow übermorgen uebermorgen
morning früh frueh morgens vormittag; noon mittag mittags midday; lunch lunchtime mittagspause
afternoon nachmittag nachmittags; evening abend abends; night nacht nachts; midnight mitternacht
am a.m a.m.; pm p.m p.m.; o'clock uhr oclock; eod cob feierabend; half halbe halben \u00bd
minute minutes minuten; hour hours stunde stunden std; day days tag tage tagen; daily täglich taeglich
week weeks woche wochen kw; weekdays werktags; weekend wochenende; month months monat monaten
quarter quarters quartal viertel quater; year years jahr jahren; mar märz maerz
monday montag; tuesday dienstag; wednesday mittwoch; thursday donnerstag; friday freitag
saturday samstag sonnabend; sunday sonntag; mondays montags; tuesdays dienstags; wednesdays mittwochs
thursdays donnerstags; fridays freitags; saturdays samstags; sundays sonntags
1 one eins ein eine einer einem einen; 2 two zwei; 3 three drei; 4 four vier; 5 five fünf fuenf; 6 six sechs
7 seven sieben; 8 eight acht; 9 nine neun; 10 ten zehn; 11 eleven elf; 12 twelve zwölf zwoelf
13 thirteen dreizehn; 14 fourteen vierzehn; 15 fifteen fünfzehn; 16 sixteen sechzehn; 17 seventeen siebzehn
18 eighteen achtzehn; 19 nineteen neunzehn; 20 twenty zwanzig; 25 twenty-five; 30 thirty dreißig dreissig
40 forty; 45 forty-five; 50 fifty fünfzig; 60 sixty; 90 ninety neunzig
"""
#: Time zones, each followed by names for it that the time zone database doesn't contain.
_ZONES: Final = """
UTC utc gmt z zulu; America/Los_Angeles pt pst pdt san_francisco seattle san_diego portland las_vegas
America/Denver mt mst mdt salt_lake_city; America/Chicago ct cst cdt dallas houston austin
America/New_York et est edt boston washington philadelphia atlanta miami; America/Toronto ottawa montreal
America/Halifax ast adt; America/Havana cst; America/Anchorage akst akdt; Pacific/Honolulu hst
America/Sao_Paulo brt rio_de_janeiro
Europe/London bst uk britain england scotland wales edinburgh manchester; Europe/Dublin ist
Europe/Lisbon wet
Europe/Berlin cet cest mez mesz central_european munich munchen hamburg frankfurt cologne koln
Europe/Zurich geneva basel; Europe/Rome milan; Europe/Athens eet eest eastern_european; Europe/Moscow msk
Asia/Jerusalem ist idt; Asia/Riyadh ast; Asia/Dubai gst uae; Asia/Karachi pkt
Asia/Kolkata ist mumbai delhi new_delhi bangalore bengaluru chennai hyderabad pune; Asia/Dhaka bst
Asia/Bangkok ict; Asia/Jakarta wib; Asia/Ho_Chi_Minh hanoi; Asia/Shanghai cst beijing shenzhen
Asia/Hong_Kong hkt; Asia/Singapore sgt; Asia/Manila pht; Australia/Perth awst; Asia/Tokyo jst osaka kyoto
Asia/Seoul kst korea south_korea; Australia/Sydney aest aedt aet canberra; Australia/Adelaide acst acdt
Pacific/Auckland nzst nzdt nzt wellington; Africa/Nairobi eat; Africa/Lagos wat; Africa/Maputo cat
Africa/Johannesburg sast cape_town
"""
#: Names in the time zone database that are more likely ordinary words when they stand next to a time.
_NO_ZONES: Final = frozenset(
    {"act", "center", "christmas", "continental", "east", "easter", "factory", "general", "knox", "met"}
    | {"north", "resolute", "south", "universal", "wake", "west", "yap"}
)


def _split_rows(table: str) -> list[list[str]]:
    return [row.split() for row in re.split("[;\n]", table.strip())]


@cache
def _compile_phrases(phrases: Phrases) -> list[tuple[re.Pattern[str], str]]:
    """Compile the patterns of phrases. They may be too many for the cache of ``re``."""
    return [(re.compile(pattern), said) for pattern, said in phrases]


def replace_phrases(text: str, phrases: Phrases) -> str:
    """Replace phrases in a string, in the given order. Each phrase is a pattern and its replacement."""
    for pattern, said in _compile_phrases(phrases):
        text = pattern.sub(said, text)
    return text


_READ_AS: Final = {
    word: "" if read == "-" else read for read, *words in _split_rows(_SPELLINGS) for word in words
}
# Names of months may be shortened to three or more letters.
_GERMAN_MONTHS: Final = "januar februar märz april mai juni juli august september oktober november dezember"
_ENGLISH_MONTHS: Final = (
    "january february march april may june july august september october november december"
)
_READ_AS.update(
    (name[:count], month)
    for names in (_ENGLISH_MONTHS, _GERMAN_MONTHS)
    for name, month in zip(names.split(), MONTHS, strict=True)
    for count in range(3, len(name) + 1)
)
#: Words long enough to be recognised even with a typo.
_LONG: Final = (
    *("minute", "minutes", "tomorrow", "tonight", "midnight", "morning", "evening", "afternoon"),
    *WEEKDAY_NAMES,
    *(name for name in f"{_ENGLISH_MONTHS} {_GERMAN_MONTHS}".split() if len(name) > 5),
)
_MIN_SLIP_LETTERS: Final = 6
_PART: Final = f"(?:{'|'.join(PARTS)})"
_WEEKDAY: Final = f"({'|'.join(f'{name}|{name[:3]}' for name in WEEKDAY_NAMES)})"
_MONTH: Final = f"({'|'.join(MONTHS)})"
_DAY: Final = "(0?[1-9]|[12][0-9]|3[01])"
_THE_DAY: Final = rf"(?<![0-9:.])(?:the |der |den |dem )?{_DAY}"
_TH: Final = r"(?:st|nd|rd|th|\.)"
_BEFORE_A_DAY: Final = f"on|by|to|till|from|since|until|before|and|{_WEEKDAY[1:-1]}"
_YEAR: Final = "(?: (20[0-9]{2}|2[4-9][0-9]{2}|[3-9][0-9]{3})\\b)?"
_NO_HOUR: Final = r"(?![0-9:.~]| ?(?:am|pm|h|o'clock)\b)"
#: Matches the German *am*, which means "on" (``um 9 am Montag``), but not the English one (``9 am Monday``).
_GERMAN_AM: Final = (
    rf"\bam (?=(?:{'|'.join(word for word, read in _READ_AS.items() if read in {*WEEKDAY_NAMES, *PARTS})})\b)"
)
#: Replacements, in the order in which they are made: first dates, then other phrases.
_PHRASES: Final = (
    # In `21 to 24 dec`, the month applies to both days.
    (rf"\b{_DAY}{_TH}? ?(-|to|and|until) ?(?={_DAY}{_TH}? ?(?:of )?{_MONTH}\b)", r"\1\4 \2 "),
    # In `7 dec 9`, either 7 or 9 may be the day.
    (rf"\b{_DAY} {_MONTH} {_DAY}{_NO_HOUR}(?!{_TH})", r"\1_\2_\3"),
    (rf"{_THE_DAY}{_TH}? ?(?:of )?{_MONTH}\b(?! {_DAY}{_TH}){_YEAR}", r"\1\2\4"),
    (rf"\b{_MONTH} (?:the )?{_DAY}{_TH}?{_NO_HOUR}\b{_YEAR}", r"\2\1\3"),
    (rf"\b(?:on|am) {_DAY}\.(0?[1-9]|1[0-2])\b\.?", r"on \1.\2."),
    # In `18/01` or `1/18`, only one of the two numbers can be the month.
    (r"(?<![0-9/])(1[3-9]|2[0-9]|3[01])/0?([1-9]|1[0-2])(?![0-9/])", r"\1.\2."),
    (r"(?<![0-9/])0?([1-9]|1[0-2])/(1[3-9]|2[0-9]|3[01])(?![0-9/])", r"\2.\1."),
    (r"\bthe ([6-9]|[12][0-9]|3[01])(?:st|nd|rd|th)\b(?! quarter)", r"the_\1"),
    (rf"\b({_BEFORE_A_DAY}) (?:the )?{_DAY}(?:st|nd|rd|th)\b", r"\1 the_\2"),
    (r"\b(?:the )?end of (?:the |my )?(?:work(?:ing)? ?)?day\b|\bclose of (?:business|play)\b", "eod"),
    (r"\b(?:the )?(?:rest|remainder) of (?:the day|today)\b|\ball day\b", "all_day"),
    (rf"\b(?:in|during|for|over|after|at) (?:the )?(?={_PART}\b)", ""),
    (rf"\bthis (?={_PART}\b)", "today "),
    (rf"\b{_WEEKDAY}(?: the)? ([0-9]+{_MONTH}|the_[0-9]+)\b", r"\2_\1"),
    (rf"\b{_WEEKDAY}(?: of)? next week\b|\bnext week(?: on)? {_WEEKDAY}\b", r"week_\1\2"),
    (rf"\b(?:the )?next (?={_WEEKDAY}\b)", "next_"),
    (r"\b(?:(?:this|coming) )+(?=[a-z]+day\b)", ""),
    (r"\btoday (?:night|evening)\b", "tonight"),
    (rf"(?<![0-9] )\bam (?=(?:{_WEEKDAY}|{_PART}|[0-9]+{_MONTH}[0-9]*)\b)", "on "),
    (r"\b(?:the )?day after tomorrow\b", "overmorrow"),
    (r"\blater (?=(?:today|tonight)\b)", ""),
    (r"\b([01][0-9]|2[0-3])([0-5][0-9]) (?:hour|hrs)\b", r"\1:\2"),
    (r"\b(?:an? |1 )?fortnight\b", "2 week"),
    (r"\b(?:a )?couple(?: of)?\b", "2"),
    (r"\b(?:the |der |die )?next (?=hour\b)", "1 "),
    (r"\b(?:the )?next (?=[0-9]|half\b|quarter\b)", ""),
    (r"\b([0-9]{1,2}(?::[0-9]{2})?)ish\b", r"about \1"),
    (r" (?:from now|or so|at the latest|in the day)$", ""),
    (r"\b3(?:/4| quarter)(?: of)?(?: an?| 1)? hour\b", "45 minute"),
    (r"\b(?:1/4|(?:an? |1 )?quarter)(?: of)?(?: an?| 1)? hour\b", "15 minute"),
    (r"\ban? (?=(?:half|sec|second|min|minute|hr|hour|day|wk|week|month|quarter|year)\b)", "1 "),
    (r"\b1/2(?= (?:1 )?(?:hour|day)\b)", "half"),
    (r"\b([0-9]+) and 1 half(?= (?:hour|day)\b)", r"\1.5"),
    (r"\b([0-9]+) ?(h|d|hour|day) and 1 half\b", r"\1.5 \2"),
    (r"\b(?:1 )?half(?: 1)? (?=(?:hour|day)\b)", "0.5 "),
)
_SPOKEN: Final = (
    r"(?<!-)\b(?:(half|quarter|[0-5]?[0-9])(?: min[a-z]*)? (past|after|to|before|of)|(half|halb)) "
    rf"([0-9]{{1,2}})(?![0-9:.h]|{_MONTH})(?! ?(?:h|min))"
)
#: Matches an hour and a minute in words, such as ``five thirty``. It doesn't match two separate numbers.
_HOUR_AND_MINUTE: Final = (
    r"\b(1?[0-9]|2[0-3]) ([1-5][05])"
    rf"(?= ?(?:am|pm)\b|$| (?:today|tonight|tomorrow|on|in|{_PART}|{_WEEKDAY})\b)"
)


def normalize_word(word: str) -> str:
    """Return a word in its usual spelling, with numbers as digits. For a filler word, return ""."""
    word = re.sub("[-\u2010-\u2015\u2212]+", "-", word).replace("nite", "night")
    if (known := _READ_AS.get(word)) is not None:
        return known
    if word.endswith("ish") and (number := _READ_AS.get(word[:-3], "")).isdecimal():
        return f"{number}ish"
    numbers = [_READ_AS.get(one, "") for one in word.split("-")]
    if len(numbers) > 1 and all(map(str.isdecimal, numbers)):
        return "~".join(numbers)
    if len(word) < _MIN_SLIP_LETTERS or word.rstrip("s") in _LONG:
        return word
    from rapidfuzz.distance import OSA  # noqa: PLC0415 - only needed for typing mistakes

    near = next((one for one in _LONG if OSA.distance(word, one, score_cutoff=1) == 1), word)
    return _READ_AS.get(near, near)


def fold_signs(text: str) -> str:
    """Convert digits and symbols, such as full-width ones, to ASCII. Keep ``½`` and other fractions."""
    if text.isascii():
        return text
    return "".join(
        one
        if unicodedata.category(one) == "No"
        else str(unicodedata.decimal(one, unicodedata.normalize("NFKC", one)))
        for one in text
    )


def spell(text: str) -> str:
    """Rewrite a string so that each word, date and phrase has only one spelling. Keep times of day."""
    plain = fold_signs(text).casefold().replace("\u2019", "'")
    plain = re.sub(r"\b([ap])\.?m\b\.?", r"\1m", plain)
    plain = re.sub(_GERMAN_AM, "on ", re.sub(r"(?<=[a-zß-ÿ])\.(?= )", "", plain))
    words = (normalize_word(word.strip(",;!?")) for word in plain.split())
    return replace_phrases(" ".join(filter(None, words)).rstrip(" ."), _PHRASES)


def spell_clock(text: str) -> str:
    """Rewrite a string like ``spell``, and convert spoken times such as ``half past 7`` to clock times."""
    return re.sub(_SPOKEN, _as_clock, re.sub(_HOUR_AND_MINUTE, r"\1~\2", spell(text)))


def _as_clock(found: re.Match[str]) -> str:
    """Convert a spoken time to a clock time. ``5 to 6`` is left unchanged, because it may be a span."""
    part, side, half, hour = found[1] or "", found[2], found[3], int(found[4])
    minutes = {"half": 30, "quarter": 15, "": 30}.get(part) or int(part)
    is_before = half == "halb" or side in {"to", "before", "of"}
    is_span = is_before and part.isdigit() and "min" not in found[0]
    if minutes > 59 or (is_span and not (side == "to" and minutes in {20, 25} and hour <= 12)):
        return found[0]
    return f"{hour - 1 or 12}~{60 - minutes:02d}" if is_before else f"{hour}~{minutes:02d}"


# -- zones -----------------------------------------------------------------------------------------------

_OFFSET: Final = r"(?:utc|gmt)?([+-])([0-9]{1,2})(?::?([0-5][0-9]))?"
#: Errors raised for a time zone that this machine's time zone database lacks.
_NO_ZONE: Final = (ZoneInfoNotFoundError, ValueError, OSError)
_MAX_OFFSET: Final = timedelta(hours=14)
_MAX_ZONE_WORDS: Final = 4
#: Programs write a time zone right after the time: ``18:00Z``, ``18:00[UTC]``, ``18:00+02:00[Asia/Tokyo]``.
#: This matches the part in brackets, which is ignored after an offset.
_BRACKETS: Final = r"\[([\w/+-]+)\]"
#: Matches the place between a time and its zone, where a space is inserted.
_JOINED: Final = r"(?<=[0-9])(?=(?:z|utc|gmt)(?![a-z])|\+[0-9])"
#: Matches the text before a ``-`` that begins an offset: a date and a time joined by ``T``, or a time with
#: seconds. Elsewhere, ``-`` is a dash, as in ``2026-12-24 9:00-12:00``.
_JOINED_MINUS: Final = (
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}t[0-9:.,]+|[0-9]:[0-9]{2}:[0-9.,]+)(?=-[0-9]{2}(?::?[0-9]{2})?(?![0-9:]))"
)


class SaidZone(NamedTuple):
    """A zone that the user named next to a time: the name, and the zones that it may mean."""

    name: str
    zones: tuple[tzinfo, ...]

    def list_zones(self, at: float) -> Iterator[tzinfo]:
        """Yield the zones that may be meant at a time. In summer, *CET* may mean UTC+1 or Berlin time."""
        for zone in self.zones:
            yield zone
            year = datetime.fromtimestamp(at, zone).year
            halves = [datetime(year, month, 1, tzinfo=zone) for month in (1, 7)]
            offset = {(one.tzname() or "").casefold(): one.utcoffset() for one in halves}.get(self.name)
            if offset is not None and datetime.fromtimestamp(at, zone).utcoffset() != offset:
                yield timezone(offset)


def split_zone(text: str) -> tuple[str, SaidZone | None]:
    """Split a string into its text, in lower case and ASCII, and the zone next to a time, if there is one.

    A zone may be named after a city or country, and several zones may share a name, such as *IST*.
    """
    whole = fold_signs(text).casefold()
    plain, bracketed = re.sub(_BRACKETS, "", whole), set(re.findall(_BRACKETS, whole))
    words = re.sub(_JOINED, " ", re.sub(_JOINED_MINUS, r"\1 utc", plain)).split()
    for begin in range(1, len(words)):
        for end in range(min(begin + _MAX_ZONE_WORDS, len(words)), begin, -1):
            name = [word.strip(",;!?.()") for word in words[begin:end]]
            said = "_".join(name[name[0] == "in" : len(name) - (name[-1] in {"time", "zeit"})])
            # In `mon -8:00`, the minus is a dash: these hours end at 8.
            if not said.startswith("-") and (zones := find_zones(said)):
                return " ".join(words[:begin] + words[end:]), SaidZone(said, zones)
    if len(bracketed) == 1 and (zones := find_zones(said := bracketed.pop())):
        return plain, SaidZone(said, zones)
    return whole, None


@lru_cache(maxsize=512)
def find_zones(name: str) -> tuple[tzinfo, ...]:
    """Return the zones with this name, or the zone with an offset such as ``+2``. There may be none."""
    if offset := re.fullmatch(_OFFSET, name.replace("_", "")):
        length = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return (timezone(-length if offset[1] == "-" else length),) if length <= _MAX_OFFSET else ()
    keys = _load_zone_names().get(_strip_accents(name), ())
    zones = list[tzinfo]()
    for key in keys:
        with suppress(*_NO_ZONE):
            zones.append(UTC if key == "UTC" else ZoneInfo(key))
    return tuple(zones)


def load_zone(name: str | None) -> ZoneInfo:
    """Return the user's time zone. If Slack reports none, or an unknown one, return UTC."""
    try:
        return ZoneInfo(name or "UTC")
    except _NO_ZONE:
        return ZoneInfo("UTC")


def _strip_accents(name: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFD", name) if not unicodedata.combining(one))


@lru_cache(maxsize=1)
def _load_zone_names() -> dict[str, list[str]]:
    """Load the names of zones. These are the zones' own names, their cities and countries, and ``_ZONES``."""
    names: dict[str, list[str]] = {}
    called: dict[str, list[str]] = {}
    data = files("tzdata")
    for key in data.joinpath("zones").read_text("utf-8").split():
        city = key.rpartition("/")[2] if not key.startswith("Etc/") else key
        for name in {key.casefold(), city.casefold()}:
            names.setdefault(name, []).append(key)
    folder = data.joinpath("zoneinfo")
    tables = (folder.joinpath(name).read_text("utf-8").splitlines() for name in ("iso3166.tab", "zone.tab"))
    countries, places = ([one.split("\t") for one in table if one and one[0] != "#"] for table in tables)
    codes = dict(countries)
    for code, _, key, *_ in places:
        words = _strip_accents(codes[code].partition(" (")[0]).casefold().split()
        names.setdefault("_".join(word.strip(".") for word in words), []).append(key)
    for key, *words in _split_rows(_ZONES):
        for word in words:
            called.setdefault(word, []).append(key)
    return {name: keys for name, keys in names.items() if name not in _NO_ZONES} | called
