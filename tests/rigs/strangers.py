"""Servers that an operator may enter as a connection: one per provider, and some that aren't providers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from aiohttp.test_utils import TestServer

from playground import posit, saturn, sphere
from playground.harness import Clock
from playground.slack import build as build_slack
from tests.rigs.hubs import NEWEST, list_full_scopes

#: The user whose account each provider's token belongs to, and the user's workspace.
OWNER, OWN = "alice", "asleep"
TOKEN: Final = "a11ce0" * 5
_USERS: Final = [{"name": OWNER, "token": TOKEN}]
_SEEDS: Final[dict[str, dict[str, Any]]] = {
    "saturn": {"users": _USERS, "workspaces": [{"owner": OWNER, "name": OWN}]},
    "posit": {"users": _USERS, "sessions": [{"owner": OWNER, "name": OWN, "state": "suspended"}]},
    "sphere": {"access_token": TOKEN, "projects": []},
}
#: The response of each of the other servers to every request.
_ANSWERS: Final[dict[str, tuple[int, str, str]]] = {
    "nothing there": (404, "application/json", '{"message": "Not found"}'),
    "a page": (200, "text/html", "<html>Sign in</html>"),
    "whatever is asked": (200, "application/json", '{"version": "5.2", "message": "good"}'),
    "a door": (401, "application/json", '{"message": "Sign in first"}'),
}
KINDS: Final = ("jupyterhub", "posit", "saturn", "sphere")
SERVERS: Final = (*KINDS, "slack", *_ANSWERS)


@dataclass(frozen=True)
class Stranger:
    """A server's address, and the requests that it received."""

    url: str
    requests: list[web.Request]


@asynccontextmanager
async def stranger(name: str) -> AsyncIterator[Stranger]:
    """Run one of ``SERVERS``, and yield its address and requests."""
    asked: list[web.Request] = []

    @web.middleware
    async def keeping(request: web.Request, handler: Any) -> web.StreamResponse:
        asked.append(request)
        response: web.StreamResponse = await handler(request)
        return response

    app = _app(name)
    app.middlewares.insert(0, keeping)
    async with TestServer(app, host="127.0.0.1") as listening:
        yield Stranger(str(listening.make_url("")).rstrip("/"), asked)


def _app(name: str) -> web.Application:
    clock = Clock(lambda: 1_700_000_000.0)
    if name in _SEEDS:
        servers: dict[str, Any] = {"saturn": saturn, "posit": posit, "sphere": sphere}
        app: web.Application = servers[name].build(clock=clock, seed=_SEEDS[name]).app
        return app
    if name == "slack":
        return build_slack(clock=clock).app
    app = web.Application()
    if name == "jupyterhub":
        app.router.add_get("/hub/api/", _version)
        app.router.add_get("/hub/api/user", _user)
        app.router.add_get(f"/hub/api/users/{OWNER}", _user)
        app.router.add_route("*", "/hub/api/{rest:.*}", _absent)
        app.router.add_route("*", "/{rest:.*}", _to_the_hub)
        return app
    status, kind, text = _ANSWERS[name]

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, text=text, content_type=kind)

    app.router.add_route("*", "/{rest:.*}", answer)
    return app


_VERSION: Final = "6.1.1"


# -- a hub: a bad token is 403, and other paths lead to its pages (docs/internals/providers/jupyterhub.md) ---


async def _version(_request: web.Request) -> web.Response:
    return web.json_response({"version": _VERSION}, headers={"X-JupyterHub-Version": _VERSION})


async def _user(request: web.Request) -> web.Response:
    if request.headers.get("Authorization") not in {f"token {TOKEN}", f"Bearer {TOKEN}"}:
        return web.json_response({"status": 403, "message": "Missing or invalid credentials."}, status=403)
    scopes, servers = list_full_scopes(NEWEST, OWNER), {OWN: {"name": OWN, "stopped": True}}
    told = {"name": OWNER, "kind": "user", "groups": [], "scopes": scopes, "servers": servers}
    return web.json_response(told, headers={"X-JupyterHub-Version": _VERSION})


async def _absent(_request: web.Request) -> web.Response:
    return web.json_response({"status": 404, "message": "Not Found"}, status=404)


async def _to_the_hub(request: web.Request) -> web.Response:
    raise web.HTTPFound(f"/hub{request.path}")
