"""Tests of working hours: how they are written, when they occur in any zone, and that each occurs once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.hours import (
    HORIZON_SECONDS,
    OPEN_HOURS_SECONDS,
    STOP_CHECK_SECONDS,
    HoursRule,
    find_asking_evening,
    find_idle_since,
)
from bot.domain.preferences import NEVER_HOURS
from bot.domain.time_parsing import (
    DAY_MINUTES,
    DAYS,
    EVERY_DAY,
    WEEKDAYS,
    WEEKEND,
    Wanted,
    has_odd_offset,
    list_zone_readings,
    read_hours,
    resolve_instant,
    write_hours,
)
from bot.domain.workspaces import State, Workspace
from tests.rigs.store import ALICE

HOUR = 3600.0
NINE, SIX = 9 * 60, 18 * 60
BERLIN, NEW_YORK, LORD_HOWE, TOKYO = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo"


def rule(days=EVERY_DAY, starts=None, stops=None, zone=BERLIN, since="2027-01-01", **keys) -> HoursRule:
    at = datetime.fromisoformat(since).replace(tzinfo=ZoneInfo(zone)).timestamp()
    hours = {"days": frozenset(days), "starts": starts, "stops": stops}
    return HoursRule("r", ALICE, "saturn", "w", zone, at, **hours | keys)


@pytest.mark.parametrize(
    ("text", "days", "starts", "stops"),
    [
        ("weekdays 9:00-18:00", WEEKDAYS, NINE, SIX),
        ("mon,wed 8:30", {"mon", "wed"}, 8 * 60 + 30, None),
        ("every day -20:00", EVERY_DAY, None, 20 * 60),
        ("every day \u201320:00", EVERY_DAY, None, 20 * 60),
        ("every weekday at 9", WEEKDAYS, NINE, None),
        ("mon-fri 9-5", WEEKDAYS, NINE, 17 * 60),
        ("m-f 9 to half 5", WEEKDAYS, NINE, 17 * 60 + 30),
        ("di-do 9:00", {"tue", "wed", "thu"}, NINE, None),
        ("Monday to Friday, 9am to 6 pm", WEEKDAYS, NINE, SIX),
        ("mon - fri from 9 until 18h", WEEKDAYS, NINE, SIX),
        ("daily until 8pm", EVERY_DAY, None, 20 * 60),
        ("Mondays and Thursdays 9:00 \u2013 18:00", {"mon", "thu"}, NINE, SIX),
        ("weekends 22:00-2:00", WEEKEND, 22 * 60, 2 * 60),
        ("fri-mon 9:00", {"fri", "sat", "sun", "mon"}, NINE, None),
        ("every day until midnight", EVERY_DAY, None, DAY_MINUTES),
        ("2027-02-28 9:00", {"2027-02-28"}, NINE, None),
        ("mon\u2013thu 9 to 5", {"mon", "tue", "wed", "thu"}, NINE, 17 * 60),
        ("weekdays 9 to 5", WEEKDAYS, NINE, 17 * 60),
        ("9 to 5 on weekdays", WEEKDAYS, NINE, 17 * 60),
        ("8 on mondays until noon", {"mon"}, 8 * 60, 12 * 60),
        ("every evening at 8", EVERY_DAY, 20 * 60, None),
        ("evenings 6-10", EVERY_DAY, SIX, 22 * 60),
        ("weekday mornings at 8:30", WEEKDAYS, 8 * 60 + 30, None),
        ("nightly until 2", EVERY_DAY, None, 2 * 60),
        ("mondays from 2 to 5 in the afternoon", {"mon"}, 14 * 60, 17 * 60),
        ("weekdays from 9 in the morning to 6 in the evening", WEEKDAYS, NINE, SIX),
        ("weekdays 9 to 5pm", WEEKDAYS, NINE, 17 * 60),
        ("fridays 8-10pm", {"fri"}, 20 * 60, 22 * 60),
        ("weekdays 8 to 6:30", WEEKDAYS, 8 * 60, 18 * 60 + 30),
        ("weekdays quarter to 9 to 5", WEEKDAYS, 8 * 60 + 45, 17 * 60),
        ("between 9 and 5 on weekdays", WEEKDAYS, NINE, 17 * 60),
        ("every weekday except friday at 9", WEEKDAYS - {"fri"}, NINE, None),
        ("montags und mittwochs 9-17 uhr", {"mon", "wed"}, NINE, 17 * 60),
        ("montag bis freitag 9-17 Uhr", WEEKDAYS, NINE, 17 * 60),
        ("27 nov 9:00-17:00", {"27nov"}, NINE, 17 * 60),
        ("this afternoon from 2 to 5", {"today"}, 14 * 60, 17 * 60),
    ],
)
def test_hours_are_read_as_people_write_them(text, days, starts, stops):
    assert read_hours(text) == Wanted(frozenset(days), starts, stops)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9:00-18:00",
        "weekdays",
        "weekdays 25:00",
        "weekdays 9:00-",
        "weekdays 9:00-9:10",
        "weekdays 9:00-9:00",
        "weekdays noonish",
        "2027-02-30 9:00",
        "someday 9:00",
        "weekdays 9:00 18:00",
        "at 5 in the afternoon",
        "mon 9 to fri 5",
        "every monday until friday 9:00",
        "every 2 days 9:00",
        "next friday 9:00",
        "this friday 9:00-17:00",
        "this weekend 10-12",
        "coming monday and tuesday 9-17",
        "mon " * 40 + "9:00",
        "-" * 90,
    ],
)
def test_what_are_no_hours_is_left(text):
    assert read_hours(text) is None


def test_dates_in_words_are_those_after_today():
    wanted = read_hours("7 dec and the 2nd 9:00").on(date(2026, 11, 20))
    assert wanted == Wanted(frozenset({"2026-12-07", "2026-12-02"}), NINE)
    assert write_hours(read_hours("7 dec 9:00")) == "7 dec 09:00"


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("weekdays 9:00-17:00 UTC", "UTC"),
        ("weekdays 9:00-17:00 PT", "America/Los_Angeles"),
        ("weekdays \uff19\uff1a\uff10\uff10-17:00 Tokyo time", "Asia/Tokyo"),
        ("weekdays 9-17 utc+2", "Etc/GMT-2"),
        ("weekdays 9:00-17:00", ""),
    ],
)
def test_hours_are_read_with_the_zone_beside_them(text, zone):
    found = read_hours(text)
    assert found == Wanted(WEEKDAYS, 540, 1020, zone)
    assert read_hours(write_hours(found)) == found


def test_hours_in_a_zone_that_may_be_several_are_asked_about():
    assert read_hours("mon 9:00-17:00 IST") is None
    readings = list_zone_readings("mon 9:00-17:00 IST")
    assert [read_hours(one).zone for one in readings] == ["Europe/Dublin", "Asia/Jerusalem", "Asia/Kolkata"]
    assert list_zone_readings("mon 9:00-17:00 UTC") == list_zone_readings("lab IST") == ()


@pytest.mark.parametrize(
    ("text", "starts", "stops", "zone"),
    [
        ("2026-12-24 9:00-12:00", NINE, 12 * 60, ""),
        ("2026-12-24 22:00-06:00", 22 * 60, 6 * 60, ""),
        ("2026-12-24 9:00-17:00 UTC", NINE, 17 * 60, "UTC"),
    ],
)
def test_a_dash_between_two_times_on_a_date_is_no_offset(text, starts, stops, zone):
    assert read_hours(text) == Wanted(frozenset({"2026-12-24"}), starts, stops, zone)


@pytest.mark.parametrize("zone", ["+05:30", "utc+5:45", "UTC-3:30", "+0930", "GMT+12:45"])
def test_hours_at_an_offset_with_minutes_need_a_zone(zone):
    assert read_hours(f"weekdays 9:00-17:00 {zone}") is None
    assert has_odd_offset(f"weekdays 9:00-17:00 {zone}")
    assert not has_odd_offset(f"lab {zone}")


@pytest.mark.parametrize("zone", ["+05:00", "utc+5", "Asia/Kolkata", "IST", "XYZ", ""])
def test_offset_of_whole_hours_is_none_of_them(zone):
    assert not has_odd_offset(f"weekdays 9:00-17:00 {zone}")


MINUTES = st.integers(0, DAY_MINUTES - 1)


@given(st.sets(st.sampled_from(DAYS), min_size=1), MINUTES | st.none(), MINUTES | st.none())
def test_what_is_written_is_read(days, starts, stops):
    wanted = Wanted(frozenset(days), starts, stops)
    found = read_hours(write_hours(wanted))
    if None not in (starts, stops):
        assert found == (wanted if (stops - starts) % DAY_MINUTES >= 30 else None)
    elif (starts, stops) == (None, None):
        assert found is None
    else:
        assert found == (wanted if stops != 0 else Wanted(frozenset(days), None, DAY_MINUTES))


SAID = """mon fri-mon weekdays every morning evenings nightly 9 5 9:00 6:30 to - until 6pm half past noon and
except today 7 dec the 7th tomorrow next midnight between from at , quarter 12 24"""


@given(st.lists(st.sampled_from(SAID.split()), max_size=9))
def test_whatever_words_hours_are_read_from_they_can_be_written(words):
    found = read_hours(" ".join(words))
    assert found is None or read_hours(write_hours(found)) == found


@given(st.text())
def test_whatever_is_typed_is_no_hours_or_some_that_can_be_written(text):
    for typed in (text, f"weekdays {text}", f"9:00 {text}"):
        assert (found := read_hours(typed)) is None or read_hours(write_hours(found)) == found


@pytest.mark.parametrize(
    ("zone", "day", "local", "utc"),
    [
        # In spring, an hour is skipped, and times within it move to an hour later. In autumn an hour occurs
        # twice, and the first one counts.
        (BERLIN, "2027-03-28", "01:59", "2027-03-28T00:59"),
        (BERLIN, "2027-03-28", "02:30", "2027-03-28T01:30"),
        (BERLIN, "2027-03-28", "03:00", "2027-03-28T01:00"),
        (BERLIN, "2027-10-31", "02:30", "2027-10-31T00:30"),
        (BERLIN, "2027-10-31", "03:00", "2027-10-31T02:00"),
        (NEW_YORK, "2027-03-14", "02:30", "2027-03-14T07:30"),
        (NEW_YORK, "2027-11-07", "01:30", "2027-11-07T05:30"),
        (NEW_YORK, "2027-11-07", "02:00", "2027-11-07T07:00"),
        # On Lord Howe Island clocks change by half an hour: 2:00 becomes 2:30, and back.
        (LORD_HOWE, "2027-10-03", "02:15", "2027-10-02T15:45"),
        (LORD_HOWE, "2027-10-03", "02:30", "2027-10-02T15:30"),
        (LORD_HOWE, "2027-04-04", "01:45", "2027-04-03T14:45"),
        (LORD_HOWE, "2027-04-04", "02:00", "2027-04-03T15:30"),
        (TOKYO, "2027-03-28", "02:30", "2027-03-27T17:30"),
        # A leap day, and the last day of a month and a year.
        (BERLIN, "2028-02-29", "09:00", "2028-02-29T08:00"),
        (TOKYO, "2027-12-31", "24:00", "2027-12-31T15:00"),
    ],
)
def test_a_local_time_is_one_moment(zone, day, local, utc):
    minute = int(local[:2]) * 60 + int(local[3:])
    at = datetime.fromtimestamp(resolve_instant(date.fromisoformat(day), minute, ZoneInfo(zone)), UTC)
    assert at.strftime("%Y-%m-%dT%H:%M") == utc


def coming(one: HoursRule, count: int = 4) -> list[str]:
    """Return the next occurrences, in UTC."""
    found, at = [], one.processed_until
    for _ in range(count):
        if (next_ := one.after(at)) is None:
            break
        at = next_.at
        found.append(f"{next_.side} {datetime.fromtimestamp(at, UTC):%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # Each rule begins on Friday 1 January 2027, unless it says otherwise.
        (rule(WEEKDAYS, NINE, SIX), ["start 01 08:00", "stop 01 17:00", "start 04 08:00", "stop 04 17:00"]),
        (rule(WEEKEND, NINE, since="2027-01-30"), ["start 30 08:00", "start 31 08:00", "start 06 08:00"]),
        (rule(stops=20 * 60, since="2028-02-28"), ["stop 28 19:00", "stop 29 19:00", "stop 01 19:00"]),
        (rule({"fri"}, 22 * 60, 120), ["start 01 21:00", "stop 02 01:00", "start 08 21:00", "stop 09 01:00"]),
        (rule({"sat"}, 22 * 60, 150, since="2027-03-27"), ["start 27 21:00", "stop 28 01:30"]),
        (rule({"sun"}, 150, 210, since="2027-03-28"), ["start 04 00:30"]),
        (rule({"2027-01-05"}, NINE), ["start 05 08:00"]),
        (rule({"2027-01-05"}, NINE, off=frozenset({"2027-01-05"})), []),
        (rule(starts=NINE, off=frozenset({"2027-01-02"})), ["start 01 08:00", "start 03 08:00"]),
        (rule(stops=DAY_MINUTES, zone=TOKYO), ["stop 01 15:00", "stop 02 15:00"]),
    ],
)
def test_they_come_on_their_days(given, expected):
    assert coming(given, max(len(expected), 1)) == expected


def test_a_stop_is_looked_at_before_it_comes_and_a_start_when_it_does():
    nine_to_six = rule(WEEKDAYS, NINE, SIX)
    start = nine_to_six.after(nine_to_six.processed_until)
    stop = nine_to_six.after(start.at)
    assert (start.due_at, start.until) == (start.at, stop.at)
    assert stop.due_at == stop.at - STOP_CHECK_SECONDS
    only_start = rule(starts=NINE)
    assert only_start.after(only_start.processed_until).until == start.at + OPEN_HOURS_SECONDS


ZONES = st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, TOKYO, "Pacific/Apia", "UTC"])


@given(
    st.sets(st.sampled_from(DAYS), min_size=1),
    st.tuples(MINUTES | st.none(), MINUTES | st.none()).filter(lambda pair: pair != (None, None)),
    ZONES,
    st.lists(st.tuples(st.floats(1.0, 3 * 86_400.0), ZONES), max_size=40),
)
def test_however_it_is_looked_at_each_comes_once_in_its_order(days, sides, zone, looks):
    """Check at any times, in changing zones: each occurrence is processed once, and none is left out."""
    one = rule(days, *sides, zone=zone, since="2027-03-20")
    seen: list[str] = []
    now = one.processed_until
    for wait, other in looks:
        expected = one.due(now + wait)
        now += wait
        for each in expected:
            assert one.processed_until < each.at
            seen.append(f"{each.local} {each.side} {one.zone}")
        if expected:
            one = replace(one, processed_until=expected[-1].at)
        next_ = one.after(one.processed_until)
        assert next_ is None or next_.due_at > now or next_.at <= now - HORIZON_SECONDS
        # After a change of zone, an occurrence may be due immediately.
        if other != one.zone and len(seen) % 3 == 0:
            changed = {"zone": other, "processed_until": max(now, one.processed_until)}
            one = replace(one, **changed)
    assert len(seen) == len(set(seen))


def test_what_is_long_ago_is_left():
    one = rule(starts=NINE)
    due = one.due(one.processed_until + 45 * 86_400.0)
    assert len(due) == HORIZON_SECONDS // 86_400.0


def test_the_next_start_after_weeks_that_are_skipped_is_found():
    off = {date.fromordinal(date(2027, 1, 1).toordinal() + day).isoformat() for day in range(60)}
    one = rule(WEEKDAYS, NINE, SIX, off=frozenset(off))
    assert one.after(one.processed_until).local == "2027-03-02T09:00"


# -- whether a workspace's owner is asked now if they still need it ------------------------------------------


LEFT = Workspace("w1", ALICE, "cloud", "r1", "g1", "analysis", state=State.RUNNING)


def local(text: str) -> float:
    return datetime.fromisoformat(f"2027-11-{text}").replace(tzinfo=ZoneInfo(BERLIN)).timestamp()


@pytest.mark.parametrize(
    ("now", "hours", "more", "is_asked"),
    [
        ("22 09:12", 24, {"started_at": "21 09:12"}, True),
        ("22 09:11", 24, {"started_at": "21 09:12"}, False),
        ("22 08:59", 8, {"started_at": "21 09:12"}, False),
        ("22 09:00", 8, {"started_at": "21 09:12"}, True),
        ("22 16:59", 8, {"started_at": "21 09:12"}, True),
        ("22 17:00", 8, {"started_at": "21 09:12"}, False),
        ("22 12:00", NEVER_HOURS, {"started_at": "01 09:12"}, False),
        ("22 12:00", 8, {}, False),
        ("22 12:00", 8, {"started_at": "20 09:00", "last_used_at": "22 04:01"}, False),
        ("22 12:00", 8, {"started_at": "20 09:00", "last_used_at": "22 04:00"}, True),
        ("22 12:00", 8, {"last_used_at": "22 04:00"}, True),
        # Of an earlier life.
        ("22 12:00", 8, {"started_at": "22 08:00", "last_used_at": "20 04:00"}, False),
        # The owner has used the workspace through Usher since.
        ("22 12:00", 8, {"started_at": "20 09:00", "used_at": "22 10:00"}, False),
        # If it isn't known when a workspace started, the time counts from when it was first seen running.
        ("22 12:00", 8, {"running_since": "22 04:01"}, False),
        ("22 12:00", 8, {"running_since": "22 04:00"}, True),
        ("22 12:00", 8, {"running_since": "20 04:00", "started_at": "22 08:00"}, False),
        # The workspace's present state isn't known.
        ("22 12:00", 8, {"started_at": "20 09:00", "unknown_at": "22 11:59"}, False),
        ("22 12:00", 8, {"started_at": "20 09:00", "state": State.STOPPED}, False),
        ("22 12:00", 8, {"started_at": "20 09:00", "state": State.STARTING}, False),
    ],
)
def test_who_left_something_alone_for_long_is_asked_in_daytime(now, hours, more, is_asked):
    known = {key: value if key == "state" else local(value) for key, value in more.items()}
    after = hours * HOUR
    evening = find_asking_evening(replace(LEFT, **known), after, local(now), ZoneInfo(BERLIN))
    assert evening == (local("22 18:00") if is_asked else None)


def test_what_counts_is_the_last_use_where_it_is_told():
    assert find_idle_since(replace(LEFT, started_at=1.0)) == (1.0, False)
    assert find_idle_since(replace(LEFT, started_at=1.0, last_used_at=2.0)) == (2.0, True)
    assert find_idle_since(replace(LEFT, started_at=3.0, last_used_at=2.0)) == (3.0, False)


def test_stops_at_which_others_start_are_left_out():
    stops, starts = read_hours("daily -18:00"), read_hours("weekdays 18:00-22:00")
    assert stops.without([stops, starts]).days == WEEKEND
    assert stops.without([stops, starts._replace(zone=TOKYO), read_hours("weekdays 18:01")]) == stops
    assert starts.without([stops, starts]) == starts
