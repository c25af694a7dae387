"""Normalises times and dates written in English or German, even if they contain typos. Pure functions.

A date written out in words becomes a single word that the other modules of this package can read: ``7dec`` or
``7dec2026``, ``the_7`` for *the 7th*, ``7dec_monday``, ``next_monday``, and ``week_monday`` for *Monday next
week*.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final, Literal

from rapidfuzz.distance import OSA

Kind = Literal["", "length", "time"]

#: Maps each word that can introduce a time to what follows it: a duration or a time of day.
LEADS: Final[Mapping[str, Kind]] = {
    "for": "length",
    "in": "length",
    "after": "length",
    "until": "time",
    "till": "time",
    "til": "time",
    "'til": "time",
    "at": "time",
    "by": "time",
    "before": "time",
    # "about" may follow another of these words, whose kind then applies.
    "about": "",
}
WEEKDAY_NAMES: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAMES: Final = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
    *("januar", "februar", "märz", "april", "mai", "juni", "juli", "august", "september", "oktober"),
    *("november", "dezember"),
)
_GERMAN_WEEKDAYS: Final = ("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag")
#: The words for the numbers, beginning with 1.
_NUMBERS: Final = (
    *("one eins ein eine einer einem einen", "two zwei", "three drei", "four vier", "five fünf fuenf"),
    *("six sechs", "seven sieben", "eight acht", "nine neun", "ten zehn", "eleven elf"),
    *("twelve zwölf zwoelf", "thirteen dreizehn", "fourteen vierzehn", "fifteen fünfzehn"),
    *("sixteen sechzehn", "seventeen siebzehn", "eighteen achtzehn", "nineteen neunzehn", "twenty zwanzig"),
)
#: Maps each word to its other spellings. Words listed under "" mean nothing, and are ignored.
_SPELLINGS: Final = {
    "": "instead sharp approximately lang",
    "at": "um @",
    "about": "around circa ca roughly gegen approx",
    "until": "bis untill hasta jusqu'à",
    "for": "für fuer",
    "from": "von ab vom",
    "after": "nach",
    "before": "vor",
    "another": "noch weitere",
    "longer": "länger laenger",
    "every": "jeden jede jedes each",
    "next": "nächsten nächste nächster naechsten naechste",
    "coming": "kommenden kommende kommender",
    "this": "diesen diese dieser",
    "and": "und",
    "today": "heute",
    "overmorrow": "übermorgen uebermorgen",
    "tomorrow": "tmrw tmr tomorow tommorow morgen",
    "morning": "früh frueh morgens vormittag",
    "afternoon": "nachmittag nachmittags",
    "evening": "abend abends",
    "night": "nacht nachts",
    "lunch": "lunchtime mittagspause",
    "noon": "mittag mittags",
    "midnight": "mitternacht",
    "o'clock": "uhr oclock",
    "hour": "stunde",
    "hours": "stunden std stündchen stuendchen",
    "minutes": "minuten",
    "day": "tag",
    "days": "tage tagen",
    "week": "woche",
    "weeks": "wochen",
    "daily": "täglich taeglich",
    "weekdays": "werktags",
    "weekend": "wochenende",
    "half": "halbe halben \u00bd",
    "quarter": "viertel quater",
    "eod": "cob feierabend",
    **dict(zip(WEEKDAY_NAMES, _GERMAN_WEEKDAYS, strict=True)),
    **{f"{day}s": f"{said}s" for day, said in zip(WEEKDAY_NAMES, _GERMAN_WEEKDAYS, strict=True)},
    **{str(number): said for number, said in enumerate(_NUMBERS, 1)},
    "25": "twenty-five",
    "30": "thirty dreißig dreissig",
    "40": "forty",
    "45": "forty-five",
    "50": "fifty fünfzig",
    "60": "sixty",
    "90": "ninety neunzig",
    "saturday": "samstag sonnabend",
    "mar": "maerz",
    "am": "a.m a.m.",
    "pm": "p.m p.m.",
}
_SPELT: Final = {word: read for read, words in _SPELLINGS.items() for word in words.split()}
_SPELT.update(
    (name[:count], MONTHS[at % len(MONTHS)])
    for at, name in enumerate(_MONTH_NAMES)
    for count in range(3, len(name) + 1)
)
_PARTS: Final = ("morning", "afternoon", "evening", "night", "lunch")
#: Long words. They are recognised even if they contain a typo.
_LONG: Final = (
    *("minutes", "minute", "tomorrow", "tonight", "midnight", "morning", "evening", "afternoon"),
    *WEEKDAY_NAMES,
    *(name for name in _MONTH_NAMES if len(name) > 5),
)
#: Matches the German *am*, which means "on" (``um 9 am Montag``), but not the English one (``9 am Monday``).
_AM_BEFORE_GERMAN: Final = re.compile(
    rf"\bam (?=(?:{'|'.join(word for word, read in _SPELT.items() if read in {*WEEKDAY_NAMES, *_PARTS})})\b)"
)
_STEMS: Final = {word.rstrip("s") for word in _LONG}
_DASHES: Final = re.compile("[-\u2010-\u2015\u2212]+")
_MIN_SLIP_LETTERS: Final = 6
_PART: Final = f"(?:{'|'.join(_PARTS)})"
_WEEKDAY_NAME: Final = "|".join(f"{name}|{name[:3]}" for name in WEEKDAY_NAMES)
_WEEKDAY: Final = f"({_WEEKDAY_NAME})"
_MONTH: Final = f"({'|'.join(MONTHS)})"
_DAY: Final = "(0?[1-9]|[12][0-9]|3[01])"
_THE_DAY: Final = rf"(?<![0-9:.])(?:the |der |den |dem )?{_DAY}"
_BEFORE_A_DAY: Final = f"on|by|to|till|from|until|before|and|{_WEEKDAY_NAME}"
_TH: Final = r"(?:st|nd|rd|th|\.)"
_YEAR: Final = "(20[0-9]{2}|2[4-9][0-9]{2}|[3-9][0-9]{3})"
_AS_HOUR: Final = r"(?:[0-9:.~]| ?(?:am|pm|h|o'clock)\b)"
#: Replacements that turn each date into a single word. They are applied in this order.
_DATES: Final = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        # In `21 to 24 dec`, both days are in December.
        (rf"\b{_DAY}{_TH}? ?(-|to|and|until) ?(?={_DAY}{_TH}? ?(?:of )?{_MONTH}\b)", r"\1\4 \2 "),
        # In `7 dec 9`, either number may be the day.
        (rf"\b{_DAY} {_MONTH} {_DAY}(?!{_AS_HOUR}|{_TH})", r"\1_\2_\3"),
        (rf"{_THE_DAY}{_TH}? ?(?:of )?{_MONTH}\b(?! {_DAY}{_TH})(?: {_YEAR}\b)?", r"\1\2\4"),
        (rf"\b{_MONTH} (?:the )?{_DAY}{_TH}?(?!{_AS_HOUR})\b(?: {_YEAR}\b)?", r"\2\1\3"),
        (rf"\b(?:on|am) {_DAY}\.(0?[1-9]|1[0-2])\b\.?", r"on \1.\2."),
        # Only one of the two numbers can be the month: `18/01`, `1/18`.
        (r"(?<![0-9/])(1[3-9]|2[0-9]|3[01])/0?([1-9]|1[0-2])(?![0-9/])", r"\1.\2."),
        (r"(?<![0-9/])0?([1-9]|1[0-2])/(1[3-9]|2[0-9]|3[01])(?![0-9/])", r"\2.\1."),
        (r"\bthe ([6-9]|[12][0-9]|3[01])(?:st|nd|rd|th)\b", r"the_\1"),
        (rf"\b({_BEFORE_A_DAY}) (?:the )?{_DAY}(?:st|nd|rd|th)\b", r"\1 the_\2"),
    )
)
#: Phrases and their replacements, which are applied in this order. ``~`` marks a spoken time.
_PHRASES: Final = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (r"\b(?:the )?end of (?:the |my )?(?:work(?:ing)? ?)?day\b|\bclose of (?:business|play)\b", "eod"),
        (r"\b(?:the )?(?:rest|remainder) of (?:the day|today)\b", "all_day"),
        (r"\ball day\b", "all_day"),
        (rf"\b(?:in|during|for|over|after|at) (?:the )?(?={_PART}\b)", ""),
        (rf"\bthis (?={_PART}\b)", "today "),
        (rf"\b{_WEEKDAY}(?: the)? ([0-9]+{_MONTH}|the_[0-9]+)\b", r"\2_\1"),
        (rf"\b{_WEEKDAY}(?: of)? next week\b|\bnext week(?: on)? {_WEEKDAY}\b", r"week_\1\2"),
        (rf"\b(?:the )?next (?={_WEEKDAY}\b)", "next_"),
        (r"\b(?:(?:this|coming) )+(?=[a-z]+day\b)", ""),
        (r"\btoday (?:night|evening)\b", "tonight"),
        (rf"(?<![0-9] )\bam (?=(?:{_WEEKDAY}|{_PART}|[0-9]+{_MONTH}[0-9]*)\b)", "on "),
        (r"\b(?:the )?day after tomorrow\b", "overmorrow"),
        (r"\b([01][0-9]|2[0-3])([0-5][0-9]) (?:hours|hrs)\b", r"\1:\2"),
        (r"\blater (?=(?:today|tonight)\b)", ""),
        (r"\b(?:an? |1 )?fortnight\b", "2 weeks"),
        (r"\b(?:a )?couple(?: of)?\b", "2"),
        (r"\b(?:the |der |die )?next (?=hour\b)", "1 "),
        (r"\b(?:the )?next (?=[0-9]|half\b|quarter\b)", ""),
        (r"\b([0-9]{1,2}(?::[0-9]{2})?)ish\b", r"about \1"),
        (r" (?:from now|or so|at the latest|in the day)$", ""),
        (r"\b3(?:/4| quarters)(?: of)?(?: an?)? hours?\b", "45 min"),
        (r"\b(?:1/4|(?:an? |1 )?quarter)(?: of)?(?: an?)? hour\b", "15 min"),
        (r"\ban? (?=(?:half|sec|second|min|minute|hr|hour|day|wk|week|month|quarter|year)\b)", "1 "),
        (r"\b1/2(?= )", "half"),
        (r"\b([0-9]+) and 1 half(?= (?:hours?|days?)\b)", r"\1.5"),
        (r"\b([0-9]+) ?(h|d|hours?|days?) and 1 half\b", r"\1.5 \2"),
        (r"\b(?:1 )?half(?: 1)? (?=(?:hour|day)\b)", "0.5 "),
    )
)
_SPOKEN: Final = re.compile(
    r"(?<!-)\b(?:(half|quarter|[0-5]?[0-9])(?: min[a-z]*)? (past|after|to|before|of)|(half|halb)) "
    rf"([0-9]{{1,2}})(?![0-9:.h]|{_MONTH})(?! ?(?:h|min))"
)
#: Matches an hour and a minute in words, such as ``five thirty``. It doesn't match two separate numbers.
_HOUR_AND_MINUTE: Final = re.compile(
    r"\b(1?[0-9]|2[0-3]) ([1-5][05])"
    rf"(?= ?(?:am|pm)\b|$| (?:today|tonight|tomorrow|on|in|{_PART}|{_WEEKDAY})\b)"
)
_HALF_DAY: Final = 12


def normalize_word(word: str) -> str:
    """Return a word in English, with digits for numbers. If it means nothing in a time, return ""."""
    word = _DASHES.sub("-", word).replace("nite", "night")
    known = _SPELT.get(word)
    if known is None and word.endswith("ish") and (base := _SPELT.get(word[:-3], "")).isdecimal():
        return f"{base}ish"
    if known is None and "-" in word and all(_SPELT.get(one, "").isdecimal() for one in word.split("-")):
        return "~".join(_SPELT[one] for one in word.split("-"))
    if known is None and len(word) >= _MIN_SLIP_LETTERS and word.rstrip("s") not in _STEMS:
        near = next((one for one in _LONG if OSA.distance(word, one, score_cutoff=1) == 1), None)
        known = _SPELT.get(near, near) if near else None
    return word if known is None else known


def fold_signs(text: str) -> str:
    """Convert digits and symbols, such as full-width ones, to ASCII."""
    return text if text.isascii() else "".join(map(_fold_sign, text))


def _fold_sign(sign: str) -> str:
    match unicodedata.category(sign):
        case "Nd":
            return str(unicodedata.decimal(sign))
        case "No":
            return sign  # ``½`` and other fractions are read as they are.
    return unicodedata.normalize("NFKC", sign)


def spell(text: str) -> str:
    """Return a string in which each word, date and phrase has a single spelling.

    Times of day don't change.
    """
    plain = fold_signs(text).casefold().replace("\u2019", "'")
    plain = re.sub(r"\b([ap])\.?m\b\.?", r"\1m", plain)
    plain = re.sub(r"(?<=[a-zß-ÿ])\.(?= )", "", plain)
    plain = _AM_BEFORE_GERMAN.sub("on ", plain)
    plain = " ".join(filter(None, (normalize_word(word.strip(",;!?")) for word in plain.split()))).rstrip(
        " ."
    )
    for pattern, said in (*_DATES, *_PHRASES):
        plain = pattern.sub(said, plain)
    return plain


def plainly(text: str) -> str:
    """Do the same as ``spell``, but also write spoken times such as ``half past 7`` as a clock shows them."""
    return _SPOKEN.sub(_as_clock, _HOUR_AND_MINUTE.sub(r"\1~\2", spell(text)))


def _as_clock(found: re.Match[str]) -> str:
    """Return a spoken time as a clock shows it. ``5 to 6`` is left unchanged, because it may be a span."""
    part, side, half, hour = found[1], found[2], found[3], int(found[4])
    minutes = {"half": 30, "quarter": 15}.get(part or half) or (30 if half else int(part))
    is_before = half == "halb" or side in {"to", "before", "of"}
    is_span = side in {"to", "before", "of"} and (part or "").isdigit() and "min" not in found[0]
    if is_span and not (side == "to" and minutes in {20, 25} and hour <= _HALF_DAY):
        return found[0]
    if is_before:
        minutes, hour = 60 - minutes, hour - 1 or _HALF_DAY
    return f"{hour}~{minutes:02d}" if minutes < 60 else found[0]
