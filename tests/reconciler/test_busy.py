"""A busy provider refuses a call and does nothing: it is sent again, ever more rarely, until it's done."""

from dataclasses import replace
from itertools import pairwise

import pytest

from bot.domain.holds import HoldCode, is_hold
from bot.domain.operations import OperationVerb
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State
from bot.messages.texts.holds import explain_hold
from bot.store import operations as operation_rows
from bot.support.errors import NoCapacity, RateLimited, ServerFailed, UnknownOutcome
from tests.reconciler.calls import begun, gaps, sent
from tests.reconciler.classroom import person, seat
from tests.reconciler.outages import told
from tests.reconciler.runs import new_run_world
from tests.reconciler.world import DEADLINE, new_world
from tests.rigs.providers import FakeProvider, fake_settings
from tests.rigs.store import ALICE

BUSY = "Fake Cloud has been too busy for this since {time:"
START, STOP, SUSPEND, FORCE = (OperationVerb(word) for word in ("start", "stop", "suspend", "force"))


def refusal(status=503, seconds=None):
    kind = RateLimited if status == 429 else ServerFailed
    return kind("busy", status=status, retry_after=seconds)


async def test_used_up_requests_of_an_account_say_when_that_ends(world):
    operation_id = await begun(world, START)
    limit = RateLimited("API rate limit exceeded", status=403, retry_after=1800.0, is_own=True)
    world.provider.fail("start", limit, times=2)
    await world.pass_time(30)
    operation = await world.store.read(operation_rows.find_operation, operation_id)
    assert is_hold(operation.block_reason, HoldCode.OWN_LIMIT)
    assert await world.until_ended(operation_id, 1200) is Outcome.FULFILLED


@pytest.mark.parametrize("verb", [START, STOP, SUSPEND, FORCE], ids=str)
@pytest.mark.parametrize("status", [503, 429, 425])
async def test_call_refused_once_is_sent_again_after_one_read(world, verb, status):
    world.administered_by("UAMIR")
    operation_id = await begun(world, verb)
    method = "start" if verb is START else "stop"
    world.provider.fail(method, refusal(status))
    await world.pass_time(5)
    operation = await world.store.read(operation_rows.find_operation, operation_id)
    assert (operation.start_call, operation.stop_call) == (Call.NONE, Call.NONE)
    assert BUSY in explain_hold(operation.block_reason, "Fake Cloud")
    assert len(sent(world, method)) == 1
    assert await world.until_ended(operation_id, 60) is Outcome.FULFILLED
    (gap,) = gaps(sent(world, method))
    assert gap <= 12.0
    assert min(world.provider.gaps()) >= 10.0
    assert not told(world, "UAMIR")


@pytest.mark.parametrize("verb", [START, STOP], ids=str)
async def test_call_refused_after_its_effect_is_sent_once(world, verb):
    """Something in between, such as a proxy, may answer like that although the call was carried out."""
    operation_id = await begun(world, verb)
    method = "start" if verb is START else "stop"
    world.provider.fail(method, refusal(), after=True)
    assert await world.until_ended(operation_id, 60) is Outcome.FULFILLED
    assert len(sent(world, method)) == 1
    assert "already" not in str(world.slack.messages)


async def test_refused_start_that_fails_all_the_same_counts_as_sent(world):
    """If a workspace fails after the provider refused its start but carried it out, the start fails."""
    operation_id = await begun(world, START)
    world.provider.fail("start", refusal(), after=True)
    await world.pass_time(5)
    world.provider.machines["r1"].state = State.FAILED
    assert await world.until_ended(operation_id, 60) is Outcome.FAILED
    operation = await world.store.read(operation_rows.find_operation, operation_id)
    assert (operation.cause or "").startswith("provider_failed")
    assert operation.start_call is Call.ACCEPTED


