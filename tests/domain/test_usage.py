"""Hours within a window, and moments, for any reads, calls and times of a provider."""

from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.people import Principal
from bot.domain.prices import Price
from bot.domain.usage import (
    Known,
    Life,
    Moment,
    find_begin,
    find_end,
    find_next_monday,
    list_months,
)
from tests.rigs.lives import sum_up

ALICE, BOB = (Principal(None, "T1", one) for one in ("UALICE", "UBOB"))
HOUR = 3600.0
BERLIN = ZoneInfo("Europe/Berlin")
times = st.floats(1e9, 1e9 + 100 * HOUR)
maybe = st.none() | times


def exactly(at):
    return Moment(at, at, Known.TOLD)


def make(began, ended=None, **more):
    given = {"kind": "workspace", "connection": "hub", "workspace_id": None, "name": "lab", "id": "l"}
    return Life(**given | {"subject": "g", "principal": ALICE, "began": began, "ended": ended} | more)


@given(times, maybe, maybe, maybe)
def test_a_begin_lies_between_the_reads(seen_at, down_at, told_at, asked_at):
    began = find_begin(seen_at, down_at, told_at, asked_at)
    assert min(down_at or 0.0, seen_at) <= began.earliest <= began.best <= began.latest <= seen_at
    if asked_at is not None:
        assert began.known is Known.ASKED
    if began.known is Known.UNKNOWN:
        assert (down_at, told_at) == (None, None) or down_at is None
        assert began.earliest == seen_at


@given(times, times, maybe, maybe, st.booleans())
def test_an_end_lies_between_the_reads(seen_at, up_at, told_at, asked_at, is_certain):
    ended = find_end(seen_at, up_at, told_at, asked_at, is_certain=is_certain)
    assert min(up_at, seen_at) <= ended.earliest <= ended.best <= ended.latest <= seen_at
    assert (ended.known is Known.UNKNOWN) == (asked_at is None and not is_certain)


@st.composite
def lives(draw):
    """Lives of one workspace, as reads would find them: one after the other."""
    marks = sorted(draw(st.lists(times, min_size=4, max_size=24, unique=True)))
    found = []
    for number in range(0, len(marks) - 3, 4):
        down, up, last, off = marks[number : number + 4]
        told, asked = (draw(st.none() | st.floats(down, up)) for _ in range(2))
        began = find_begin(up, draw(st.sampled_from([None, down])), told, asked)
        told, asked = (draw(st.none() | st.floats(last, off)) for _ in range(2))
        ended = find_end(off, last, told, asked, is_certain=draw(st.booleans()))
        price = draw(st.sampled_from([None, Price(Decimal("1.5"), "EUR"), Price(Decimal(2), "USD")]))
        more = {"principal": draw(st.sampled_from([ALICE, BOB])), "price": price, "last_seen_at": last}
        found.append(make(began, ended, id=str(number), **more))
    return found


@given(lives(), times, times)
def test_hours_are_within_their_bounds_and_add_up_over_windows(found, first, second):
    since, until = sorted((first, second))
    now = 1e9 + 200 * HOUR
    for one in found:
        whole = one.measure(0.0, now, now)
        parts = [one.measure(*window, now) for window in ((0.0, since), (since, until), (until, now))]
        for hours in (whole, *parts):
            assert 0.0 <= hours.lowest <= hours.best + 1e-9
            assert hours.best <= hours.highest + 1e-9
        assert sum(hours.best for hours in parts) == pytest.approx(whole.best, abs=1e-6)
        assert sum(hours.unknown for hours in parts) == whole.unknown


@given(lives())
def test_lives_of_one_workspace_follow_each_other(found):
    for first, second in pairwise(found):
        assert first.began.best <= first.ended.best <= second.began.best


@given(lives(), times, times)
def test_sums_are_the_same_however_lives_are_added_up(found, first, second):
    since, until = sorted((first, second))
    every = [
        sum_up(found, by, since, until, until) for by in ("workspace", "person", "connection", "template")
    ]
    measured = [one.measure(since, until, until) for one in found]
    for sums in every:
        assert sum(one.hours.best for one in sums.values()) == pytest.approx(
            sum(one.best for one in measured)
        )
        assert sum(one.lives for one in sums.values()) == len(found)
        for currency in ("EUR", "USD"):
            cost = sum(
                one.price.amount * Decimal(hours.best)
                for one, hours in zip(found, measured, strict=True)
                if one.price is not None and one.price.currency == currency
            )
            told = sum(one.money.get(currency, Decimal()) for one in sums.values())
            assert float(told) == pytest.approx(float(cost))


def test_what_goes_on_counts_up_to_its_last_sign_of_life():
    began = 1e9
    life = make(exactly(began), last_seen_at=began + 2 * HOUR)
    hours = life.measure(0.0, 4e9, now=began + 5 * HOUR)
    assert (hours.lowest, hours.best, hours.highest, hours.unknown) == (2.0, 2.0, 5.0, 0)
    assert life.measure(began + 3 * HOUR, 4e9, now=began + 5 * HOUR).best == 0.0


def test_an_unknown_end_is_never_hours():
    ended = Moment(1e9 + HOUR, 1e9 + 9 * HOUR, Known.UNKNOWN)
    life = make(exactly(1e9), ended, last_seen_at=1e9 + HOUR)
    hours = life.measure(0.0, 4e9, now=4e9)
    assert (hours.lowest, hours.best, hours.highest, hours.unknown) == (1.0, 1.0, 1.0, 1)
    assert [*sum_up([life], "template", 0.0, 4e9, 4e9)] == [""]


def test_months_of_a_span():
    # 30 November 2026, 22:00 UTC, to 1 January 2027, 2:00 UTC.
    found = list_months(1_796_076_000.0, 1_798_768_800.0)
    assert [month for month, _, _ in found] == ["2026-11", "2026-12", "2027-01"]
    assert all(first[2] == second[1] for first, second in pairwise(found))


@pytest.mark.parametrize(
    ("now", "monday"),
    [
        ("2026-11-25T12:00", "2026-11-30T09:00+01:00"),
        ("2026-11-30T08:59", "2026-11-30T09:00+01:00"),
        ("2026-11-30T09:00", "2026-12-07T09:00+01:00"),
        ("2026-10-21T12:00", "2026-10-26T09:00+01:00"),
        ("2026-03-25T12:00", "2026-03-30T09:00+02:00"),
    ],
)
def test_next_monday_is_at_nine_in_the_persons_zone(now, monday):
    after = datetime.fromisoformat(now).replace(tzinfo=BERLIN).timestamp()
    at = datetime.fromtimestamp(find_next_monday(after, BERLIN), BERLIN)
    assert at.isoformat(timespec="minutes") == monday
