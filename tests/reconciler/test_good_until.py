"""A call that the person may no longer want isn't sent; instead, they are asked."""

import json

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.stops import PlannedStop
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.messages.texts.holds import explain_hold
from bot.services.caller import Caller
from bot.services.operation_requests import begin_operation, extend_deadline
from bot.services.timers import cancel_timer, plan_timer
from bot.store import accounts
from bot.store import operations as operation_rows
from bot.store import workspaces as workspace_rows
from bot.support.errors import ServerFailed, UnknownOutcome
from tests.reconciler.classroom import seat
from tests.reconciler.refusals import refuse as refuse_token
from tests.reconciler.refusals import token_of
from tests.reconciler.world import DEADLINE
from tests.rigs.store import ALICE, BOB, link_account, refuse

DOWN = ServerFailed("maintenance", status=503)
HOUR = 3600.0
DAY = 24 * HOUR


def told(world, kind):
    keyed = [
        (one.get("metadata", {}).get("event_payload", {}).get("key", "//"), one)
        for one in world.slack.messages
    ]
    return [json.dumps(one, ensure_ascii=False) for key, one in keyed if key.split("/")[1] == kind]


def goes_away(world):
    for method in ("start", "status", "stop", "create", "launch_run", "run_status"):
        world.provider.fail(method, DOWN, times=1_000_000)


async def asked_about(world, operation_id, verb="start"):
    """Wait for the question. Check that nothing was sent, and what the question offers."""
    assert await world.until_ended(operation_id, 900) is Outcome.FAILED
    await world.pass_time(60)
    (question,) = told(world, "failed")
    assert f"I couldn't {verb} *" in question
    assert "Do you still want it?" in question
    assert "No, thanks" in question
    return question


async def test_a_start_for_two_hours_is_not_sent_three_days_later(world):
    row = await world.own()
    goes_away(world)
    timer = PlannedStop(world.clock.now() + 2 * HOUR, "stop")
    caller = Caller(world.asking, ALICE, "i1", "R-1")
    accepted = await caller.run(begin_operation, row.id, OperationVerb.START, timer=timer)
    await world.pass_time(3 * DAY, step=HOUR)
    assert (await world.store.read(operation_rows.find_operation, accepted.operation.id)).is_open
    assert "Keep waiting" in told(world, "waiting")[0]
    assert "I won't start it without asking you again" in told(world, "waiting")[0]
    world.provider.heal()
    calls = world.provider.count("start")
    question = await asked_about(world, accepted.operation.id)
    assert "{time:" not in question
    assert world.provider.count("start") == calls
    assert (await world.store.read(workspace_rows.find_workspace, row.id)).stop_at is None
    assert world.slack.kinds().count("stop_warning") == 0


async def test_blocked_start_is_reported_at_the_end_of_a_time_chosen_later(world):
    """After hours of refusals, a token is tried so rarely that the next step is the one at the deadline.

    The workspace is read with the token of another person, so the start doesn't wait for a read.
    """
    row = await seat(world, ALICE)
    await world.link(BOB, token=token_of(BOB))
    await world.own(BOB, row.remote_id)
    refuse_token(world, ALICE)
    await world.begin(row)
    await world.pass_time(4 * HOUR, step=60)
    operation_id = await world.begin(row)
    await world.pass_time(60)
    timer = plan_timer(world.asking, row, world.clock.now() + DEADLINE / 3)
    await world.ask("i2").run(begin_operation, row.id, OperationVerb.START, timer=timer)
    await world.pass_time(DEADLINE / 3 - 30)
    assert (await world.store.read(operation_rows.find_operation, operation_id)).is_open
    await world.pass_time(60)
    assert (await world.store.read(operation_rows.find_operation, operation_id)).outcome is Outcome.FAILED
    assert "Do you still want it?" in told(world, "failed")[-1]


async def test_one_that_is_kept_waiting_is_sent(world):
    row = await world.own()
    goes_away(world)
    operation_id = await world.begin(row)
    await world.pass_time(DEADLINE + 300, step=60)
    await world.ask("i2").run(extend_deadline, operation_id)
    await world.pass_time(DEADLINE / 2, step=60)
    world.provider.heal()
    assert await world.until_ended(operation_id, 900) is Outcome.FULFILLED


