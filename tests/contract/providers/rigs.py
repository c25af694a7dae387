"""The rigs of the providers in this repository, for the conformance kit."""

import tomllib
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.providers import list_provider_classes
from bot.providers.base import Access, Credential
from bot.providers.facets import OAuthClient
from bot.support.errors import UnknownOutcome
from bot.support.http import Http
from bot.web.browsers import Flow
from playground import saturn
from playground.harness import Clock
from tests.playground.hub_help import browser, log_in
from tests.project.repository import ROOT
from tests.rigs import hubs, saturn_document
from tests.rigs.clock import FakeClock
from usher.conformance import rigs as conformance
from usher.conformance.rigs import FacetValues, ImpatientHttp, Rig, build_row, raises_exactly

__all__ = ["FacetValues", "ImpatientHttp", "Rig", "build_row", "raises_exactly"]

#: The demonstration's recipe, for connections that create workspaces from one.
COURSE = Path(saturn.__file__).parents[1] / "demo" / "course.json"
HUB_BACK = "http://127.0.0.1:1/link/back/jupyterhub"
HUB_PEOPLE = [f"person{number:03d}" for number in range(120)]
HUB_SEED = {
    "users": [{"name": name, "servers": ["training", "broken"]} for name in (*HUB_PEOPLE, "bob")],
    "pause_seconds": 0.2,
    "named_server_limit": 3,
    "oauth_redirect_uri": HUB_BACK,
}
#: The operations that the code uses, from Saturn Cloud's published API specification.
LISTED = set(
    tomllib.loads((ROOT / "tests/project/schemas/contracts.toml").read_text())["saturn"]["operations"]
)
NO_ROOM = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
SATURN_ADMIN = "ad01" * 8
SATURN_SEED = {
    "users": [
        {"name": "alice", "token": "a11ce0" * 5, "refresh_token": "refresh-alice"},
        {"name": "bob", "token": "b0b0b0" * 5},
        {"name": "admin", "admin": True, "token": SATURN_ADMIN},
    ],
    "jobs": [{"owner": "alice", "name": "nightly", "command": "papermill a.ipynb"}],
    "workspaces": [
        {"owner": "alice", "name": "training", "start_seconds": 25},
        {"owner": "alice", "name": "broken", "fail": True},
        {"owner": "alice", "name": 'Ana\'s "quick" 🚀 <!channel>\u202e'},
        {"owner": "alice", "name": "notes", "status": "running"},
        {"owner": "bob", "name": "secret"},
    ],
}


def provider_of(kind: str, http: Http, base_url: str, **more: Any) -> Any:
    """Build the provider of a kind, with the facets that it supports."""
    if kind == "sphere":
        more.setdefault("access_token", "t0ken-of-the-account")
    return conformance.build_provider(list_provider_classes()[kind], http, base_url, **more)


@asynccontextmanager
async def saturn_rig(
    seed: Any = None, client: type[Http] = Http, dialect: str = "guide", recipe: Path = COURSE
):
    """Yield a rig of Saturn Cloud.

    In the dialect of the published document, all requests and answers are checked against it.
    """
    clock, window = Clock(lambda: 1_700_000_000.0), FakeClock()
    server = saturn.build(clock=clock, seed={"dialect": dialect, "page_size": 3, **(seed or SATURN_SEED)})
    findings = saturn_document.Findings()
    if dialect != "guide":
        server.app.middlewares.append(saturn_document.checking(findings))
    async with TestServer(server.app, host="127.0.0.1") as listening, Http.new_session() as session:
        users = server.credentials["users"]
        alice = users["alice"]
        provider = provider_of("saturn", client(session, window.monotonic), str(listening.make_url("")))
        yield Rig(
            provider=provider,
            access=Access("alice", Credential(SecretStr(alice["token"]))),
            harness=server.harness,
            remote_id=alice["workspaces"]["training"],
            broken_id=alice["workspaces"]["broken"],
            foreign_id=users["bob"]["workspaces"]["secret"],
            missing_id="0" * 32,
            names={"training", "broken", 'Ana\'s "quick" 🚀 <!channel>', "notes"},
            clock=window,
            server_clock=clock,
            server=server,
            other_ids=alice["workspaces"],
            expected_errors={
                ("check_credential", 404): None
            },  # a server that names nobody is one of the guides
            state_pointer="/status",
            url_pointer="/url",
            list_pointer="/recipes",
            entry_id_pointer="/state/id",
            entry_name_pointer="/spec/name",
            entry_state_pointer="/state/status",
            endless_list_patch=[{"op": "replace", "path": "/next_key", "value": "again"}],
            list_requests="GET /api/recipes",
            # Answers in the dialect of the guides don't say who owns a workspace.
            admin=None if dialect == "guide" else Access("admin", Credential(SecretStr(SATURN_ADMIN))),
            facet_values=FacetValues(
                settings={
                    "creation": {"templates": [{"name": "course", "file": str(recipe)}]},
                    "impersonation": {"linking": ["admin"], "admin_token": SATURN_ADMIN},
                    "emaillookup": {"linking": ["admin"], "admin_token": SATURN_ADMIN},
                },
                form_values={"job": {"template": "nightly"}},
                expired_credential=lambda: _ended(server, alice["token"]),
                username=lambda: "alice",
                expected_reason=lambda rig: _waits(rig, dialect),
            ),
        )
    assert findings.problems == [], findings.problems
    assert findings.asked <= LISTED, findings.asked - LISTED


