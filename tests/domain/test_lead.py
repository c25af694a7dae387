"""The lead of a lesson: as long as the starts of all who joined take, within its limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.errands import Outcome
from bot.domain.lead import AGAIN, Pace, tries_again
from tests.domain.test_plan import OPERATION

BEGINS = 10_000.0


@pytest.mark.parametrize(
    ("people", "pace", "seconds"),
    [
        # People by starts a second, and what a slow start takes, in whole minutes.
        (300, Pace(0.5, 100.0), 720.0),
        (300, Pace(2.0, 160.0), 360.0),
        # Where too few were measured, three minutes.
        (400, Pace(2.0), 420.0),
        # A connection without a limit, few people: five minutes at least; many: 45 at most.
        (10_000, Pace(None, 20.0), 300.0),
        (3, Pace(1.0, 20.0), 300.0),
        (10_000, Pace(1.0, 20.0), 2_700.0),
        # What idles is stopped by its provider: a minute sooner than that.
        (10_000, Pace(1.0, 20.0, 1_800.0), 1_740.0),
        (3, Pace(1.0, 20.0, 180.0), 120.0),
        (3, Pace(1.0, 20.0, 30.0), 0.0),
    ],
)
def test_it_is_as_long_as_the_starts_take(people, pace, seconds):
    assert pace.lead(people) == seconds


@pytest.mark.parametrize(
    ("pace", "people"),
    [
        (Pace(2.0, 200.0), 5_000),
        (Pace(2.0, 200.0, 460.0), 400),
        (Pace(0.01, 200.0), 25),
        (Pace(1.0, 9_000.0), 0),
        (Pace(None, 200.0), None),
    ],
)
def test_how_many_can_be_ready_is_known(pace, people):
    assert pace.in_time == people
    assert people is None or pace.lead(people) <= pace.lead(10**9)


@pytest.mark.parametrize(
    ("outcome", "cause", "left", "again"),
    [
        (Outcome.FAILED, "no_room: no room for more memory", 200.0, True),
        (Outcome.FAILED, "provider_failed", 2 * AGAIN + 1, True),
        (Outcome.FAILED, "provider_failed", 2 * AGAIN, False),
        (Outcome.FAILED, "forbidden", 200.0, False),
        (Outcome.FAILED, None, 200.0, False),
        (Outcome.CANCELLED, "limit", 200.0, False),
        (None, None, 200.0, False),
    ],
)
def test_what_passes_is_tried_again_while_there_is_time(outcome, cause, left, again):
    start = replace(OPERATION, planned_for=BEGINS)
    assert tries_again(start, outcome, cause, BEGINS - left) is again
    assert not tries_again(replace(start, planned_for=None), outcome, cause, BEGINS - left)
