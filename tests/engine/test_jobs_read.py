"""Runs of jobs: read together at their provider's pace, lost when it forgot them, listed on demand."""

from __future__ import annotations

import pytest

from bot.domain.models import FoundJob, JobState, ObservedJob, Spec, TaskKind
from bot.domain.policy import Installation
from bot.store.records import NewTask
from bot.support.errors import (
    CredentialRefused,
    Forbidden,
    InvalidRequest,
    NotFound,
    RateLimited,
    UnknownOutcome,
    Unreachable,
)
from tests.engine.jobs import new_job_world
from tests.support.store import ALICE, BOB


@pytest.fixture
async def jobs():
    async with new_job_world() as made:
        yield made


# -- reads ---------------------------------------------------------------------------------------------------


async def test_the_runs_of_an_account_are_read_together_and_at_the_providers_pace(jobs):
    ids = [await jobs.runs(name=f"job {number}") for number in range(12)]
    for job_id in ids:
        assert (await jobs.until_over(job_id)).outcome == "ended"
    assert jobs.cloud.count("launch_job") == 12
    assert min(jobs.cloud.read_gaps()) >= 2.0
    # They were launched together, so that nearly every read is of all of them.
    assert len(jobs.cloud.reads) <= 12
    assert max(count for _, _, count in jobs.cloud.reads) == 12


async def test_more_runs_than_fit_into_a_request_take_turns(jobs):
    jobs.cloud.job_takes = 200.0
    for number in range(60):
        await jobs.runs(name=f"job {number}")
    await jobs.world.pass_time(60)
    assert max(count for _, _, count in jobs.cloud.reads) == 50
    assert min(jobs.cloud.read_gaps()) >= 2.0
    assert {job.state for job in await jobs.store.jobs(ALICE, limit=100)} == {JobState.RUNNING}


async def test_each_account_is_read_by_itself(jobs):
    await jobs.runs(ALICE)
    await jobs.runs(BOB)
    jobs.world.installation = Installation("T1", "E1", is_org_wide=True)
    await jobs.world.pass_time(20)
    assert {username for _, username, _ in jobs.cloud.reads} == {"ualice", "ubob"}


async def test_reads_grow_rarer_while_nothing_happens(jobs):
    jobs.cloud.job_takes = None
    await jobs.runs()
    await jobs.world.pass_time(600)
    gaps = jobs.cloud.read_gaps()
    assert gaps[0] <= 4.0
    assert 15.0 <= gaps[-1] <= 16.0
    assert len(gaps) < 60


@pytest.mark.parametrize("error", [Unreachable("no"), UnknownOutcome("no"), RateLimited(), Forbidden("no")])
async def test_a_read_that_fails_ends_nothing(jobs, error):
    job_id = await jobs.runs()
    await jobs.world.pass_time(5)
    jobs.cloud.fail("job_status", error, times=4)
    assert (await jobs.until_over(job_id)).outcome == "ended"
    assert sorted(jobs.slack.kinds()) == ["job_card", "job_ended", "job_output"]


async def test_a_run_that_its_server_forgot_is_lost_after_some_reads(jobs):
    jobs.cloud.job_takes = None
    job_id = await jobs.runs()
    await jobs.world.pass_time(70)
    jobs.cloud.runs["run1"].is_forgotten = True
    reads = len(jobs.cloud.reads)
    job = await jobs.until_over(job_id)
    assert (job.outcome, job.cause) == ("failed", "lost")
    assert len(jobs.cloud.reads) - reads == 3
    assert jobs.slack.kinds().count("job_failed") == 1


async def test_one_that_is_overlooked_now_and_then_is_not_lost(jobs):
    jobs.cloud.job_takes = None
    job_id = await jobs.runs()
    await jobs.world.pass_time(20)
    for number in range(9):
        jobs.cloud.runs["run1"].is_forgotten = number % 3 != 2
        reads = len(jobs.cloud.reads)
        while len(jobs.cloud.reads) == reads:
            await jobs.world.pass_time(1)
    assert (await jobs.job(job_id)).is_open


