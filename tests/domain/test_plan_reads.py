"""Tests of how often a workspace is read, and how long Usher waits after failures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.plan import backoff, next_read
from bot.domain.timeouts import busy_pause
from bot.domain.workspaces import State
from bot.providers.base import Pace

SATURN = Pace(min_poll_interval=10.0, pending_interval=10.0, running_interval=300.0, unused_interval=1800.0)
NOW = 1_800_000_000.0
HOUR, DAYS = NOW - 3600, NOW - 86_400 - 1

# Each row: state, whether an operation is open, last use, seconds until the next read.
TABLE = [
    (State.STARTING, False, None, 10.0),
    (State.STOPPING, False, None, 10.0),
    (State.STARTING, True, HOUR, 10.0),
    (State.STOPPED, True, HOUR, 10.0),
    (State.RUNNING, True, HOUR, 10.0),
    (State.UNKNOWN, True, None, 10.0),
    (State.FAILED, True, None, 10.0),
    (State.RUNNING, False, HOUR, 300.0),
    (State.RUNNING, False, DAYS, 1800.0),
    (State.RUNNING, False, None, 1800.0),
    (State.STOPPED, False, HOUR, 1800.0),
    (State.SUSPENDED, False, HOUR, 1800.0),
    (State.FAILED, False, HOUR, 1800.0),
    (State.UNKNOWN, False, HOUR, 1800.0),
    (State.STOPPED, False, DAYS, None),
    (State.STOPPED, False, None, None),
    (State.UNKNOWN, False, None, None),
    (State.GONE, False, HOUR, 86_400.0),
]


@pytest.mark.parametrize(("state", "has_open_operation", "used_at", "seconds"), TABLE)
def test_the_table(state, has_open_operation, used_at, seconds):
    assert (
        next_read(state, has_open_operation=has_open_operation, used_at=used_at, now=NOW, pace=SATURN)
        == seconds
    )


@given(
    state=st.sampled_from(State),
    has_open_operation=st.booleans(),
    used_at=st.none() | st.floats(0, NOW),
    least=st.floats(0.5, 60),
    pending=st.floats(0.5, 60),
)
def test_it_never_goes_below_the_providers_interval(state, has_open_operation, used_at, least, pending):
    pace = Pace(min_poll_interval=least, pending_interval=pending)
    seconds = next_read(state, has_open_operation=has_open_operation, used_at=used_at, now=NOW, pace=pace)
    assert seconds is None or seconds >= least
    if has_open_operation:
        assert seconds is not None


@given(attempts=st.integers(0, 10_000), jitter=st.floats(0, 1))
def test_waits_double_up_to_a_minute(attempts, jitter):
    seconds = backoff(attempts, jitter)
    assert 0.5 <= seconds <= 60
    assert backoff(attempts + 1, jitter) >= seconds
    assert backoff(attempts, 0) <= 2 * seconds


@given(busy_for=st.floats(0, 1e6), jitter=st.floats(0, 1))
def test_pauses_of_a_busy_provider_are_bounded(busy_for, jitter):
    assert 5.0 <= busy_pause(busy_for, jitter) <= 300.0
    assert busy_pause(busy_for + 60, jitter) >= busy_pause(busy_for, jitter)


def test_pauses_of_a_busy_provider_double():
    pauses = []
    for _ in range(8):
        pauses.append(busy_pause(sum(pauses), 0))
    assert pauses == [10, 20, 40, 80, 160, 300, 300, 300]


def test_the_first_waits():
    assert [backoff(attempts, 0) for attempts in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize(
    ("state", "since", "seconds"),
    [
        (State.RUNNING, NOW, 10.0),
        (State.RUNNING, NOW - 599, 10.0),
        (State.RUNNING, NOW - 600, 300.0),
        (State.STOPPED, NOW, 1800.0),
    ],
    ids=["at once", "late", "too late", "down"],
)
def test_what_lacks_something_is_read_as_if_starting(state, since, seconds):
    given = {"has_open_operation": False, "used_at": HOUR, "now": NOW, "pace": SATURN}
    assert next_read(state, lacks_since=since, **given) == seconds
