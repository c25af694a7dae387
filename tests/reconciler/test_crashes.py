"""Killed anywhere, restarted on the same store: nothing lost, nothing doubled, the gate kept."""

from itertools import pairwise

import pytest

from bot.domain.workspaces import Call, Outcome, State
from bot.support.errors import SlackUnknownOutcome, UnknownOutcome
from tests.reconciler.fuse import Fuse, Killed
from tests.reconciler.world import new_world


async def kill_and_go_on(world, operation_ids):
    """Work until the fuse blows, then as the restarted process until all has ended."""
    await world.until_trouble()
    world.reborn()
    # Leases of the dead run out, messages of unknown outcome settle.
    await world.until_settled()
    return [await world.store.operation(operation_id) for operation_id in operation_ids]


async def a_start(at, *, after, is_kill):
    async with new_world() as world:
        workspace = await world.own()
        operation_id = await world.begin(workspace)
        fuse = Fuse(at, after=after, is_kill=is_kill, done=world.done)
        world.reborn(fuse)
        [operation] = await kill_and_go_on(world, [operation_id])
        assert operation.outcome is Outcome.FULFILLED
        assert world.provider.accepted_starts == ["r1"]
        # A card that was held up until its end had been told isn't sent any more.
        assert sorted(world.slack.kinds()) in (["card", "ready"], ["ready"])
        assert min(world.provider.gaps()) >= 10.0
        assert (await world.store.statistics())["pending_notices"] == 0
        return fuse.is_blown


how = pytest.mark.parametrize("is_kill", [True, False], ids=["kill", "error"])
when = pytest.mark.parametrize("after", [False, True], ids=["before", "after"])


# Every number is gone through by tests/faults with ``--every-call``, with the whole process.
@how
@when
async def test_a_start_that_meets_trouble_at_some_call_ends_in_one_ready_message(after, is_kill):
    met = 0
    for at in range(1 + 9 * (2 * after + is_kill), 10_000, 36):
        if not await a_start(at, after=after, is_kill=is_kill):
            break
        met += 1
    assert met > 2, "hardly any call met trouble"


async def test_killed_while_the_call_is_under_way(world):
    operation_id = await world.begin(await world.own())
    world.provider.fail("start", Killed(), after=True)
    [operation] = await kill_and_go_on(world, [operation_id])
    assert operation.outcome is Outcome.FULFILLED
    assert (world.provider.count("start"), world.provider.accepted_starts) == (1, ["r1"])
    assert world.slack.kinds().count("ready") == 1


async def test_killed_before_the_call_had_left(world):
    operation_id = await world.begin(await world.own())
    world.provider.fail("start", Killed())
    [operation] = await kill_and_go_on(world, [operation_id])
    assert operation.outcome is Outcome.FULFILLED
    assert (world.provider.count("start"), world.provider.accepted_starts) == (2, ["r1"])


async def test_a_call_is_committed_before_it_leaves(world):
    operation_id = await world.begin(await world.own())
    seen = []

    async def look(method):
        if method == "start":
            seen.append((await world.store.operation(operation_id)).start_call)

    world.provider.during = look
    await world.pass_time(1)
    assert seen == [Call.CALLING]


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "accepted"])
async def test_an_unknown_outcome_is_read_before_it_is_called_again(world, landed):
    operation_id = await world.begin(await world.own())
    world.provider.fail("start", UnknownOutcome("no answer in time"), after=landed)
    await world.work()
    assert (await world.store.operation(operation_id)).start_call is Call.UNKNOWN
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert world.provider.accepted_starts == ["r1"]
    assert world.provider.count("start") == (1 if landed else 2)
    assert world.slack.kinds().count("ready") == 1
    reads = [call.at for call in world.provider.calls if call.method == "status"]
    starts = [call.at for call in world.provider.calls if call.method == "start"]
    assert all(any(first < read < second for read in reads) for first, second in pairwise(starts))


async def test_a_ready_message_whose_outcome_is_unknown_is_not_doubled_after_a_kill(world):
    operation_id = await world.begin(await world.own())
    await world.pass_time(5)
    world.slack.fail("chat.postMessage", Killed(), after=True)
    [operation] = await kill_and_go_on(world, [operation_id])
    assert operation.outcome is Outcome.FULFILLED
    assert sorted(world.slack.kinds()) == ["card", "ready"]


async def test_a_second_unknown_outcome_of_a_message_is_looked_up_again(world):
    operation_id = await world.begin(await world.own(state=State.RUNNING))
    error = SlackUnknownOutcome("chat.postMessage", "no_answer")
    world.slack.fail("chat.postMessage", error, times=2)
    world.slack.fail("chat.postMessage", error, times=2, after=True)
    await world.pass_time(90, step=3)
    assert (await world.store.operation(operation_id)).outcome is Outcome.FULFILLED
    # The card was still being looked for when the end had been told.
    assert world.slack.kinds() == ["ready"]
