"""The main story: an operation becomes a running workspace, and its person is told once."""

import pytest

from bot.domain.workspaces import Call, OperationVerb, Outcome, State


async def test_a_start_ends_in_one_card_and_one_ready_message(world):
    workspace = await world.own()
    operation_id = await world.begin(workspace)
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert world.slack.kinds() == ["card", "ready"]
    assert "started at" in world.slack.messages[0]["text"]
    assert world.provider.accepted_starts == ["r1"]
    assert "https://app.example.test/ide/r1" in str(world.slack.messages[1]["blocks"])
    operation = await world.store.operation(operation_id)
    assert operation.start_call is Call.ACCEPTED


async def test_every_message_carries_its_key_and_unfurls_nothing(world):
    operation_id = await world.begin(await world.own())
    await world.until_ended(operation_id)
    assert world.slack.keys() == [f"{operation_id}/card/1", f"{operation_id}/ready/end"]
    for message in world.slack.messages:
        assert message["metadata"]["event_type"] == "usher_notice"
        assert (message["unfurl_links"], message["unfurl_media"], message["link_names"]) == (False,) * 3


async def test_a_running_workspace_is_ready_without_a_call(world):
    workspace = await world.own(state=State.RUNNING)
    assert await world.until_ended(await world.begin(workspace)) is Outcome.FULFILLED
    assert world.provider.count("start") == 0
    assert sorted(world.slack.kinds()) == ["card", "ready"]


async def test_a_stop_ends_as_stopped(world):
    workspace = await world.own(state=State.RUNNING)
    assert await world.until_ended(await world.begin(workspace, OperationVerb.STOP)) is Outcome.FULFILLED
    assert world.provider.accepted_stops == ["r1"]
    assert world.slack.kinds() == ["card", "stopped"]


async def test_a_restart_goes_down_and_comes_up_once(world):
    workspace = await world.own(state=State.RUNNING)
    assert await world.until_ended(await world.begin(workspace, OperationVerb.RESTART)) is Outcome.FULFILLED
    assert (world.provider.accepted_stops, world.provider.accepted_starts) == (["r1"], ["r1"])
    assert world.slack.kinds() == ["card", "ready"]


async def test_a_start_that_fails_tells_the_cause(world):
    workspace = await world.own()
    world.provider.start_ends = State.FAILED
    world.provider.machines["r1"].detail = "no more disk"
    operation_id = await world.begin(workspace)
    assert await world.until_ended(operation_id) is Outcome.FAILED
    assert (await world.store.operation(operation_id)).cause == "provider_failed: no more disk"
    assert world.slack.kinds() == ["card", "failed"]


async def test_an_earlier_failure_is_started_over(world):
    workspace = await world.own(state=State.FAILED)
    assert await world.until_ended(await world.begin(workspace)) is Outcome.FULFILLED


async def test_stopped_elsewhere_while_starting_is_told_at_once(world):
    workspace = await world.own()
    operation_id = await world.begin(workspace)
    await world.pass_time(15)
    world.provider.put("r1", State.STOPPED)
    await world.pass_time(15)
    operation = await world.store.operation(operation_id)
    assert (operation.outcome, operation.cause) == (Outcome.FAILED, "stopped_elsewhere")
    assert world.provider.accepted_starts == ["r1"]


async def test_stopped_elsewhere_later_shows_on_the_card_and_starts_nothing(world):
    workspace = await world.own()
    await world.until_ended(await world.begin(workspace))
    world.provider.put("r1", State.STOPPED)
    await world.pass_time(400, step=10)
    assert "stopped" in world.slack.messages[1]["text"]
    assert world.provider.count("start") == 1
    assert world.slack.kinds() == ["card", "ready"]


async def test_a_stop_replaces_a_pending_start(world):
    workspace = await world.own()
    start = await world.begin(workspace)
    await world.pass_time(5)
    stop = await world.begin(workspace, OperationVerb.STOP)
    assert await world.until_ended(stop) is Outcome.FULFILLED
    assert (await world.store.operation(start)).outcome is Outcome.REPLACED
    assert world.provider.machines["r1"].state is State.STOPPED
    assert "ready" not in world.slack.kinds()
    assert world.slack.kinds().count("stopped") == 1


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
                # It was read as stopped before the start had landed.
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
    assert (await world.store.operation(stops[0])).outcome is Outcome.FULFILLED
    assert world.provider.machines["r1"].state is State.STOPPED
    assert world.slack.kinds().count("stopped") == 1


async def test_the_deadline_is_told_once_and_ends_nothing(world):
    workspace = await world.own()
    world.provider.start_takes = 4000
    operation_id = await world.begin(workspace)
    await world.pass_time(2000, step=20)
    assert world.slack.kinds() == ["card", "waiting"]
    await world.store.keep_waiting(operation_id, 600.0, "keep-1")
    await world.pass_time(700, step=20)
    assert world.slack.kinds() == ["card", "waiting", "waiting"]
    assert await world.until_ended(operation_id, 2000) is Outcome.FULFILLED
    assert world.slack.kinds() == ["card", "waiting", "waiting", "ready"]
    assert world.provider.count("start") == 1


async def test_the_bar_never_goes_back(world):
    workspace = await world.own()
    world.provider.start_takes = 300
    operation_id = await world.begin(workspace)
    floors = []
    for progress in (None, 60, 20, 80, 10):
        world.provider.machines["r1"].progress = progress
        await world.pass_time(25)
        floors.append((await world.store.operation(operation_id)).progress_floor)
    assert floors == sorted(floors)
    assert 80 <= floors[-1] < 95


async def test_the_audit_names_what_was_done(world):
    await world.until_ended(await world.begin(await world.own()))
    actions = [(row["action"], row["result"]) for row in await world.store.audit_entries()]
    assert ("call.start", "accepted") in actions
    assert ("operation.start", "fulfilled") in actions
