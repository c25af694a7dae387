"""Tests of the whole bot when Saturn Cloud's answers are faulty: recipes, jobs, schedules, login links."""

import pytest

from bot.domain.forms import Spec
from bot.messages.texts import problems
from bot.services import runs
from bot.services.caller import Caller
from bot.services.operation_requests import create_workspace
from bot.store import accounts
from tests.rigs.scenario.cloud import AMIR, cloud_world

#: One fault of each kind. The provider's contract tests check which error every answer causes, and the
#: engine's tests check how each error is handled.
FAULTS = {
    "nothing, but done": {"drop": True, "after": True},
    "a page": {"body": "<html><body>Sign in</body></html>", "headers": {"Content-Type": "text/html"}},
    "429": {"status": 429, "headers": {"Retry-After": "4"}},
    "500": {"status": 500},
    "403": {"status": 403},
}


@pytest.fixture
async def cloud(tmp_path):
    async with cloud_world(tmp_path) as ready:
        await ready.alice.has_linked("alice")
        yield ready


def asks(cloud) -> Caller:
    return Caller(cloud.bot.services.context, cloud.principal(), "once")


SPEC = Spec("mine", {"recipe": "course", "size": "", "owner": "acme/alice"})


def ends(person, *besides):
    """Return the final messages of a request, and check that there is only one."""
    told = [
        shown for shown in person.sees() if shown.kind not in {"card", "job_card", "linked", "", *besides}
    ]
    assert len(told) == 1, [shown.text for shown in told]
    assert problems.CAUSES["internal"] not in told[0].text
    return told[0].kind


@pytest.mark.parametrize("name", FAULTS)
async def test_a_clone_that_goes_wrong_makes_one_workspace_or_none(cloud, name):
    cloud.saturn_fails("/clone$", **FAULTS[name])
    await asks(cloud).run(create_workspace, "saturn", SPEC)
    await cloud.pass_time(200, step=5)
    assert len(cloud.made("mine")) == (ends(cloud.alice) == "ready")
    assert 1 <= cloud.calls("POST .*/clone$") <= 2


@pytest.mark.parametrize("name", FAULTS)
async def test_a_start_of_what_was_just_made_is_called_until_it_runs_or_can_not(cloud, name):
    cloud.saturn_fails(r"/workspaces/\w+/start$", **FAULTS[name])
    await asks(cloud).run(create_workspace, "saturn", SPEC)
    await cloud.pass_time(200, step=5)
    kind = ends(cloud.alice)
    (made,) = cloud.made("mine")
    assert bool(made.live()) == (kind == "ready")
    assert cloud.calls("POST .*/clone$") == 1


@pytest.mark.parametrize("name", FAULTS)
async def test_a_start_of_a_job_that_goes_wrong_is_one_run_or_none(cloud, name):
    job = cloud.job("nightly")
    cloud.saturn_fails(r"/jobs/\w+/start$", **FAULTS[name])
    spec = Spec("nightly", {"job": job.id})
    await asks(cloud).run(runs.launch_run, "saturn", spec)
    await cloud.pass_time(220, step=5)
    ended = ("job_ended", "job_failed", "job_outcome_question")
    await cloud.until(lambda: any(cloud.alice.told(kind) for kind in ended), step=4.0)
    kind = ends(cloud.alice, "job_file")
    assert len(job.runs) == (kind == "job_ended")


@pytest.mark.parametrize("path", ["/api/active/pods$", "/history$"])
@pytest.mark.parametrize("name", FAULTS)
async def test_reads_of_a_run_that_go_wrong_cost_no_more_than_time(cloud, path, name):
    job = cloud.job("nightly")
    spec = Spec("nightly", {"job": job.id})
    await asks(cloud).run(runs.launch_run, "saturn", spec)
    await cloud.settle()
    cloud.saturn_fails(path, **FAULTS[name])
    await cloud.until(lambda: cloud.alice.told("job_ended") or cloud.alice.told("job_failed"), step=4.0)
    assert ends(cloud.alice, "job_file") == "job_ended"
    assert len(job.runs) == 1


@pytest.mark.parametrize("path", ["createloginlink", "/auth/loginlink$", "/api/user/token$", "/api/user$"])
@pytest.mark.parametrize("name", FAULTS)
async def test_an_approval_that_meets_trouble_links_or_says_why(tmp_path, path, name):
    async with cloud_world(tmp_path, saturn={"linking": ["admin"]}) as cloud:
        cloud.saturn_fails(path, **FAULTS[name])
        await cloud.approved(cloud.alice, "alice")
        await cloud.pass_time(60, step=3)
        linked = bool(cloud.alice.told("linked"))
        failed = [shown for shown in cloud.alice.sees() if "couldn't link you" in shown.text]
        assert len(failed) == (not linked)
        account = await cloud.bot.store.read(accounts.find_account, cloud.principal(), "saturn")
        assert (account is not None) == linked
        assert ("is now linked to" in cloud.person(AMIR).sees()[-1].text) == linked
