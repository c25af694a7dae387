"""Tests of the faults that local servers can be told to have, such as late actions, refusals and odd entries.

Other tests here send the servers odd and deeply nested bodies.
"""

import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from playground import posit, saturn, sphere
from playground import slack as slack_
from playground.harness import Harness
from playground.jupyterhub import forwarder
from tests.playground.posit_help import Posit
from tests.playground.saturn_help import Saturn
from tests.playground.slack_help import GENERAL
from tests.playground.sphere.stand import PYTHON, RUNNING, STOPPED, Sphere

LATE = {"acts_after_s": 30.0}
NEVER = {"acts": False}


async def inject_fault(stand: Posit | Saturn | Sphere, path: str, **fault: object) -> None:
    async with stand.session.post(f"{stand.url}/_playground/faults", json={"path": path, **fault}) as answer:
        assert answer.status == 200, await answer.text()


# -- the act -----------------------------------------------------------------------------------------------


async def test_saturn_starts_later_than_it_says(saturn):
    workspace = saturn.ids["notebook"]
    await inject_fault(saturn, "/start$", **LATE)
    assert await saturn.call("POST", f"/api/workspaces/{workspace}/start") == (200, {})
    assert await saturn.status(workspace) == "stopped"
    await saturn.advance(29)
    assert await saturn.status(workspace) == "stopped"
    # The run is seen late, but it began when it was due: the start of 4 s counts from the 30th second.
    await saturn.advance(5)
    assert await saturn.status(workspace) == "running"
    (run,) = saturn.server.state.resources[workspace].runs
    assert run.created_at == 1_700_000_030.0


async def test_saturn_loses_what_it_accepted(saturn):
    await inject_fault(saturn, "/(start|stop|clone)$", times=None, **NEVER)
    await saturn.call("POST", f"/api/workspaces/{saturn.ids['notebook']}/start")
    assert (await saturn.call("POST", f"/api/workspaces/{saturn.ids['notes']}/stop"))[0] == 204
    await saturn.call("POST", f"/api/jobs/{saturn.ids['report']}/start")
    recipe = {"type": "workspace", "spec": {"name": "lost"}}
    status, made = await saturn.call("POST", "/api/resource_recipes/clone", json=recipe)
    assert (status, len(made["id"])) == (200, 32)
    await saturn.advance(600)
    assert await saturn.status(saturn.ids["notebook"]) == "stopped"
    assert await saturn.status(saturn.ids["notes"]) == "running"
    resources = saturn.server.state.resources
    assert made["id"] not in resources
    assert resources[saturn.ids["report"]].runs == []


async def test_an_answer_can_be_lost_whose_act_comes_late(saturn):
    await inject_fault(saturn, "/start$", drop=True, **LATE)
    with pytest.raises(aiohttp.ClientError):
        await saturn.call("POST", f"/api/jobs/{saturn.ids['report']}/start")
    assert saturn.server.state.resources[saturn.ids["report"]].runs == []
    await saturn.advance(30)
    assert len(saturn.server.state.resources[saturn.ids["report"]].runs) == 1


async def test_what_is_refused_is_refused_at_once_and_what_comes_too_late_is_dropped(saturn):
    await inject_fault(saturn, "/start$", times=None, **LATE)
    assert (await saturn.call("POST", "/api/workspaces/unheard-of/start"))[0] == 404
    await saturn.call("POST", f"/api/workspaces/{saturn.ids['notes']}/start")
    await saturn.advance(29)
    await saturn.call("POST", f"/api/workspaces/{saturn.ids['notes']}/stop")
    await saturn.advance(5)
    assert await saturn.status(saturn.ids["notes"]) == "stopped"


