"""Suspending, resuming, forcing, removing: each is reported as itself, or as what has actually happened."""

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.messages.blocks import kit
from bot.store import operations, workspaces
from bot.support.errors import UnknownOutcome, Unreachable
from tests.reconciler.fuse import Killed
from tests.rigs.store import hide_workspace


def labels(message):
    """Return the labels of a message's buttons."""
    return [one["text"]["text"] for one in kit.iterate_buttons(message["blocks"])]


async def test_what_the_workspace_does_not_allow_is_not_offered(world):
    workspace = await world.own()
    world.provider.machines["r1"].actions = frozenset({"open", "start", "stop"})
    await world.until_ended(await world.begin(workspace))
    assert labels(world.slack.messages[-1]) == ["Open", "Stop", "Stop later…", "Hours…"]


async def test_where_nothing_can_be_forced_nothing_is_offered(world):
    workspace = await world.own(state=State.RUNNING)
    world.provider.machines["r1"].actions = frozenset({"stop"})
    world.provider.stop_takes = 4000
    stop = await world.begin(workspace, OperationVerb.STOP)
    await world.pass_time(120)
    assert labels(world.slack.messages[0]) == ["Start again", "Refresh"]
    assert (await world.store.read(operations.find_operation, stop)).block_reason is None


async def test_what_was_made_here_can_be_made_anew_after_its_removal(world):
    made = await world.workspace_of(await world.make())
    await world.pass_time(60)
    assert await world.until_ended(await world.begin(made, OperationVerb.REMOVE)) is Outcome.FULFILLED
    await world.pass_time(3)
    assert labels(world.slack.messages[-1]) == ["Start a new one"]


async def test_what_ended_in_a_restart_and_was_not_made_here_is_not_made_anew(world):
    world.provider.ends_for_good = True
    restart = await world.begin(await world.own(state=State.RUNNING), OperationVerb.RESTART, agreed=True)
    assert await world.until_ended(restart) is Outcome.FAILED
    assert (await world.store.read(operations.find_operation, restart)).cause == "no_restart"
    assert world.slack.sent_kinds()[-1] == "failed"


@pytest.mark.parametrize("after", [False, True], ids=["lost", "done"])
@pytest.mark.parametrize("error", [UnknownOutcome("no answer"), Unreachable("no connection"), Killed()])
@pytest.mark.parametrize("verb", [OperationVerb.SUSPEND, OperationVerb.FORCE, OperationVerb.REMOVE])
async def test_trouble_at_the_call_ends_in_one_message_all_the_same(world, verb, error, after):
    workspace = await world.own(state=State.RUNNING)
    method = "remove" if verb is OperationVerb.REMOVE else "stop"
    world.provider.fail(method, error, after=after)
    operation_id = await world.begin(workspace, verb)
    try:
        await world.work()
    except Killed:
        world.reborn()
    await world.pass_time(150, step=3)
    assert (await world.store.read(operations.find_operation, operation_id)).outcome is Outcome.FULFILLED
    kind = {"suspend": "suspended", "force": "stopped", "remove": "removed"}[verb]
    assert len(world.slack.told(kind)) == len(world.slack.sent()) == 1
    effects = world.provider.removed if verb is OperationVerb.REMOVE else world.provider.accepted_stops
    assert effects == ["r1"]


async def test_a_start_gives_way_to_a_removal(world):
    workspace = await world.own()
    removals = []

    async def meanwhile(method):
        if method == "start":
            removals.append(await world.begin(workspace, OperationVerb.REMOVE))

    world.provider.during = meanwhile
    await world.begin(workspace)
    await world.pass_time(1)
    world.provider.during = None
    assert await world.until_ended(removals[0]) is Outcome.FULFILLED
    assert world.provider.removed == ["r1"]
    assert "ready" not in world.slack.kinds()


async def test_what_was_taken_off_the_list_is_called_off_not_waited_for(world):
    workspace = await world.own()
    await hide_workspace(world.store, workspace.id)
    operation_id = await world.begin(workspace)
    assert await world.until_ended(operation_id) is Outcome.CANCELLED
    assert (await world.store.read(operations.find_operation, operation_id)).cause == "forgotten"
    assert world.provider.calls == []


async def test_a_removal_that_has_no_effect_is_told_in_the_end(world):
    workspace = await world.own()
    operation_id = await world.begin(workspace, OperationVerb.REMOVE)
    await world.pass_time(2)
    world.provider.put("r1", State.STOPPED)
    await world.pass_time(640, step=10)
    assert (await world.store.read(operations.find_operation, operation_id)).cause == "not_removed"
    assert len(await world.store.perform(workspaces.read_workspaces, workspace.principal)) == 1
