"""Tests of times that people type: a table of examples, and properties that hold for every string."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain import time_parsing
from bot.domain.time_parsing import (
    FARTHEST_SECONDS,
    Moment,
    Unread,
    day_of,
    length,
    load_zone,
    read,
    time_kind,
    words,
)
from bot.domain.time_parsing.days import list_days, read_spans
from bot.messages.texts.times import format_duration

BERLIN = ZoneInfo("Europe/Berlin")
#: A Friday, 14:00 in Berlin.
NOW = datetime(2026, 11, 20, 14, 0, tzinfo=BERLIN).timestamp()
HOUR = 3_600.0
#: Digits as Japanese and Arabic keyboards type them.
WIDE = {ord(sign): 0xFEE0 + ord(sign) for sign in "0123456789:"}
ARABIC = {ord(sign): 0x0660 + int(sign) for sign in "0123456789"}


def _local(text: str, now: float = NOW, zone: ZoneInfo = BERLIN, **more) -> str:
    """Return the local time that a text means, or why it can't be read."""
    found = read(text, zone, now, **more)
    if isinstance(found, Unread):
        return found.why
    return f"{datetime.fromtimestamp(found.at, zone):%a %H:%M}"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2h", 2 * HOUR),
        ("2 h", 2 * HOUR),
        ("12h", 12 * HOUR),
        ("for 17h", 17 * HOUR),
        ("in 2 hours", 2 * HOUR),
        ("in two hours", 2 * HOUR),
        ("In an hour.", HOUR),
        ("half an hour", HOUR / 2),
        ("1/2 hour", HOUR / 2),
        ("1/2 an hour", HOUR / 2),
        ("for half a day", 12 * HOUR),
        ("an hour and a half", 1.5 * HOUR),
        ("two and a half hours", 2.5 * HOUR),
        ("1 hour and 30 minutes", 1.5 * HOUR),
        ("1h30", 1.5 * HOUR),
        ("1h 30m", 1.5 * HOUR),
        ("1h30min", 1.5 * HOUR),
        ("1.5h", 1.5 * HOUR),
        ("1,5 hours", 1.5 * HOUR),
        ("90 min", 1.5 * HOUR),
        ("90m", 1.5 * HOUR),
        ("90 minutes", 1.5 * HOUR),
        ("2 days", 48 * HOUR),
        ("a week", 168 * HOUR),
        ("1 week and 2 days", 216 * HOUR),
        ("1d 2h", 26 * HOUR),
        ("until 2 hours", 2 * HOUR),
        ("3 hrs", 3 * HOUR),
    ],
)
def test_a_length_counts_from_now(text, seconds):
    found = read(text, BERLIN, NOW)
    assert found == Moment(NOW + seconds, seconds=seconds)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("17:00", "Fri 17:00"),
        ("until 18:00", "Fri 18:00"),
        ("at 6pm", "Fri 18:00"),
        ("6 pm", "Fri 18:00"),
        ("6 p.m.", "Fri 18:00"),
        ("6:30 PM!", "Fri 18:30"),
        ("12am", "Sat 00:00"),
        ("12pm", "Sat 12:00"),
        ("17h", "Fri 17:00"),
        ("17h30", "Fri 17:30"),
        ("17.30", "Fri 17:30"),
        ("at 9h30", "Sat 09:30"),
        ("at 1730", "Fri 17:30"),
        ("noon", "Sat 12:00"),
        ("midnight", "Sat 00:00"),
        ("24:00", "Sat 00:00"),
        # A time that has already passed today means tomorrow.
        ("09:00", "Sat 09:00"),
        ("14:00", "Sat 14:00"),
        # An hour on a 12-hour clock means the next one.
        ("at 6", "Fri 18:00"),
        ("until 2", "ambiguous"),
        ("at 5 o'clock", "Fri 17:00"),
        ("by 18", "Fri 18:00"),
        ("tomorrow 9:00", "Sat 09:00"),
        ("tomorrow at 9am", "Sat 09:00"),
        ("at 9am tomorrow", "Sat 09:00"),
        ("until tomorrow 18:00", "Sat 18:00"),
        ("tonight at 8", "Fri 20:00"),
        ("tonight midnight", "Sat 00:00"),
        ("today 15:00", "Fri 15:00"),
        ("friday 18:00", "Fri 18:00"),
        ("friday 9:00", "Fri 09:00"),
        ("on Monday at 9am", "Mon 09:00"),
        ("mon 9:00", "Mon 09:00"),
        ("until 2026-11-24 09:00", "Tue 09:00"),
        ("tomorrow 2h", "Sat 02:00"),
        # Times as people say them, in English and German.
        ("half past 7", "Fri 19:30"),
        ("at half seven tonight", "Fri 19:30"),
        ("um halb acht", "Fri 19:30"),
        ("quarter to six", "Fri 17:45"),
        ("viertel nach sechs", "Fri 18:15"),
        ("ten past five", "Fri 17:10"),
        ("10 minutes to 6", "Fri 17:50"),
        ("18 Uhr 30", "Fri 18:30"),
        ("heute abend um 8", "Fri 20:00"),
        ("morgen früh um 8", "Sat 08:00"),
        ("tomorrow morning at 8", "Sat 08:00"),
        ("at ten in the morning", "Sat 10:00"),
        ("8:30 tonight", "Fri 20:30"),
        ("tonight 12", "Sat 00:00"),
        ("tonight at 2", "Sat 02:00"),
        ("1930", "Fri 19:30"),
        ("at midnigth", "Sat 00:00"),
        ("before six", "Fri 18:00"),
        ("until about 9", "Fri 21:00"),
        ("5ish", "Fri 17:00"),
        ("in a couple of hours", "Fri 16:00"),
        ("for the next 3/4 hour", "Fri 14:45"),
        ("in einer halben Stunde", "Fri 14:30"),
        # Refused, with the reason.
        ("this afternoon", "no_time"),
        ("over lunch", "no_time"),
        ("eod", "ambiguous"),
        ("for the rest of the day", "ambiguous"),
        ("till 8:30 instead", "ambiguous"),
        ("9:00", "ambiguous"),
        ("3pm this morning", "unreadable"),
        ("2026", "unreadable"),
        ("from 2 to 4", "unreadable"),
        ("", "unreadable"),
        ("soon", "unreadable"),
        ("6", "unreadable"),
        ("at 25:00", "unreadable"),
        ("24:30", "unreadable"),
        ("13pm", "unreadable"),
        ("0pm", "unreadable"),
        ("18:60", "unreadable"),
        ("for 6pm", "unreadable"),
        ("for 1:30", "unreadable"),
        ("until", "unreadable"),
        ("tomorrow", "no_time"),
        ("until friday", "no_time"),
        ("today 9:00", "past"),
        ("2026-11-19 09:00", "past"),
        ("2026-02-30 09:00", "unreadable"),
        ("2027-11-24 09:00", "far"),
        ("60 days", "far"),
        ("for 3 weeks", "far"),
        ("in 0 minutes", "soon"),
        ("until 2h", "ambiguous"),
        ("tomorrow at 6", "ambiguous"),
    ],
)
def test_a_time_of_day_is_the_next_one(text, means):
    assert _local(text) == means


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Tokyo"])
@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "31.12.9999"])
@pytest.mark.parametrize("clock", ["00:00", "23:59"])
def test_a_year_at_the_end_of_the_calendar_is_no_error(zone, day, clock):
    assert isinstance(read(f"{day} {clock}", ZoneInfo(zone), NOW), Unread)