async def test_posit_acts_late(posit):
    await inject_fault(posit, "/(launch|stop|resume)_", times=None, **LATE)
    made = await posit.launch(name="late")
    job = await posit.launch_job("print-lines lines=1")
    await posit.call("stop_session", session_ids=posit.session_id("analysis"))
    await posit.result(
        "resume_session",
        session_id=posit.session_id("asleep"),
        launch_parameters={"name": "a", "cluster": "Local", "placement_constraints": [],
                           "resource_limits": [], "queues": []},
    )  # fmt: skip
    assert await posit.state(made["id"]) == "absent"
    assert await posit.state(posit.session_id("analysis")) == "running"
    assert await posit.state(posit.session_id("asleep")) == "suspended"
    assert (await posit.result("get_session", include_jobs=True))["jobs"] == []
    await posit.advance(30)
    assert await posit.state(made["id"]) == "launching"
    assert await posit.state(posit.session_id("asleep")) == "resuming"
    assert (await posit.job(job["id"]))["status"] == "Pending"
    await posit.advance(30)
    assert await posit.state(posit.session_id("analysis")) in {"finished", "absent"}


async def test_sphere_acts_late(sphere):
    await inject_fault(sphere, "(POST|PUT) /api/v1/workspaces", times=None, **LATE)
    made = await sphere.create()
    assert (await sphere.put(RUNNING, "stop"))[0] == 200
    assert (await sphere.put(STOPPED, "resume"))[1]["workspace"]["state"]["code"] == 3
    assert (await sphere.call("GET", f"workspaces/{made['id']}"))[0] == 404
    assert await sphere.code(RUNNING) == 2
    await sphere.advance(31)
    assert [await sphere.code(one) for one in (made["id"], RUNNING, STOPPED)] == [1, 3, 1]


async def test_slack_shows_a_message_late_where_its_timestamp_places_it(server, client, session):
    fault = {"path": "/api/chat.postMessage", **LATE}
    await session.post(f"{server.state.base_url}/_playground/faults", json=fault)
    late = await client.chat_postMessage(channel=GENERAL, text="late")
    on_time = await client.chat_postMessage(channel=GENERAL, text="on time")
    assert [one.ts for one in server.state.messages[GENERAL]] == [on_time["ts"]]
    await session.post(f"{server.state.base_url}/_playground/advance", json={"seconds": 30})
    assert [one.ts for one in server.state.messages[GENERAL]] == [late["ts"], on_time["ts"]]


@asynccontextmanager
async def door():
    """Serve the hub's entry in front of a server that only counts what gets through."""
    arrived: list[str] = []
    came = asyncio.Event()

    async def hub(request: web.Request) -> web.Response:
        arrived.append(f"{request.method} {(await request.read()).decode()}")
        came.set()
        return web.json_response({"servers": {}}, status=201)

    behind = web.Application()
    behind.router.add_route("*", "/{path:.*}", hub)
    async with TestServer(behind) as served, forwarder.client_session() as session:
        app = forwarder.build(str(served.make_url("")).rstrip("/"), session, Harness(), 0)
        async with TestServer(app) as front, aiohttp.ClientSession(front.make_url("/")) as client:
            yield client, arrived, came


async def test_the_door_of_the_hub_keeps_a_start_back_and_answers_202():
    async with door() as (client, arrived, came):
        fault = {"path": "POST .*/server$", "acts_after_s": 0.05}
        await client.post("/_playground/faults", json=fault)
        async with client.post("/hub/api/users/alice/server", data="{}") as answer:
            assert (answer.status, arrived) == (202, [])
        async with asyncio.timeout(5):
            await came.wait()
        assert arrived == ["POST {}"]
        await client.post("/_playground/faults", json={"path": "POST .*/server$", **NEVER})
        async with client.post("/hub/api/users/alice/server") as answer:
            assert answer.status == 202
        async with client.get("/hub/api/users/alice") as answer:
            assert answer.status == 201
        assert arrived[1:] == ["GET "]


# -- the answer --------------------------------------------------------------------------------------------


