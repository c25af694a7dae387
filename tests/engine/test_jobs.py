"""Runs of jobs: launched once, found after silence, stopped, read together, told of when they end."""

from __future__ import annotations

import pytest

from bot.errors import (
    BadAnswer,
    Conflict,
    CredentialRefused,
    Forbidden,
    InvalidRequest,
    LimitReached,
    NotFound,
    RateLimited,
    ServerFailed,
    UnknownOutcome,
    Unreachable,
)
from bot.models import Call, FoundJob, JobState, ObservedJob, TaskKind
from bot.policy import Installation
from bot.reconciler import Numbers
from bot.store.base import NewTask
from tests.engine.jobs import new_job_world, said
from tests.support.store import ALICE, BOB

UNKNOWN = [UnknownOutcome("no answer"), ServerFailed("502", status=502), BadAnswer("<html>")]


@pytest.fixture
async def jobs():
    async with new_job_world() as made:
        yield made


async def test_a_run_is_launched_followed_and_told_of_once(jobs):
    job_id = await jobs.runs()
    job = await jobs.until_over(job_id)
    assert (job.remote_id, job.state, job.outcome, job.exit_code) == ("run1", JobState.SUCCEEDED, "ended", 0)
    assert (job.started_at, job.finished_at) == (job.created_at, job.created_at + 30)
    assert sorted(jobs.slack.kinds()) == ["job_card", "job_ended", "job_output"]
    assert "exit code 0" in said(jobs.message(f"{job_id}/job_ended/end"))
    assert "30 s" in said(jobs.message(f"{job_id}/job_ended/end"))
    assert (jobs.cloud.count("launch_job"), jobs.cloud.count("find_job")) == (1, 0)


async def test_its_card_says_how_far_it_is(jobs):
    jobs.cloud.queued_for = 10.0
    job_id = await jobs.runs()
    await jobs.world.notifier.step_notices()
    card = jobs.message(f"{job_id}/job_card/1")
    assert "Queued since" in said(card)
    await jobs.world.pass_time(4)
    assert "Waiting its turn" in said(card)
    await jobs.world.pass_time(10)
    assert "Running since" in said(card)
    await jobs.until_over(job_id)
    assert "exit code 0" in said(card)


async def test_a_failed_run_says_its_exit_code(jobs):
    jobs.cloud.exit_code = 3
    job_id = await jobs.runs()
    job = await jobs.until_over(job_id)
    assert (job.state, job.outcome, job.exit_code) == (JobState.FAILED, "ended", 3)
    assert "exit code 3" in said(jobs.message(f"{job_id}/job_ended/end"))


@pytest.mark.parametrize("error", UNKNOWN)
async def test_a_launch_of_unknown_outcome_that_came_is_found_and_not_repeated(jobs, error):
    jobs.cloud.fail("launch_job", error, after=True)
    job_id = await jobs.runs()
    job = await jobs.until_over(job_id)
    assert (job.outcome, job.remote_id) == ("ended", "run1")
    assert jobs.cloud.launched(job_id) == ["run1"]
    assert (jobs.cloud.count("launch_job"), jobs.cloud.count("find_job")) == (1, 1)


@pytest.mark.parametrize("error", UNKNOWN)
async def test_a_launch_of_unknown_outcome_that_never_came_is_repeated_after_a_search(jobs, error):
    jobs.cloud.fail("launch_job", error)
    job_id = await jobs.runs()
    job = await jobs.until_over(job_id)
    assert job.outcome == "ended"
    assert [call.method for call in jobs.cloud.calls if "_job" in call.method][:3] == [
        "launch_job",
        "find_job",
        "launch_job",
    ]


async def test_a_search_waits_until_what_was_launched_can_be_seen(jobs):
    jobs.cloud.fail("launch_job", UnknownOutcome("no answer"), after=True)
    await jobs.runs()
    await jobs.world.pass_time(14)
    assert jobs.cloud.count("find_job") == 0
    await jobs.world.pass_time(3)
    assert jobs.cloud.count("find_job") == 1


async def test_a_search_that_fails_is_repeated(jobs):
    jobs.cloud.fail("launch_job", UnknownOutcome("no answer"), after=True)
    jobs.cloud.fail("find_job", Unreachable("no connection"), times=3)
    job_id = await jobs.runs()
    assert (await jobs.until_over(job_id)).outcome == "ended"
    assert jobs.cloud.launched(job_id) == ["run1"]