def _dated(text: str) -> str:
    """Return the date and time that a text means, or why it can't be read."""
    found = read(text, BERLIN, NOW)
    if isinstance(found, Unread):
        return found.why
    return f"{datetime.fromtimestamp(found.at, BERLIN):%d %b %H:%M}"


@pytest.mark.parametrize(
    ("text", "means"),
    [
        # A word for a part of the day says whether an hour is a.m. or p.m., wherever it is in the text.
        ("at 5 in the afternoon", "20 Nov 17:00"),
        ("this afternoon at 5", "20 Nov 17:00"),
        ("5 this afternoon", "20 Nov 17:00"),
        ("in the afternoon at quarter past 5", "20 Nov 17:15"),
        ("at half past 4 in the afternoon", "20 Nov 16:30"),
        ("until 5 in the afternoon", "20 Nov 17:00"),
        ("at 9 in the morning", "21 Nov 09:00"),
        ("at 8 in the evening", "20 Nov 20:00"),
        ("at 11 at night", "20 Nov 23:00"),
        ("at 12 at night", "21 Nov 00:00"),
        ("tomorrow afternoon at 3", "21 Nov 15:00"),
        ("on monday at 9 in the morning", "23 Nov 09:00"),
        ("um 5 am Nachmittag", "20 Nov 17:00"),
        ("um 9 Uhr morgens", "21 Nov 09:00"),
        ("later today at 17:00", "20 Nov 17:00"),
        # Dates in words.
        ("on 27 nov at 9am", "27 Nov 09:00"),
        ("nov 27 9am", "27 Nov 09:00"),
        ("november 27th, 9am", "27 Nov 09:00"),
        ("27th of november at 9am", "27 Nov 09:00"),
        ("the 27th of Nov. at 17:30", "27 Nov 17:30"),
        ("at 9pm on 25 nov", "25 Nov 21:00"),
        ("24 nov 2026 at 9am", "24 Nov 09:00"),
        ("27. November um 17 Uhr", "27 Nov 17:00"),
        ("am 1. Dezember um 8:00", "01 Dec 08:00"),
        ("on the 27th at 9am", "27 Nov 09:00"),
        ("by the 21st at 17:00", "21 Nov 17:00"),
        ("until the 2nd at 9am", "02 Dec 09:00"),
        ("on 27 nov at 9", "ambiguous"),
        # A date that is too far away is refused, not taken for another day.
        ("on 7 dec at 9", "far"),
        ("on the 7th at 9", "far"),
        ("dec 7 9am", "far"),
        ("7. dezember um 9", "far"),
        ("24 nov 2030 at 9am", "far"),
        ("10 oct at 9am", "far"),
        # Yesterday's date is unlikely to mean next year.
        ("19 nov at 9am", "past"),
        ("on monday 24 nov at 9am", "other_weekday"),
        # Day and month can be told apart, as only one of the numbers can be a month.
        ("on 27/11 at 9am", "27 Nov 09:00"),
        ("11/27 9am", "27 Nov 09:00"),
        ("on monday 30 feb at 9am", "unreadable"),
        ("on 30 feb at 9am", "unreadable"),
        # Either could be the day.
        ("7 dec 9", "unreadable"),
        ("7/12 9am", "unreadable"),
        ("1/2 9am", "unreadable"),
        # "Next" and a weekday means a day of next week. If the coming one is this week, it is ambiguous.
        ("next monday at 8am", "23 Nov 08:00"),
        ("next friday at 9am", "27 Nov 09:00"),
        ("next saturday at 9am", "ambiguous"),
        ("saturday next week at 9am", "28 Nov 09:00"),
        ("next week tuesday at 9am", "24 Nov 09:00"),
        ("nächsten Montag um 8:00", "23 Nov 08:00"),
        ("this sunday at 10am", "22 Nov 10:00"),
        ("6 am tomorrow", "21 Nov 06:00"),
        ("9 am monday", "23 Nov 09:00"),
        # With "today", a time that has already passed isn't meant.
        ("today at 6", "20 Nov 18:00"),
        ("today at 9", "20 Nov 21:00"),
        # Texts with typing errors, and in colloquial spellings.
        ("at midnite", "21 Nov 00:00"),
        ("tonite at 8", "20 Nov 20:00"),
        ("elevenish", "20 Nov 23:00"),
        ("wendesday at 9am", "25 Nov 09:00"),
        ("on 25 novmber at 9am", "25 Nov 09:00"),
        ("in a fortnight", "04 Dec 14:00"),
        ("at five thirty", "20 Nov 17:30"),
        ("on tuesday, 24 nov, at 8:30", "24 Nov 08:30"),
        ("tuesday the 24th at 8:30", "24 Nov 08:30"),
        ("tue 24th of november at 9am", "24 Nov 09:00"),
        # Near this date, no 24 November is a Monday.
        ("monday 24 nov at 8:30", "other_weekday"),
        ("five-thirty pm", "20 Nov 17:30"),
        ("at 7 fifteen tonight", "20 Nov 19:15"),
        ("in twenty-five minutes", "20 Nov 14:25"),
        ("at 1700 hours", "20 Nov 17:00"),
        ("the day after tomorrow at 9am", "22 Nov 09:00"),
        ("übermorgen um 9:00", "22 Nov 09:00"),
        ("am 1.12. um 9:00", "01 Dec 09:00"),
        ("01.12.2026 um 9:00", "01 Dec 09:00"),
        ("the 23rd at 9am", "23 Nov 09:00"),
        ("this coming monday at 9am", "23 Nov 09:00"),
        ("5 a.m. on 23 nov", "23 Nov 05:00"),
        ("on 24.12 at 9am", "far"),
        ("at half elevenish", "unreadable"),
        ("later", "unreadable"),
        ("in a bit", "unreadable"),
    ],
)
def test_a_day_and_a_part_of_it_are_read_in_words(text, means):
    assert _dated(text) == means


