"""Many requests at once, a busy store, and slow providers: waiting does no harm."""

import asyncio
from dataclasses import replace
from functools import partial
from operator import attrgetter

import pytest
from structlog.testing import capture_logs

from bot.domain.operations import OperationVerb
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.messages.texts.holds import explain_hold
from bot.reconciler.runtimes import MAX_FAILURES, MAX_PROBE_PAUSE_SECONDS, Slots
from bot.reconciler.step import PROBE_WAIT_SECONDS
from bot.store import cards, counts, gates, notices, tasks
from bot.store import operations as operation_rows
from bot.support.errors import SlackLimited, StoreBusy, Unreachable
from tests.reconciler.classroom import person
from tests.rigs.functions import fail_function, replace_function
from tests.rigs.store import ALICE, BOB, want_read


def pace(world, **keys):
    world.provider.pace = type(world.provider.pace)(
        **{"min_poll_interval": 10, "pending_interval": 10, **keys}
    )
    world.reborn()


def test_slots_leave_a_fifth_to_calls():
    slots = Slots(10)
    assert slots.free_for_reads == 8
    assert slots.take(8)
    assert slots.free_for_reads == 0
    assert slots.take(2)
    assert not slots.take()
    slots.give(10)
    assert slots.is_idle
    assert Slots(1).free_for_reads == 1
    assert Slots(2).free_for_reads == 1


async def test_no_more_calls_at_once_than_the_provider_takes(world):
    pace(world, concurrency=3)
    operations = [await world.begin(await world.own(remote_id=f"r{number}")) for number in range(8)]
    under_way, most = 0, 0
    real = world.provider.start

    async def start(access, remote_id):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        await real(access, remote_id)
        under_way -= 1

    world.provider.start = start
    await world.pass_time(60)
    for operation_id in operations:
        assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert most <= 3
    assert sorted(world.provider.accepted_starts) == [f"r{number}" for number in range(8)]


async def test_a_call_waits_for_a_pause_and_for_the_probe_of_a_connection_in_doubt(world):
    operation_id = await world.begin(await world.own())
    await world.reconciler.operations.step()
    await world.reconciler.reads.step()
    (line,) = world.reconciler.engine.runtimes.values()
    for _ in range(MAX_FAILURES):
        line.health.note_failure(Unreachable("no connection"))
    await world.reconciler.operations.step()
    assert "hasn't been available since" in explain_hold(
        (await world.store.read(operation_rows.find_operation, operation_id)).block_reason, "Fake Cloud"
    )
    line.slots.take()
    world.clock.advance(MAX_PROBE_PAUSE_SECONDS)
    await world.reconciler.operations.step()
    assert world.provider.count("start") == 0
    line.slots.give()
    world.clock.advance(PROBE_WAIT_SECONDS)
    await world.reconciler.operations.step()
    assert world.provider.count("start") == 1


async def test_what_nobody_waits_for_is_asked_less_often_after_a_failure(world):
    workspace = await world.own(state=State.RUNNING)
    await want_read(world.store, workspace.id)
    world.provider.fail("status", Unreachable("no connection"))
    await world.pass_time(280, step=10)
    assert world.provider.count("status") == 1
    await world.pass_time(60, step=10)
    assert world.provider.count("status") == 2


async def test_at_the_deadline_an_operation_that_waits_for_a_link_is_told_too(world):
    operation_id = await world.begin(await world.own())
    world.provider.refused_tokens = {"token-1"}
    await world.pass_time(1900, step=20)
    assert sorted(world.slack.kinds()) == ["card", "sign_in_refused", "waiting"]
    assert (await world.store.read(operation_rows.find_operation, operation_id)).is_open


