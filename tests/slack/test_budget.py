"""Tests of rate limits for Slack's methods: calls per minute, per channel, and room for urgent ones."""

from itertools import pairwise

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.installations import Installation
from bot.slack.calls import Budget, PacedSlack, SlackAnswer, UncountedBudget
from bot.slack.methods import METHODS
from bot.slack.web_api import WebApi
from bot.store import slack_rate_limits as budget_rows
from bot.support.connector import CleanConnector
from bot.support.errors import SlackLimited
from bot.support.windows import GatedRequest
from tests.rigs.clock import FakeClock
from tests.rigs.store import memory_store
from tests.support.http_rig import raw_server, whole

POST, UPDATE = "chat.postMessage", "chat.update"
HERE = Installation("T1")


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def store(clock):
    async with memory_store(clock) as store:
        yield store


@pytest.fixture
def budget(store):
    return Budget(store, HERE)


async def take_all(budget, method, share=1.0):
    taken = 0
    while await budget.take(method, share=share) == 0:
        taken += 1
    return taken


async def room(store, budget, method, share=1.0):
    """Return how many more calls to a method may be made now."""
    return await store.read(budget_rows.count_remaining_calls, budget.get_quota(method), share)


async def test_a_minute_holds_so_many_calls_and_then_tells_how_long_to_wait(store, budget, clock):
    assert await take_all(budget, UPDATE) == 45
    assert await room(store, budget, UPDATE) == 0
    # The minute is two seconds longer than Slack's: one second for sending, and one for the way.
    assert await budget.take(UPDATE) == pytest.approx(62.0)
    clock.advance(22)
    assert await budget.take(UPDATE) == pytest.approx(40.0)
    clock.advance(40)
    assert await room(store, budget, UPDATE) == 45
    assert await take_all(budget, UPDATE) == 45


async def test_a_share_leaves_room_for_what_is_more_urgent(store, budget):
    assert await take_all(budget, POST, share=0.8) == 360
    assert await room(store, budget, POST, 0.8) == 0
    assert await room(store, budget, POST) == 90
    assert await take_all(budget, POST) == 90


async def test_a_channel_gets_one_message_a_second(budget, clock):
    assert await budget.take(POST, "D1") == 0
    assert await budget.take(POST, "D1") > 1.0
    assert await budget.take(POST, "D2") == 0
    clock.advance(1.9)
    # The call may have been sent up to a second after it was counted.
    assert await budget.take(POST, "D1") > 0
    clock.advance(0.1)
    assert await budget.take(POST, "D1") == 0


async def test_slacks_pause_holds_for_its_method_alone(store, budget, clock):
    await budget.pause(POST, 30)
    await budget.pause(POST, 10)
    assert await budget.take(POST) == pytest.approx(30)
    assert await room(store, budget, POST) == 0
    assert await budget.take(UPDATE) == 0
    clock.advance(30.01)
    assert await budget.take(POST) == 0


async def test_pause_of_one_channel_leaves_the_others(store, budget, clock):
    await budget.pause(POST, 45, "D1")
    assert await Budget(store, HERE).take(POST, "D1") == pytest.approx(45)
    assert await budget.take(POST, "D2") == 0
    assert await room(store, budget, POST) > 0
    # Pausing the same channel once more doesn't affect other channels.
    await budget.pause(POST, 50, "D1")
    assert await budget.take(POST, "D3") == 0
    clock.advance(50.01)
    assert await budget.take(POST, "D1") == 0


async def test_pause_of_a_second_channel_is_the_methods(store, budget, clock):
    await budget.pause(POST, 45, "D1")
    await budget.pause(POST, 20, "D2")
    assert await budget.take(POST, "D3") == pytest.approx(20)
    assert await room(store, budget, POST) == 0
    clock.advance(20.01)
    assert await budget.take(POST, "D3") == 0
    # Expired pauses don't count any more.
    clock.advance(30)
    await budget.pause(POST, 45, "D4")
    assert await budget.take(POST, "D5") == 0


async def test_pause_of_a_method_that_slack_limits_as_a_whole(budget):
    await budget.pause(UPDATE, 30, "D1")
    assert await budget.take(UPDATE, "D2") == pytest.approx(30)