async def test_one_credential_is_refused_once_or_all_for_as_long_as_it_lasts(saturn):
    await inject_fault(saturn, "/api/", status=401, credential="a1")
    assert (await saturn.call("GET", "/api/user", token="b1"))[0] == 200
    assert await saturn.call("GET", "/api/user") == (401, {"message": "injected fault"})
    assert (await saturn.call("GET", "/api/user"))[0] == 200
    await inject_fault(saturn, "/api/", status=401, times=None)
    for token in ("a1", "b1", "a1"):
        assert (await saturn.call("GET", "/api/user", token=token))[0] == 401
    await saturn.session.delete(f"{saturn.url}/_playground/faults")
    assert (await saturn.call("GET", "/api/user"))[0] == 200


async def test_refusals_have_the_form_of_each_api(posit, sphere):
    await inject_fault(posit, "/api/version", status=401)
    refused = {"error": {"code": 3, "message": "injected fault"}}
    assert await posit.request("GET", "/api/version", "a1") == (401, refused)
    await inject_fault(sphere, "/test", status=401, credential="t1")
    assert await sphere.call("GET", "test") == (401, {"message": "injected fault", "error_code": 1})
    assert (await sphere.call("GET", "test"))[0] == 200


async def test_reads_lists_and_logs_are_limited_each_by_itself(saturn):
    limited = {"status": 429, "headers": {"Retry-After": "30"}}
    reads = {
        r"GET /api/workspaces/\w+$": f"/api/workspaces/{saturn.ids['notes']}",
        r"GET /api/recipes$": "/api/recipes",
        r"GET .*/logs$": "/api/active/pods/x/logs",
    }
    for path in reads:
        await inject_fault(saturn, path, **limited)
        statuses = [(await saturn.call("GET", read))[0] for read in reads.values()]
        assert [status == 429 for status in statuses] == [one == path for one in reads]


async def test_an_entry_of_a_list_is_odd_once(saturn):
    whole = (await saturn.call("GET", "/api/recipes"))[1]
    odd = [
        {"op": "replace", "path": "/recipes/0/state/status", "value": None},
        {"op": "remove", "path": "/recipes/1/state"},
        {"op": "add", "path": "/recipes/-", "value": 7},
        {"op": "add", "path": "/recipes/0", "value": "first"},
        {"op": "remove", "path": "/no/such/place"},
    ]
    await inject_fault(saturn, "/api/recipes$", patch=odd)
    status, answer = await saturn.call("GET", "/api/recipes")
    assert status == 200
    first, second, third, *rest = answer["recipes"]
    assert (first, second["state"]["status"], "state" in third, rest[-1]) == ("first", None, False, 7)
    assert (await saturn.call("GET", "/api/recipes"))[1] == whole


@pytest.mark.parametrize(
    "told",
    [
        "[]",
        '{"status": 500}',
        '{"path": "("}',
        '{"path": "x", "times": "2"}',
        '{"path": "x", "headers": {"a": 1}}',
        '{"path": "x", "acts": 0}',
        '{"path": "x", "colour": 1}',
        "[" * 5000,
    ],
)
async def test_a_fault_that_is_none_is_refused(saturn, told):
    async with saturn.session.post(f"{saturn.url}/_playground/faults", data=told) as answer:
        assert answer.status == 400
    assert saturn.server.harness.faults == []


ODD = [b"[]", b'"x"', b"{", b'{"x": 1}'] + [
    b'{"%s": %s}' % (name, value)
    for name in (b"seconds", b"on", b"times", b"start_seconds", b"status", b"mint", b"changes", b"index")
    for value in (b"[]", b'"x"', b"NaN")
]


@pytest.mark.parametrize(
    ("server", "held"),
    [(saturn, "resources"), (posit, "sessions"), (sphere, "workspaces"), (slack_, "people")],
)
async def test_no_route_for_tests_breaks_at_an_odd_body(server, held):
    made = server.build()
    async with TestClient(TestServer(made.app)) as client:
        for route in list(made.app.router.routes()):
            some = next(iter(getattr(made.state, held)))
            path = route.resource.canonical.replace("{id}", some) if route.resource else ""
            if route.method != "POST" or not path.startswith("/_playground/"):
                continue
            for body in ODD:
                async with client.post(path, data=body) as answer:
                    assert answer.status < 500, (path, body, await answer.text())


