"""Runs and operations never wait in silence: one that hasn't begun or can't be seen is reported once."""

import json

import pytest

from bot.domain.causes import StaleReason, make_stale_cause
from bot.domain.runs import DiscoveredRun, ObservedRun, RunState
from bot.domain.timeouts import ANSWER_SECONDS
from bot.domain.work_items import Outcome
from bot.store import accounts, operations, work_items
from bot.store import runs as run_rows
from bot.store.tables import RUNS
from bot.support.errors import Unreachable
from tests.reconciler.runs import said
from tests.reconciler.world import DEADLINE
from tests.rigs.store import ALICE, refuse, watch_run


@pytest.fixture
async def runs(runs):
    runs.cloud.job_takes = None
    return runs


def waiting(runs, run_id):
    keyed = [
        (each.get("metadata", {}).get("event_payload", {}).get("key", ""), each)
        for each in runs.slack.messages
    ]
    begin = f"{run_id}/job_waiting/"
    return [json.dumps(each, ensure_ascii=False) for key, each in keyed if key.startswith(begin)]


def take_away(runs):
    """Remove the connection from the settings, and restart the process."""
    runs.world.reborn(connections={})


async def test_a_run_that_is_seen_has_no_deadline(runs):
    runs.cloud.queued_for = 2 * DEADLINE
    run_id = await runs.runs()
    await runs.world.pass_time(3 * DEADLINE, step=15)
    run = await runs.run(run_id)
    assert (run.deadline_at, run.blocked_since, waiting(runs, run_id)) == (None, None, [])


async def test_a_run_whose_credential_is_refused_is_told_of_once(runs):
    run_id = await runs.begun()
    runs.cloud.refused_tokens.add("token-1")
    await runs.world.pass_time(DEADLINE - 60, step=30)
    assert waiting(runs, run_id) == []
    await runs.world.pass_time(3 * DEADLINE, step=30)
    (told,) = waiting(runs, run_id)
    assert "I haven't been able to check on" in told
    assert "Keep waiting" in told
    assert "Stop waiting" in told
    assert "Running since" in said(runs.message(f"{run_id}/job_card/1"))
    assert (await runs.run(run_id)).is_open


async def test_a_launch_waits_for_a_refused_credential_until_it_is_no_longer_good(runs):
    await runs.world.link()
    await runs.world.know()
    runs.cloud.refused_tokens.add("token-1")
    run_id = await runs.runs(deadline_seconds=DEADLINE)
    await runs.world.pass_time(DEADLINE - 60, step=30)
    assert waiting(runs, run_id) == []
    await runs.world.pass_time(120, step=30)
    (told,) = waiting(runs, run_id)
    assert "still hasn't started" in told
    runs.cloud.refused_tokens.clear()
    await runs.world.pass_time(DEADLINE, step=30)
    run = await runs.run(run_id)
    assert (run.outcome, run.has_called) == (Outcome.FAILED, False)
    assert run.cause == make_stale_cause(StaleReason.ASKED, run.created_at)
    assert runs.cloud.count("launch_run") <= 8


async def test_keep_waiting_sets_another_deadline_and_what_is_seen_again_has_none(runs):
    run_id = await runs.begun()
    runs.cloud.fail("run_status", Unreachable("no connection"), times=10_000)
    await runs.world.pass_time(DEADLINE + 120, step=30)
    assert len(waiting(runs, run_id)) == 1
    await runs.store.carry_out(lambda tx: work_items.keep_waiting(tx, RUNS, run_id, DEADLINE))
    await runs.world.pass_time(DEADLINE + 120, step=30)
    # The first message was deleted when the owner chose to keep waiting.
    assert len(waiting(runs, run_id)) == 1
    assert runs.slack.sent_kinds().count("job_waiting") == 2
    runs.cloud.heal()
    await runs.world.pass_time(120, step=5)
    run = await runs.run(run_id)
    assert (run.is_late, run.deadline_at, run.block_reason) == (False, None, None)
    assert "Stop waiting" not in said(runs.message(f"{run_id}/job_card/1"))