async def test_pauses_hold_while_calls_are_not_counted(store, budget, clock):
    uncounted = UncountedBudget(budget, clock)
    await store.close()
    await uncounted.pause(POST, 45, "D1")
    assert await uncounted.take(POST, "D1") == pytest.approx(45)
    assert await uncounted.take(POST, "D2") == 0
    await uncounted.pause(POST, 20, "D2")
    assert await uncounted.take(POST, "D3") == pytest.approx(20)


async def test_a_method_without_a_row_is_called_rarely_and_one_without_a_limit_freely(budget, store):
    assert await take_all(budget, "some.method") == 18
    assert await room(store, budget, "response_url") == 1_000
    await store.close()
    # Calls to a response_url aren't counted, so they work without a database.
    assert await budget.take("response_url") == 0


async def test_who_begins_again_and_who_works_beside_it_know_what_was_called(store, budget, clock):
    beside = Budget(store, HERE)
    for turn in range(45):
        assert await (budget, beside)[turn % 2].take(UPDATE) == 0
    assert await take_all(Budget(store, HERE), UPDATE) == 0
    assert await beside.take(POST, "D1") == 0
    assert await Budget(store, HERE).take(POST, "D1") > 1.0
    await budget.pause("users.list", 30)
    assert await beside.take("users.list") == pytest.approx(30)
    clock.advance(62)
    assert await take_all(beside, UPDATE) == 45


async def test_each_slack_workspace_has_a_budget_of_its_own_and_so_has_an_organisation(store, budget):
    assert await take_all(budget, UPDATE) == 45
    assert await take_all(Budget(store, Installation("T2", "E1")), UPDATE) == 45
    wide = Budget(store, Installation("T2", "E1", is_org_wide=True))
    assert await take_all(wide, UPDATE) == 45
    assert await Budget(store, Installation(None, "E1", is_org_wide=True)).take(UPDATE) > 0


@given(
    asks=st.lists(
        st.tuples(
            st.sampled_from([POST, UPDATE]),
            st.sampled_from(["D1", "D2"]),
            st.booleans(),
            st.floats(0, 5),
            st.floats(0, 1),
            st.floats(0, 1),
        ),
        max_size=120,
    )
)
async def test_no_window_of_a_minute_holds_more_than_slack_allows(asks):
    clock = FakeClock()
    async with memory_store(clock) as store:
        budget = Budget(store, HERE)
        granted = []
        for method, channel, is_killed, pause, leaves, travels in asks:
            budget = Budget(store, HERE) if is_killed else budget
            if await budget.take(method, channel) == 0:
                left = clock.monotonic() + leaves
                granted.append((method, channel, left, left + travels))
            clock.advance(pause)
    for method, *_, end in granted:
        within = [at for name, *_, at in granted if name == method and end - 60 < at <= end]
        assert len(within) <= METHODS[method].per_minute
    for channel in ("D1", "D2"):
        times = [left for method, where, left, _ in granted if (method, where) == (POST, channel)]
        assert all(later - earlier >= 1 for earlier, later in pairwise(times))


class _Slow(CleanConnector):
    """A connector that takes a while to connect."""

    def __init__(self, clock):
        super().__init__()
        self.clock = clock
        self.seconds = 0.0

    async def connect(self, *given, **named):
        connection = await super().connect(*given, **named)
        self.clock.advance(self.seconds)
        return connection


async def test_a_call_whose_bytes_would_leave_late_is_not_made_and_the_next_one_goes_the_same_way(
    store, budget, clock
):
    way = _Slow(clock)
    async with (
        raw_server(whole(b'{"ok": true}', "200 OK", "Content-Type: application/json")) as server,
        aiohttp.ClientSession(connector=way, request_class=GatedRequest) as session,
    ):
        slack = PacedSlack(WebApi("xoxb-1", f"{server.url}/", session, clock), budget, clock)
        way.seconds = 1.1
        with pytest.raises(SlackLimited):
            await slack.call(UPDATE, {})
        # The call was counted but never sent, so the method isn't paused.
        assert (server.requests, await room(store, budget, UPDATE)) == ([], 44)
        way.seconds = 0.9
        await slack.call(UPDATE, {})
        assert (len(server.requests), server.connections) == (1, 1)


async def test_what_a_call_needs_first_takes_nothing_of_its_time(budget, clock):
    class Slack:
        async def call(self, _method, _arguments):
            return SlackAnswer({"ok": True})

    async def renewed():
        clock.advance(10.0)

    assert (await PacedSlack(Slack(), budget, clock, renewed).call(UPDATE, {})).data["ok"]