@pytest.mark.parametrize(
    "function",
    [
        operation_rows.save_step,
        gates.record_reads,
        notices.mark_notice_sent,
        tasks.finish_task,
        cards.finish_update,
        cards.retry_card,
    ],
    ids=attrgetter("__name__"),
)
async def test_a_busy_store_delays_and_doubles_nothing(world, function):
    if function == cards.retry_card:
        world.slack.fail("chat.update", SlackLimited("chat.update", 1.0), times=2)
    operation_id = await world.begin(await world.own())
    fail_function(world.store, function, *[StoreBusy("not committed in time")] * 2)
    assert await world.until_ended(operation_id, 600) is Outcome.FULFILLED
    await world.pass_time(120, step=5)
    assert world.provider.accepted_starts == ["r1"]
    assert sorted(world.slack.sent_kinds()) == ["card", "ready"]


async def test_two_people_with_one_resource_are_both_told(world):
    mine, theirs = await world.own(ALICE), await world.own(BOB)
    operations = [await world.begin(mine), await world.begin(theirs)]
    for operation_id in operations:
        assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert world.provider.accepted_starts == ["r1"]
    assert world.slack.kinds().count("ready") == 2
    assert min(world.provider.gaps()) >= 10.0


async def test_a_step_whose_operation_was_replaced_meanwhile_sends_nothing(world):
    workspace = await world.own()
    operation_id = await world.begin(workspace)
    await world.reconciler.reads.step()
    claim = partial(world.store.claim, operation_rows.claim_operations)

    async def slow(*how):
        steps = await claim(*how)
        await world.begin(workspace, OperationVerb.STOP)
        replace_function(world.store, operation_rows.claim_operations, claim)
        return steps

    replace_function(world.store, operation_rows.claim_operations, slow)
    await world.reconciler.operations.step()
    assert world.provider.count("start") == 0
    assert (await world.store.read(operation_rows.find_operation, operation_id)).outcome is Outcome.REPLACED


async def test_an_operation_whose_account_vanished_is_called_off(world):
    operation_id = await world.begin(await world.own())
    real = partial(world.store.claim, operation_rows.claim_operations)

    async def without_account(*how):
        return [replace(step, account=None) for step in await real(*how)]

    replace_function(world.store, operation_rows.claim_operations, without_account)
    await world.pass_time(3)
    operation = await world.store.read(operation_rows.find_operation, operation_id)
    assert (operation.outcome, operation.cause) == (Outcome.CANCELLED, "unlinked")
    assert world.slack.kinds().count("failed") == 1


async def test_a_mistake_in_reading_is_logged_and_read_again(world):
    operation_id = await world.begin(await world.own())
    real = world.provider.status

    async def broken(*_arguments):
        raise RuntimeError("a mistake")

    world.provider.status = broken
    with capture_logs() as logs:
        await world.work()
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["read failed"]
    world.provider.status = real
    assert await world.until_ended(operation_id, 900) is Outcome.FULFILLED


async def test_more_operations_than_slack_takes_edits_for_leave_no_backlog_that_grows(world):
    """43 operations begin each minute. Each card is updated or deleted, and the backlog stays small."""
    world.provider.start_takes = 20.0
    rows = [await world.own(person(number), f"r{number}") for number in range(30)]
    waiting = []
    for number in range(43 * 6):
        up = number // 30 % 2 == 0
        await world.begin(rows[number % 30], OperationVerb.START if up else OperationVerb.STOP)
        await world.pass_time(60 / 43, step=60 / 43)
        if number % 43 == 42:
            waiting.append((await world.store.perform(counts.count_rows))["waiting_edits"])
    assert max(waiting) < 60
    await world.pass_time(60)
    assert world.slack.sent_kinds().count("card") == 43 * 6
    assert world.slack.over_budget == 0
    await world.pass_time(240, step=5)
    left = await world.store.perform(counts.count_rows)
    assert (left["waiting_edits"], left["pending_notices"]) == (0, 0)
    # One message is left for each operation, and it says how that ended.
    assert len(world.slack.messages) == 43 * 6
    since = [one for one in world.slack.messages if "It has since been started again." in one["text"]]
    assert len(world.slack.told("ready")) + len(world.slack.told("stopped")) + len(since) == 43 * 6