# -- bodies that nobody would send in good faith ------------------------------------------------------------

DEEP = [b"[" * 100_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b"[" * 150 + b"]" * 150]


@pytest.mark.parametrize("body", DEEP, ids=["open", "closed", "echoable"])
async def test_a_deeply_nested_body_is_refused_in_the_words_of_each_api(
    saturn, posit, sphere, server, client, session, body
):
    is_json = {"Content-Type": "application/json"}
    headers = {**is_json, "Authorization": "token a1"}
    status, answer = await saturn.call("POST", "/api/resource_recipes/clone", data=body, headers=headers)
    assert (status, list(answer)) == (400, ["message"])
    assert (await saturn.call("POST", "/_playground/advance", data=body))[0] == 400
    headers = {**is_json, "Authorization": "Bearer a1"}
    status, answer = await posit.request("POST", "/api/launch_job", data=body, headers=headers)
    assert (status, answer["error"]["code"]) == (400, 5)
    assert (await posit.request("POST", "/_playground/errors", data=body))[0] == 400
    status, answer = await sphere.call("POST", "workspaces", data=body, headers=is_json)
    assert (status, answer["error_code"]) == (400, 10)
    headers, url = {"Authorization": f"Bearer {client.token}"}, server.state.base_url
    async with session.post(f"{url}/api/chat.postMessage", data=body, headers=headers | is_json) as response:
        assert (response.status, (await response.json())["error"]) == (200, "invalid_json")
    form = {"channel": GENERAL, "blocks": body.decode()}
    async with session.post(f"{url}/api/chat.postMessage", data=form, headers=headers) as response:
        assert (await response.json())["error"] == "invalid_blocks_format"
    for path in ("/_page/say", "/_playground/app", "/_playground/faults"):
        async with session.post(url + path, data=body) as response:
            assert 400 <= response.status < 500, (path, await response.text())


async def test_what_is_nested_as_anybody_means_it_is_taken(saturn, sphere):
    inner: object = "x"
    for _ in range(40):
        inner = [inner]
    recipe = {"type": "workspace", "spec": {"name": "deep", "git_repositories": inner}}
    assert (await saturn.call("POST", "/api/resource_recipes/clone", json=recipe))[0] == 200
    assert (await sphere.call("POST", "workspaces", json={"project_id": PYTHON}))[0] == 201


async def test_a_fault_with_a_name_takes_the_place_of_the_one_that_had_it_and_goes_alone(saturn):
    await inject_fault(saturn, "/api/none$", times=None, status=418)
    await inject_fault(saturn, "/api/", name="panel", times=None, status=500)
    await inject_fault(saturn, "/api/", name="panel", times=None, status=429)
    assert (await saturn.call("GET", "/api/user"))[0] == 429
    stats = await saturn.stats()
    assert stats["faults_given"] == 1
    assert [(one["name"], one["status"]) for one in stats["faults"]] == [(None, 418), ("panel", 429)]
    await saturn.session.delete(f"{saturn.url}/_playground/faults", params={"name": "panel"})
    assert [one["status"] for one in (await saturn.stats())["faults"]] == [418]


async def test_harness_routes_pass_no_middleware_of_the_server():
    """A server may check tokens in a middleware, which doesn't apply to the routes under ``/_playground``."""

    @web.middleware
    async def check_token(request, handler):
        if "Token" not in request.headers:
            raise web.HTTPUnauthorized
        return await handler(request)

    app = web.Application(middlewares=[check_token])
    Harness().install(app)
    async with TestClient(TestServer(app)) as client:
        assert (await client.post("/_playground/faults", json={"path": "x"})).status == 200
        assert (await client.get("/_playground/stats")).status == 200
        assert (await client.get("/_playground/nothing")).status == 401
        assert (await client.get("/x")).status == 401
