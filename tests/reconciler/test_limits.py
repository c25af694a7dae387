"""A 429 is an answer: it delays the person who got it, and everybody only if it is meant for everybody."""

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.domain.tasks import TaskKind
from bot.domain.work_items import Outcome
from bot.messages.texts.holds import explain_hold
from bot.providers.base import Credential
from bot.reconciler.runtimes import MAX_REQUESTED_PAUSE_SECONDS
from bot.store import accounts as account_rows
from bot.store import operations as operation_rows
from bot.store import tasks
from bot.store.tasks import NewTask
from bot.support.errors import Forbidden, RateLimited, ServerFailed
from bot.support.vault import row_key
from tests.reconciler.classroom import seat
from tests.reconciler.limits import CAROL, DAVE, ERIN, calls_of
from tests.reconciler.outages import told
from tests.reconciler.runs import new_run_world
from tests.reconciler.world import DEADLINE
from tests.rigs.store import ALICE, BOB, link_account, want_read

AMIR = "UAMIR"
SLOW_DOWN = "asked me to slow down, so I'm waiting until {time:"


def limited(seconds=None):
    return RateLimited("slow down", status=429, retry_after=seconds)


def administer(world):
    world.administered_by(AMIR)


@pytest.mark.parametrize("seconds", [None, 65.0, 3600.0])
async def test_one_persons_limited_read_delays_that_person_and_nobody_else(world, seconds):
    administer(world)
    mine, theirs = await seat(world, ALICE), await seat(world, BOB)
    operation = await world.begin(mine)
    world.provider.answers_to["token-UALICE"] = limited(seconds)
    with capture_logs() as logs:
        await world.pass_time(3)
        other = await world.begin(theirs)
        assert await world.until_ended(other, 60) is Outcome.FULFILLED
    held = await world.store.read(operation_rows.find_operation, operation)
    assert SLOW_DOWN in explain_hold(held.block_reason, "Fake Cloud")
    # Alice's other calls wait, too, but no longer than the longest pause allowed.
    asked = len(calls_of(world, ALICE))
    second = await world.begin(await world.own(ALICE, "r2"))
    await world.pass_time(8)
    if seconds:
        assert len(calls_of(world, ALICE)) == asked
    assert "connection asked for a pause" not in [entry["event"] for entry in logs]
    assert not told(world, AMIR)
    del world.provider.answers_to["token-UALICE"]
    assert await world.until_ended(second, MAX_REQUESTED_PAUSE_SECONDS + 60) is Outcome.FULFILLED
    assert await world.until_ended(operation, 3700) is Outcome.FULFILLED


async def test_limited_lists_are_no_outage_and_hold_up_nobodys_start(world):
    administer(world)
    accounts = {who: await seat(world, who) for who in (ALICE, BOB)}
    account = await world.store.read(account_rows.find_account, ALICE, "cloud")
    world.provider.fail("discover", limited(2.0), times=10)
    await world.store.write(tasks.add_tasks, [NewTask(TaskKind.DISCOVER, account.id)])
    await world.pass_time(60)
    assert world.provider.count("discover") >= 5
    assert await world.until_ended(await world.begin(accounts[BOB]), 60) is Outcome.FULFILLED
    assert not told(world, AMIR)


async def test_several_limited_people_pause_the_connection_and_the_log_says_it_once(world):
    administer(world)
    people = (ALICE, BOB, CAROL, DAVE)
    for who in people:
        world.provider.answers_to[f"token-{who.user_id}"] = limited(3600.0)
    spaces = [await seat(world, who) for who in (*people, ERIN)]
    operations = [await world.begin(workspace) for workspace in spaces[:4]]
    with capture_logs() as logs:
        await world.pass_time(5)
        late = await world.begin(spaces[4])
        await world.pass_time(MAX_REQUESTED_PAUSE_SECONDS - 10)
    assert not calls_of(world, ERIN)
    assert SLOW_DOWN in explain_hold(
        (await world.store.read(operation_rows.find_operation, late)).block_reason, "Fake Cloud"
    )
    assert [entry["event"] for entry in logs].count("connection asked for a pause") == 1
    assert not told(world, AMIR)
    world.provider.answers_to.clear()
    assert await world.until_ended(late, 60) is Outcome.FULFILLED
    for operation in operations:
        assert await world.until_ended(operation, 3700) is Outcome.FULFILLED