async def test_one_that_was_just_launched_may_not_be_listed_yet(jobs):
    job_id = await jobs.runs()
    await jobs.world.work()
    jobs.cloud.runs["run1"].is_forgotten = True
    await jobs.world.pass_time(12)
    jobs.cloud.runs["run1"].is_forgotten = False
    assert (await jobs.until_over(job_id)).outcome == "ended"


async def test_unlinking_ends_what_is_open(jobs):
    job_id = await jobs.runs()
    await jobs.world.pass_time(5)
    await jobs.store.unlink(ALICE, "cloud", revocable=[], cause="unlinked")
    calls = len(jobs.cloud.calls)
    await jobs.world.pass_time(60)
    assert (await jobs.job(job_id)).outcome == "cancelled"
    assert [call.method for call in jobs.cloud.calls[calls:]] == []


async def test_a_connection_that_was_taken_away_holds_the_run(jobs):
    job_id = await jobs.runs()
    await jobs.world.pass_time(3)
    jobs.world.reconciler._runs._runtimes.clear()
    await jobs.world.pass_time(80)
    job = await jobs.job(job_id)
    assert job.is_open
    assert "not set up any more" in (job.hold or "")


# -- lists ---------------------------------------------------------------------------------------------------


async def listed(jobs, *, then=()):
    account = await jobs.store.account(ALICE, "cloud") or await jobs.world.link()
    await jobs.world.know()
    await jobs.store.add_tasks([NewTask(TaskKind.LIST_JOBS, account.id, {"then": list(then)})])
    await jobs.world.work()


async def test_runs_from_elsewhere_are_listed_followed_and_not_told_of(jobs):
    await jobs.cloud.launch_job(await access(jobs), Spec("from RStudio"), "theirs")
    await listed(jobs, then=[{"text": "list", "principal": ALICE.key}])
    (job,) = await jobs.store.jobs(ALICE)
    assert (job.name, job.remote_id, job.is_watched) == ("from RStudio", "run1", False)
    assert [command["text"] for _, command in jobs.world.replayed] == ["list"]
    job = await jobs.until_over(job.id)
    assert (job.outcome, job.state) == ("ended", JobState.SUCCEEDED)
    assert jobs.slack.kinds() == []


async def access(jobs):
    account = await jobs.store.account(ALICE, "cloud") or await jobs.world.link()
    return jobs.world.reconciler._runs._reads._asker.open(account)


@pytest.mark.parametrize(
    "error", [Forbidden("no"), NotFound("no lists"), InvalidRequest("no"), Unreachable("no"), RateLimited()]
)
async def test_what_waits_for_a_list_goes_on_without_it(jobs, error):
    jobs.cloud.fail("jobs", error, times=1_000)
    await listed(jobs, then=[{"text": "list", "principal": ALICE.key}])
    await jobs.world.pass_time(1_500, step=10)
    assert [command["text"] for _, command in jobs.world.replayed] == ["list"]


async def test_a_list_whose_credential_was_refused_once_is_read_again(jobs):
    jobs.cloud.fail("jobs", CredentialRefused("no", status=401))
    await listed(jobs, then=[{"text": "list", "principal": ALICE.key}])
    await jobs.world.pass_time(10)
    assert jobs.slack.kinds() == []
    assert [command["text"] for _, command in jobs.world.replayed] == ["list"]


async def test_a_list_says_of_a_known_run_what_a_read_would(jobs):
    job_id = await jobs.runs()
    await jobs.world.pass_time(5)
    jobs.cloud.ends("run1", 7)
    account = await jobs.store.account(ALICE, "cloud")
    jobs.clock.advance(1)
    over = ObservedJob(JobState.FAILED, 7, ended_at=jobs.clock.now())
    await jobs.store.merge_jobs(account.id, [FoundJob("run1", "train", over)])
    job = await jobs.until_over(job_id)
    assert (job.outcome, job.exit_code) == ("ended", 7)
    assert jobs.slack.kinds().count("job_ended") == 1
