"""What is asked for again: stops that came to nothing, runs of one name; and stops of runs from elsewhere."""

from __future__ import annotations

import pytest

from bot.domain.models import Call, FoundJob, JobState, ObservedJob
from bot.support.errors import Forbidden, RateLimited, UnknownOutcome
from tests.engine.jobs import new_job_world, said
from tests.support.job_provider import RemoteRun
from tests.support.store import ALICE


@pytest.fixture
async def jobs():
    async with new_job_world() as made:
        made.cloud.job_takes = None
        yield made


async def given_up(jobs):
    jobs.cloud.fail("stop_job", RateLimited(), times=20)
    job_id = await jobs.runs()
    await jobs.world.pass_time(5)
    await jobs.stop(job_id)
    await jobs.world.pass_time(1_200, step=2)
    assert jobs.cloud.count("stop_job") == 20
    return job_id


@pytest.mark.parametrize("force", [False, True])
async def test_a_stop_that_was_given_up_is_sent_when_it_is_asked_for_again(jobs, force):
    job_id = await given_up(jobs)
    await jobs.stop(job_id, force=force)
    job = await jobs.until_over(job_id)
    assert (job.state, job.outcome) == (JobState.CANCELLED, "ended")
    assert jobs.cloud.stopped_runs == [("run1", force)]


async def test_each_stop_that_is_refused_is_told(jobs):
    job_id = await jobs.runs()
    await jobs.world.pass_time(5)
    for times in (1, 2):
        jobs.cloud.fail("stop_job", Forbidden("not yours"))
        await jobs.stop(job_id)
        await jobs.world.pass_time(30)
        assert jobs.cloud.count("stop_job") == times
        assert [said(each).count("was not stopped") > 0 for each in jobs.told(job_id, "stop:")] == [
            True
        ] * times
    await jobs.stop(job_id)
    assert (await jobs.until_over(job_id)).state is JobState.CANCELLED


async def test_a_stop_that_was_taken_just_now_is_not_sent_twice(jobs):
    jobs.cloud.is_stubborn = True
    job_id = await jobs.runs()
    await jobs.world.pass_time(5)
    for _ in range(2):
        await jobs.stop(job_id)
        await jobs.world.pass_time(3)
    assert jobs.cloud.count("stop_job") == 1
    assert (await jobs.job(job_id)).stop_call is Call.ACCEPTED


async def test_the_end_of_a_run_from_elsewhere_is_told_to_who_stopped_it(jobs):
    await jobs.world.link()
    await jobs.world.know()
    account = await jobs.store.account(ALICE, "cloud")
    jobs.cloud.runs["run1"] = RemoteRun("elsewhere", "", jobs.clock.now(), None)
    listed = [FoundJob("run1", "elsewhere", ObservedJob(JobState.RUNNING))]
    await jobs.store.merge_jobs(account.id, listed)
    (job,) = await jobs.store.jobs(ALICE)
    await jobs.stop(job.id)
    await jobs.until_over(job.id)
    assert jobs.slack.kinds() == ["job_ended"]
    assert "was stopped" in said(jobs.message(f"{job.id}/job_ended/end"))


@pytest.mark.parametrize("is_first_over", [False, True])
async def test_a_search_never_takes_what_another_operation_has(jobs, is_first_over):
    """A server that shows no marks may answer with an earlier run of the same name."""
    first = await jobs.runs()
    await jobs.world.pass_time(5)
    if is_first_over:
        jobs.cloud.ends("run1")
        await jobs.until_over(first)
    jobs.cloud.fail("launch_job", UnknownOutcome("no answer"))
    jobs.cloud.finds = "run1"
    second = await jobs.runs()
    await jobs.world.pass_time(150)
    assert (await jobs.job(first)).remote_id == "run1"
    assert (await jobs.job(second)).remote_id is None
    assert (await jobs.job(second)).asked_at is not None
    assert jobs.cloud.launched(second) == []


@pytest.mark.parametrize("sent", [True, False])
async def test_what_may_have_been_launched_is_not_said_to_have_not_run(jobs, sent):
    refusal = Forbidden("only on Mondays")
    jobs.cloud.fail("launch_job", UnknownOutcome("no answer") if sent else refusal)
    jobs.cloud.fail("find_job", refusal, times=1000)
    job_id = await jobs.runs()
    await jobs.world.pass_time(150)
    await jobs.stop(job_id)
    await jobs.until_over(job_id)
    for message in (jobs.message(f"{job_id}/job_failed/end"), jobs.message(f"{job_id}/job_card/1")):
        assert ("whether" in said(message)) is sent
        assert ("was not run" in said(message)) is not sent