async def test_a_secret_that_all_share_pauses_the_connection_five_minutes_at_most(world):
    credential = Credential(SecretStr(""), extra={"acts": "admin"})
    for who in (ALICE, BOB):
        sealed = world.vault.seal(row_key(who.key, "cloud"), credential.as_mapping())
        await world.know(who)
        await link_account(world.store, who, "cloud", secret=sealed)
    mine, theirs = [await world.own(who, f"r-{who.user_id}") for who in (ALICE, BOB)]
    world.provider.fail("status", limited(3600.0))
    operations = [await world.begin(mine)]
    await world.pass_time(2)
    operations.append(await world.begin(theirs))
    await world.pass_time(MAX_REQUESTED_PAUSE_SECONDS - 5)
    assert world.provider.count("status") == 1
    assert all(
        [
            SLOW_DOWN
            in explain_hold(
                (await world.store.read(operation_rows.find_operation, operation)).block_reason, "Fake Cloud"
            )
            for operation in operations
        ]
    )
    for operation in operations:
        assert await world.until_ended(operation, 90) is Outcome.FULFILLED


async def test_one_limited_start_leaves_the_others_and_all_reads_alone(world):
    mine, theirs = await seat(world, ALICE), await seat(world, BOB)
    world.provider.fail("start", limited(90.0))
    first, second = await world.begin(mine), None
    await world.pass_time(15)
    assert world.provider.count("start") == 1
    second = await world.begin(theirs)
    assert await world.until_ended(second, 60) is Outcome.FULFILLED
    assert len(calls_of(world, ALICE, "status")) > 2
    assert await world.until_ended(first, 120) is Outcome.FULFILLED


async def test_a_refused_read_from_before_a_start_was_asked_for_ends_nothing(world):
    workspace = await seat(world, ALICE)
    started = []

    async def status(access, remote_ids, window=None, *, ask=world.provider.status):
        if not started:
            started.append(await world.begin(workspace))
        return await ask(access, remote_ids, window)

    world.provider.status = status
    world.provider.fail("status", Forbidden("no", status=403))
    await want_read(world.store, workspace.id)
    await world.pass_time(90)
    assert (await world.store.read(operation_rows.find_operation, started[0])).outcome is Outcome.FULFILLED


async def test_a_start_whose_answer_asks_for_an_hour_is_looked_at_as_any_other(world):
    error = ServerFailed("overloaded", status=503, retry_after=3600.0)
    world.provider.fail("start", error, after=True)
    operation = await world.begin(await seat(world, ALICE))
    assert await world.until_ended(operation, 120) is Outcome.FULFILLED
    assert world.provider.count("start") == 1


async def test_a_start_that_is_put_off_for_an_hour_is_asked_about_at_its_deadline(world):
    world.provider.fail("start", limited(3600.0), times=1_000)
    operation = await world.begin(await seat(world, ALICE))
    await world.pass_time(DEADLINE - 30, step=30)
    asked = world.provider.count("start")
    assert asked >= DEADLINE / MAX_REQUESTED_PAUSE_SECONDS - 1
    assert await world.until_ended(operation, MAX_REQUESTED_PAUSE_SECONDS + 60) is Outcome.FAILED
    assert world.slack.kinds().count("failed") == 1
    assert world.provider.count("start") <= asked + 1


async def test_a_launch_and_a_stop_whose_answers_ask_for_an_hour_are_looked_at_as_any_other():
    async with new_run_world() as runs:
        runs.cloud.job_takes = None
        error = ServerFailed("overloaded", status=503, retry_after=3600.0)
        runs.cloud.fail("launch_run", error, after=True)
        run_id = await runs.begun(30)
        assert (await runs.run(run_id)).remote_id is not None
        runs.cloud.fail("stop_run", error, after=True)
        await runs.stop(run_id)
        assert (await runs.until_over(run_id, 60)).outcome == "ended"
        assert (runs.cloud.count("launch_run"), runs.cloud.count("stop_run")) == (1, 1)