def test_options_name_a_day_as_it_is_typed():
    options = {text: read(text, BERLIN, NOW).options for text in ("on 27 nov at 9", "next saturday at 9am")}
    assert options == {
        "on 27 nov at 9": ("27 nov 09:00", "27 nov 21:00"),
        "next saturday at 9am": ("2026-11-21 09:00", "2026-11-28 09:00"),
    }


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("today and tomorrow", "20 21 Nov"),
        ("tomorrow, monday and tuesday", "21 23 24 Nov"),
        ("the 24th and 26th", "24 26 Nov"),
        ("24 and 26 november", "24 26 Nov"),
        ("monday to wednesday", "23 24 25 Nov"),
        ("mon\u2013wed", "23 24 25 Nov"),
        ("23-25 nov", "23 24 25 Nov"),
        ("vom 23. bis 25. November", "23 24 25 Nov"),
        ("from 23 nov for 3 days", "23 24 25 Nov"),
        ("between 23 and 25 nov", "23 24 25 Nov"),
        ("until monday", "20 21 22 Nov"),
        ("until next week", "20 21 22 Nov"),
        ("for 3 days", "20 21 22 Nov"),
        ("for today", "20 Nov"),
        ("this weekend", "21 22 Nov"),
        ("next monday", "23 Nov"),
        ("next saturday", ""),
        ("from monday", ""),
        ("until 5pm", ""),
        ("for 2 hours", ""),
        ("over christmas", ""),
        ("monday at 5", ""),
        ("thursdays", ""),
        ("for 400 days", ""),
    ],
)
def test_several_days_are_read(text, days):
    found = list_days(read_spans(text, date(2026, 11, 20)))
    assert " ".join([*(f"{day:%d}" for day in found), *(["Nov"] if found else [])]) == days


