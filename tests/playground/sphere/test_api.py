"""Tests of the local Sphere Engine's API: its token, its lists, and creating a workspace."""

import pytest

from tests.playground.served import NOW
from tests.playground.sphere.stand import PLAIN, PYTHON, RUNNING, SHAKY, STOPPED, TOKEN, Sphere

UNAUTHORIZED = {"message": "Unauthorized access", "error_code": 1}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "test"),
        ("GET", "projects"),
        ("GET", "workspaces"),
        ("POST", "workspaces"),
        ("GET", f"workspaces/{RUNNING}"),
        ("PUT", f"workspaces/{RUNNING}/stop"),
        ("PUT", f"workspaces/{RUNNING}/resume"),
        ("PUT", f"workspaces/{RUNNING}/remove"),
        ("GET", "nonsense"),
    ],
)
@pytest.mark.parametrize("token", [None, "", "wrong"])
async def test_every_call_needs_the_token(sphere: Sphere, method, path, token):
    assert await sphere.call(method, path, token) == (401, UNAUTHORIZED)


async def test_the_token_is_good_in_the_address_and_as_a_bearer(sphere: Sphere):
    good = (200, {"message": "You can use Sphere Engine Containers API"})
    assert await sphere.call("GET", "test") == good
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert await sphere.call("GET", "test", None, headers=headers) == good
    await sphere.control("access_token", access_token="t2")
    assert (await sphere.call("GET", "test"))[0] == 401
    assert (await sphere.call("GET", "test", "t2"))[0] == 200


async def test_workspaces_are_listed_by_project_and_state_newest_first(sphere: Sphere):
    async def listed(query: str = "") -> list[str]:
        status, answer = await sphere.call("GET", f"workspaces{query}")
        assert status == 200
        return [item["id"] for item in answer["items"]]

    assert await listed() == [PLAIN, STOPPED, RUNNING]
    assert await listed(f"?project_id={SHAKY}") == [PLAIN]
    assert await listed("?project_id=unheard-of") == []
    assert await listed("?states[]=3") == [STOPPED]
    assert await listed(f"?states[]=2&states[]=3&project_id={PYTHON}") == [STOPPED, RUNNING]
    assert await sphere.violations() == []


async def test_what_comes_between_two_pages_shifts_nothing(sphere: Sphere):
    _, first = await sphere.call("GET", "workspaces?limit=2")
    await sphere.create()
    _, second = await sphere.call(
        "GET", f"workspaces?limit=2&page_token={first['paging']['next_page_token']}"
    )
    assert [item["id"] for item in first["items"] + second["items"]] == [PLAIN, STOPPED, RUNNING]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=31", "limit=all", "limit=", "states[]=9", "states[]=running", "page_token=nonsense"],
)
async def test_a_bad_query_is_400_with_code_10(sphere: Sphere, query):
    status, answer = await sphere.call("GET", f"workspaces?{query}")
    assert (status, answer["error_code"]) == (400, 10)


async def test_the_same_request_twice_makes_two(sphere: Sphere):
    assert (await sphere.create())["id"] != (await sphere.create())["id"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 400),
        ({"project_id": ""}, 400),
        ({"project_id": 3}, 400),
        ({"project_id": "unheard-of"}, 404),
        ({"project_id": PYTHON, "inactivity_timeout": 0}, 400),
        ({"project_id": PYTHON, "retention_time_stopped": -1}, 400),
        ({"project_id": PYTHON, "retention_time_total": "soon"}, 400),
        ({"project_id": PYTHON, "retention_time_total": True}, 400),
        ({"project_id": PYTHON, "retention_time_stopped": 60, "retention_time_total": 59}, 400),
        ({"project_id": PYTHON, "inactivity_timeout": "60", "retention_time_total": "59"}, 400),
        ({"project_id": PYTHON, "auto_resume": "perhaps"}, 400),
        ({"project_id": PYTHON, "workspace_token_required": []}, 400),
    ],
)
async def test_bad_fields_are_refused(sphere: Sphere, fields, status):
    refused, answer = await sphere.call("POST", "workspaces", json=fields)
    assert refused == status
    assert set(answer) == {"message", "error_code"}
    assert status != 400 or answer["error_code"] == 10
    assert len(sphere.server.state.workspaces) == 3


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b"[1]"),
        ("application/json", b"\xff"),
        ("application/x-www-form-urlencoded", b"project_id=\xff"),
        ("application/x-www-form-urlencoded; charset=odd", b"project_id=1"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=a", b"--a\r\nnonsense"),
        ("text/plain", b"project_id=1"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(sphere: Sphere, content_type, body):
    headers = {"Content-Type": content_type}
    status, answer = await sphere.call("POST", "workspaces", data=body, headers=headers)
    assert (status, answer["error_code"]) == (400, 10)


async def test_what_is_unknown_answers_json(sphere: Sphere):
    assert await sphere.call("GET", "workspaces/unheard-of") == (
        404,
        {"message": "Workspace not found", "error_code": 40},
    )
    assert (await sphere.call("GET", "nonsense"))[0] == 404
    assert (await sphere.call("DELETE", f"workspaces/{RUNNING}"))[0] == 405


async def test_status_reads_sooner_than_five_seconds_are_counted_and_answered(sphere: Sphere):
    await sphere.read(RUNNING)
    await sphere.read(STOPPED)
    await sphere.advance(5)
    await sphere.read(RUNNING)
    assert await sphere.violations() == []
    await sphere.advance(4.5)
    await sphere.control("faults", path=RUNNING, times=1, status=503)
    assert (await sphere.call("GET", f"workspaces/{RUNNING}"))[0] == 503
    assert await sphere.violations() == ["5 s between status reads of one workspace"]
    assert sphere.server.harness.smallest_gap == 4.5


async def test_429_says_when_to_come_back_and_counts_who_does_not_wait(sphere: Sphere):
    await sphere.control("busy", seconds=30)
    async with sphere.session.get(f"{sphere.url}/api/v1/test?access_token={TOKEN}") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "30")
    assert (await sphere.call("POST", "workspaces", json={"project_id": PYTHON}))[0] == 429
    assert await sphere.violations() == []
    await sphere.advance(10)
    assert (await sphere.call("GET", "test"))[0] == 429
    assert await sphere.violations() == ["no call before Retry-After has passed"]
    await sphere.advance(20)
    assert (await sphere.call("GET", "test"))[0] == 200
    assert sphere.server.state.clock.now() == NOW + 30
