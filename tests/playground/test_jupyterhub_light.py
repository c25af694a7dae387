"""What ``docs/providers/jupyterhub.md`` states, on a real hub with the light single-user server."""

import os
import pwd

import pytest
import pytest_asyncio

from playground.jupyterhub import start
from tests.playground.hub_help import Client, browser, client, log_in, owners_of
from tests.playground.served import refuses_strangers

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEED = {
    "users": [
        {"name": "alice", "servers": ["training"]},
        *({"name": name} for name in ("bob", "carol", "dave", "erin", "frank", "heidi", "ivan")),
        {"name": "grace", "password": "a password of her own", "token": "0f" * 32},
    ],
    "pause_seconds": 0.2,
    "named_server_limit": 2,
    "concurrent_spawn_limit": 3,
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hub():
    async with start(light=True, seed=SEED) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def api(hub):
    async with client(hub) as ready:
        yield ready


async def test_the_life_of_a_server(api: Client):
    assert (await api.server("alice"))["stopped"] is True
    status, _, _ = await api.call("POST", "/users/alice/server", who="alice", json={"pause": 1})
    assert status == 202
    assert (await api.server("alice"))["pending"] == "spawn"
    assert (await api.call("POST", "/users/alice/server", who="alice"))[0] == 202
    told = [event async for event in api.events("alice")]
    assert [event["progress"] for event in told] == sorted(event["progress"] for event in told)
    assert "Preparing the home directory" in [event["message"] for event in told]
    assert told[-1]["ready"] is True
    assert told[-1]["url"] == "/user/alice/"

    ready = await api.server("alice")
    assert (ready["pending"], ready["ready"], ready["url"]) == (None, True, "/user/alice/")
    probe = f"{api.hub.url}/user/alice/api/status"
    assert (await api.call("GET", probe, who="alice"))[0] == 200
    assert (await api.call("GET", probe, who="bob"))[0] == 403
    assert (await api.call("GET", probe))[0] == 403

    status, answer, _ = await api.call("POST", "/users/alice/server", who="alice")
    assert (status, "already running" in answer["message"]) == (400, True)
    assert (await api.call("DELETE", "/users/alice/server", who="alice"))[0] in {202, 204}
    assert (await api.settled("alice"))["stopped"] is True
    assert (await api.call("DELETE", "/users/alice/server", who="alice"))[0] == 204
    status, _, headers = await api.call("GET", probe, who="alice")
    assert (status, headers["Location"]) == (302, "/hub/user/alice/api/status")
    assert (await api.call("GET", api.hub.url + headers["Location"], who="alice"))[0] == 424


async def test_events_come_while_the_server_is_still_pending(api: Client):
    await api.call("POST", "/users/bob/server", who="bob", json={"pause": 60})
    first = await anext(api.events("bob"))
    assert first["progress"] == 0
    assert (await api.server("bob"))["pending"] == "spawn"
    assert (await api.call("DELETE", "/users/bob/server", who="bob"))[0] == 204
    assert (await api.settled("bob"))["ready"] is False
    status, _, _ = await api.call("GET", "/users/bob/server/progress", who="bob")
    assert status == 404


@pytest.mark.parametrize(("name", "options"), [("broken", None), ("notebook", {"fail": True})])
async def test_a_failed_spawn_tells_its_reason_in_the_progress_only(api: Client, name, options):
    status, _, _ = await api.call("POST", f"/users/carol/servers/{name}", who="carol", json=options)
    assert status == 202
    told = [event async for event in api.events("carol", name)]
    assert told[-1]["failed"] is True
    assert "could not be pulled" in told[-1]["message"]
    server = await api.settled("carol", name)
    assert (server["pending"], server["ready"], server["stopped"]) == (None, False, True)


async def test_named_servers_have_a_limit_and_can_be_dropped(api: Client):
    assert (await api.server("alice", "training"))["stopped"] is True
    for name in ("one", "two"):
        assert (await api.call("POST", f"/users/dave/servers/{name}", who="dave"))[0] == 202
    status, answer, _ = await api.call("POST", "/users/dave/servers/three", who="dave")
    assert status == 400
    assert "maximum of 2 named servers" in answer["message"]
    await api.settled("dave", "one")
    status, _, _ = await api.call("DELETE", "/users/dave/servers/one", who="dave", json={"remove": True})
    assert status in {202, 204}
    await api.gone("dave", "one")
    await api.settled("dave", "two")
    await api.call("DELETE", "/users/dave/servers/two", who="dave")
    await api.settled("dave", "two")


async def test_too_many_spawns_at_once_are_429_with_retry_after(api: Client):
    people = ("erin", "frank", "heidi")
    for name in people:
        assert (await api.call("POST", f"/users/{name}/server", who=name, json={"pause": 60}))[0] == 202
    status, answer, headers = await api.call("POST", "/users/ivan/server", who="ivan")
    assert status == 429
    assert int(headers["Retry-After"]) > 0
    assert answer["message"]
    for name in people:
        assert (await api.call("DELETE", f"/users/{name}/server", who=name))[0] == 204
        await api.settled(name)


async def test_tokens_and_other_peoples_resources(api: Client):
    assert (await api.call("GET", "/user", token="nonsense"))[0] == 403
    assert (await api.call("GET", "/users/alice", who="bob"))[0] == 404
    # A token that the seed fixes is like one that the hub made.
    assert api.hub.users["grace"]["token"] == "0f" * 32
    allowed = [(await api.call("GET", "/user", who=who))[1]["scopes"] for who in ("grace", "bob")]
    assert allowed[0] == [scope.replace("=bob", "=grace") for scope in allowed[1]]
    body = {
        "note": "for the bot",
        "expires_in": 3600,
        "scopes": ["servers!user", "read:users!user", "tokens!user"],
    }
    status, minted, _ = await api.call("POST", "/users/grace/tokens", who="grace", json=body)
    assert status == 201
    status, me, _ = await api.call("GET", "/user", token=minted["token"])
    assert (status, me["name"]) == (200, "grace")
    path = f"/users/grace/tokens/{minted['id']}"
    assert (await api.call("DELETE", path, token=minted["token"]))[0] == 204
    assert (await api.call("GET", "/user", token=minted["token"]))[0] == 403
    narrow = {"note": "narrow", "scopes": ["read:users:name!user"]}
    _, minted, _ = await api.call("POST", "/users/grace/tokens", who="grace", json=narrow)
    status, me, _ = await api.call("GET", "/users/grace", token=minted["token"])
    assert (status, "servers" in me) == (200, False)
    assert (await api.call("POST", "/users/grace/server", token=minted["token"]))[0] in {403, 404}


async def test_a_browser_opens_the_ide_of_its_owner_only(api: Client):
    await api.call("POST", "/users/grace/server", who="grace")
    assert (await api.settled("grace"))["ready"] is True
    page = f"{api.hub.url}/user/grace/lab"
    async with browser() as grace:
        status, path, text = await log_in(grace, page, "grace", "a password of her own")
        assert (status, path) == (200, "/user/grace/lab")
        assert "grace" in text
    async with browser() as bob:
        status, _, text = await log_in(bob, page, "bob", api.hub.users["bob"]["password"])
        assert status == 403
        assert "light server" not in text
    async with browser() as stranger:
        assert (await log_in(stranger, page, "grace", api.hub.users["bob"]["password"]))[0] == 403
    await api.call("DELETE", "/users/grace/server", who="grace")


async def test_faults_and_statistics_work_at_both_doors(api: Client):
    origin = api.hub.api_url.removesuffix("/hub/api")
    counted = "GET /hub/api/users/heidi"
    before = (await api.call("GET", f"{origin}/_playground/stats"))[1]["requests"].get(counted, 0)
    fault = {"path": "/hub/api/users/heidi$", "times": 1, "status": 502}
    assert (await api.call("POST", f"{api.hub.url}/_playground/faults", json=fault))[0] == 200
    assert (await api.call("GET", "/users/heidi", who="heidi"))[0] == 502
    assert (await api.call("GET", f"{api.hub.url}/hub/api/users/heidi", who="heidi"))[0] == 200
    _, stats, _ = await api.call("GET", f"{origin}/_playground/stats")
    assert stats["requests"][counted] == before + 2
    assert stats["violations"] == []
    moment = api.hub.harness.clock.now()
    status, answer, _ = await api.call("POST", f"{api.hub.url}/_playground/advance", json={"seconds": 90})
    assert status == 200
    assert answer["now"] >= moment + 90
    for door in (api.hub.url, origin):
        await refuses_strangers(door, "/_playground/stats")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has somebody else to run servers as")
async def test_nobody_gets_a_server_that_runs_as_root(api: Client):
    await api.call("POST", "/users/ivan/server", who="ivan")
    assert (await api.settled("ivan"))["ready"] is True
    assert owners_of(api.hub.process.pid, b"light_server.py") == {pwd.getpwnam("nobody").pw_uid}
    directory = api.hub.directory
    assert (directory / "homes" / "ivan").stat().st_mode & 0o777 == 0o700
    assert (directory / "hub").stat().st_mode & 0o777 == 0o700
    await api.call("DELETE", "/users/ivan/server", who="ivan")


async def test_every_start_has_passwords_of_its_own(api: Client):
    passwords = [person["password"] for person in api.hub.users.values()]
    assert len(set(passwords)) == len(passwords)
    assert min(map(len, passwords)) >= 16