@pytest.mark.parametrize(
    ("text", "first", "last", "count"),
    [
        ("from 21 dec to 4 jan", "2026-12-21", "2027-01-04", 15),
        ("21 dec - 4 jan", "2026-12-21", "2027-01-04", 15),
        ("dec 21 until jan 4", "2026-12-21", "2027-01-04", 15),
        ("2026-12-21 to 2027-01-04", "2026-12-21", "2027-01-04", 15),
        ("for a week", "2026-11-20", "2026-11-26", 7),
        ("until friday", "2026-11-20", "2026-11-26", 7),
        ("next week", "2026-11-23", "2026-11-29", 7),
        ("until 4 jan", "2026-11-20", "2027-01-03", 45),
        ("all of next week", "2026-11-23", "2026-11-29", 7),
        ("week 49", "2026-11-30", "2026-12-06", 7),
        ("december", "2026-12-01", "2026-12-31", 31),
        ("for 2 months", "2026-11-20", "2027-01-19", 61),
        ("from monday for a month", "2026-11-23", "2026-12-22", 30),
    ],
)
def test_a_span_of_days_has_both_ends(text, first, last, count):
    found = list_days(read_spans(text, date(2026, 11, 20)))
    assert (found[0].isoformat(), found[-1].isoformat(), len(found)) == (first, last, count)


SPANS = "from to until and for - 21 4 dec jan the 7th next monday week a , 2"


@given(st.lists(st.sampled_from(SPANS.split())))
def test_several_days_are_in_order_whatever_is_typed(words):
    found = list_days(read_spans(" ".join(words), date(2026, 11, 20)))
    assert [*found] == sorted({*found})


