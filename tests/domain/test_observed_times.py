"""Tests that Usher ignores impossible times, from any provider."""

import pytest

from bot.domain.observations import MAX_CLOCK_SKEW_SECONDS, Observed, drop_impossible_times
from bot.domain.runs import ObservedRun, RunState, drop_impossible_run_times
from bot.domain.workspaces import State

NOW = 1_800_000_000.0
AHEAD = NOW + 9 * 3600
SKEWED = NOW + MAX_CLOCK_SKEW_SECONDS


@pytest.mark.parametrize("state", State, ids=str)
@pytest.mark.parametrize("field", ["started_at", "last_used_at", "down_at"])
def test_time_ahead_of_the_clock_is_no_news(state, field):
    assert getattr(drop_impossible_times(Observed(state, **{field: AHEAD}), NOW), field) is None
    usual = Observed(state, **{field: SKEWED})
    assert drop_impossible_times(usual, NOW) is usual


def test_end_of_a_workspace_may_be_ahead():
    seen = Observed(State.RUNNING, expires_at=AHEAD, expiry_mode="stops")
    assert drop_impossible_times(seen, NOW) is seen


def test_end_counted_from_an_impossible_use_is_no_news():
    times = {"expires_at": AHEAD + 900, "expiry_mode": "stops", "expires_after": 900.0}
    assert drop_impossible_times(Observed(State.RUNNING, last_used_at=AHEAD, **times), NOW).expires_at is None
    seen = Observed(State.RUNNING, last_used_at=NOW, **times)
    assert drop_impossible_times(seen, NOW) is seen


@pytest.mark.parametrize(
    ("state", "started_at", "used_at", "kept"),
    [
        (State.RUNNING, NOW - 60, NOW - 5 * 3600, None),
        (State.RUNNING, NOW - 60, NOW - 60, NOW - 60),
        (State.RUNNING, NOW - 60, NOW - 100, NOW - 100),
        (State.RUNNING, None, NOW - 5 * 3600, NOW - 5 * 3600),
        (State.RUNNING, AHEAD, NOW - 3600, NOW - 3600),
        (State.STOPPED, NOW - 60, NOW - 5 * 3600, NOW - 5 * 3600),
    ],
    ids=["zone", "start", "skew", "no start", "impossible start", "stopped"],
)
def test_use_is_not_older_than_the_start_it_belongs_to(state, started_at, used_at, kept):
    seen = Observed(state, started_at=started_at, last_used_at=used_at)
    assert drop_impossible_times(seen, NOW).last_used_at == kept


@pytest.mark.parametrize("field", ["started_at", "ended_at"])
def test_runs_time_ahead_of_the_clock_is_no_news(field):
    seen = ObservedRun(RunState.SUCCEEDED, **{field: AHEAD})
    assert getattr(drop_impossible_run_times(seen, NOW), field) is None
    usual = ObservedRun(RunState.SUCCEEDED, **{field: SKEWED})
    assert drop_impossible_run_times(usual, NOW) is usual
