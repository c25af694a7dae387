"""Tests of a lesson's lead time: as long as it takes to start everybody's workspace, within limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.begun_hours import RETRY_SECONDS, tries_again
from bot.domain.hours import Occurrence
from bot.domain.operations import OperationVerb
from bot.domain.work_items import Outcome
from bot.services.course_readiness import StartRate
from tests.domain.plan_cases import OPERATION

BEGINS = 10_000.0


@pytest.mark.parametrize(
    ("people", "pace", "seconds"),
    [
        # Each row: members, the rate of starts and the seconds of a slow one; and the lead, in whole minutes.
        (300, StartRate(0.5, 100.0), 720.0),
        (300, StartRate(2.0, 160.0), 360.0),
        # If too few starts were measured, a slow one counts as three minutes.
        (400, StartRate(2.0), 420.0),
        # At least five minutes, if the connection has no limit or there are few people. At most 45 minutes.
        (10_000, StartRate(None, 20.0), 300.0),
        (3, StartRate(1.0, 20.0), 300.0),
        (10_000, StartRate(1.0, 20.0), 2_700.0),
        # The provider stops idle workspaces, so the lead is a minute shorter than that.
        (10_000, StartRate(1.0, 20.0, 1_800.0), 1_740.0),
        (3, StartRate(1.0, 20.0, 180.0), 120.0),
        (3, StartRate(1.0, 20.0, 30.0), 0.0),
    ],
)
def test_it_is_as_long_as_the_starts_take(people, pace, seconds):
    assert pace.get_seconds_ahead(people) == seconds


@pytest.mark.parametrize(
    ("pace", "people"),
    [
        (StartRate(2.0, 200.0), 5_000),
        (StartRate(2.0, 200.0, 460.0), 400),
        (StartRate(0.01, 200.0), 25),
        (StartRate(1.0, 9_000.0), 0),
        (StartRate(None, 200.0), None),
    ],
)
def test_how_many_can_be_ready_is_known(pace, people):
    assert pace.max_people == people
    assert people is None or pace.get_seconds_ahead(people) <= pace.get_seconds_ahead(10**9)


#: A lesson of ninety minutes, and working hours, which have no lead.
LESSON = Occurrence(BEGINS, "start", "", BEGINS - 300.0, BEGINS + 5_400.0)
HOURS = LESSON._replace(due_at=BEGINS)


@pytest.mark.parametrize(
    ("minutes", "latest"),
    [
        pytest.param(540, 360, id="a-third"),
        pytest.param(240, 160, id="a-third-of-four-hours"),
        pytest.param(90, 60, id="both"),
        pytest.param(60, 30, id="half-an-hour"),
        pytest.param(30, 1, id="too-short"),
        pytest.param(10, 1, id="shorter"),
    ],
)
def test_latest_start_leaves_enough_of_the_plan(minutes, latest):
    plan = LESSON._replace(until=BEGINS + minutes * 60.0)
    assert plan.latest_start == BEGINS + latest * 60.0


@pytest.mark.parametrize(
    ("outcome", "cause", "at", "lesson", "hours"),
    [
        pytest.param(Outcome.FAILED, "no_room: no memory", 50 * 60.0, True, False, id="room"),
        pytest.param(Outcome.FAILED, "limit", 60 * 60.0 - RETRY_SECONDS, False, False, id="room-too-late"),
        pytest.param(Outcome.FAILED, "stopped_elsewhere", 50 * 60.0, True, True, id="lost"),
        pytest.param(Outcome.FAILED, "provider_failed", -2 * RETRY_SECONDS - 1, True, True, id="before"),
        pytest.param(
            Outcome.FAILED, "provider_failed", -2 * RETRY_SECONDS, False, False, id="shortly-before"
        ),
        pytest.param(Outcome.FAILED, "forbidden", -200.0, False, False, id="forbidden"),
        pytest.param(Outcome.FAILED, "missed", -200.0, False, False, id="missed"),
        pytest.param(Outcome.FAILED, None, -200.0, False, False, id="no-cause"),
        pytest.param(Outcome.CANCELLED, "limit", -200.0, False, False, id="cancelled"),
        pytest.param(None, None, -200.0, False, False, id="open"),
    ],
)
def test_what_passes_is_tried_again_while_there_is_time(outcome, cause, at, lesson, hours):
    start = replace(OPERATION, planned_for=BEGINS, created_at=BEGINS, outcome=outcome, cause=cause)
    assert tries_again(start, LESSON, BEGINS + at, is_own=False) is lesson
    assert tries_again(start, HOURS, BEGINS + at, is_own=True) is hours


def test_start_that_was_lost_twice_is_not_tried_again():
    start = replace(OPERATION, created_at=BEGINS + 600.0, outcome=Outcome.FAILED, cause="stopped_elsewhere")
    assert not tries_again(start, HOURS, BEGINS + 1_200.0, is_own=True)


def test_creation_that_found_no_room_is_not_tried_again():
    failed = replace(OPERATION, created_at=BEGINS, outcome=Outcome.FAILED, cause="limit")
    create = replace(failed, verb=OperationVerb.CREATE)
    assert not tries_again(create, LESSON, BEGINS, is_own=False)
