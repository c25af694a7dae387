"""The budget of Slack's methods: a sliding minute, a second per channel, room for what is urgent."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.budget import Budget
from bot.slack.methods import METHODS
from tests.rigs.clock import FakeClock

POST, UPDATE = "chat.postMessage", "chat.update"


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def budget(clock):
    return Budget(clock.monotonic)


def take_all(budget, method, share=1.0):
    taken = 0
    while budget.take(method, share=share) == 0:
        taken += 1
    return taken


def test_a_minute_holds_so_many_calls_and_then_tells_how_long_to_wait(budget, clock):
    assert take_all(budget, UPDATE) == 45
    assert budget.room(UPDATE) == 0
    assert budget.take(UPDATE) == 60.0
    clock.advance(20)
    assert budget.take(UPDATE) == 40.0
    clock.advance(40)
    assert take_all(budget, UPDATE) == 45


def test_a_share_leaves_room_for_what_is_more_urgent(budget):
    assert take_all(budget, POST, share=0.8) == 360
    assert budget.room(POST, 0.8) == 0
    assert take_all(budget, POST) == 90


def test_a_channel_gets_one_message_a_second(budget, clock):
    assert budget.take(POST, "D1") == 0
    assert budget.take(POST, "D1") > 1.0
    assert budget.take(POST, "D2") == 0
    clock.advance(1.2)
    assert budget.take(POST, "D1") == 0


def test_slacks_pause_holds_for_its_method_alone(budget, clock):
    budget.pause(POST, 30)
    budget.pause(POST, 10)
    assert budget.take(POST) == 30
    assert budget.room(POST) == 0
    assert budget.take(UPDATE) == 0
    clock.advance(30)
    assert budget.take(POST) == 0


def test_a_method_without_a_row_is_called_rarely_and_one_without_a_limit_freely(budget):
    assert take_all(budget, "some.method") == 18
    assert budget.room("response_url") == 1_000
    assert all(budget.take("response_url") == 0 for _ in range(2_000))


def test_it_remembers_some_channels_only(budget):
    for number in range(6_000):
        budget._calls[POST].clear()
        budget.take(POST, f"D{number}")
    assert len(budget._channels) == 5_000


@given(
    asks=st.lists(
        st.tuples(st.sampled_from([POST, UPDATE]), st.sampled_from(["D1", "D2"]), st.floats(0, 5)),
        max_size=400,
    )
)
def test_no_window_of_a_minute_holds_more_than_slack_allows(asks):
    clock = FakeClock()
    budget = Budget(clock.monotonic)
    granted = []
    for method, channel, pause in asks:
        if budget.take(method, channel) == 0:
            granted.append((method, channel, clock.monotonic()))
        clock.advance(pause)
    for method, _, end in granted:
        within = [at for name, _, at in granted if name == method and end - 60 < at <= end]
        assert len(within) <= METHODS[method].per_minute
    for channel in ("D1", "D2"):
        times = [at for method, where, at in granted if (method, where) == (POST, channel)]
        assert all(later - earlier >= 1 for earlier, later in pairwise(times))
