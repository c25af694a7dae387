"""Restarts that make another workspace in the place of one that failed for good."""

from bot.domain.workspaces import OperationVerb, Outcome, State
from tests.reconciler.test_creations import rows
from tests.rigs.store import want_read


async def failed(world, *, is_up=False):
    """Have a workspace made that failed for good as far as is known; ``is_up``: it runs again by now."""
    await world.until_ended(await world.make())
    world.provider.ends_for_good = True
    world.provider.put("m1", State.FAILED)
    row = (await rows(world))[0]
    await want_read(world.store, row.id)
    await world.pass_time(20)
    if is_up:
        world.provider.put("m1", State.RUNNING)
    world.clock.advance(15.0)
    row = (await rows(world))[0]
    assert row.state is State.FAILED
    return row


async def test_a_restart_makes_another_of_what_has_failed_for_good(world):
    operation_id = await world.begin(await failed(world), OperationVerb.RESTART)
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert [row.remote_id for row in await rows(world)] == ["m2"]
    assert world.provider.count("stop") == 0
    assert (await world.store.operation(operation_id)).is_renewal


async def test_a_restart_ends_nothing_that_is_up_again_unasked(world):
    operation_id = await world.begin(await failed(world, is_up=True), OperationVerb.RESTART)
    assert await world.until_ended(operation_id) is Outcome.FAILED
    assert (await world.store.operation(operation_id)).cause == "not_agreed"
    assert (world.provider.count("stop"), world.provider.count("create")) == (0, 1)


async def test_what_was_not_made_here_and_has_failed_for_good_is_not_made_again(world):
    row = await world.own(state=State.FAILED)
    world.provider.ends_for_good = True
    operation_id = await world.begin(row, OperationVerb.RESTART)
    assert await world.until_ended(operation_id) is Outcome.FAILED
    assert (await world.store.operation(operation_id)).cause == "no_restart"
    assert world.provider.count("create") == 0
