"""A local Lagoon, and what the kit needs to know of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from usher_lagoon import Lagoon

from playground.harness import Clock, Harness, refusals
from usher.conformance.rigs import FrozenClock, Http, Rig, build_provider
from usher.provider import Access, Credential

TOKEN = "a11ce" * 8
BOOT_SECONDS = 15


def refused(_status: int, message: str = "injected fault") -> dict[str, dict[str, str]]:
    """Return the body of an error as Lagoon puts it, also of one that the kit injects."""
    return {"error": {"message": message}}


class LocalLagoon:
    """A Lagoon with two workspaces, both alice's."""

    def __init__(self) -> None:
        self.clock = Clock(lambda: 1_700_000_000.0)
        self.harness = Harness(self.clock, refused)
        self.states = {"training": "off", "broken": "off"}
        self.on_at = 0.0
        self.app = web.Application(middlewares=[refusals(refused)])
        self.app.router.add_get("/api/version", self.version)
        self.app.router.add_get("/api/me", self.me)
        self.app.router.add_get("/api/workspaces", self.list)
        self.app.router.add_get("/api/workspaces/{id}", self.read)
        self.app.router.add_post("/api/workspaces/{id}/{verb:start|stop}", self.change)
        self.app.router.add_get("/ide/{id}", self.ide)
        self.harness.install(self.app)

    def check(self, request: web.Request) -> None:
        if request.headers.get("X-Lagoon-Token") != TOKEN:
            raise web.HTTPUnauthorized

    async def version(self, _request: web.Request) -> web.Response:
        return web.json_response({"version": "4.2"})

    async def me(self, request: web.Request) -> web.Response:
        self.check(request)
        return web.json_response({"name": "alice"})

    async def list(self, request: web.Request) -> web.Response:
        self.check(request)
        return web.json_response({"workspaces": [self.shown(request, name) for name in self.states]})

    async def read(self, request: web.Request) -> web.Response:
        self.check(request)
        return web.json_response(self.shown(request, self.named(request)))

    async def change(self, request: web.Request) -> web.Response:
        self.check(request)
        name, verb = self.named(request), request.match_info["verb"]
        if name == "broken":
            self.states[name] = "broken"
        elif verb == "stop":
            self.states[name] = "off"
        elif self.states[name] == "off":
            self.states[name], self.on_at = "booting", self.clock.now() + BOOT_SECONDS
        return web.json_response({}, status=202)

    async def ide(self, request: web.Request) -> web.Response:
        is_on = self.states.get(request.match_info["id"]) == "on"
        return web.Response(status=200 if is_on else 502)

    def named(self, request: web.Request) -> str:
        if request.match_info["id"] not in self.states:
            raise web.HTTPNotFound
        return request.match_info["id"]

    def shown(self, request: web.Request, name: str) -> dict[str, str]:
        if self.clock.now() >= self.on_at and self.states["training"] == "booting":
            self.states["training"] = "on"
        url = f"{request.scheme}://{request.host}/ide/{name}"
        return {"id": name, "name": name, "state": self.states[name], "url": url}


@pytest.fixture
def open_rig():
    """Open the local server with a provider that uses it."""

    @asynccontextmanager
    async def opened(client: type[Http]) -> AsyncIterator[Rig]:
        server, window = LocalLagoon(), FrozenClock()
        async with TestServer(server.app, host="127.0.0.1") as listening, Http.new_session() as session:
            http = client(session, window.monotonic)
            yield Rig(
                provider=build_provider(Lagoon, http, str(listening.make_url(""))),
                access=Access("alice", Credential(SecretStr(TOKEN))),
                harness=server.harness,
                clock=window,
                server_clock=server.clock,
                remote_id="training",
                broken_id="broken",
                foreign_id="secret",
                missing_id="nothing",
                names={"training", "broken"},
                state_pointer="/state",
                id_pointer="/id",
                url_pointer="/url",
                list_pointer="/workspaces",
                entry_state_pointer="/state",
                entry_id_pointer="/id",
                entry_name_pointer="/name",
                list_requests="GET /api/workspaces$",
            )

    return opened
