"""What the contract needs of each provider's local server, under one interface."""

import re
import tomllib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.domain.forms import Purpose
from bot.domain.observed import Observed
from bot.domain.workspaces import State
from bot.providers import base, build, provider_classes
from bot.providers.base import Access, Credential, OAuthClient, Provider
from bot.support.http import Http
from bot.web.browsers import Flow
from playground import saturn
from playground.faults import Fault
from playground.harness import Clock, Harness
from tests.playground.hub_help import browser, log_in
from tests.project.repository import ROOT
from tests.rigs import saturn_document
from tests.rigs.clock import FakeClock

#: The recipe of the demonstration, for connections that make workspaces of one.
COURSE = Path(saturn.__file__).parents[1] / "demo" / "course.json"
HUB_BACK = "http://127.0.0.1:1/link/back/jupyterhub"
HUB_PEOPLE = [f"person{number:02d}" for number in range(90)]
HUB_SEED = {
    "users": [{"name": name, "servers": ["training", "broken"]} for name in (*HUB_PEOPLE, "bob")],
    "pause_seconds": 0.2,
    "named_server_limit": 3,
    "oauth_redirect_uri": HUB_BACK,
}
#: The operations of its published document that the code uses.
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


#: Within how many reads, ten seconds apart, whatever was asked for has come about.
MOST_READS = 60


class HastyHttp(Http):
    """Wait for a second only, so that no test waits for the usual time-outs."""

    def stream(self, method: str, url: str, **options: Any) -> Any:
        return super().stream(method, url, **{**options, "total": 1.0})


@contextmanager
def exactly(kind: type[Exception]) -> Iterator[pytest.ExceptionInfo[Exception]]:
    """Expect an error of just this kind, not of one below it."""
    with pytest.raises(kind) as caught:
        yield caught
    assert type(caught.value) is kind


def at_each(name: str, values: Iterable[Any], *elsewhere: Any) -> pytest.MarkDecorator:
    """Try every value at Saturn Cloud, and some at the others: all read answers by one mapping."""
    kinds = sorted(provider_classes())
    cases = [(kind, value) for kind in kinds for value in (values if kind == "saturn" else elsewhere)]
    return pytest.mark.parametrize(("quiet_rig", name), cases, indirect=["quiet_rig"])


def _unsaid() -> Any:
    raise AssertionError("the rig of this provider has to say it: it has a facet that needs it")


@dataclass
class Sides:
    """What the contracts of a provider's facets need, and only its rig knows."""

    #: The connection's settings for a facet, on top of the usual ones.
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: What somebody fills in to make a workspace or launch a run, apart from what stands there already.
    values: dict[Purpose, dict[str, str]] = field(default_factory=dict)
    #: A credential that has ended, and can be renewed.
    ended: Callable[[], Credential] = _unsaid
    #: Sign the person in at the provider's page, and return the code that it sends back, and where.
    sign_in: Callable[[OAuthClient, Flow], Awaitable[tuple[str, str]]] = _unsaid
    #: The name by which the person is approved.
    username: Callable[[], str] = _unsaid
    #: Let the person's workspace wait for something when it is started, and return what is said of that.
    reason: Callable[[Any], str] = _unsaid
    #: The headers and body of an event about the person's workspace.
    event: Callable[[], tuple[dict[str, str], bytes]] = _unsaid