async def test_stop_refused_for_an_hour_is_sent_ever_more_rarely(world):
    operation_id = await begun(world, STOP)
    world.provider.fail("stop", refusal(), times=100_000)
    await world.pass_time(30)
    hold = explain_hold(
        (await world.store.read(operation_rows.find_operation, operation_id)).block_reason, "Fake Cloud"
    )
    await world.pass_time(3_600, step=5)
    found = gaps(sent(world, "stop"))
    assert 13 <= len(found) <= 18
    assert all(earlier <= later + 12.0 for earlier, later in pairwise(found))
    assert found[0] <= 12.0 <= found[2]
    assert max(found) <= 312.0
    operation = await world.store.read(operation_rows.find_operation, operation_id)
    assert (operation.is_open, operation.attempts) == (True, 0)
    assert explain_hold(operation.block_reason, "Fake Cloud") == hold, "since the first refusal"
    world.provider.heal()
    assert await world.until_ended(operation_id, 330) is Outcome.FULFILLED
    assert (await world.store.read(operation_rows.find_operation, operation_id)).busy_since is None


async def test_hold_of_a_refused_start_stays_while_it_stops(world):
    """A state read meanwhile is neither the reason for the delay nor its beginning."""
    operation_id = await begun(world, START)
    world.provider.fail("start", refusal(), times=100_000)
    await world.pass_time(5)
    before = await world.store.read(operation_rows.find_operation, operation_id)
    world.provider.machines["r1"].state = State.STOPPING
    await world.pass_time(60)
    operation = await world.store.read(operation_rows.find_operation, operation_id)
    assert BUSY in explain_hold(before.block_reason, "Fake Cloud")
    assert (operation.block_reason, operation.blocked_since) == (before.block_reason, before.blocked_since)


async def test_start_refused_for_ever_is_asked_about_at_its_deadline(world):
    operation_id = await begun(world, START)
    world.provider.fail("start", refusal(), times=100_000)
    await world.pass_time(DEADLINE - 5, step=5)
    assert (await world.store.read(operation_rows.find_operation, operation_id)).is_open
    assert await world.until_ended(operation_id, 330) is Outcome.FAILED
    assert (await world.store.read(operation_rows.find_operation, operation_id)).cause.startswith("stale")
    assert max(sent(world, "start")) < sent(world, "start")[0] + DEADLINE


@pytest.mark.parametrize("verb", [START, STOP], ids=str)
@pytest.mark.parametrize("status", [503, 429])
async def test_retry_after_of_a_refusal_is_kept(world, verb, status):
    operation_id = await begun(world, verb)
    method = "start" if verb is START else "stop"
    world.provider.fail(method, refusal(status, 90.0))
    assert await world.until_ended(operation_id, 180) is Outcome.FULFILLED
    (gap,) = gaps(sent(world, method))
    assert 90.0 <= gap <= 102.0


async def test_changes_meanwhile_send_a_refused_call_no_earlier(world):
    """The server's message changes with each read."""
    operation_id = await begun(world, STOP, State.STARTING)
    world.provider.fail("stop", refusal(), times=100_000)
    for progress in range(1, 60):
        world.provider.machines["r1"].progress = progress
        await world.pass_time(10)
    assert len(sent(world, "stop")) <= 7
    assert (await world.store.read(operation_rows.find_operation, operation_id)).is_open


async def test_refused_start_that_is_cancelled_is_not_sent_again(world):
    workspace = await world.own()
    world.provider.fail("start", refusal(), times=3)
    await world.begin(workspace, START)
    await world.pass_time(15)
    count = len(sent(world, "start"))
    assert await world.until_ended(await world.begin(workspace, STOP), 60) is Outcome.FULFILLED
    await world.pass_time(120)
    assert len(sent(world, "start")) == count
    assert world.provider.machines["r1"].state is State.STOPPED


@pytest.mark.parametrize(
    ("verb", "method"), [(OperationVerb.RESTART, "stop"), (OperationVerb.REMOVE, "remove")], ids=str
)
async def test_what_is_no_plain_start_or_stop_settles_first(world, verb, method):
    operation_id = await world.begin(await world.own(state=State.RUNNING), verb, agreed=True)
    world.provider.fail(method, refusal())
    assert await world.until_ended(operation_id, 200) is Outcome.FULFILLED
    first, second = sent(world, method)[:2]
    assert second - first >= 60.0


