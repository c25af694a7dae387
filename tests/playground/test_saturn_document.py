"""Tests of the local Saturn Cloud of 2026 with the client generated from the vendor's API document."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp.test_utils import make_mocked_request

from tests.playground.saturn_help import SEED, Saturn, saturn_server
from tests.rigs import saturn_document

#: The tests of the API document share a worker with the provider's tests, as reading it takes two seconds.
pytestmark = pytest.mark.xdist_group("saturn_2026")
ID = "0123456789abcdef" * 2


@pytest.fixture
async def findings():
    return saturn_document.Findings()


@pytest.fixture
async def server(findings) -> AsyncIterator[Saturn]:
    seed = {
        **SEED,
        "dialect": "2026",
        "users": [{"name": "alice", "refresh_token": "r-alice"}, SEED["users"][2]],
    }
    seed["workspaces"] = [one for one in SEED["workspaces"] if one["owner"] == "alice"]
    async with saturn_server(seed, saturn_document.checking(findings)) as ready:
        yield ready


@asynccontextmanager
async def vendor(server: Saturn, token: str | None = None):
    # The generated client is imported here, as it creates a thousand models, which other tests don't need.
    from saturn_api import ApiClient, Configuration

    token = token or server.server.credentials["users"]["alice"]["token"]
    async with ApiClient(Configuration(host=server.url, access_token=token)) as client:
        yield client


async def claims(server: Saturn, one: saturn_document.Operation) -> bool:
    """Return whether the local server has a route for an operation in the document."""
    path = one.path.pattern.replace("[^/]+", ID)
    match = await server.server.app.router.resolve(make_mocked_request(one.method, path))
    # Otherwise a path that ends in ``info`` would match the route for a job's id.
    return match.http_exception is None and "info" not in match.values()


async def call_people_and_recipes(client):
    from saturn_api import api, models

    await api.ApiStatusApi(client).get()
    assert (await api.CurrentUserApi(client).get()).username == "alice"
    (owner,) = (await api.CurrentUserApi(client).list_owners()).owners
    assert (owner.identity_name, owner.identity_type) == ("alice", "user")
    tokens = api.ApiTokensApi(client)
    made = await tokens.create(models.ApiTokenCreate(description="of a test", expires_in=3600))
    assert made.expires_at is not None
    assert [one.description for one in (await tokens.list()).tokens] == ["", "of a test"]
    await tokens.delete(made.id)
    (found,) = (await api.UsersApi(client).list(username="alice")).root.users
    assert found.username == "alice"
    assert (await api.UsersApi(client).get(found.id)).root.username == "alice"
    assert "medium" in (await api.InfoApi(client).get_server_options()).sizes
    recipes = api.RecipesApi(client)
    spec = {"name": "made", "image": "community/saturncloud/saturn:1", "instance_type": "large"}
    recipe = models.Recipe.from_dict({"type": "workspace", "spec": spec})
    new = await recipes.create(recipe)
    assert (await recipes.apply(recipe)).root.state.id == new.root.state.id
    assert (await recipes.get("workspace", "made")).root.state.id == new.root.state.id
    assert "made" in {one.root.spec.name for one in (await recipes.list(type="workspace")).recipes}
    grant = models.AuthorizationRefreshGrant(grant_type="refresh_token", refresh_token="r-alice")
    await api.AuthorizationApi(client).create_oauth_token(models.AuthorizationGrant(grant))


async def call_workspaces(client, server, workspace):
    from saturn_api import api

    workspaces = api.WorkspacesApi(client)
    assert (await workspaces.start(workspace)).status == "pending"
    await server.advance(10)
    assert (await workspaces.get(workspace)).status == "running"
    await workspaces.restart(workspace)
    await server.advance(10)
    assert (await workspaces.stop(workspace)).status == "stopping"
    await server.advance(10)
    assert len((await workspaces.get_pod_history(workspace)).pods) == 2
    assert (await workspaces.get_logs(workspace)).logs


async def call_jobs(client, server, job):
    from saturn_api import api, models

    jobs = api.JobsApi(client)
    assert (await jobs.get(job)).scale == 1
    await jobs.start(job)
    (run,) = (await jobs.list_runtime_summaries(job)).job_summaries
    await server.advance(5)
    active = api.ActiveApi(client)
    (pod,) = (await active.list_pods("job", job)).pod_summaries
    assert pod.labels["job-name"] == run.name
    assert (await active.get_pod(pod.name)).status == "running"
    assert (await active.get_pod_logs(pod.name, page_size=5000)).logs
    await jobs.stop_run(job, run.name)
    await jobs.restart(job)
    await jobs.stop(job)
    await server.advance(10)
    assert (await jobs.get_pod_history(job)).pods[0].label_job_name
    assert (await jobs.get_logs(job)).logs
    cron = models.CronScheduleUpdate(schedule="0 3 * * *")
    await jobs.update(job, models.JobUpdate(cron_schedule_options=cron))
    assert (await jobs.schedule(job)).scheduled
    assert not (await jobs.unschedule(job)).scheduled


async def test_the_generated_client_succeeds_in_every_call_that_the_server_has(server, findings):
    wanted = {one.name for one in saturn_document.operations() if await claims(server, one)}
    assert len(wanted) > 25
    alice = server.server.credentials["users"]["alice"]
    async with vendor(server) as client:
        await call_people_and_recipes(client)
        await call_workspaces(client, server, alice["workspaces"]["notebook"])
        await call_jobs(client, server, alice["jobs"]["report"])
    assert findings.problems == []
    assert wanted - findings.used == set()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/resource_recipes/clone", 404),
        ("GET", "/api/nonsense", 404),
        ("GET", "/api/active/pods/x/logs?page_size=5001", 404),
        ("GET", "/api/recipes?page_size=1001", 422),
        ("GET", "/api/recipes?type=toaster", 422),
        ("GET", "/api/active/pods", 422),
        ("DELETE", "/api/tokens/nothing", 404),
    ],
)
async def test_what_the_document_does_not_have_is_refused_with_a_message(server, method, path, status):
    token = server.server.credentials["users"]["alice"]["token"]
    got, answer = await server.call(method, path, token=token)
    assert (got, type(answer["message"])) == (status, str)


@pytest.mark.parametrize(
    ("spec", "status"),
    [
        ({"name": "x", "instance_type": "large"}, 422),
        ({"name": "x", "instance_type": "huge", "image": "a:1"}, 422),
        ({"name": "x", "instance_type": "large", "image": "a:1", "colour": "red"}, 422),
        ({"name": "x", "instance_type": "large", "image": "a:1", "auto_shutoff": "3 hours"}, 422),
        ({"name": "notes", "instance_type": "large", "image": "a:1"}, 409),
        ({"name": "x", "instance_type": "large", "image": "a:1"}, 201),
    ],
)
async def test_recipes_are_checked_by_the_document(server, findings, spec, status):
    token = server.server.credentials["users"]["alice"]["token"]
    body = {"type": "workspace", "spec": spec}
    got, answer = await server.call("POST", "/api/recipes", token=token, json=body)
    assert got == status, answer
    assert findings.problems == []


async def test_runs_are_made_of_pods_that_a_label_groups(server):
    from saturn_api import api

    """Three at once, of which one fails; and one that is tried again, and succeeds."""
    for spec, pods, words in (
        ({"scale": 3}, ((4.0, 1), (9.0, 0), (9.0, 0)), ["running", "error"]),
        ({"retries": 1}, ((4.0, 1), (4.0, 0)), ["pending", "completed"]),
    ):
        job = server.server.state.resources[server.ids["report"]]
        job.spec.update({"scale": 1, "retries": 0} | spec)
        job.pods, job.runs = pods, []
        async with vendor(server) as client:
            jobs = api.JobsApi(client)
            await jobs.start(job.id)
            await server.advance(8.5)
            (going,) = (await jobs.list_runtime_summaries(job.id)).job_summaries
            await server.advance(10)
            (ended,) = (await jobs.list_runtime_summaries(job.id)).job_summaries
            assert [going.status, ended.status] == words
            assert {one.label_job_name for one in (await jobs.get_pod_history(job.id)).pods} == {ended.name}


async def test_what_deletes_itself_when_it_is_stopped_is_gone_then(server):
    server.server.state.resources[server.ids["notes"]].spec["self_destruct"] = True
    token = server.server.credentials["users"]["alice"]["token"]
    path = f"/api/workspaces/{server.ids['notes']}"
    assert (await server.call("GET", path, token=token))[1]["self_destruct"] is True
    await server.call("POST", f"{path}/stop", token=token)
    await server.advance(10)
    assert (await server.call("GET", path, token=token))[0] == 404