@pytest.mark.parametrize("error", [Unreachable("no connection"), RateLimited(retry_after=20)])
async def test_a_launch_that_was_not_sent_is_tried_again(jobs, error):
    jobs.cloud.fail("launch_job", error, times=2)
    job_id = await jobs.runs()
    await jobs.world.pass_time(1)
    assert "Fake Cloud" in said(jobs.message(f"{job_id}/job_card/1"))
    assert (await jobs.until_over(job_id)).outcome == "ended"
    assert (jobs.cloud.count("launch_job"), jobs.cloud.count("find_job")) == (3, 0)


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (LimitReached("10 jobs are running"), "limit"),
        (InvalidRequest("no cluster Kubernetes"), "invalid"),
        (Forbidden("write is missing"), "forbidden"),
        (Conflict("the name is taken"), "conflict"),
    ],
)
async def test_a_launch_that_is_refused_ends_with_the_providers_words(jobs, error, word):
    jobs.cloud.fail("launch_job", error)
    job_id = await jobs.runs()
    job = await jobs.until_over(job_id)
    assert (job.outcome, job.remote_id) == ("failed", None)
    assert job.cause == f"{word}: {error.message}"
    assert error.message in said(jobs.message(f"{job_id}/job_failed/end"))
    assert jobs.slack.kinds() == ["job_card", "job_failed"]


async def test_a_launch_that_never_gets_through_is_given_up(jobs):
    jobs.cloud.fail("launch_job", Unreachable("no connection"), times=1_000)
    job_id = await jobs.runs()
    job = await jobs.until_over(job_id, 3_000)
    assert (job.outcome, job.cause) == ("failed", "gave_up")


async def test_a_refused_credential_waits_for_a_new_link(jobs):
    jobs.cloud.refused_tokens.add("token-1")
    job_id = await jobs.runs()
    await jobs.world.pass_time(5)
    job = await jobs.job(job_id)
    assert (job.is_open, job.launch_call) == (True, Call.NONE)
    assert "no longer accepts your link" in said(jobs.message(f"{job_id}/job_card/1"))
    assert "link_again" in jobs.slack.kinds()
    await jobs.world.link(ALICE, token="token-2")
    assert (await jobs.until_over(job_id)).outcome == "ended"


async def test_a_credential_that_can_be_refreshed_is(jobs):
    await jobs.world.link(ALICE, refresh="again")
    await jobs.world.know()
    jobs.cloud.refused_tokens.add("token-1")
    job_id = await jobs.runs()
    assert (await jobs.until_over(job_id)).outcome == "ended"
    assert jobs.cloud.refreshed == 1


async def test_who_may_not_act_launches_nothing(jobs):
    await jobs.world.link()
    await jobs.world.know(is_guest=True)
    job_id = await jobs.runs()
    job = await jobs.until_over(job_id)
    assert (job.outcome, job.cause) == ("failed", "policy.guest")
    assert jobs.cloud.count("launch_job") == 0


async def test_an_unknown_person_is_looked_up_first(jobs):
    await jobs.world.link()
    jobs.slack.add_user(ALICE.user_id)
    job_id = await jobs.runs()
    assert (await jobs.until_over(job_id)).outcome == "ended"
    assert jobs.slack.count("users.info") == 1


# -- stops ---------------------------------------------------------------------------------------------------


async def test_a_stop_ends_it(jobs):
    jobs.cloud.job_takes = None
    job_id = await jobs.runs()
    await jobs.world.pass_time(5)
    await jobs.stop(job_id)
    job = await jobs.until_over(job_id)
    assert (job.state, job.outcome, job.stop_call) == (JobState.CANCELLED, "ended", Call.ACCEPTED)
    assert jobs.cloud.stops == [("run1", False)]
    assert "was stopped" in said(jobs.message(f"{job_id}/job_ended/end"))


async def test_a_run_that_was_called_off_in_time_is_never_launched(jobs):
    job_id = await jobs.runs()
    await jobs.stop(job_id)
    job = await jobs.until_over(job_id)
    assert (job.outcome, job.cause) == ("cancelled", "cancelled")
    assert jobs.cloud.count("launch_job") == 0
    assert jobs.slack.kinds() == ["job_card", "job_failed"]


async def test_a_stop_during_the_launch_comes_after_it(jobs):
    jobs.cloud.job_takes = None

    async def stop(method):
        if method == "launch_job":
            await jobs.stop(job_id)

    job_id = await jobs.runs()
    jobs.cloud.during = stop
    job = await jobs.until_over(job_id)
    assert (job.state, job.outcome) == (JobState.CANCELLED, "ended")
    assert jobs.cloud.launched(job_id) == ["run1"]


async def test_a_stop_of_unknown_outcome_just_asks_again(jobs):
    jobs.cloud.job_takes = None
    jobs.cloud.fail("stop_job", UnknownOutcome("no answer"))
    jobs.cloud.fail("stop_job", ServerFailed("502", status=502), after=True)
    job_id = await jobs.runs()
    await jobs.world.pass_time(5)
    await jobs.stop(job_id)
    job = await jobs.until_over(job_id)
    assert job.state is JobState.CANCELLED
    assert jobs.cloud.count("stop_job") <= 3
    assert jobs.slack.kinds().count("job_ended") == 1


