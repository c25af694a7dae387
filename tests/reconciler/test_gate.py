"""The poll gate under random clicks, errors, kills and delays: never two reads within the interval."""

import asyncio
from contextlib import suppress
from functools import partial

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.operations import OperationVerb
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.store import gates, workspaces
from bot.store.tables import WORKSPACES
from bot.support.errors import ServerFailed, Unreachable
from tests.reconciler.fuse import Fuse, Killed
from tests.reconciler.world import new_world
from tests.rigs.functions import replace_function
from tests.rigs.store import ALICE, BOB, want_read

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["start", "stop", "refresh", "wait", "fail", "late", "slow", "kill"]),
        st.floats(0.0, 15.0),
    ),
    min_size=3,
    max_size=25,
)


@given(steps=STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_reads_of_one_resource_keep_their_distance(steps):
    asyncio.run(_clicks(steps))


async def _clicks(steps):
    async with new_world() as world:
        # Two people see the same resource, each with an account of their own.
        rows = [await world.own(ALICE), await world.own(BOB)]
        for what, seconds in steps:
            row = rows[int(seconds * 10) % 2]
            match what:
                case "start" | "stop":
                    await world.begin(row, OperationVerb(what))
                case "refresh":
                    await want_read(world.store, row.id)
                case "fail":
                    world.provider.fail("status", ServerFailed("500", status=500))
                    world.provider.fail("start", Unreachable("no connection"))
                case "late":
                    await late_read(world, seconds)
                case "slow":
                    await slow_way(world, seconds)
                case "kill":
                    await killed(world, 1 + int(seconds * 2))
            await world.work()
            world.clock.advance(seconds)
            await world.work()
        assert min(world.provider.gaps(), default=10.0) >= 10.0


async def killed(world, at):
    """Kill the process at some call, and restart it at once."""
    world.reborn(Fuse(at, after=at % 2 == 0))
    with suppress(Killed):
        await world.work()
    world.reborn()


async def late_read(world, seconds):
    """Let time pass between a claim and its request."""
    claim = partial(world.store.claim, gates.claim_reads)

    async def slow(*arguments):
        claims = await claim(*arguments)
        world.clock.advance(seconds)
        return claims

    replace_function(world.store, gates.claim_reads, slow)
    try:
        await world.reconciler.reads.step()
    finally:
        replace_function(world.store, gates.claim_reads, claim)


async def slow_way(world, seconds):
    """Delay requests on their way; the provider counts them when they arrive."""
    real = world.provider.status

    async def slow(access, remote_ids, window=None):
        world.clock.advance(seconds)
        return await real(access, remote_ids)

    world.provider.status = slow
    try:
        await world.reconciler.reads.step()
    finally:
        world.provider.status = real


async def test_a_read_that_arrives_late_keeps_the_next_one_back(world):
    row = await world.own()
    await want_read(world.store, row.id)
    await slow_way(world, 4.0)
    await want_read(world.store, row.id)
    await world.pass_time(12, step=0.5, longest=0.5)
    assert world.provider.gaps() == [10.0]


async def test_no_read_leaves_beside_one_that_has_no_answer_yet(world):
    row = await world.own()
    await want_read(world.store, row.id)
    arrived, may_answer = asyncio.Event(), asyncio.Event()

    async def wait(_method):
        arrived.set()
        await may_answer.wait()

    world.provider.during = wait
    first = asyncio.create_task(world.reconciler.reads.step())
    await arrived.wait()
    world.clock.advance(11.0)
    await want_read(world.store, row.id)
    await world.reconciler.reads.step()
    assert world.provider.count("status") == 1
    may_answer.set()
    await first
    await world.pass_time(25, step=0.5, longest=0.5)
    assert world.provider.count("status") == 2
    assert world.provider.gaps() == [21.5]


async def test_a_read_that_would_leave_too_late_is_dropped_and_comes_after_the_interval(world):
    await world.begin(await world.own())
    await late_read(world, 0.6)
    assert world.provider.count("status") == 0
    await world.pass_time(15)
    assert world.provider.count("status") >= 1
    assert min(world.provider.gaps(), default=10.0) >= 10.0


async def test_a_read_within_the_margin_leaves(world):
    await world.begin(await world.own())
    await late_read(world, 0.4)
    assert world.provider.count("status") == 1


async def test_reads_leave_slots_to_calls(world):
    world.provider.pace = type(world.provider.pace)(min_poll_interval=10, pending_interval=10, concurrency=5)
    world.reborn()
    rows = [await world.own(remote_id=f"r{number}") for number in range(10)]
    for row in rows:
        await want_read(world.store, row.id)

    assert await world.reconciler.reads.step() == 4
    assert world.reconciler.engine.runtimes["cloud"].slots.is_idle


async def test_reads_of_one_account_go_together_where_the_provider_takes_many(world):
    world.provider.pace = type(world.provider.pace)(min_poll_interval=1, pending_interval=1, batch_size=10)
    world.reborn()
    rows = [await world.own(remote_id=f"r{number}") for number in range(3)]
    asked = []
    real = world.provider.status

    async def status(access, remote_ids, window=None):
        asked.append(sorted(remote_ids))
        return await real(access, remote_ids, window)

    world.provider.status = status
    for row in rows:
        await want_read(world.store, row.id)
    await world.reconciler.reads.step()
    assert asked == [["r0", "r1", "r2"]]


async def test_what_one_person_may_not_see_does_not_keep_another_from_it(world):
    await world.own(ALICE)
    theirs = await world.own(BOB)
    world.provider.put("r1", State.RUNNING)
    await want_read(world.store, theirs.id)
    await world.pass_time(30)
    assert (await world.store.read(workspaces.find_workspace, theirs.id)).state is State.RUNNING


async def test_a_read_that_breaks_is_made_again(world):
    real = world.provider.status

    async def broken(*_):
        raise ZeroDivisionError("a mistake")

    world.provider.status = broken
    operation = await world.begin(await world.own())
    await world.pass_time(15)
    world.provider.status = real
    assert await world.until_ended(operation, 300) is Outcome.FULFILLED


async def test_with_access_to_everybodys_only_what_is_proven_to_be_theirs_is_read(world):
    row = await world.own()
    world.provider.can_reach_all_workspaces = lambda _access: True
    await world.store.engine.write(lambda tx: WORKSPACES.change(tx, {"id": row.id}, verified_at=None))
    await want_read(world.store, row.id)
    await world.pass_time(15)
    assert world.provider.count("status") == 0
    await world.store.engine.write(lambda tx: WORKSPACES.change(tx, {"id": row.id}, verified_at=1.0))
    await want_read(world.store, row.id)
    await world.pass_time(15)
    assert world.provider.count("status") == 1
