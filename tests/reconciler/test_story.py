"""The main story: an operation leads to a running workspace, and the person is told once."""

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.store import audit, operations
from tests.rigs.providers import NO_GPU


async def test_every_message_carries_its_key_and_unfurls_nothing(world):
    operation_id = await world.begin(await world.own())
    await world.until_ended(operation_id)
    assert world.slack.sent() == [f"{operation_id}/card/1", f"{operation_id}/ready/end"]
    # The card was deleted once the end was reported.
    assert world.slack.keys() == [f"{operation_id}/ready/end"]
    for message in [*world.slack.messages, *world.slack.deleted]:
        assert message["metadata"]["event_type"] == "usher_notice"
        assert (message["unfurl_links"], message["unfurl_media"], message["link_names"]) == (False,) * 3


@pytest.mark.parametrize("end", [State.FAILED, State.STOPPED])
async def test_what_a_start_waits_for_is_on_its_card_and_in_its_failure(world, end):
    world.provider.start_ends, world.provider.start_takes = end, 60.0
    operation_id = await world.begin(await world.own())
    machine = world.provider.machines["r1"]
    machine.reason = NO_GPU
    await world.pass_time(40)
    assert "There's no free GPU on Fake Cloud right now." in str(world.slack.messages)
    machine.reason = "Timeout" if end is State.FAILED else None
    assert await world.until_ended(operation_id) is Outcome.FAILED
    offer = "there's no free GPU on Fake Cloud right now. I can keep trying until"
    assert offer in str(world.slack.messages[-1])


async def test_a_restart_goes_down_and_comes_up_once(world):
    workspace = await world.own(state=State.RUNNING)
    assert await world.until_ended(await world.begin(workspace, OperationVerb.RESTART)) is Outcome.FULFILLED
    assert (world.provider.accepted_stops, world.provider.accepted_starts) == (["r1"], ["r1"])
    assert world.slack.sent_kinds() == ["card", "ready"]


async def test_a_stop_before_the_start_was_called_leaves_nothing_to_start(world):
    workspace = await world.own()
    await world.begin(workspace)
    stop = await world.begin(workspace, OperationVerb.STOP)
    assert await world.until_ended(stop) is Outcome.FULFILLED
    assert world.provider.count("start") == 0


@pytest.mark.parametrize("lands", ["during", "after"])
async def test_a_stop_wins_over_a_start_that_is_under_way(world, lands):
    workspace = await world.own()
    stops = []

    async def meanwhile(method):
        if method == "start" and not stops:
            stops.append(await world.begin(workspace, OperationVerb.STOP))
            if lands == "after":
                # The workspace was read as stopped before the start took effect.
                machine, world.provider.machines["r1"].state = world.provider.machines["r1"], State.STOPPED
                world.clock.advance(11)
                await world.reconciler.reads.step()
                await world.reconciler.operations.step()
                machine.state = State.STARTING

    world.provider.during = meanwhile
    await world.begin(workspace)
    await world.pass_time(1)
    world.provider.during = None
    await world.pass_time(60)
    assert (await world.store.read(operations.find_operation, stops[0])).outcome is Outcome.FULFILLED
    assert world.provider.machines["r1"].state is State.STOPPED
    assert len(world.slack.told("stopped")) == 1


async def test_the_audit_names_what_was_done(world):
    await world.until_ended(await world.begin(await world.own()))
    actions = [(row["action"], row["result"]) for row in await world.store.read(audit.read_audit)]
    assert ("call.start", "accepted") in actions
    assert ("operation.start", "fulfilled") in actions
