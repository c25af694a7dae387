"""Test of a real hub with the real JupyterLab, whose page opens only for its owner."""

import os
import pwd

import pytest

from playground.jupyterhub import start
from tests.playground.hub_help import browser, client, log_in, owners_of
from tests.playground.served import refuses_strangers

pytestmark = pytest.mark.thorough


async def test_jupyterlab_opens_for_its_owner_only():
    async with start(light=False, pause_seconds=0.1) as hub, client(hub) as api:
        assert (await api.call("POST", "/users/alice/servers/training", who="alice"))[0] == 202
        told = [event async for event in api.events("alice", "training")]
        assert told[-1]["ready"] is True, (hub.directory / "hub" / "hub.log").read_text()[-3000:]
        page = f"{hub.url}/user/alice/training/lab"
        users = hub.users
        async with browser() as alice:
            status, path, text = await log_in(alice, page, "alice", users["alice"]["password"])
            assert (status, path) == (200, "/user/alice/training/lab")
            assert "<title>JupyterLab</title>" in text
        async with browser() as bob:
            status, _, text = await log_in(bob, page, "bob", users["bob"]["password"])
            assert status == 403
            assert "<title>JupyterLab</title>" not in text
        status, _, headers = await api.call("GET", page)
        assert status == 302
        assert headers["Location"].startswith("/hub/api/oauth2/authorize")

        for door in (hub.url, hub.api_url.removesuffix("/hub/api")):
            await refuses_strangers(door, "/_playground/stats")
        passwords = {person["password"] for person in users.values()}
        assert (len(passwords), min(map(len, passwords)) >= 16) == (len(users), True)

        base = f"{hub.url}/user/alice/training/api"
        assert (await api.call("GET", f"{base}/status", who="alice"))[0] == 200
        status, kernel, _ = await api.call("POST", f"{base}/kernels", who="alice", json={"name": "python3"})
        assert (status, kernel["name"]) == (201, "python3")
        if os.geteuid() == 0:
            for argument in (b"jupyterhub.singleuser", b"ipykernel_launcher"):
                assert owners_of(hub.process.pid, argument) == {pwd.getpwnam("nobody").pw_uid}, argument
