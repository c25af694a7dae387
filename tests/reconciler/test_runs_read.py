"""Runs of jobs: read together at the provider's pace, lost if it forgets them, and listed on demand."""

import pytest

from bot.domain.forms import Spec
from bot.domain.installations import Installation
from bot.domain.runs import DiscoveredRun, ObservedRun, RunState
from bot.domain.tasks import TaskKind
from bot.reconciler.runs import LOOK_AGAIN_SECONDS
from bot.store import accounts, tasks
from bot.store import runs as run_rows
from bot.store.tasks import NewTask
from bot.support.errors import Forbidden, RateLimited, UnknownOutcome, Unreachable
from tests.reconciler.runs import said
from tests.rigs.store import ALICE, BOB

# -- reads ---------------------------------------------------------------------------------------------------


async def test_more_runs_than_fit_into_a_request_take_turns(runs):
    runs.cloud.job_takes = 200.0
    for number in range(60):
        await runs.runs(name=f"job {number}")
    await runs.world.pass_time(30)
    assert max(count for _, _, count in runs.cloud.reads) == 50
    assert min(runs.cloud.read_gaps()) >= 2.0
    assert {run.state for run in await runs.store.read(run_rows.list_runs, ALICE, limit=100)} == {
        RunState.RUNNING
    }


async def test_each_account_is_read_by_itself(runs):
    await runs.runs(ALICE)
    await runs.runs(BOB)
    runs.world.installation = Installation("T1", "E1", is_org_wide=True)
    await runs.world.pass_time(20)
    assert {username for _, username, _ in runs.cloud.reads} == {"ualice", "ubob"}


@pytest.mark.parametrize("error", [Unreachable("no"), UnknownOutcome("no"), RateLimited(), Forbidden("no")])
async def test_a_read_that_fails_ends_nothing(runs, error):
    run_id = await runs.begun()
    runs.cloud.fail("run_status", error, times=4)
    assert (await runs.until_over(run_id)).outcome == "ended"
    assert sorted(runs.slack.sent_kinds()) == ["job_card", "job_ended"]


async def test_a_run_that_its_server_forgot_is_lost_after_some_reads(runs):
    runs.cloud.job_takes = None
    run_id = await runs.begun(70)
    runs.cloud.runs["run1"].is_forgotten = True
    reads = len(runs.cloud.reads)
    run = await runs.until_over(run_id)
    assert (run.outcome, run.cause) == ("failed", "lost")
    assert len(runs.cloud.reads) - reads == 3
    assert runs.slack.kinds().count("job_failed") == 1


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("requested", [False, True])
async def test_a_run_that_was_told_as_lost_and_is_listed_again_is_told_and_followed(runs, requested, ends):
    runs.cloud.job_takes = None
    run_id = await runs.begun(70)
    runs.cloud.runs["run1"].is_forgotten = True
    await runs.until_over(run_id)
    runs.cloud.runs["run1"].is_forgotten = False
    if ends:
        runs.cloud.ends("run1", 7)
    if requested:
        await listed(runs)
    await runs.world.pass_time(30 if requested else LOOK_AGAIN_SECONDS + 30, step=3.0)
    assert len(runs.told(run_id, "job_found")) == (not ends)
    if not ends:
        (told,) = runs.told(run_id, "job_found")
        assert "It's there after all.\nRunning" in said(told)
        assert (await runs.run(run_id)).is_open
        runs.cloud.ends("run1", 7)
    run = await runs.until_over(run_id)
    assert (run.outcome, run.exit_code) == ("ended", 7)
    assert len(runs.told(run_id, "job_ended")) == 1


async def test_a_run_that_comes_and_goes_is_told_of_once(runs):
    runs.cloud.job_takes = None
    run_id = await runs.begun(70)
    for _ in range(3):
        runs.cloud.runs["run1"].is_forgotten = True
        await runs.until_over(run_id)
        runs.cloud.runs["run1"].is_forgotten = False
        await listed(runs)
    await runs.world.pass_time(30)
    assert runs.slack.sent_kinds().count("job_found") == runs.slack.sent_kinds().count("job_failed") == 1
    assert (await runs.run(run_id)).is_open


async def test_a_run_that_stays_lost_is_told_once(runs):
    runs.cloud.job_takes = None
    run_id = await runs.begun(70)
    runs.cloud.runs["run1"].is_forgotten = True
    await runs.until_over(run_id)
    await runs.world.pass_time(LOOK_AGAIN_SECONDS + 30, step=3.0)
    assert runs.slack.kinds().count("job_failed") == 1
    assert (await runs.run(run_id)).cause == "lost"


async def test_one_that_is_overlooked_now_and_then_is_not_lost(runs):
    runs.cloud.job_takes = None
    run_id = await runs.begun(20)
    for number in range(9):
        runs.cloud.runs["run1"].is_forgotten = number % 3 != 2
        reads = len(runs.cloud.reads)
        while len(runs.cloud.reads) == reads:
            await runs.world.pass_time(1)
    assert (await runs.run(run_id)).is_open


async def test_one_that_was_just_launched_may_not_be_listed_yet(runs):
    run_id = await runs.runs()
    await runs.world.work()
    runs.cloud.runs["run1"].is_forgotten = True
    await runs.world.pass_time(12)
    runs.cloud.runs["run1"].is_forgotten = False
    assert (await runs.until_over(run_id)).outcome == "ended"


# -- lists ---------------------------------------------------------------------------------------------------


async def listed(runs, *, then=()):
    account = await runs.store.read(accounts.find_account, ALICE, "cloud") or await runs.world.link()
    await runs.world.know()
    await runs.store.write(tasks.add_tasks, [NewTask(TaskKind.LIST_RUNS, account.id, {"then": list(then)})])
    await runs.world.work()


async def test_runs_from_elsewhere_are_listed_followed_and_not_told_of(runs):
    await runs.cloud.launch_run(await access(runs), Spec("from RStudio"), "theirs")
    await listed(runs, then=[{"text": "list", "principal": ALICE.key}])
    (run,) = await runs.store.read(run_rows.list_runs, ALICE)
    assert (run.name, run.remote_id, run.is_watched) == ("from RStudio", "run1", False)
    assert [command["text"] for _, command in runs.world.replayed] == ["list"]
    run = await runs.until_over(run.id)
    assert (run.outcome, run.state) == ("ended", RunState.SUCCEEDED)
    assert runs.slack.kinds() == []


async def access(runs):
    account = await runs.store.read(accounts.find_account, ALICE, "cloud") or await runs.world.link()
    return runs.world.reconciler.engine.provider_caller.open(account)


async def test_a_list_says_of_a_known_run_what_a_read_would(runs):
    run_id = await runs.begun()
    runs.cloud.ends("run1", 7)
    account = await runs.store.read(accounts.find_account, ALICE, "cloud")
    runs.clock.advance(1)
    over = ObservedRun(RunState.FAILED, 7, ended_at=runs.clock.now())
    await runs.store.perform(run_rows.merge_runs, account.id, [DiscoveredRun("run1", "train", over)])
    run = await runs.until_over(run_id)
    assert (run.outcome, run.exit_code) == ("ended", 7)
    assert runs.slack.kinds().count("job_ended") == 1
