"""Servers that other people share with a person, at real hubs of each release that supports sharing."""

import asyncio

import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot.domain.workspaces import State
from bot.providers.base import Access, Credential
from bot.providers.jupyterhub.provider import JupyterHub
from bot.support import errors
from bot.support.http import Http
from playground.jupyterhub import start
from tests.playground.hub_help import client
from tests.rigs.hubs import find_python, list_params
from tests.rigs.scenario import world
from usher.conformance.rigs import PRINCIPAL, build_provider

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALL_OF_IT = {
    5: ("access:servers", "read:servers", "servers", "delete:servers"),
    6: ("access:servers", "read:servers", "start:servers", "delete:servers"),
}


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=list_params("hub-shares")[:2])
async def hub(request):
    """A hub on which Bob and Alice share servers.

    Bob shares *theirs* with Alice completely, and *looked-at* only for opening. With the group of both, he
    shares *theirs* and *secret*, and Alice shares *mine*, each only for opening.
    """
    bobs = {"name": "bob", "servers": ["theirs", "looked-at", "secret"]}
    users = [{"name": "alice", "servers": ["mine"]}, bobs]
    seed = {
        "users": [*users, {"name": "root", "admin": True}],
        "pause_seconds": 0.2,
        "python": find_python(request.param),
    }
    async with start(light=True, seed=seed) as running, client(running) as api:
        for name in ("alice", "root"):
            # A token whose permissions were left empty has all permissions of its owner.
            password = running.users[name]["password"]
            body = {"auth": {"username": name, "password": password}}
            running.users[name]["token"] = (await api.call("POST", f"/users/{name}/tokens", json=body))[1][
                "token"
            ]
        for name, scopes in (("theirs", ALL_OF_IT[request.param]), ("looked-at", ("access:servers",))):
            given = [f"{scope}!server=bob/{name}" for scope in scopes]
            body = {"user": "alice", "scopes": given}
            assert (await api.call("POST", f"/shares/bob/{name}", who="root", json=body))[0] == 200
        await api.call("POST", "/groups/team", who="root", json={"users": ["alice", "bob"]})
        for server in ("bob/theirs", "bob/secret", "alice/mine"):
            body = {"group": "team", "scopes": [f"access:servers!server={server}"]}
            assert (await api.call("POST", f"/shares/{server}", who="root", json=body))[0] == 200
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def provider(hub):
    async with Http.new_session() as session:
        yield build_provider(JupyterHub, Http(session), hub.api_url, public_url=hub.url)


async def until(provider, access, state):
    for _ in range(100):
        (seen,) = (await provider.status(access, ["bob/theirs"])).values()
        if seen.state is state:
            return seen
        await asyncio.sleep(0.2)
    raise AssertionError(f"it is still {seen.state}")


async def test_a_full_token_starts_opens_and_stops_what_is_shared_whole(hub, provider):
    access = Access("alice", Credential(SecretStr(hub.users["alice"]["token"])))
    found = {one.remote_id: one.observed for one in await provider.discover(access)}
    assert set(found) == {"alice/", "alice/mine", "bob/theirs", "bob/looked-at"}
    for own in ("alice/", "alice/mine"):
        assert (found[own].owner, found[own].actions) == (None, None)
    assert (found["bob/theirs"].owner, found["bob/theirs"].state) == ("bob", State.STOPPED)
    assert found["bob/theirs"].actions == {"open", "start", "stop"}
    assert found["bob/looked-at"].actions == {"open"}
    row = provider.to_workspace("bob/theirs", found["bob/theirs"], PRINCIPAL)
    await provider.start(access, row)
    seen = await until(provider, access, State.RUNNING)
    assert seen.url == f"{hub.url}/user/bob/theirs/"
    own = (await provider.check_credential(access.credential)).credential
    ours = Access("alice", own)
    (read,) = (await provider.status(ours, ["bob/theirs"])).values()
    assert (read.state, read.url, read.owner, read.actions) == (State.RUNNING, seen.url, "bob", {"open"})
    with pytest.raises(errors.NotFound):
        await provider.remove(access, row)
    await provider.stop(access, row)
    assert not (await until(provider, access, State.STOPPED)).url


async def test_what_is_not_shared_is_not_there(hub, provider):
    access = Access("alice", Credential(SecretStr(hub.users["alice"]["token"])))
    (seen,) = (await provider.status(access, ["bob/secret"])).values()
    assert (seen.state, seen.owner) == (State.GONE, None)
    with pytest.raises(errors.NotFound):
        await provider.start(access, provider.to_workspace("bob/secret", seen, PRINCIPAL))


def linked_by_token(hub, *names):
    """Return the options of a world in which these people link their accounts on the hub with a token."""
    connection = {
        "name": "hub",
        "provider": "jupyterhub",
        "title": "Team hub",
        "linking": ["token"],
        "base_url": hub.api_url,
        "public_url": hub.url,
    }
    tokens = {"hub": {name: hub.users[name]["token"] for name in names}}
    return {"connections": {"hub": connection}, "tokens": tokens, "live": True}


async def test_whose_it_is_stands_in_the_list_and_what_is_taken_back_is_not_called_gone(hub, tmp_path):
    async with world(tmp_path, **linked_by_token(hub, "alice")) as live, client(hub) as api:
        alice = live.alice
        await alice.links("alice", "hub")

        async def lists(text):
            for _ in range(100):
                said = (await alice.types("list")).text
                if text in said:
                    return said
                await asyncio.sleep(0.2)
            raise AssertionError(said)

        assert "*looked-at* · bob's · Team hub" in await lists("*theirs* · bob's · Team hub")
        assert "bob's on Team hub, and I only work with" in (await alice.types("add bob/secret")).text
        assert "off your list" in (await alice.types("forget theirs")).text
        assert "is back on your list" in (await alice.types("add bob/theirs")).text
        refused = await alice.types("remove looked-at")
        assert "gone" not in refused.text
        path = "/shares/bob/looked-at"
        assert (await api.call("PATCH", path, who="root", json={"user": "alice"}))[0] == 200
        for _ in range(100):
            said = (await alice.types("status looked-at")).text
            if "Not in your account" in said:
                break
            await asyncio.sleep(0.3)
        assert "Not in your account" in said
        assert "doesn't show *looked-at* to your account" in (await alice.types("open looked-at")).text


async def test_a_server_that_its_owner_starts_is_not_called_stopped_by_who_sees_less(hub, tmp_path):
    async with world(tmp_path, **linked_by_token(hub, "alice", "bob")) as live, client(hub) as api:
        # A start without a body keeps the options of the one before.
        path = "/users/bob/servers/theirs"
        await api.call("POST", path, who="bob", json={"pause": 6})
        for _ in range(100):
            if (await api.call("DELETE", path, who="bob"))[0] == 204:
                break
            await asyncio.sleep(0.2)
        for person, name in ((live.alice, "alice"), (live.bob, "bob")):
            await person.links(name, "hub")
        for person in (live.alice, live.bob):
            for _ in range(100):
                if "theirs" in (await person.types("list")).text:
                    break
                await asyncio.sleep(0.2)
        await live.bob.types("start theirs")
        said = []
        for _ in range(120):
            said = [shown.kind for shown in live.bob.sees() if shown.kind in {"ready", "failed"}]
            if said:
                break
            await asyncio.sleep(0.3)
        assert said == ["ready"]