def _waits(rig: Any, dialect: str) -> str:
    """Make the server run out of machines, and return the reason it gives: only newer servers give one."""
    rig.server.state.resources[rig.remote_id].condition = NO_ROOM
    return "" if dialect == "guide" else NO_ROOM


def _ended(server: Any, token: str) -> Credential:
    server.state.accounts.mark("alice", "expired")
    return Credential(SecretStr(token), SecretStr("refresh-alice"))


class LazyHub:
    """A hub that is started by the first test that needs it.

    Each test that changes things gets a person of its own.
    """

    def __init__(self, stack: AsyncExitStack, release: int) -> None:
        self._stack, self._release = stack, release
        self._hub: Any = None
        self._people = iter(HUB_PEOPLE[1:])

    async def get(self) -> Any:
        if self._hub is None:
            from playground.jupyterhub import start

            seed = {**HUB_SEED, "python": hubs.find_python(self._release)}
            self._hub = await self._stack.enter_async_context(start(light=True, seed=seed))
            assert self._hub.version.startswith(f"{self._release}.")
        return self._hub

    @asynccontextmanager
    async def rig(self, name: str | None = None, client: type[Http] = Http):
        hub, person, window = await self.get(), name or next(self._people), FakeClock()
        async with Http.new_session() as session:
            http = client(session, window.monotonic)
            yield Rig(
                provider=provider_of(
                    "jupyterhub",
                    http,
                    hub.api_url,
                    public_url=hub.url,
                    client_secret=hub.oauth_client_secret,
                ),
                access=Access(person, Credential(SecretStr(hub.users[person]["token"]))),
                harness=hub.harness,
                remote_id=f"{person}/training",
                broken_id=f"{person}/broken",
                foreign_id="bob/training",
                missing_id=f"{person}/nothing-here",
                names={"default", "training", "broken"},
                clock=window,
                request_counts={"read": 2},  # the list, and why what is down is down
                # A hub before 5.0 can't cancel a start.
                can_stop_starting=self._release >= 5,
                # The hub answers 500 to a start that has failed.
                expected_errors={("start", one): UnknownOutcome for one in (500, 501)},
                server=hub,
                facet_values=FacetValues(
                    form_values={"workspace": {"name": "made"}},
                    sign_in=partial(_sign_in, hub, person),
                ),
            )
        hub.harness.faults.clear()


class LazyHubs:
    """Provide rigs on one shared hub of each release."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._hubs = {release: LazyHub(stack, release) for release in hubs.ALL}

    def rig(
        self, release: int = hubs.NEWEST, name: str | None = None, client: type[Http] = Http
    ) -> AbstractAsyncContextManager[Rig]:
        return self._hubs[release].rig(name, client)


async def returned(session: aiohttp.ClientSession, client: OAuthClient, flow: Flow) -> str:
    """Open the hub's page in a browser that is signed in there, and return the code from its redirect."""
    page = client.authorization_url(HUB_BACK, flow.state, flow.challenge)
    async with session.get(page, allow_redirects=False) as sent:
        assert sent.status == 302, await sent.text()
        to = sent.headers["Location"]
    query = parse_qs(urlsplit(to).query)
    assert (to.partition("?")[0], query["state"]) == (HUB_BACK, [flow.state])
    return query["code"][0]


async def _sign_in(hub: Any, person: str, client: OAuthClient, flow: Flow) -> tuple[str, str]:
    async with browser() as session:
        await log_in(session, f"{hub.url}/hub/home", person, hub.users[person]["password"])
        return await returned(session, client, flow), HUB_BACK
