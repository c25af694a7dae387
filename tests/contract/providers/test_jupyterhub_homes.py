"""A real hub where everybody's servers are on a host of their own (``subdomain_host``)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr
from yarl import URL

from bot.domain.models import Observed, State
from bot.providers.base import Access, Credential
from bot.support.http import Http
from playground.faults import Fault
from playground.jupyterhub import start
from tests.contract.providers.rigs import provider_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEED = {
    "users": [{"name": "alice", "servers": ["training"]}],
    "pause_seconds": 0.2,
    "subdomains": True,
}


class AtHome(Http):
    """Reach what is below localhost, which not every resolver knows."""

    def stream(self, method: str, url: str, **options: Any) -> Any:
        host = URL(url).host or ""
        if host.endswith(".localhost"):
            options["headers"] = {**(options.get("headers") or {}), "Host": URL(url).authority}
            url = url.replace(host, "127.0.0.1", 1)
        return super().stream(method, url, **options)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hub():
    async with start(light=True, seed=SEED) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def provider(hub):
    async with Http.new_session() as session:
        yield provider_of("jupyterhub", AtHome(session), hub.api_url, public_url=hub.url)


def access_of(hub, name):
    return Access(name, Credential(SecretStr(hub.users[name]["token"])))


async def test_a_server_is_opened_on_its_persons_own_host_once_it_answers_there(hub, provider):
    access, port = access_of(hub, "alice"), URL(hub.url).port
    await provider.start(access, "alice/training")
    seen: list[Observed] = []
    while not seen or seen[-1].state is not State.RUNNING:
        seen.append((await provider.status(access, ["alice/training"]))["alice/training"])
        assert seen[-1].state in {State.STARTING, State.RUNNING}
    url = f"http://alice.localhost:{port}/user/alice/training/"
    assert seen[-1].url == url
    assert provider.parse_reference(f"{url}lab") == "alice/training"
    # The local hub's proxy tells the hosts apart: on another one this path is not a server's.
    async with AtHome.new_session() as session:
        for host, status in ((f"alice.localhost:{port}", 200), (f"localhost:{port}", 302)):
            headers = {"Authorization": f"token {hub.users['alice']['token']}"}
            answer = await AtHome(session).request(
                "GET", f"http://{host}/user/alice/training/api/status", headers=headers
            )
            assert answer.status == status
    await provider.stop(access, "alice/training")


async def test_a_hub_with_only_one_word_for_the_address_is_understood_too(hub, provider):
    url = f"http://alice.localhost:{URL(hub.url).port}/user/alice/training/"
    server = {"pending": None, "ready": True, "url": url}
    hub.harness.faults.append(
        Fault(re.compile("/users/alice$"), body=json.dumps({"servers": {"training": server}}))
    )
    seen = (await provider.status(access_of(hub, "alice"), ["alice/training"]))["alice/training"]
    assert seen == Observed(State.RUNNING, url=url, name="training")


@pytest.mark.parametrize(
    "host", ["a.alice.localhost", "alice.localhost.evil.example", "alicelocalhost", "127.0.0.2"]
)
async def test_any_other_host_gets_no_link(hub, provider, host):
    assert provider.allowed_url(f"http://{host}:{URL(hub.url).port}/user/alice/") is None