async def test_a_run_whose_connection_is_gone_for_good_ends_as_unknown(runs):
    run_id = await runs.begun()
    take_away(runs)
    await runs.world.pass_time(DEADLINE + 120, step=60)
    assert len(waiting(runs, run_id)) == 1
    await runs.world.pass_time(ANSWER_SECONDS - DEADLINE - 1200, step=600)
    assert (await runs.run(run_id)).is_open
    await runs.world.pass_time(1800, step=300)
    run = await runs.run(run_id)
    assert (run.outcome, run.cause) == ("failed", "connection_gone")
    assert "I don't know how *train*" in said(runs.message(f"{run_id}/job_failed/end"))


async def test_a_day_of_a_refused_credential_is_none_without_the_connection(runs):
    world = runs.world
    operation_id, run_id = await world.begin(await world.own()), await runs.runs()
    await world.pass_time(4)
    await refuse(runs.store, await runs.store.read(accounts.find_account, ALICE, "cloud"))
    await world.pass_time(ANSWER_SECONDS + 1200, step=600)
    for _ in range(2):
        # A mistake in the settings, which is corrected at the next start.
        take_away(runs)
        await world.pass_time(1200, step=120)
        world.reborn()
        await world.pass_time(600, step=60)
    assert (await runs.store.read(operations.find_operation, operation_id)).outcome is None
    assert (await runs.run(run_id)).is_open
    take_away(runs)
    await world.pass_time(ANSWER_SECONDS + 1200, step=600)
    operation, run = await runs.store.read(operations.find_operation, operation_id), await runs.run(run_id)
    assert (operation.outcome, operation.cause) == (Outcome.UNKNOWN, "connection_gone")
    assert (run.outcome, run.cause) == (Outcome.FAILED, "connection_gone")


async def found(runs):
    """Let a list contain a run that was launched elsewhere, and return its id."""
    await runs.world.link()
    await runs.world.know()
    account = await runs.store.read(accounts.find_account, ALICE, "cloud")
    await runs.store.perform(
        run_rows.merge_runs, account.id, [DiscoveredRun("r9", "train", ObservedRun(RunState.RUNNING))]
    )
    (run,) = await runs.store.read(run_rows.list_runs, ALICE)
    return run.id


@pytest.mark.parametrize("is_begun", [False, True])
async def test_a_run_whose_reads_tell_nothing_is_told_of_once(runs, is_begun):
    run_id = await runs.runs()
    await runs.world.work()
    await runs.world.pass_time(5 if is_begun else 0)
    runs.cloud.runs["run1"].is_unclear = True
    await runs.world.pass_time(DEADLINE - 60, step=15)
    assert waiting(runs, run_id) == []
    await runs.world.pass_time(DEADLINE, step=15)
    (told,) = waiting(runs, run_id)
    assert "I can't see its progress right now" in told
    runs.cloud.runs["run1"].is_unclear = False
    await runs.world.pass_time(60, step=5)
    run = await runs.run(run_id)
    assert (run.is_late, run.deadline_at, run.block_reason) == (False, None, None)


@pytest.mark.parametrize("has_card", [False, True])
async def test_a_found_run_is_told_of_where_it_has_a_card_and_ends_with_its_connection(runs, has_card):
    run_id = await found(runs)
    if has_card:
        await watch_run(runs.store, run_id)
    take_away(runs)
    await runs.world.pass_time(DEADLINE + 120, step=60)
    assert len(waiting(runs, run_id)) == has_card
    await runs.world.pass_time(ANSWER_SECONDS, step=600)
    run = await runs.run(run_id)
    assert (run.outcome, run.cause) == ("failed", "connection_gone")
    assert runs.slack.kinds().count("job_failed") == has_card
