"""Runs of jobs: launched once, found after silence, stopped, told of when they end."""

from __future__ import annotations

import pytest

from bot.domain.models import Call, JobState
from bot.reconciler.suspicions import GIVEN_UP_AFTER
from bot.support.errors import (
    BadAnswer,
    Conflict,
    Forbidden,
    InvalidRequest,
    LimitReached,
    NotFound,
    RateLimited,
    ServerFailed,
    UnknownOutcome,
    Unreachable,
)
from tests.engine.jobs import new_job_world, said
from tests.support.store import ALICE

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
    calls = [call for call in jobs.cloud.calls if call.method in {"launch_job", "find_job"}]
    assert [call.method for call in calls][:2] == ["launch_job", "find_job"]
    first, second = (call.at for call in calls if call.method == "launch_job")
    assert second - first >= 120


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
    assert "has refused your sign-in" in said(jobs.message(f"{job_id}/job_card/1"))
    await jobs.world.pass_time(GIVEN_UP_AFTER + 60, step=5)
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
    await jobs.world.link(is_known=False)
    jobs.slack.add_user(ALICE.user_id)
    job_id = await jobs.runs()
    assert (await jobs.until_over(job_id)).outcome == "ended"
    assert jobs.slack.count("users.info") == 1


async def test_a_person_known_long_ago_is_looked_up_again(jobs):
    await jobs.world.link()
    jobs.world.clock.advance(86_401)
    jobs.slack.add_user(ALICE.user_id, is_restricted=True)
    job = await jobs.until_over(await jobs.runs())
    assert (job.cause, jobs.cloud.count("launch_job")) == ("policy.guest", 0)


# -- stops ---------------------------------------------------------------------------------------------------


async def test_a_stop_ends_it(jobs):
    jobs.cloud.job_takes = None
    job_id = await jobs.runs()
    await jobs.world.pass_time(5)
    await jobs.stop(job_id)
    job = await jobs.until_over(job_id)
    assert (job.state, job.outcome, job.stop_call) == (JobState.CANCELLED, "ended", Call.ACCEPTED)
    assert jobs.cloud.stopped_runs == [("run1", False)]
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
    assert jobs.cloud.stopped_runs == [("run1", False), ("run1", True)]


@pytest.mark.parametrize("error", [Forbidden("not yours"), InvalidRequest("no such way")])
async def test_a_stop_that_is_refused_is_told_and_the_run_goes_on(jobs, error):
    jobs.cloud.fail("stop_job", error)
    job_id = await jobs.runs()
    await jobs.world.pass_time(5)
    await jobs.stop(job_id)
    job = await jobs.until_over(job_id)
    assert (job.state, job.outcome) == (JobState.SUCCEEDED, "ended")
    told = "".join(said(message) for message in jobs.told(job_id, "stop:stop"))
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
    (told,) = jobs.told(job_id, "stop:stop")
    assert "did not answer in many tries" in said(told)
    assert (await jobs.job(job_id)).state is JobState.RUNNING
    await jobs.stop(job_id, force=True)
    assert (await jobs.job(job_id)).stop_wanted == "force"
