"""Tests of workspaces on the local Sphere Engine: states, timeouts, retention and permissions."""

import pytest

from tests.playground.sphere.stand import PLAIN, RUNNING, SECRET_OF_RUNNING, STOPPED, Sphere

MINUTE = 60


async def test_repeats_do_no_harm(sphere: Sphere):
    for verb, workspace, code in (("resume", RUNNING, 2), ("stop", STOPPED, 3)):
        status, answer = await sphere.put(workspace, verb)
        assert (status, answer["error_code"]) == (400, 10)
        assert await sphere.code(workspace) == code
    for _ in range(2):
        assert (await sphere.put(STOPPED, "remove"))[0] == 200
    assert (await sphere.put(STOPPED, "stop"))[0] == 400


@pytest.mark.parametrize("verb", ["stop", "remove"])
async def test_what_is_starting_can_be_neither_stopped_nor_removed(sphere: Sphere, verb):
    made = await sphere.create(retention_time_stopped=60)
    assert (await sphere.put(made["id"], verb))[0] == 403
    await sphere.control(f"workspaces/{made['id']}", permissions={"stop": True, "remove": True})
    assert (await sphere.put(made["id"], verb))[0] == (400 if verb == "stop" else 200)


async def test_inactivity_stops_what_has_retention_and_removes_what_has_none(sphere: Sphere):
    await sphere.advance(15 * MINUTE - 3)
    assert (await sphere.code(RUNNING), await sphere.code(PLAIN)) == (2, 2)
    await sphere.advance(3)
    assert (await sphere.code(RUNNING), await sphere.code(PLAIN)) == (3, 4)
    await sphere.advance(60 * MINUTE)
    assert await sphere.code(RUNNING) == 4


async def test_entering_is_usage_and_puts_the_timeout_off(sphere: Sphere):
    await sphere.advance(10 * MINUTE)
    status, answer = await sphere.enter(RUNNING, SECRET_OF_RUNNING)
    assert status == 200
    assert answer["ticket"]
    assert (await sphere.read(RUNNING))["last_usage"] == "2023-11-14 22:23:20 +0000"
    await sphere.advance(15 * MINUTE - 1)
    assert await sphere.code(RUNNING) == 2
    await sphere.advance(1)
    assert await sphere.code(RUNNING) == 3


async def test_the_total_retention_ends_even_what_is_used(sphere: Sphere):
    made = await sphere.create(retention_time_total=10, inactivity_timeout=10)
    await sphere.advance(10 * MINUTE - 1)
    assert (await sphere.enter(made["id"], made["workspace_token"]))[0] == 200
    assert await sphere.code(made["id"]) == 2
    await sphere.advance(1)
    assert await sphere.code(made["id"]) == 4


async def test_what_became_due_long_ago_happened_then(sphere: Sphere):
    made = await sphere.create(retention_time_stopped=10)
    await sphere.advance(24 * 60 * MINUTE)
    removed = await sphere.read(made["id"])
    # The workspace is running after 4 s, stops 15 minutes later, and is removed 10 minutes after that.
    assert removed["terminated_at"] == "2023-11-14 22:38:24 +0000"


async def test_entering_resumes_where_it_is_told_to(sphere: Sphere):
    held = sphere.server.state.workspaces[STOPPED]
    assert (await sphere.enter(STOPPED, held.token))[1]["ticket"]
    assert await sphere.code(STOPPED) == 1
    made = await sphere.create(auto_resume=False, retention_time_stopped=60)
    await sphere.advance(4)
    await sphere.put(made["id"], "stop")
    await sphere.advance(2)
    assert (await sphere.read(made["id"]))["permissions"]["enter"] is False
    assert await sphere.enter(made["id"], made["workspace_token"]) == (200, {"ticket": None})
    assert await sphere.code(made["id"]) == 3


async def test_a_visitor_who_comes_while_it_is_being_stopped_waits(sphere: Sphere):
    await sphere.put(RUNNING, "stop")
    assert (await sphere.enter(RUNNING, SECRET_OF_RUNNING))[1]["ticket"]
    await sphere.advance(5.9)
    assert await sphere.code(RUNNING) == 1
    await sphere.advance(0.1)
    assert await sphere.code(RUNNING) == 2


async def test_states_set_as_if_done_elsewhere(sphere: Sphere):
    path = f"workspaces/{RUNNING}"
    for name, code in (("stopped", 3), ("starting", 1), ("removed", 4), ("running", 2)):
        assert (await sphere.control(path, state=name))["state"] == {
            "code": code,
            "name": name,
            "error_reason": None,
        }
    assert (await sphere.read(RUNNING))["terminated_at"] is None
    failed = await sphere.control(path, state="error", error_reason="disk full")
    assert failed["state"]["error_reason"] == "disk full"
    shown = await sphere.control(path, state="running", code=17, name="migrating", init_error="oops")
    assert shown["state"] == {"code": 17, "name": "migrating", "error_reason": None}
    assert shown["streams"]["workspace_init_error"] == "oops"
    await sphere.control(path, forgotten=True)
    assert (await sphere.call("GET", f"workspaces/{RUNNING}"))[0] == 404


@pytest.mark.parametrize("told", [{"colour": 1}, {"state": "odd"}])
async def test_a_control_that_is_not_understood_is_refused(sphere: Sphere, told):
    assert (await sphere.call("POST", f"/_playground/workspaces/{RUNNING}", json=told))[0] == 400
    assert (await sphere.call("POST", "/_playground/switches", json={"single": "both"}))[0] == 400


async def test_permissions_changed_elsewhere_are_shown_and_kept(sphere: Sphere):
    await sphere.control(
        f"workspaces/{RUNNING}", permissions={"stop": False, "remove": False, "enter": False}
    )
    assert not any((await sphere.read(RUNNING))["permissions"].values())
    assert (await sphere.put(RUNNING, "stop"))[0] == 403
    assert (await sphere.put(RUNNING, "remove"))[0] == 403
    assert (await sphere.enter(RUNNING, SECRET_OF_RUNNING))[1] == {"ticket": None}
    await sphere.control(f"workspaces/{RUNNING}", permissions=None)
    assert (await sphere.put(RUNNING, "stop"))[0] == 200
