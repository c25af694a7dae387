"""Tests of repeated stops, launches under the same name, and stops of runs launched elsewhere."""

import pytest

from bot.domain.runs import DiscoveredRun, ObservedRun, RunState
from bot.domain.work_items import Call
from bot.store import accounts
from bot.store import runs as run_rows
from bot.support.errors import Forbidden, UnknownOutcome, Unreachable
from tests.reconciler.runs import said
from tests.rigs.run_provider import RemoteRun
from tests.rigs.store import ALICE


@pytest.fixture
async def runs(runs):
    runs.cloud.job_takes = None
    return runs


async def given_up(runs):
    runs.cloud.fail("stop_run", Unreachable(), times=20)
    run_id = await runs.begun()
    await runs.stop(run_id)
    await runs.world.pass_time(1_200, step=2)
    assert runs.cloud.count("stop_run") == 20
    return run_id


@pytest.mark.parametrize("force", [False, True])
async def test_a_stop_that_was_given_up_is_told_and_sent_when_it_is_asked_for_again(runs, force):
    run_id = await given_up(runs)
    (told,) = runs.told(run_id, "job_problem/stop:stop")
    assert "didn't answer after many tries" in said(told)
    assert (await runs.run(run_id)).state is RunState.RUNNING
    await runs.stop(run_id, force=force)
    run = await runs.until_over(run_id)
    assert (run.state, run.outcome) == (RunState.CANCELLED, "ended")
    assert runs.cloud.stopped_runs == [("run1", force)]


async def test_each_stop_that_is_refused_is_told(runs):
    run_id = await runs.begun()
    for times in (1, 2):
        runs.cloud.fail("stop_run", Forbidden("not yours"))
        await runs.stop(run_id)
        await runs.world.pass_time(30)
        assert runs.cloud.count("stop_run") == times
        told = runs.told(run_id, "job_problem/stop:")
        assert [said(each).count("couldn't stop") > 0 for each in told] == [True] * times
    await runs.stop(run_id)
    assert (await runs.until_over(run_id)).state is RunState.CANCELLED


async def test_a_stop_that_was_taken_just_now_is_not_sent_twice(runs):
    runs.cloud.is_stubborn = True
    run_id = await runs.begun()
    for _ in range(2):
        await runs.stop(run_id)
        await runs.world.pass_time(3)
    assert runs.cloud.count("stop_run") == 1
    assert (await runs.run(run_id)).stop_call is Call.ACCEPTED


async def test_the_end_of_a_run_from_elsewhere_is_told_to_who_stopped_it(runs):
    await runs.world.link()
    await runs.world.know()
    account = await runs.store.read(accounts.find_account, ALICE, "cloud")
    runs.cloud.runs["run1"] = RemoteRun("elsewhere", "", runs.clock.now(), None)
    listed = [DiscoveredRun("run1", "elsewhere", ObservedRun(RunState.RUNNING))]
    await runs.store.perform(run_rows.merge_runs, account.id, listed)
    (run,) = await runs.store.read(run_rows.list_runs, ALICE)
    await runs.stop(run.id)
    await runs.until_over(run.id)
    assert runs.slack.kinds() == ["job_ended"]
    assert "was stopped" in said(runs.message(f"{run.id}/job_ended/end"))


@pytest.mark.parametrize(("is_asked", "state"), [(True, RunState.CANCELLED), (False, RunState.FAILED)])
async def test_a_run_that_is_listed_as_killed_was_stopped_if_its_stop_was_sent(runs, is_asked, state):
    runs.cloud.is_stubborn = True
    run_id = await runs.begun()
    if is_asked:
        await runs.stop(run_id)
        await runs.world.pass_time(3)
    account = await runs.store.read(accounts.find_account, ALICE, "cloud")
    killed = ObservedRun(RunState.FAILED, exit_code=143, was_killed=True)
    await runs.store.perform(run_rows.merge_runs, account.id, [DiscoveredRun("run1", "train", killed)])
    assert (await runs.until_over(run_id)).state is state
    verb = "was stopped" if is_asked else "failed"
    assert verb in said(runs.message(f"{run_id}/job_ended/end"))


async def test_a_listed_run_began_when_it_left_the_queue(runs):
    await runs.world.link()
    await runs.world.know()
    account = await runs.store.read(accounts.find_account, ALICE, "cloud")
    now = runs.clock.now()

    async def lists(state, **times):
        listed = DiscoveredRun("run1", "elsewhere", ObservedRun(state, submitted_at=now - 900, **times))
        await runs.store.perform(run_rows.merge_runs, account.id, [listed])
        (run,) = await runs.store.read(run_rows.list_runs, ALICE)
        return run

    queued = await lists(RunState.QUEUED)
    assert (queued.created_at, queued.started_at) == (now - 900, None)
    assert (await lists(RunState.RUNNING, started_at=now - 60)).started_at == now - 60
    # The provider reports when the run's state last changed, for example because it was paused.
    assert (await lists(RunState.RUNNING, started_at=now - 5)).started_at == now - 60


@pytest.mark.parametrize("is_first_over", [False, True])
async def test_a_search_never_takes_what_another_operation_has(runs, is_first_over):
    """A server without labels may return an earlier run of the same name."""
    first = await runs.begun()
    if is_first_over:
        runs.cloud.ends("run1")
        await runs.until_over(first)
    runs.cloud.fail("launch_run", UnknownOutcome("no answer"))
    runs.cloud.finds = "run1"
    second = await runs.begun(150)
    assert (await runs.run(first)).remote_id == "run1"
    assert (await runs.run(second)).remote_id is None
    assert (await runs.run(second)).question_since is not None
    assert runs.cloud.launched(second) == []


@pytest.mark.parametrize("sent", [True, False])
async def test_what_may_have_been_launched_is_not_said_to_have_not_run(runs, sent):
    refusal = Forbidden("only on Mondays")
    runs.cloud.fail("launch_run", UnknownOutcome("no answer") if sent else refusal)
    runs.cloud.fail("find_run", refusal, times=1000)
    run_id = await runs.begun(150)
    await runs.stop(run_id)
    await runs.until_over(run_id)
    message = runs.message(f"{run_id}/job_failed/end")
    assert ("whether" in said(message)) is sent
    assert ("didn't run" in said(message)) is not sent
    assert runs.told(run_id, "job_card") == []
