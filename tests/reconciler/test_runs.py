"""Runs of jobs: launched once, found again after no answer, stopped, and reported when they end."""

import pytest

from bot.domain.runs import RunState
from bot.support.errors import (
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
from tests.reconciler.runs import said


@pytest.mark.parametrize("error", [Unreachable("no connection"), RateLimited(retry_after=20)])
async def test_a_launch_that_was_not_sent_is_tried_again(runs, error):
    runs.cloud.fail("launch_run", error, times=2)
    run_id = await runs.begun(1)
    assert "Fake Cloud" in said(runs.message(f"{run_id}/job_card/1"))
    assert (await runs.until_over(run_id)).outcome == "ended"
    assert (runs.cloud.count("launch_run"), runs.cloud.count("find_run")) == (3, 0)


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (LimitReached("10 jobs are running", status=409), "limit: "),
        (InvalidRequest("no cluster Kubernetes", status=400), "invalid: "),
        (Conflict("the name is taken", status=409), "conflict: "),
        # Without a status it is our own sentence, so it isn't quoted as the provider's.
        (Forbidden("This server can't send the whole output."), "forbidden:: "),
    ],
)
async def test_a_launch_that_is_refused_ends_with_the_providers_words(runs, error, word):
    runs.cloud.fail("launch_run", error)
    run_id = await runs.runs()
    run = await runs.until_over(run_id)
    assert (run.outcome, run.remote_id) == ("failed", None)
    assert run.cause == word + error.message
    assert error.message in said(runs.message(f"{run_id}/job_failed/end"))
    assert runs.slack.sent_kinds() == ["job_failed"]


async def test_who_may_not_act_launches_nothing(runs):
    await runs.world.link()
    await runs.world.know(is_guest=True)
    run = await runs.until_over(await runs.runs())
    assert (run.outcome, run.cause) == ("failed", "policy.guest")
    assert runs.cloud.count("launch_run") == 0


# -- stops ---------------------------------------------------------------------------------------------------


async def test_a_stop_during_the_launch_comes_after_it(runs):
    runs.cloud.job_takes = None

    async def stop(method):
        if method == "launch_run":
            await runs.stop(run_id)

    run_id = await runs.runs()
    runs.cloud.during = stop
    run = await runs.until_over(run_id)
    assert (run.state, run.outcome) == (RunState.CANCELLED, "ended")
    assert runs.cloud.launched(run_id) == ["run1"]


async def test_a_stop_of_unknown_outcome_just_asks_again(runs):
    runs.cloud.job_takes = None
    runs.cloud.fail("stop_run", UnknownOutcome("no answer"))
    runs.cloud.fail("stop_run", ServerFailed("502", status=502), after=True)
    run_id = await runs.begun()
    await runs.stop(run_id)
    run = await runs.until_over(run_id)
    assert run.state is RunState.CANCELLED
    assert runs.cloud.count("stop_run") <= 3
    assert runs.slack.kinds().count("job_ended") == 1


@pytest.mark.parametrize("error", [Forbidden("not yours"), InvalidRequest("no such way")])
async def test_a_stop_that_is_refused_is_told_and_the_run_goes_on(runs, error):
    runs.cloud.fail("stop_run", error)
    run_id = await runs.begun()
    await runs.stop(run_id)
    run = await runs.until_over(run_id)
    assert (run.state, run.outcome) == (RunState.SUCCEEDED, "ended")
    told = "".join(said(message) for message in runs.told(run_id, "job_problem/stop:stop"))
    assert "couldn't stop" in told
    assert error.message in told
    assert runs.cloud.count("stop_run") == 1


async def test_stop_refused_with_404_is_told_while_the_run_goes_on(runs):
    """After one read the run may just be about to end; a minute of reads shows that it isn't."""
    runs.cloud.job_takes = None
    runs.cloud.fail("stop_run", NotFound("locked by its queue", status=404), times=9)
    run_id = await runs.begun()
    await runs.stop(run_id)
    await runs.world.pass_time(30, step=5)
    assert runs.told(run_id, "job_problem") == []
    await runs.world.pass_time(60, step=5)
    (told,) = runs.told(run_id, "job_problem/stop:stop")
    assert "“locked by its queue.”" in said(told)
    assert "can't find" not in said(told)


@pytest.mark.parametrize("error", [NotFound("no such job"), Conflict("it is ending")])
async def test_a_stop_of_what_just_ended_is_no_trouble(runs, error):
    runs.cloud.fail("stop_run", error, times=2)
    run_id = await runs.begun()
    await runs.stop(run_id)
    run = await runs.until_over(run_id)
    assert run.outcome == "ended"
    assert sorted(runs.slack.sent_kinds()) == ["job_card", "job_ended"]