async def test_a_stop_without_effect_can_be_forced(jobs):
    jobs.cloud.job_takes, jobs.cloud.is_stubborn = None, True
    job_id = await jobs.runs()
    await jobs.world.pass_time(5)
    await jobs.stop(job_id)
    await jobs.world.pass_time(30)
    assert "Force quit" not in said(jobs.message(f"{job_id}/job_card/1"))
    await jobs.world.pass_time(60)
    assert "Force quit" in said(jobs.message(f"{job_id}/job_card/1"))
    await jobs.stop(job_id, force=True)
    job = await jobs.until_over(job_id)
    assert job.state is JobState.CANCELLED
    assert jobs.cloud.stops == [("run1", False), ("run1", True)]


@pytest.mark.parametrize("error", [Forbidden("not yours"), InvalidRequest("no such way")])
async def test_a_stop_that_is_refused_is_told_and_the_run_goes_on(jobs, error):
    jobs.cloud.fail("stop_job", error)
    job_id = await jobs.runs()
    await jobs.world.pass_time(5)
    await jobs.stop(job_id)
    job = await jobs.until_over(job_id)
    assert (job.state, job.outcome) == (JobState.SUCCEEDED, "ended")
    told = said(jobs.message(f"{job_id}/message/stop:stop"))
    assert "was not stopped" in told
    assert error.message in told
    assert jobs.cloud.count("stop_job") == 1


@pytest.mark.parametrize("error", [NotFound("no such job"), Conflict("it is ending")])
async def test_a_stop_of_what_just_ended_is_no_trouble(jobs, error):
    jobs.cloud.fail("stop_job", error, times=2)
    job_id = await jobs.runs()
    await jobs.world.pass_time(5)
    await jobs.stop(job_id)
    job = await jobs.until_over(job_id)
    assert job.outcome == "ended"
    assert sorted(jobs.slack.kinds()) == ["job_card", "job_ended", "job_output"]


async def test_a_stop_that_never_gets_through_is_told(jobs):
    jobs.cloud.job_takes = None
    jobs.cloud.fail("stop_job", RateLimited(), times=20)
    job_id = await jobs.runs()
    await jobs.world.pass_time(5)
    await jobs.stop(job_id)
    await jobs.world.pass_time(1_200, step=2)
    assert "did not answer in many tries" in said(jobs.message(f"{job_id}/message/stop:stop:given_up"))
    assert (await jobs.job(job_id)).state is JobState.RUNNING
    await jobs.stop(job_id, force=True)
    assert (await jobs.job(job_id)).stop_wanted == "force"


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
    jobs.world.numbers = Numbers(Installation("T1", "E1", is_org_wide=True))
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
    await jobs.world.pass_time(30)
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
    jobs.world.reconciler._runs._lines.clear()
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
    await jobs.cloud.launch_job(await access(jobs), {"name": "from RStudio"}, "theirs")
    await listed(jobs, then=[{"text": "list", "principal": ALICE.key}])
    (job,) = await jobs.store.jobs(ALICE)
    assert (job.name, job.remote_id, job.is_watched) == ("from RStudio", "run1", False)
    assert [command["text"] for _, command in jobs.world.replayed] == ["list"]
    job = await jobs.until_over(job.id)
    assert (job.outcome, job.state) == ("ended", JobState.SUCCEEDED)
    assert jobs.slack.kinds() == []


async def access(jobs):
    account = await jobs.store.account(ALICE, "cloud") or await jobs.world.link()
    return jobs.world.reconciler._runs._reads._keys.open(account)


@pytest.mark.parametrize(
    "error", [Forbidden("no"), NotFound("no lists"), InvalidRequest("no"), Unreachable("no"), RateLimited()]
)
async def test_what_waits_for_a_list_goes_on_without_it(jobs, error):
    jobs.cloud.fail("jobs", error, times=1_000)
    await listed(jobs, then=[{"text": "list", "principal": ALICE.key}])
    await jobs.world.pass_time(1_500, step=10)
    assert [command["text"] for _, command in jobs.world.replayed] == ["list"]


async def test_a_list_with_a_refused_credential_asks_for_a_new_link_once(jobs):
    jobs.cloud.fail("jobs", CredentialRefused("no", status=401), times=5)
    await listed(jobs, then=[{"text": "list", "principal": ALICE.key}])
    await jobs.world.pass_time(10)
    assert jobs.slack.kinds() == ["link_again"]
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
