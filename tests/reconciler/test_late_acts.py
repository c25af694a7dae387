"""Late effects, lost answers, and reads refused for a moment: nothing is done twice or reported too early."""

import json

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.runs import RunState
from bot.domain.steps import Update
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State
from bot.messages.texts.holds import explain_hold
from bot.providers.base import Pace
from bot.store import operations
from bot.support.errors import Forbidden, InvalidRequest, NotFound, UnknownOutcome

LOST = UnknownOutcome("no answer")


def told(world, kind):
    return [json.dumps(each, ensure_ascii=False) for each in world.slack.messages if _kind(each) == kind]


def _kind(message):
    return message.get("metadata", {}).get("event_payload", {}).get("key", "//").split("/")[1]


# -- started or created twice --------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [20, 30, 55])
async def test_a_start_that_acts_late_and_whose_answer_is_lost_is_called_once(world, seconds):
    world.provider.acts_late("start", seconds)
    world.provider.fail("start", LOST, after=True)
    assert await world.until_ended(await world.begin(await world.own())) is Outcome.FULFILLED
    assert world.provider.count("start") == 1
    assert world.slack.kinds().count("ready") == 1


async def test_a_call_that_is_found_under_way_after_a_crash_is_unknown_from_then_on(world):
    operation_id = await world.begin(await world.own())
    (step,) = await world.store.claim(operations.claim_operations, 1, 40.0)
    calling = Update(operation_id, 40.0, start_call=Call.CALLING, called=True, claim=step.claim)
    assert await world.store.write(operations.save_step, calling)
    world.clock.advance(300)
    await world.pass_time(58)
    operation = await world.store.read(operations.find_operation, operation_id)
    assert (operation.start_call, operation.unknown_since) == (Call.UNKNOWN, await world.store.now() - 58)
    assert world.provider.count("start") == 0
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert world.provider.count("start") == 1


@pytest.mark.parametrize("seconds", [30, 110])
async def test_a_creation_that_acts_late_and_whose_answer_is_lost_is_made_once(world, seconds):
    world.provider.acts_late("create", seconds)
    world.provider.fail("create", LOST, after=True)
    assert await world.until_ended(await world.make()) is Outcome.FULFILLED
    assert (world.provider.count("create"), list(world.provider.machines)) == (1, ["m1"])


@pytest.mark.parametrize("seconds", [30, 110])
async def test_a_launch_that_acts_late_and_whose_answer_is_lost_is_one_run(runs, seconds):
    runs.cloud.acts_late("launch_run", seconds)
    runs.cloud.fail("launch_run", LOST, after=True)
    run = await runs.until_over(await runs.runs())
    assert (run.outcome, run.state, run.remote_id) == ("ended", RunState.SUCCEEDED, "run1")
    assert (runs.cloud.count("launch_run"), list(runs.cloud.runs)) == (1, ["run1"])


# -- accepted, but visible only later ------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [12, 60, 150])
async def test_an_accepted_start_that_shows_late_is_not_told_as_failed(world, seconds):
    world.provider.acts_late("start", seconds)
    assert await world.until_ended(await world.begin(await world.own()), 400) is Outcome.FULFILLED
    assert (world.provider.count("start"), world.slack.kinds().count("failed")) == (1, 0)


async def test_the_card_says_that_an_accepted_start_is_still_shown_as_stopped(world):
    world.provider.acts_late("start", None)
    operation_id = await world.begin(await world.own())
    await world.pass_time(55)
    assert "still shows it as stopped" not in told(world, "card")[0]
    await world.pass_time(20)
    assert "Fake Cloud accepted the start" in told(world, "card")[0]
    assert "still shows it as stopped" in told(world, "card")[0]
    await world.pass_time(100)
    assert (await world.store.read(operations.find_operation, operation_id)).is_open
    assert await world.until_ended(operation_id) is Outcome.FAILED
    assert (await world.store.read(operations.find_operation, operation_id)).cause == "stopped_elsewhere"


# -- refused reads -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [Forbidden("302"), InvalidRequest("400")])
async def test_a_refused_read_after_an_accepted_start_is_no_news(world, error):
    operation_id = await world.begin(await world.own())
    await world.pass_time(3)
    world.provider.fail("status", error, times=2)
    await world.pass_time(15)
    assert "I can't see its progress right now" in told(world, "card")[0]
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert "failed" not in world.slack.kinds()


async def test_refused_reads_are_told_when_they_repeat_also_across_a_restart(world):
    operation_id = await world.begin(await world.own())
    await world.pass_time(3)
    world.provider.fail("status", Forbidden("not yours"), times=100)
    await world.pass_time(50)
    assert (await world.store.read(operations.find_operation, operation_id)).is_open
    assert world.provider.count("status") >= 4
    world.reborn()
    await world.pass_time(30)
    operation = await world.store.read(operations.find_operation, operation_id)
    assert (operation.outcome, operation.cause) == (Outcome.UNKNOWN, "forbidden:: not yours")
    assert "I don't know whether" in told(world, "failed")[0]


