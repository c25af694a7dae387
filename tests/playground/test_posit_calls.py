"""Tests of calls to the local Posit Workbench: their format, permissions, and facts about the server."""

import pytest

from tests.playground.posit_help import Posit, launch_parameters


async def test_get_is_for_what_takes_no_parameters_only(posit: Posit):
    for method, token in (("version", "a1"), ("get_users", "ad"), ("get_compute_envs", "a1")):
        by_get = await posit.request("GET", f"/api/{method}", token)
        assert by_get == await posit.call(method, token)
        assert by_get[0] == 200
    assert (await posit.request("GET", "/api/get_session", "a1"))[0] == 405
    for verb in ("PUT", "DELETE", "PATCH", "HEAD"):
        assert (await posit.request(verb, "/api/version", "a1"))[0] == 405
        assert (await posit.request(verb, "/api/nonsense", "a1"))[0] == 405


async def test_an_unknown_method_and_bodies_that_are_none(posit: Posit):
    assert await posit.code("nonsense") == 7
    body = {"method": "get_session", "kwparams": {}}
    assert (await posit.request("POST", "/api/version", "a1", json=body))[1]["error"]["code"] == 6
    assert (await posit.request("POST", "/api/version", "a1", json=[]))[1]["error"]["code"] == 6
    status, answer = await posit.request("POST", "/api/version", "a1", data=b"{")
    assert (status, answer["error"]["code"]) == (400, 5)
    body = {"method": "version", "kwparams": []}
    assert (await posit.request("POST", "/api/version", "a1", json=body))[1]["error"]["code"] == 9
    assert await posit.code("get_session", user=None) == 9
    assert set(await posit.rules_broken()) == {
        "the method in the body is that of the path",
        "the body is JSON",
        "parameters have their type",
    }


async def test_unknown_parameters_are_ignored_or_refused_and_counted(posit: Posit):
    made = await posit.launch("su", user="alice")
    assert await posit.state(made["id"]) == "absent"
    assert await posit.rules_broken() == ["parameters as documented"]
    await posit.control(unknown_parameters="refuse")
    assert await posit.code("get_session", "su", username="alice") == 6


@pytest.mark.parametrize(
    "header", ["Key a1", "token a1", "Bearer", "Bearer nonsense", "a1", "Bearer d1", None]
)
async def test_only_a_known_bearer_token_of_an_active_person_is_taken(posit: Posit, header):
    headers = {"Authorization": header} if header else {}
    status, answer = await posit.request("GET", "/api/version", headers=headers)
    assert (status, answer["error"]["code"]) == (401, 3)
    assert await posit.rules_broken() == (["Authorization is Bearer"] if header == "Key a1" else [])


READERS, WRITERS, ACTORS = {"ad", "ad-r", "su", "su-r"}, {"ad", "ad-w", "su"}, {"su"}


@pytest.mark.parametrize("token", ["b1", "ad", "ad-r", "ad-w", "su", "su-r"])
async def test_which_token_does_what_for_somebody_else(posit: Posit, token: str):
    await posit.control(denial="403", stop_answer="object")
    job = await posit.launch_job()
    await posit.advance(60)
    running = await posit.launch_job("print-lines silent=600")
    asleep, notes = posit.session_id("asleep"), posit.session_id("notes")
    launch = launch_parameters()
    calls = (
        ("get_session", {"user": "alice"}, READERS),
        ("get_compute_envs", {"user": "alice"}, READERS),
        ("get_job_output", {"job_id": job["id"], "user": "alice"}, READERS),
        ("get_users", {}, READERS),
        ("stop_session", {"session_ids": notes}, WRITERS),
        (
            "launch_session",
            {"workbench": "RStudio", "username": "alice", "launch_parameters": launch},
            ACTORS,
        ),
        ("resume_session", {"session_id": asleep, "username": "alice", "launch_parameters": launch}, ACTORS),
        ("launch_job", {"job": {"name": "j", "cluster": "Local", "exe": "ls", "user": "alice"}}, ACTORS),
        ("stop_job", {"job_id": running["id"]}, WRITERS),
    )
    for method, told, able in calls:
        status, answer = await posit.call(method, token, **told)
        assert status == (200 if token in able else 403), method
        assert token not in able or "error" not in answer, (method, answer)


async def test_requests_are_counted_by_token_user_and_method(posit: Posit):
    await posit.result("get_session", "su", user="alice")
    await posit.advance(2)
    await posit.result("get_session", "su", user="alice")
    await posit.result("version", "a1")
    stats = await posit.stats()
    assert stats["accounts"] == [
        {"token": "alice", "user": "alice", "method": "version", "requests": 1},
        {"token": "super", "user": "alice", "method": "get_session", "requests": 2},
    ]
    assert (stats["smallest_gap_s"], stats["violations"]) == (2.0, [])


async def test_errors_to_come_with_and_without_the_act(posit: Posit):
    await posit.control("errors", method="launch_session", code=200, message="Transmission error", after=True)
    await posit.control("errors", method="launch_session", code=13, message="Offline", user="alice")
    told = {"workbench": "RStudio", "launch_parameters": launch_parameters()}
    assert await posit.code("launch_session", **told, name="first") == 13
    assert await posit.code("launch_session", **told, name="second") == 200
    names = [one["name"] for one in (await posit.result("get_session"))["sessions"]]
    assert "first" not in names
    assert "second" in names


async def test_tokens_and_people_change(posit: Posit):
    assert await posit.control("tokens", name="alice", revoked=True) == {"tokens": 1}
    assert (await posit.call("version"))[0] == 401
    made = await posit.control("tokens", mint={"kind": "user", "user": "alice", "name": "alice"})
    assert (await posit.call("version", made["token"]))[0] == 200
    await posit.control("users", name="bob", active=False)
    assert (await posit.call("version", "b1"))[0] == 401
    await posit.control("users", name="eva", token="e1")
    assert (await posit.call("version", "e1"))[0] == 200


async def test_what_control_does_not_know_is_said(posit: Posit):
    for path, told in (
        ("control", {"colour": 1}),
        ("control", {"job_fields": "odd"}),
        ("control", {"version_bare": 1}),
        ("control", {"session_limit": -1}),
        ("control", {"dialect": "odd"}),
        ("errors", {"method": "version"}),
        ("streams", {"kind": "odd"}),
        ("sessions/nonsense", {"state": "running"}),
        ("jobs/nonsense", {"status": "Running"}),
        ("tokens", {"mint": {"user": "nobody"}}),
        ("users", {"name": "x", "age": 3}),
        ("compute_envs", {}),
        ("compute_envs", {"clusters": [{}]}),
    ):
        status, answer = await posit.request("POST", f"/_playground/{path}", json=told)
        assert (status, bool(answer["message"])) == (400, True), path


async def test_dialects_are_sets_of_switches(posit: Posit):
    live = await posit.control(dialect="live")
    assert (live["job_fields"], live["suspend_flag"], live["version_bare"]) == ("camel", "suspend", True)
    reference = await posit.control(dialect="reference", stop_answer="null")
    assert (reference["job_fields"], reference["stop_answer"]) == ("snake", "null")
    assert (await posit.request("GET", "/_playground/control"))[1] == reference


async def test_a_server_behind_a_sub_path(posit: Posit):
    assert (await posit.request("GET", "/workbench/api/version", "a1"))[0] == 200