async def test_call_without_an_answer_settles_first(world):
    operation_id = await begun(world, STOP)
    world.provider.fail("stop", UnknownOutcome("no answer"))
    assert await world.until_ended(operation_id, 200) is Outcome.FULFILLED
    (gap,) = gaps(sent(world, "stop"))
    assert gap >= 60.0


async def test_refused_calls_of_many_are_no_outage_while_reads_answer(world):
    world.administered_by("UAMIR")
    spaces = [await seat(world, person(number)) for number in range(8)]
    world.provider.fail("start", refusal(), times=16)
    operations = [await world.begin(workspace) for workspace in spaces]
    other = await world.begin(await world.own(ALICE, "r-alice", State.RUNNING), STOP)
    assert await world.until_ended(other, 30) is Outcome.FULFILLED
    for operation_id in operations:
        assert await world.until_ended(operation_id, 120) is Outcome.FULFILLED
    assert not told(world, "UAMIR")


async def test_refused_calls_are_an_outage_once_reads_say_so(world):
    world.administered_by("UAMIR")
    operation_id = await begun(world, STOP)
    for method in ("stop", "status"):
        world.provider.fail(method, refusal(), times=100_000)
    await world.pass_time(300)
    assert told(world, "UAMIR")
    assert "hasn't been available since" in explain_hold(
        (await world.store.read(operation_rows.find_operation, operation_id)).block_reason, "Fake Cloud"
    )
    world.provider.heal()
    assert await world.until_ended(operation_id, 400) is Outcome.FULFILLED


@pytest.mark.parametrize("status", [503, 429])
async def test_start_limit_holds_for_refused_starts_too(status):
    """The starts of a whole class, each refused twice, are repeated in order and no faster than allowed."""

    def ruled(clock):
        provider = FakeProvider(clock, fake_settings(starts_per_second=2.0))
        provider.pace = replace(provider.pace, concurrency=50)
        return provider

    async with new_world(ruled) as world:
        spaces = [await seat(world, person(number)) for number in range(30)]
        world.provider.fail("start", refusal(status), times=60)
        operations = [await world.begin(workspace) for workspace in spaces]
        await world.pass_time(240, step=0.1)
        for operation_id in operations:
            assert (
                await world.store.read(operation_rows.find_operation, operation_id)
            ).outcome is Outcome.FULFILLED
        made = sent(world, "start")
        assert len(made) == 90
        assert max(sum(at - 1.0 < one <= at for one in made) for at in made) <= 2


async def test_start_without_room_ends_at_once_and_offers_to_wait(world):
    """A 429 without Retry-After means that JupyterHub has no capacity, not that it is busy."""
    operation_id = await begun(world, START)
    world.provider.fail("start", NoCapacity("full", status=429))
    assert await world.until_ended(operation_id, 10) is Outcome.FAILED
    assert (await world.store.read(operation_rows.find_operation, operation_id)).cause == "no_room: full"
    assert len(sent(world, "start")) == 1


async def test_refused_stop_of_a_run_is_sent_again_after_a_read():
    async with new_run_world() as runs:
        runs.cloud.job_takes = None
        run_id = await runs.begun()
        runs.cloud.fail("stop_run", refusal(), times=3)
        await runs.stop(run_id)
        await runs.world.pass_time(5)
        assert BUSY in explain_hold((await runs.run(run_id)).block_reason, "Fake Cloud")
        assert (await runs.until_over(run_id, 120)).outcome == "ended"
        made = [call for call in runs.cloud.calls if call.method in {"stop_run", "run_status"}]
        stops = [place for place, call in enumerate(made) if call.method == "stop_run"]
        assert len(stops) == 4
        assert all(later - earlier > 1 for earlier, later in pairwise(stops)), "a read lies between"
        found = gaps([made[place].at for place in stops])
        assert 10.0 <= found[0] <= 16.0 < found[1] < found[2] <= 56.0