async def test_one_read_that_knows_nothing_of_what_was_started_is_no_news(world):
    operation_id = await world.begin(await world.own())
    await world.pass_time(3)
    world.provider.fail("status", NotFound("404"))
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    operation_id = await world.begin(await world.workspace_of(operation_id), OperationVerb.RESTART)
    await world.pass_time(25)
    world.provider.fail("status", NotFound("404"), times=2)
    assert await world.until_ended(operation_id) is Outcome.FAILED
    assert (await world.store.read(operations.find_operation, operation_id)).cause == "gone"


async def test_refused_reads_of_a_run_are_no_news_before_they_repeat(runs):
    runs.cloud.job_takes = 300.0
    run_id = await runs.begun()
    runs.cloud.fail("run_status", Forbidden("not yours"), times=100)
    await runs.world.pass_time(30)
    assert explain_hold((await runs.run(run_id)).block_reason, "Fake Cloud").startswith(
        "I can't see its progress"
    )
    runs.world.reborn()
    await runs.world.pass_time(60)
    assert "not yours" in explain_hold((await runs.run(run_id)).block_reason, "Fake Cloud")
    runs.cloud.heal()
    assert (await runs.until_over(run_id, 400)).outcome == "ended"


# -- a start and a stop that cross each other ----------------------------------------------------------------


async def test_a_start_during_an_accepted_stop_follows_when_it_is_down(world):
    """Some servers report *running* until a stop has finished."""
    row = await world.own(state=State.RUNNING)
    world.provider.acts_late("stop", 25)
    stop = await world.begin(row, OperationVerb.STOP)
    await world.pass_time(4)
    start = await world.begin(row)
    await world.pass_time(15)
    assert (await world.store.read(operations.find_operation, start)).is_open
    assert "I'll start it again once it has stopped" in told(world, "card")[1]
    assert await world.until_ended(start) is Outcome.FULFILLED
    assert world.provider.accepted_starts == ["r1"]
    assert world.provider.machines["r1"].state is State.RUNNING
    assert "had already been sent" in told(world, "card")[0]
    assert (await world.store.read(operations.find_operation, stop)).cause == "sent"


async def test_a_stop_after_an_accepted_start_that_acts_late_leaves_nothing_running(world):
    row = await world.own()
    world.provider.acts_late("start", 40)
    await world.begin(row)
    await world.pass_time(4)
    stop = await world.begin(row, OperationVerb.STOP)
    assert await world.until_ended(stop) is Outcome.FULFILLED
    await world.pass_time(200, step=5)
    assert world.provider.machines["r1"].state is State.STOPPED
    assert world.provider.accepted_starts == ["r1"]


async def test_what_no_call_had_left_for_is_called_off(world):
    row = await world.own(state=State.RUNNING)
    world.provider.stop_takes = 20.0
    await world.begin(row, OperationVerb.STOP)
    await world.pass_time(4)
    start = await world.begin(row)
    await world.pass_time(2)
    stop = await world.begin(row, OperationVerb.STOP)
    assert await world.until_ended(stop) is Outcome.FULFILLED
    assert (await world.store.read(operations.find_operation, start)).cause is None
    assert (world.provider.count("stop"), world.provider.count("start")) == (1, 0)


async def test_start_that_fails_again_from_error_is_told_by_reads(world):
    world.provider.start_takes, world.provider.start_ends = 1.0, State.FAILED
    operation_id = await world.begin(await world.own(state=State.FAILED))
    asked_at = world.clock.now()
    assert await world.until_ended(operation_id, 40) is Outcome.FAILED
    assert (
        20.0 <= (await world.store.read(operations.find_operation, operation_id)).ended_at - asked_at <= 36.0
    )


async def test_start_from_error_outlives_an_early_read_of_it(world):
    world.provider.acts_late("start", 15.0)
    operation_id = await world.begin(await world.own(state=State.FAILED))
    assert await world.until_ended(operation_id, 90) is Outcome.FULFILLED
    assert world.provider.count("start") == 1


@pytest.mark.parametrize(
    ("verb", "ends_as"),
    [
        pytest.param(OperationVerb.STOP, State.STOPPED, id="stop"),
        pytest.param(OperationVerb.SUSPEND, State.SUSPENDED, id="suspend"),
        pytest.param(OperationVerb.FORCE, State.STOPPED, id="force"),
    ],
)
@pytest.mark.parametrize("between", [None, OperationVerb.STOP], ids=["right after", "after another stop"])
async def test_start_sent_before_any_kind_of_stop_is_undone(world, verb, ends_as, between):
    """A workspace whose resume was just sent doesn't count as suspended because of an early read."""
    workspace = await world.own(state=State.SUSPENDED)
    world.provider.pace = Pace(min_poll_interval=1.0, pending_interval=1.0)
    world.reborn()
    world.provider.acts_late("start", 8.0)
    await world.begin(workspace)
    await world.pass_time(2)
    assert world.provider.count("start") == 1
    operation_id = ""
    for asked in (between, verb):
        operation_id = await world.begin(workspace, asked) if asked else operation_id
    await world.until_ended(operation_id, 300)
    await world.pass_time(60)
    assert world.provider._moved("r1").state is ends_as
