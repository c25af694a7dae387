"""A short start moves within seconds if there are only a few; without a history nothing is claimed."""

from bot.domain.operations import OperationVerb
from bot.store import operations as operation_rows
from tests.reconciler.classroom import people


async def started_before(world, workspace, times=3):
    """Have a workspace started and stopped some times."""
    for _ in range(times):
        await world.until_ended(await world.begin(workspace))
        await world.until_ended(await world.begin(workspace, OperationVerb.STOP))


async def first_bar(world, operation_id, most=30):
    """Return after how many seconds from its call the card has a bar for the first time."""
    for _ in range(most):
        await world.pass_time(1)
        operation = await world.store.read(operation_rows.find_operation, operation_id)
        shown = [one["text"] + str(one["blocks"]) for one in world.slack.messages if operation_id in str(one)]
        if any(" %" in text for text in shown):
            return await world.store.now() - operation.called_at
    return None


async def test_a_short_start_moves_after_some_seconds(world):
    workspace = await world.own()
    await started_before(world, workspace)
    moved = await first_bar(world, await world.begin(workspace))
    assert moved is not None
    assert moved <= 6


async def test_without_a_history_there_is_no_figure(world):
    assert await first_bar(world, await world.begin(await world.own()), 25) is None
    assert "Usually" not in str(world.slack.messages)


async def test_the_first_start_is_told_what_others_took(world):
    for one in people(10):
        await world.link(one, token=f"token-{one.user_id}")
        await world.until_ended(await world.begin(await world.own(one, f"r-{one.user_id}")))
    before = len(world.slack.messages)
    await world.begin(await world.own())
    await world.pass_time(8)
    assert "Usually ready in under a minute." in str(world.slack.messages[before:])


async def test_a_class_takes_no_updates_for_it(world):
    """Ten were started before, so everybody's usual time is known; thirty begin at once."""
    crowd = people(40)
    for one in crowd:
        await world.link(one, token=f"token-{one.user_id}")
    rows = [await world.own(one, f"r-{one.user_id}") for one in crowd]
    for row in rows[:10]:
        await world.until_ended(await world.begin(row))
    operations = [await world.begin(row) for row in rows[10:]]
    await world.pass_time(8)
    moved = [
        one
        for one in operations
        if (await world.store.read(operation_rows.find_operation, one)).progress_floor
    ]
    assert 1 <= len(moved) <= 4
