"""Tests of reading windows of past days, as people type them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.time_parsing.days import Window, find_week, read_window

BERLIN = ZoneInfo("Europe/Berlin")
#: A Wednesday.
NOW = datetime(2026, 11, 25, 14, 30, tzinfo=BERLIN).timestamp()


def read(text: str, zone: ZoneInfo = BERLIN, now: float = NOW) -> str:
    found = read_window(text, zone, now)
    return f"{found.first} {found.last}" if isinstance(found, Window) else found


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("", "2026-11-23 2026-11-29"),
        ("this week", "2026-11-23 2026-11-29"),
        ("week", "2026-11-23 2026-11-29"),
        ("my week", "2026-11-23 2026-11-29"),
        ("Last Week", "2026-11-16 2026-11-22"),
        ("letzte Woche", "2026-11-16 2026-11-22"),
        ("today", "2026-11-25 2026-11-25"),
        ("yesterday", "2026-11-24 2026-11-24"),
        ("gestern", "2026-11-24 2026-11-24"),
        ("my month", "2026-11-01 2026-11-30"),
        ("this month", "2026-11-01 2026-11-30"),
        ("last month", "2026-10-01 2026-10-31"),
        ("in September", "2026-09-01 2026-09-30"),
        ("sept", "2026-09-01 2026-09-30"),
        ("Sep.", "2026-09-01 2026-09-30"),
        ("Oktober", "2026-10-01 2026-10-31"),
        ("November", "2026-11-01 2026-11-30"),
        ("last november", "2025-11-01 2025-11-30"),
        ("December", "2025-12-01 2025-12-31"),
        ("dec", "2025-12-01 2025-12-31"),
        ("Feb 2026", "2026-02-01 2026-02-28"),
        ("2026-09", "2026-09-01 2026-09-30"),
        ("2025", "2025-01-01 2025-12-31"),
        ("last year", "2025-01-01 2025-12-31"),
        ("monday", "2026-11-23 2026-11-23"),
        ("on Wednesday", "2026-11-25 2026-11-25"),
        ("last wednesday", "2026-11-18 2026-11-18"),
        ("friday", "2026-11-20 2026-11-20"),
        ("since Monday", "2026-11-23 2026-11-25"),
        ("since wed", "2026-11-25 2026-11-25"),
        ("seit Montag", "2026-11-23 2026-11-25"),
        ("since 3 Nov", "2026-11-03 2026-11-25"),
        ("since Nov 3", "2026-11-03 2026-11-25"),
        ("since 3 Dec", "2025-12-03 2026-11-25"),
        ("since the 3rd", "2026-11-03 2026-11-25"),
        ("since the 28th", "2026-10-28 2026-11-25"),
        ("since 2026-11-03", "2026-11-03 2026-11-25"),
        ("since September", "2026-09-01 2026-11-25"),
        ("since yesterday", "2026-11-24 2026-11-25"),
        ("since last week", "2026-11-16 2026-11-25"),
        ("since last friday", "2026-11-20 2026-11-25"),
        ("from 3 Nov to 7 Nov", "2026-11-03 2026-11-07"),
        ("from 3 to 7 Nov", "2026-11-03 2026-11-07"),
        ("3 Nov - 7 Nov", "2026-11-03 2026-11-07"),
        ("2026-11-03 to 2026-11-07", "2026-11-03 2026-11-07"),
        ("between 3 Nov and 7 Nov", "2026-11-03 2026-11-07"),
        ("from October to November", "2026-10-01 2026-11-30"),
        ("2026-11-03", "2026-11-03 2026-11-03"),
        ("3 November 2025", "2025-11-03 2025-11-03"),
        ("last 7 days", "2026-11-19 2026-11-25"),
        ("the past 2 weeks", "2026-11-12 2026-11-25"),
        ("last 1 day", "2026-11-25 2026-11-25"),
        ("last month - yesterday", "2026-10-01 2026-11-24"),
        ("last 3 months", "2026-08-26 2026-11-25"),
        ("the past month", "2026-10-01 2026-10-31"),
        ("last 11 months", "2025-12-26 2026-11-25"),
        ("weekend", "2026-11-21 2026-11-22"),
        ("on the weekend", "2026-11-21 2026-11-22"),
        ("last weekend", "2026-11-21 2026-11-22"),
        ("this weekend", "future"),
        ("Mon-Fri", "2026-11-16 2026-11-20"),
        ("mon - wed", "2026-11-23 2026-11-25"),
        ("from friday to monday", "2026-11-20 2026-11-23"),
        ("Sep-Oct", "2026-09-01 2026-10-31"),
        ("September to October 2025", "2025-09-01 2025-10-31"),
        ("3 Nov - 9 Nov 2025", "2025-11-03 2025-11-09"),
        ("from 28 Dec to 3 Jan 2026", "2025-12-28 2026-01-03"),
        ("between monday", "unreadable"),
        ("2026-12-03", "future"),
        ("since 3 Jan 2027", "future"),
        ("Dec 2026", "future"),
        ("from 7 Nov to 3 Nov", "backwards"),
        ("since 1999-01-01", "1999-01-01 2026-11-25"),
        ("2025-10-21", "2025-10-21 2025-10-21"),
        ("2025-10-20", "old"),
        ("2024", "old"),
        ("0001-01-01", "old"),
        ("since 0001-01-01", "0001-01-01 2026-11-25"),
        ("31 Feb", "unreadable"),
        ("2026-02-31", "unreadable"),
        ("2026-13", "unreadable"),
        ("last 0 days", "unreadable"),
        ("since", "unreadable"),
        ("between Monday", "unreadable"),
        ("last quarter", "2026-07-01 2026-09-30"),
        ("letztes Quartal", "2026-07-01 2026-09-30"),
        ("this quarter", "2026-10-01 2026-12-31"),
        ("quarter", "2026-10-01 2026-12-31"),
        ("Q3", "2026-07-01 2026-09-30"),
        ("in Q4", "2026-10-01 2026-12-31"),
        ("last q4", "2025-10-01 2025-12-31"),
        ("2026-Q3", "2026-07-01 2026-09-30"),
        ("q4 2025", "2025-10-01 2025-12-31"),
        ("the 3rd quarter", "2026-07-01 2026-09-30"),
        ("since Q3", "2026-07-01 2026-11-25"),
        ("Q1-Q3", "2026-01-01 2026-09-30"),
        ("2026-W48", "2026-11-23 2026-11-29"),
        ("2026W47", "2026-11-16 2026-11-22"),
        ("W48", "2026-11-23 2026-11-29"),
        ("week 49", "2025-12-01 2025-12-07"),
        ("KW 48 2025", "2025-11-24 2025-11-30"),
        ("W40 to W44", "2026-09-28 2026-11-01"),
        ("week of 18 Nov", "2026-11-16 2026-11-22"),
        ("the week of November 16", "2026-11-16 2026-11-22"),
        ("past 10 days", "2026-11-16 2026-11-25"),
        ("10 days", "2026-11-16 2026-11-25"),
        ("the last ten days", "2026-11-16 2026-11-25"),
        ("7d", "2026-11-19 2026-11-25"),
        ("3 days ago", "2026-11-22 2026-11-22"),
        ("the day before yesterday", "2026-11-23 2026-11-23"),
        ("1-15 November", "2026-11-01 2026-11-15"),
        ("Nov 1-15", "2026-11-01 2026-11-15"),
        ("November 1 to 15", "2026-11-01 2026-11-15"),
        ("1.-15. November 2025", "2025-11-01 2025-11-15"),
        ("2026/11/03", "2026-11-03 2026-11-03"),
        ("11/2026", "2026-11-01 2026-11-30"),
        ("2025-W53", "unreadable"),
        ("03/11/2026", "unreadable"),
        ("week of October", "unreadable"),
        ("a week ago", "2026-11-16 2026-11-22"),
        ("vor einer Woche", "2026-11-16 2026-11-22"),
        ("two weeks ago", "2026-11-09 2026-11-15"),
        ("the week before last", "2026-11-09 2026-11-15"),
        ("a fortnight ago", "2026-11-09 2026-11-15"),
        ("a month ago", "2026-10-01 2026-10-31"),
        ("3 months ago", "2026-08-01 2026-08-31"),
        ("a year ago", "2025-01-01 2025-12-31"),
        ("since a week ago", "2026-11-16 2026-11-25"),
        ("since 2 weeks", "2026-11-12 2026-11-25"),
        ("last 2 weekends", "unreadable"),
        ("last 2 quarters", "2026-05-26 2026-11-25"),
        ("last year until yesterday", "2025-01-01 2026-11-24"),
        ("Mon-Fri last week", "2026-11-16 2026-11-20"),
        ("last week Monday to Friday", "2026-11-16 2026-11-20"),
        ("from Monday to Friday last week", "2026-11-16 2026-11-20"),
        ("between Monday and Wednesday last week", "2026-11-16 2026-11-18"),
        ("last week monday", "2026-11-16 2026-11-16"),
        ("Monday of last week", "2026-11-16 2026-11-16"),
        ("since Friday last week", "2026-11-20 2026-11-25"),
        ("weekdays last week", "2026-11-16 2026-11-20"),
        ("the weekend before last", "2026-11-14 2026-11-15"),
        ("the weekend of 14 Nov", "2026-11-14 2026-11-15"),
        ("W46 last year", "2025-11-10 2025-11-16"),
        ("December last year", "2025-12-01 2025-12-31"),
        ("this year September", "2026-09-01 2026-09-30"),
        ("Tuesday, 17 November", "2026-11-17 2026-11-17"),
        ("Monday, 17 November", "unreadable"),
        ("Monday last month", "unreadable"),
        ("last Monday - last Friday", "2026-11-16 2026-11-20"),
        ("yesterday to Friday", "backwards"),
        ("yesterday and today", "2026-11-24 2026-11-25"),
        ("3 and 4 November", "2026-11-03 2026-11-04"),
        ("Monday and Wednesday", "unreadable"),
        ("this week so far", "2026-11-23 2026-11-29"),
        ("year to date", "2026-01-01 2026-12-31"),
        ("since Monday until now", "2026-11-23 2026-11-25"),
        ("this past week", "2026-11-16 2026-11-22"),
        ("week beginning 16 Nov", "2026-11-16 2026-11-22"),
        ("1.11. - 15.11.", "2026-11-01 2026-11-15"),
        ("2026-11-01..2026-11-15", "2026-11-01 2026-11-15"),
        ("until yesterday", "unreadable"),
        ("last night", "clock"),
        ("yesterday evening", "clock"),
        ("gestern Abend", "clock"),
        ("since Monday 9am", "clock"),
        ("since 9:00", "clock"),
        ("last 24 hours", "clock"),
        ("tomorrow", "future"),
        ("morgen", "future"),
        ("next week", "future"),
        ("next quarter", "future"),
        ("next 3 days", "future"),
        ("nächsten Monat", "future"),
        ("in two weeks", "future"),
        ("Biology", "unreadable"),
        ("last", "unreadable"),
        ("9" * 61, "unreadable"),
    ],
)
def test_window_of_days_as_typed(text, days):
    assert read(text) == days


def test_days_are_those_of_the_readers_zone():
    """When it is 14:30 in Berlin, it is already the next day in Auckland."""
    assert read("today", ZoneInfo("Pacific/Auckland")) == "2026-11-26 2026-11-26"
    window = read_window("today", ZoneInfo("Pacific/Auckland"), NOW)
    assert isinstance(window, Window)
    assert datetime.fromtimestamp(window.since, UTC) == datetime(2026, 11, 25, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 25), 167), (date(2026, 10, 21), 169), (date(2026, 11, 25), 168)],
    ids=["spring", "autumn", "winter"],
)
def test_week_with_a_clock_change_has_its_real_length(day, hours):
    week = find_week(datetime(day.year, day.month, day.day, 12, tzinfo=BERLIN).timestamp(), BERLIN)
    assert (week.until - week.since) / 3600 == hours
    assert (week.first.weekday(), week.days, week.name) == (0, 7, "this week")


def test_day_whose_midnight_is_skipped_begins_when_the_clocks_go_on():
    """In Cairo, the clocks went from 23:59 to 1:00 in that night."""
    cairo = ZoneInfo("Africa/Cairo")
    window = read_window("2026-04-24", cairo, NOW)
    assert isinstance(window, Window)
    assert datetime.fromtimestamp(window.since, cairo).isoformat() == "2026-04-24T01:00:00+03:00"
    assert (window.until - window.since) / 3600 == 23


def test_sunday_belongs_to_the_week_before_monday():
    sunday = datetime(2026, 11, 29, 23, 59, tzinfo=BERLIN).timestamp()
    assert read("", now=sunday) == "2026-11-23 2026-11-29"
    assert read("", now=sunday + 60) == "2026-11-30 2026-12-06"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "this week"),
        ("letzte Woche", "last week"),
        ("gestern", "yesterday"),
        ("a week ago", "last week"),
        ("the week before last", ""),
        ("last month", "October"),
        ("sep", "September"),
        ("Dec", "December 2025"),
        ("last year", "2025"),
        ("last quarter", "Q3"),
        ("2025-Q4", "Q4 2025"),
        ("2026-W47", ""),
        ("monday", ""),
        ("since Monday", ""),
        ("from 3 to 7 Nov", ""),
    ],
)
def test_window_has_the_name_that_people_use(text, name):
    window = read_window(text, BERLIN, NOW)
    assert isinstance(window, Window)
    assert window.name == name
