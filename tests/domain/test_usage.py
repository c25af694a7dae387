"""Tests of usage, with any order of reads, calls and provider times."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.usage import Known, find_begin, find_end, find_next_monday, list_months
from tests.rigs.lives import make_life

HOUR = 3600.0
BERLIN = ZoneInfo("Europe/Berlin")
times = st.floats(1e9, 1e9 + 100 * HOUR)
maybe = st.none() | times


@given(times, maybe, maybe, maybe)
def test_a_begin_lies_between_the_reads(seen_at, down_at, told_at, asked_at):
    began = find_begin(seen_at, down_at, told_at, asked_at)
    assert min(down_at or 0.0, seen_at) <= began.earliest <= began.latest <= seen_at
    if asked_at is not None:
        assert began.known is Known.ASKED
    if began.known is Known.UNKNOWN:
        assert (down_at, told_at) == (None, None) or down_at is None
        assert began.earliest == seen_at


@given(times, times, maybe, maybe, st.booleans())
def test_an_end_lies_between_the_reads(seen_at, up_at, told_at, asked_at, is_certain):
    ended = find_end(seen_at, up_at, told_at, asked_at, is_certain=is_certain)
    assert min(up_at, seen_at) <= ended.earliest <= ended.latest <= seen_at
    assert (ended.known is Known.UNKNOWN) == (asked_at is None and not is_certain)


@st.composite
def lives(draw):
    """Successive runs of one workspace, as reads would find them."""
    marks = sorted(draw(st.lists(times, min_size=4, max_size=24, unique=True)))
    found = []
    for number in range(0, len(marks) - 3, 4):
        down, up, last, off = marks[number : number + 4]
        told, asked = (draw(st.none() | st.floats(down, up)) for _ in range(2))
        began = find_begin(up, draw(st.sampled_from([None, down])), told, asked)
        told, asked = (draw(st.none() | st.floats(last, off)) for _ in range(2))
        ended = find_end(off, last, told, asked, is_certain=draw(st.booleans()))
        found.append(make_life(began, ended, last_seen_at=last))
    return found


@given(lives())
def test_lives_of_one_workspace_follow_each_other(found):
    for first, second in pairwise(found):
        assert first.runs_from <= first.runs_until <= second.runs_from


def test_months_of_a_span():
    # The span from 30 November 2026, 22:00 UTC, to 1 January 2027, 2:00 UTC.
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