def test_a_context_says_what_a_bare_text_is():
    assert _local("2h", kind="time") == "ambiguous"
    assert _local("18", kind="time") == "Fri 18:00"
    assert _local("17h", kind="length") == "Sat 07:00"
    assert _local("14:05", kind="time", soonest=600.0) == "soon"
    assert read("at 2h", BERLIN, NOW) == Unread("ambiguous", ("for 2h", "at 02:00"))
    assert read("9:00", BERLIN, NOW) == Unread("ambiguous", ("tomorrow 09:00", "21:00"))
    assert read("by eod", BERLIN, NOW) == Unread("ambiguous", ("today 17:00", "today 18:00"))
    assert read("tomorrow 6", BERLIN, NOW) == Unread("ambiguous", ("tomorrow 06:00", "tomorrow 18:00"))


@pytest.mark.parametrize(
    ("text", "is_next_day"),
    [
        ("09:00", True),
        ("18:00", False),
        ("midnight", False),  # It ends today.
        ("0:00", False),
        ("24:00", False),
        ("12am", False),
        ("tomorrow 9:00", False),
        ("12h", False),
        ("at 8", False),
        ("6 PM PT", False),
        ("1 AM PT", True),
    ],
)
def test_a_day_that_nobody_named_is_noticed(text, is_next_day):
    found = read(text, BERLIN, NOW)
    assert isinstance(found, Moment)
    assert found.is_next_day is is_next_day


#: In Berlin, the clocks go from 2:00 to 3:00 on 2027-03-28, and from 3:00 to 2:00 on 2026-10-25.
SPRING = datetime(2027, 3, 28, 1, 30, tzinfo=BERLIN).timestamp()
AUTUMN = datetime(2026, 10, 25, 1, 30, tzinfo=BERLIN).timestamp()


@pytest.mark.parametrize(
    ("text", "now", "ahead"),
    [
        # The skipped 2:30 means half an hour after the change, when it would have been 2:30.
        ("2:30", SPRING, HOUR),
        ("3:30", SPRING, HOUR),
        ("for 2h", SPRING, 2 * HOUR),
        # When 2:30 occurs twice, it means the first one, and after that the second.
        ("2:30", AUTUMN, HOUR),
        ("2:30", AUTUMN + 1.5 * HOUR, HOUR / 2),
        ("3:30", AUTUMN, 3 * HOUR),
        # The day has 25 hours.
        ("01:15", AUTUMN, 24.75 * HOUR),
        ("tomorrow 1:30", AUTUMN, 25 * HOUR),
        # The evening before.
        ("2:30", SPRING - 5 * HOUR, 6 * HOUR),
        ("tomorrow 2:30", SPRING - 5 * HOUR, 6 * HOUR),
    ],
)
def test_when_the_clocks_change(text, now, ahead):
    found = read(text, BERLIN, now)
    assert isinstance(found, Moment)
    assert found.at - now == ahead
    assert found.is_shifted is (text.endswith("2:30") and now <= SPRING and now > AUTUMN + 86_400)


@pytest.mark.parametrize("name", [None, "", "Mars/Olympus", "../etc/passwd", "Europe"])
def test_a_zone_that_nobody_knows_is_utc(name):
    assert load_zone(name).key == "UTC"


ZONES = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Casablanca"]
)
WORDS = st.lists(
    st.sampled_from(
        [
            "for",
            "in",
            "until",
            "at",
            "tomorrow",
            "tonight",
            "friday",
            "2026-03-29",
            "9",
            "12",
            "2h",
            "17h",
            "1h30",
            "6pm",
            "12am",
            "02:30",
            "2:30",
            "24:00",
            "noon",
            "half",
            "an",
            "hour",
            "90",
            "min",
            "and",
            "a",
            "o'clock",
            ".",
            "0",
            "9999",
            "99999999999",
            "٣",
            "1.5",
            *(
                "utc",
                "+02:00",
                "z",
                "ist",
                "tokyo",
                "time",
                "2026-11-21t18:00",
                "pt2h",
                "18:00".translate(WIDE),
            ),
            *("7", "dec", "next", "monday", "the", "on", "7th", "week", "this", "afternoon", "day", "after"),
        ]
    ),
    max_size=6,
).map(" ".join)
TIMES = st.floats(min_value=1.7e9, max_value=2.2e9)