async def test_one_that_is_kept_waiting_has_its_timer_again(world):
    row = await world.own()
    goes_away(world)
    timer = plan_timer(world.asking, row, world.clock.now() + 2 * HOUR)
    accepted = await world.ask("i1").run(begin_operation, row.id, OperationVerb.START, timer=timer)
    await world.pass_time(DEADLINE + 2 * HOUR, step=60)
    assert (await world.store.read(workspace_rows.find_workspace, row.id)).stop_at is None
    for number in (2, 3):
        await world.ask(f"i{number}").run(extend_deadline, accepted.operation.id)
        assert (
            await world.store.read(workspace_rows.find_workspace, row.id)
        ).stop_at == world.clock.now() + 2 * HOUR
        if number == 2:
            await world.pass_time(DEADLINE + 2 * HOUR, step=60)
    world.provider.heal()
    assert await world.until_ended(accepted.operation.id, 900) is Outcome.FULFILLED
    assert (await world.store.read(workspace_rows.find_workspace, row.id)).stop_at is not None


async def test_one_that_is_kept_waiting_has_no_timer_that_was_taken_back(world):
    row = await world.own()
    goes_away(world)
    timer = plan_timer(world.asking, row, world.clock.now() + 2 * HOUR)
    accepted = await world.ask("i1").run(begin_operation, row.id, OperationVerb.START, timer=timer)
    await world.ask("i2").run(cancel_timer, row.id)
    await world.pass_time(DEADLINE + 2 * HOUR, step=60)
    await world.ask("i3").run(extend_deadline, accepted.operation.id)
    assert (await world.store.read(workspace_rows.find_workspace, row.id)).stop_at is None


async def test_what_waits_for_a_refused_link_does_not_go_out_a_month_later(world):
    row = await world.own()
    await refuse(world.store, await world.store.read(accounts.find_account, ALICE, "cloud"))
    operation_id = await world.begin(row)
    await world.pass_time(30 * DAY, step=12 * HOUR)
    operation = await world.store.read(operation_rows.find_operation, operation_id)
    assert (
        operation.is_open,
        "no longer accepts your link" in explain_hold(operation.block_reason, "Fake Cloud"),
    ) == (True, True)
    await link_account(world.store, ALICE, "cloud", secret=world.seal(ALICE))
    await asked_about(world, operation_id)
    assert world.provider.count("start") == 0


async def test_each_is_asked_about_with_its_buttons_also_after_a_silence(world):
    rows = [await world.own(remote_id=name) for name in ("r1", "r2")]
    await refuse(world.store, await world.store.read(accounts.find_account, ALICE, "cloud"))
    operations = [await world.begin(row) for row in rows]
    await world.pass_time(DEADLINE + 600, step=60)
    await link_account(world.store, ALICE, "cloud", secret=world.seal(ALICE))
    for _ in range(60):
        world.clock.advance(10)
        await world.reconciler.operations.step()
        await world.reconciler.reads.step()
    assert [(await world.store.read(operation_rows.find_operation, one)).outcome for one in operations] == [
        Outcome.FAILED
    ] * 2
    await world.pass_time(120)
    assert ["try_again" in one and "No, thanks" in one for one in told(world, "failed")] == [True, True]
    assert "summary" not in world.slack.kinds()


async def test_a_creation_is_asked_about_and_a_stop_is_sent_however_late(world):
    up = await world.own(state=State.RUNNING)
    made = await world.make()
    goes_away(world)
    stop = await world.begin(up, OperationVerb.STOP)
    await world.pass_time(3 * DAY, step=HOUR)
    world.provider.heal()
    assert await world.until_ended(stop, 900) is Outcome.FULFILLED
    assert world.provider.machines["r1"].state is State.STOPPED
    await asked_about(world, made, "create")
    assert list(world.provider.machines) == ["r1"]


async def test_an_unknown_outcome_is_read_however_late(world):
    row = await world.own()
    world.provider.fail("start", UnknownOutcome("no answer"), after=True)
    operation_id = await world.begin(row)
    await world.work()
    goes_away(world)
    await world.pass_time(3 * DAY, step=HOUR)
    assert (await world.store.read(operation_rows.find_operation, operation_id)).is_open
    world.provider.heal()
    assert await world.until_ended(operation_id, 900) is Outcome.FULFILLED
    assert world.provider.accepted_starts == ["r1"]


@pytest.mark.parametrize("is_late", [True, False])
async def test_a_launch_is_asked_about_after_its_deadline(runs, is_late):
    run_id = await runs.runs(deadline_seconds=DEADLINE)
    await refuse(runs.store, await runs.store.read(accounts.find_account, ALICE, "cloud"))
    await runs.world.pass_time(DEADLINE + 600 if is_late else DEADLINE / 2, step=60)
    await link_account(runs.store, ALICE, "cloud", secret=runs.world.seal(ALICE))
    run = await runs.until_over(run_id, 900)
    assert list(runs.cloud.runs) == ([] if is_late else ["run1"])
    assert run.outcome == ("failed" if is_late else "ended")
    said = told(runs.world, "job_failed")
    assert [("Do you still want it?" in one, "Run again" in one, "No, thanks" in one) for one in said] == (
        [(True, True, True)] * is_late
    )