@dataclass
class Rig:
    """One provider against its local server, with a person's account and ids of workspaces."""

    provider: Provider
    access: Access
    harness: Harness
    remote_id: str
    broken_id: str
    foreign_id: str
    missing_id: str
    names: set[str]
    #: Monotonic time of the client's send windows.
    clock: FakeClock
    #: A state is settled by moving this clock; None where the server lives in real time.
    server_clock: Clock | None = None
    server: Any = None
    more: dict[str, str] = field(default_factory=dict)
    #: How a workspace stands before it is started, and how it may stand once it is stopped.
    rest: State = State.STOPPED
    down: frozenset[State] = frozenset({State.STOPPED})
    #: Which of a method's requests is the one that counts, and how many it sends, where that is not one.
    paths: dict[str, str] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    #: Let the next start of the broken one fail, where that is not its nature.
    break_it: Callable[[], None] = lambda: None
    #: What must not come back in a message, where it is not the person's own token.
    token: str = ""
    #: Whether what is only starting can be stopped.
    stops_starting: bool = True
    sides: Sides = field(default_factory=Sides)

    async def see(self, remote_id: str | None = None) -> Observed:
        asked = remote_id or self.remote_id
        if self.server_clock is not None:
            self.server_clock.advance(10)
        return (await self.provider.status(self.access, [asked]))[asked]

    async def until(self, *states: State, remote_id: str | None = None) -> list[Observed]:
        """Read until one of the states is there and return all that was seen."""
        seen = [await self.see(remote_id)]
        while seen[-1].state not in states:
            # By a clock that is moved, a state comes within as many reads each time.
            assert self.server_clock is None or len(seen) < MOST_READS, f"it is still {seen[-1].state}"
            seen.append(await self.see(remote_id))
        return seen

    def spoil(self, path: str = "", *, of: str = "", **fault: Any) -> None:
        """Spoil the next request, or the one that counts ``of`` a method."""
        self.harness.faults.append(Fault(re.compile(path or self.paths.get(of, "")), **fault))

    def starts(self) -> int:
        """Count the start calls for the person's workspace that arrived."""
        if "start" in self.paths:
            return self.harness.requests[f"POST /api/{self.paths['start']}"]
        # At the hub others' starts are counted too: a person's name is in the path there, the id at Saturn.
        mine = {self.access.username, self.remote_id}
        counted = self.harness.requests.items()
        calls = ("POST", "PUT")
        return sum(n for path, n in counted if path.startswith(calls) and mine & set(path.split("/")))

    async def listing(self) -> Any:
        """Ask for the list that the provider has: the person's workspaces, or what one is made from."""
        if isinstance(self.provider, base.Lists):
            return await self.provider.discover(self.access)
        return await self.provider.templates(self.access)

    @property
    def secret(self) -> str:
        return self.token or self.access.credential.token.get_secret_value()

    def sent(self) -> int:
        return sum(self.harness.requests.values())

    def with_token(self, token: str) -> Access:
        return Access(self.access.username, Credential(SecretStr(token)))


def provider_of(kind: str, http: Http, base_url: str, **more: Any) -> Provider:
    model = provider_classes()[kind].settings_model
    if kind == "sphere":
        more.setdefault("access_token", "t0ken-of-the-account")
    settings = {"name": kind, "provider": kind, "title": "The cloud", "base_url": base_url, **more}
    return build(model.model_validate(settings), http)


@asynccontextmanager
async def saturn_rig(
    seed: Any = None, client: type[Http] = Http, dialect: str = "guide", recipe: Path = COURSE
):
    """A rig of Saturn Cloud; where it speaks the published document, all that is said is held against it."""
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
            more=alice["workspaces"],
            sides=Sides(
                settings={
                    "making": {"templates": [{"name": "course", "file": str(recipe)}]},
                    "behalf": {"linking": ["admin"], "admin_token": SATURN_ADMIN},
                    "addresses": {"linking": ["admin"], "admin_token": SATURN_ADMIN},
                },
                values={"job": {"template": "nightly"}},
                ended=lambda: _ended(server, alice["token"]),
                username=lambda: "alice",
                reason=lambda rig: _waits(rig, dialect),
            ),
        )
    assert findings.problems == [], findings.problems
    assert findings.asked <= LISTED, findings.asked - LISTED


def _waits(rig: Any, dialect: str) -> str:
    """Let no machine have room; only newer servers say so."""
    rig.server.state.resources[rig.remote_id].condition = NO_ROOM
    return "" if dialect == "guide" else NO_ROOM


def _ended(server: Any, token: str) -> Credential:
    server.state.accounts.mark("alice", "expired")
    return Credential(SecretStr(token), SecretStr("refresh-alice"))


class LazyHub:
    """Start one hub when the first test asks, and give each test that changes things a person of its own."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self._hub: Any = None
        self._people = iter(HUB_PEOPLE[1:])

    async def get(self) -> Any:
        if self._hub is None:
            pytest.importorskip("jupyterhub")
            from playground.jupyterhub import start

            self._hub = await self._stack.enter_async_context(start(light=True, seed=HUB_SEED))
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
                server=hub,
                sides=Sides(
                    values={"workspace": {"name": "made"}},
                    sign_in=partial(_sign_in, hub, person),
                ),
            )
        hub.harness.faults.clear()


async def returned(session: aiohttp.ClientSession, client: OAuthClient, flow: Flow) -> str:
    """Go to the hub's page in a browser that is signed in there; return the code that it comes back with."""
    page = client.page(HUB_BACK, flow.state, flow.challenge)
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