@given(
    text=st.one_of(WORDS, st.text(max_size=80)),
    zone=ZONES,
    now=TIMES,
    kind=st.sampled_from(["", "length", "time"]),
)
@example(text="2:30", zone="Europe/Berlin", now=SPRING, kind="")
def test_a_moment_lies_ahead_whatever_is_typed(text, zone, now, kind):
    found = read(text, ZoneInfo(zone), now, kind=kind)
    if isinstance(found, Moment):
        assert now < found.at <= now + FARTHEST_SECONDS
    for option in found.options if isinstance(found, Unread) else ():
        again = read(option, ZoneInfo(zone), now)
        assert isinstance(again, Moment) or again.why in {"past", "soon", "far"}
    time_kind(text)


#: How programs and people elsewhere write times, read at 14:00 on a Friday in Berlin.
ELSEWHERE = [
    ("2026-11-21T18:00:00+00:00", "Sat 19:00"),
    ("2026-11-21T18:00:27Z", "Sat 19:00"),
    ("2026-11-21T18:00", "Sat 18:00"),
    ("2026-11-21 18:00:00.5-05:00", "Sun 00:00"),
    ("2026-11-21T18:00:00-05:00[America/New_York]", "Sun 00:00"),
    ("20261121T180000Z", "Sat 19:00"),
    ("T18:00", "Fri 18:00"),
    ("until 23:00 UTC", "Sat 00:00"),
    ("18:00Z", "Fri 19:00"),
    ("at 23:00+02:00", "Fri 22:00"),
    ("18:00+0800", "Sat 11:00"),
    ("18:00 GMT+2", "Fri 17:00"),
    ("18:00 utc -5", "Sat 00:00"),
    ("18:00-05:00", "unreadable"),
    ("2026-11-21 18:00-05:00", "unreadable"),
    ("18:00 Europe/London", "Fri 19:00"),
    ("at 11pm Tokyo time", "Fri 15:00"),
    ("18:00 in New York", "Sat 00:00"),
    ("friday 6pm London time", "Fri 19:00"),
    ("11 PM São Paulo", "Sat 03:00"),
    ("um 18 Uhr MEZ", "Fri 18:00"),
    ("5pm PT", "Sat 02:00"),
    ("5pm Pacific time", "Sat 02:00"),
    ("5pm EST", "Fri 23:00"),
    ("noon UTC", "Sat 13:00"),
    ("18:00 India", "Sat 13:30"),
    ("for 2h UTC", "unreadable"),
    ("18:00 XYZ", "unreadable"),
    ("until 18:00".translate(WIDE), "Fri 18:00"),
    ("until 18:00".translate(ARABIC), "Fri 18:00"),
    ("for 2 hours".translate(WIDE), "Fri 16:00"),
    ("½ hour", "Fri 14:30"),
    ("PT2H", "Fri 16:00"),
    ("for P1DT1H30M", "Sat 15:30"),
    ("1 min 40 s", "Fri 14:01"),
    ("90 seconds", "Fri 14:01"),
]


@pytest.mark.parametrize(("text", "means"), ELSEWHERE)
def test_times_of_programs_and_other_zones_are_read(text, means):
    assert _local(text) == means


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("10:30 IST tomorrow", ["Europe/Dublin", "UTC+01:00", "Asia/Jerusalem", "Asia/Kolkata"]),
        ("18:00 CST", ["America/Chicago", "America/Havana", "Asia/Shanghai"]),
        # CEST isn't used in winter, so either its summer offset or Berlin's present time may be meant.
        ("18:00 CEST", ["Europe/Berlin", "UTC+02:00"]),
        # At 23:30 in Berlin, it is already tomorrow in Tokyo.
        ("tomorrow 9:00 Tokyo time", ["2026-11-21 09:00 Asia/Tokyo", "2026-11-22 09:00 Asia/Tokyo"]),
    ],
    ids=["IST", "CST", "CEST", "tomorrow"],
)
def test_a_zone_that_may_be_several_is_asked_about(text, options):
    now = NOW + 9.5 * HOUR if "tomorrow 9" in text else NOW
    found = read(text, BERLIN, now)
    assert isinstance(found, Unread)
    assert found.why == "ambiguous"
    assert all(one.endswith(end) for one, end in zip(found.options, options, strict=True))
    moments = [read(one, BERLIN, now) for one in found.options]
    assert len({one.at for one in moments}) == len(options)


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("18:00[UTC]", "18:00 UTC"),
        ("2026-11-24T18:00[America/New_York]", "2026-11-24 18:00 New York"),
        ("2026-11-24T18:00:00[Asia/Tokyo]", "2026-11-24 18:00 Tokyo"),
        ("2026-11-24T18:00:00+02:00[Asia/Tokyo]", "2026-11-24 18:00 +02:00"),
    ],
)
def test_a_zone_in_brackets_counts_unless_there_is_an_offset(written, means):
    assert read(written, BERLIN, NOW).at == read(means, BERLIN, NOW).at


