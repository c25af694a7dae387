"""When something is sent, and when people are reminded that a link ends: the tables."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.notices import (
    LONGEST_QUIET,
    News,
    NoticeKind,
    class_of,
    first_reminder,
    minutes,
    quiet_until,
    reminder,
    tell,
)
from bot.domain.people import Preferences

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = Preferences(quiet_from=22 * 60, quiet_to=7 * 60)
NOON, LATE = "2027-01-15 12:00", "2027-01-15 23:30"
K = NoticeKind
TOPICS = (K.READY, K.STOPPED_ELSEWHERE, K.JOB_ENDED)


def at(text: str, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).timestamp()


def way(news: News, preferences: Preferences = NIGHT, when: str = LATE) -> str:
    return tell(news, preferences, at(when), BERLIN).way


ASKED_LATE = at("2027-01-15 22:40")
ASKED_EARLY = at("2027-01-15 22:20")


@pytest.mark.parametrize(
    ("news", "expected"),
    [
        (News(K.READY, asked_at=ASKED_LATE, has_card=True), "now"),
        (News(K.READY, asked_at=ASKED_EARLY, has_card=True), "later"),
        (News(K.STOPPED, asked_at=ASKED_EARLY), "later"),
        (News(K.STOPPED, asked_at=ASKED_LATE), "now"),
        (News(K.STOPPED, asked_at=None), "later"),
        (News(K.REMOVED, asked_at=ASKED_EARLY), "later"),
        (News(K.SUSPENDED, asked_at=ASKED_EARLY), "later"),
        (News(K.STOPPED_ELSEWHERE, chosen=True), "later"),
        (News(K.STOPPED_ELSEWHERE), "card"),
        (News(K.JOB_ENDED, asked_at=ASKED_EARLY, has_card=True), "later"),
        (News(K.JOB_ENDED, asked_at=ASKED_LATE, has_card=True), "now"),
        (News(K.JOB_ENDED, asked_at=ASKED_EARLY, is_failure=True, has_card=True), "now"),
        (News(K.OUTAGE), "later"),
        (News(K.CLASS_OVER), "later"),
        (News(K.LINK_AGAIN), "later"),
        (News(K.LINK_ENDING), "later"),
        # Failures, warnings before something is lost, questions, and the safety of an account.
        *((News(kind), "now") for kind in (K.FAILED, K.REFUSED, K.JOB_FAILED, K.ENDING, K.CLASS_ENDING)),
        *((News(kind), "now") for kind in (K.WAITING, K.ASKED, K.JOB_ASKED, K.APPROVAL_ASKED)),
        (News(K.SIGN_IN_REFUSED), "now"),
        *((News(kind), "now") for kind in (K.LINK_TRIED, K.RESTORED, K.UNLINKED, K.MESSAGE, K.REPLY)),
        *((News(kind), "now") for kind in (K.CARD, K.JOB_CARD, K.CLASS_CARD)),
    ],
)
def test_quiet_hours_hold_back_only_what_was_not_asked_for_just_now(news, expected):
    assert way(news) == expected
    assert way(news, when=NOON) == ("now" if expected == "later" else expected)


@pytest.mark.parametrize("kind", TOPICS)
@pytest.mark.parametrize("chosen", [None, True, False])
@pytest.mark.parametrize("wants", [True, False])
@pytest.mark.parametrize("has_card", [True, False])
def test_what_is_off_is_told_by_the_card_alone(kind, chosen, wants, has_card):
    preferences = Preferences(ready=wants, stopped=wants, run_ended=wants)
    is_on = wants if chosen is None else chosen
    # Without a card nobody would hear of it; a stop by itself never has one.
    expected = "now" if is_on or (not has_card and kind is not K.STOPPED_ELSEWHERE) else "card"
    assert way(News(kind, chosen, has_card=has_card), preferences) == expected
    assert way(News(kind, chosen, is_failure=True, has_card=has_card), preferences) == "now"


def test_at_first_all_is_told_but_stops_by_themselves():
    assert [way(News(kind, has_card=True), Preferences()) for kind in TOPICS] == ["now", "card", "now"]


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2027-01-15 21:59", None),
        ("2027-01-15 22:00", "2027-01-16 07:00"),
        ("2027-01-16 06:59", "2027-01-16 07:00"),
        ("2027-01-16 07:00", None),
        # Summer time begins on 28 March at 2:00, and ends on 31 October at 3:00.
        ("2027-03-27 23:00", "2027-03-28 07:00"),
        ("2027-10-30 23:00", "2027-10-31 07:00"),
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(now, until):
    found = quiet_until(NIGHT, at(now), BERLIN)
    assert found == (None if until is None else at(until))


def test_a_night_of_summer_time_is_an_hour_shorter_or_longer():
    assert quiet_until(NIGHT, at("2027-03-27 22:00"), BERLIN) - at("2027-03-27 22:00") == 8 * 3600
    assert quiet_until(NIGHT, at("2027-10-30 22:00"), BERLIN) - at("2027-10-30 22:00") == 10 * 3600


def test_an_end_in_the_hour_that_comes_twice_is_the_next_one():
    short = Preferences(quiet_from=60, quiet_to=2 * 60 + 30)
    assert quiet_until(short, at("2027-10-31 02:10"), BERLIN) == at("2027-10-31 02:30")
    assert quiet_until(short, at("2027-10-31 02:10", fold=1), BERLIN) == at("2027-10-31 02:30", fold=1)


@pytest.mark.parametrize("end", [2 * 60, 2 * 60 + 30, 2 * 60 + 59, 3 * 60])
def test_an_end_in_the_hour_that_is_skipped_is_the_end_of_that_hour(end):
    night = Preferences(quiet_from=22 * 60, quiet_to=end)
    assert quiet_until(night, at("2027-03-28 01:50"), BERLIN) == at("2027-03-28 03:00")
    assert quiet_until(night, at("2027-03-28 03:00"), BERLIN) is None
    assert quiet_until(night, at("2027-03-27 23:00"), ZoneInfo("UTC")) == at("2027-03-28 01:00") + end * 60


def test_quiet_hours_within_the_hour_that_is_skipped_do_not_come():
    short = Preferences(quiet_from=2 * 60 + 10, quiet_to=2 * 60 + 50)
    assert quiet_until(short, at("2027-03-28 01:59"), BERLIN) is None
    assert quiet_until(short, at("2027-03-28 03:00"), BERLIN) is None


@pytest.mark.parametrize(("begin", "end"), [(None, None), (None, 60), (60, None), (60, 60)])
def test_without_two_times_there_are_no_quiet_hours(begin, end):
    assert quiet_until(Preferences(quiet_from=begin, quiet_to=end), at(LATE), BERLIN) is None


@given(
    st.floats(1_700_000_000, 1_900_000_000),
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
)
def test_they_end_within_a_day_and_never_in_the_past(now, begin, end, zone):
    found = quiet_until(Preferences(quiet_from=begin, quiet_to=end), now, ZoneInfo(zone))
    assert found is None or now < found <= now + LONGEST_QUIET


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("00:00", 0),
        ("07:30", 450),
        ("23:59", 1439),
        ("24:00", None),
        ("7", None),
        ("07:60", None),
        ("", None),
    ],
)
def test_a_time_of_day_is_read(text, found):
    assert minutes(text) == found


# -- reminders of links that end -----------------------------------------------------------------------------


DAY = 86_400.0
END = 100 * DAY


@pytest.mark.parametrize(
    ("linked_at", "ends_at", "first"),
    [
        (0.0, END, END - 7 * DAY),
        (END - 8 * DAY, END, END - 7 * DAY),
        # Who links for less than a week is told a day before, and for less than a day not at all.
        (END - 7 * DAY, END, END - DAY),
        (END - 2 * DAY, END, END - DAY),
        (END - DAY, END, None),
        (END + DAY, END, None),
        (0.0, None, None),
    ],
)
def test_the_first_comes_a_week_before_unless_that_is_over(linked_at, ends_at, first):
    assert first_reminder(linked_at, ends_at) == first


@pytest.mark.parametrize(
    ("before", "due", "next_before"),
    [
        (8 * DAY, "", 7 * DAY),
        (7 * DAY, "week", DAY),
        (1.5 * DAY, "week", DAY),
        (DAY, "day", 0.0),
        (60.0, "day", 0.0),
        (0.0, "", None),
        (-DAY, "", None),
    ],
)
def test_what_is_due_by_the_time_that_is_left(before, due, next_before):
    assert reminder(END, END - before) == (due, None if next_before is None else END - next_before)


@given(st.floats(0, 400 * DAY), st.lists(st.floats(0.1, 30 * DAY), min_size=1, max_size=60), st.floats(0, 99))
def test_however_rarely_somebody_looks_each_is_said_once_at_most_and_it_comes_to_an_end(ends_at, gaps, late):
    said, now, due_at = [], 0.0, first_reminder(0.0, ends_at)
    for gap in (*gaps, 500 * DAY):
        now += gap
        if due_at is not None and due_at <= now:
            occasion, due_at = reminder(ends_at, now)
            assert due_at is None or due_at > now
            said += [occasion] if occasion else []
            if now < ends_at - late and ends_at > DAY:
                assert occasion
    assert said in ([], ["week"], ["day"], ["week", "day"])
    assert due_at is None or due_at == ends_at


def test_what_the_first_release_does_not_know_is_kept_where_it_does_not_look():
    claimed_by_the_first = {0, 1, 2, 3}
    known = {kind.class_ for kind in NoticeKind if not kind.is_later}
    assert known == {class_of(urgency, False) for urgency in claimed_by_the_first} == claimed_by_the_first
    later = [class_of(urgency, True) for urgency in sorted(claimed_by_the_first)]
    assert later == sorted(later)
    assert claimed_by_the_first.isdisjoint(later)