@pytest.mark.parametrize("text", ["18:00[mars]", "18:00[UTC][Asia/Tokyo]"])
def test_brackets_that_name_no_zone_or_two_are_not_read(text):
    assert isinstance(read(text, BERLIN, NOW), Unread)


def test_every_name_of_a_zone_is_read_beside_a_time():
    for name in words._load_zone_names():
        if name.count("_") > 3:
            continue
        text, said = words.split_zone(f"18:00 {name.replace('_', ' ')}")
        assert (text, bool(said)) == ("18:00", True), name
        assert words.split_zone(f"18:00 {said.zones[0]}")[1], name


@given(at=st.floats(60, FARTHEST_SECONDS - 1), zone=ZONES, now=TIMES, written_in=ZONES)
def test_a_moment_is_read_as_programs_write_it(at, zone, now, written_in):
    """The text has seconds, and is written in its own zone, with an offset, or in UTC."""
    moment = datetime.fromtimestamp(round(now + at), ZoneInfo(written_in))
    for text in (
        moment.isoformat(),
        moment.astimezone(UTC).isoformat(),
        f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}",
    ):
        found = read(text, ZoneInfo(zone), now)
        assert isinstance(found, Moment), text
        assert found.at == moment.timestamp(), text


@given(seconds=st.integers(1, int(FARTHEST_SECONDS)))
def test_a_duration_is_read_as_it_is_written(seconds):
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    text = f"{hours} h {minutes} min {left} s"
    assert length(text) == seconds
    assert length(f"PT{hours}H{minutes}M{left}S") == seconds
    written = length(format_duration(seconds))
    assert written is not None
    assert abs(written - seconds) <= (86_400 if seconds > 86_400 else 60)


@given(hour=st.integers(0, 23), minute=st.integers(0, 59), zone=ZONES, now=TIMES)
@example(hour=10, minute=0, zone="Europe/Berlin", now=2_198_822_400.0)
def test_a_time_of_day_is_what_the_clocks_will_show(hour, minute, zone, now):
    found = read(f"until {hour:02d}:{minute:02d}", ZoneInfo(zone), now)
    if isinstance(found, Unread):
        # This time of day has passed, so the evening may be meant.
        later = f"{hour + 12}:{minute:02d}"
        assert (found.why, found.options[1:], hour < 12) == ("ambiguous", (later,), True)
        evening = read(f"until {later}", ZoneInfo(zone), now)
        assert isinstance(evening, Moment)
        assert not evening.is_next_day
        found = read(found.options[0], ZoneInfo(zone), now)
    assert isinstance(found, Moment)
    shown = datetime.fromtimestamp(found.at, UTC).astimezone(ZoneInfo(zone))
    assert ((shown.hour, shown.minute) == (hour, minute)) is not found.is_shifted
    assert found.at - now <= 26 * HOUR


@pytest.mark.parametrize("text", ["2026-13-45", "2026-02-30", "0000-01-01", "30 February", "Feb 30"])
def test_a_day_that_no_calendar_has_is_none(text):
    assert day_of(text, date(2026, 1, 31)) is None


@pytest.mark.parametrize(
    "text",
    [
        *("every day at 6am", "daily 3:00", "every night", "weekdays 7:30", "mon,fri 9:05", "mondays"),
        *("every 2 hours", "every monday at 6", "hourly", "nightly at 3", "2027-01-18 9:00", "tomorrow 9:00"),
        *("0 3 * * *", "*/15 * * * mon-fri", "@daily", "each weekday at half past six", "weekly"),
    ],
)
def test_words_of_a_schedule_are_one(text):
    assert time_parsing.is_schedule(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "build",
            "nightly build",
            "daily report",
            "weekly-sales",
            "train.R",
            "on gpu",
            "5",
            "v2 1 2 3 4",
        ),
        *("every model", "report 2", "monday report", "month end", "x" * 200, "every day run it"),
    ],
)
def test_other_words_are_no_schedule(text):
    assert not time_parsing.is_schedule(text)
