"""A local Lagoon for the conformance kit and Usher's demo: its API, token page and IDEs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from aiohttp import web

from playground.harness import Clock, Harness, refusals, run_server

#: The initial data of a local Lagoon: people's tokens, workspaces' owners, and the duration of a start.
SEED: dict[str, Any] = {
    "tokens": {"alice": "a11ce" * 8, "bob": "0b0b0" * 8},
    "owners": {"training": "alice", "broken": "alice", "secret": "bob"},
    "boot_seconds": 15,
}
LOGIN = (
    '<form method="post">Name <input name="username"> Token <input name="password"><button>Sign in</button>'
)


def refused(_status: int, message: str = "injected fault") -> dict[str, dict[str, str]]:
    """Return the body of an error in Lagoon's format. The kit uses the same format for injected errors."""
    return {"error": {"message": message}}


class LocalLagoon:
    """Serves a Lagoon on 127.0.0.1."""

    def __init__(self, seed: Mapping[str, Any] = SEED, clock: Clock | None = None) -> None:
        self.seed = seed
        self.clock = clock or Clock()
        self.harness = Harness(self.clock, refused)
        self.states = dict.fromkeys(seed["owners"], "off")
        self.on_at: dict[str, float] = {}
        self.app = web.Application(middlewares=[refusals(refused)])
        self.app.router.add_get("/api/version", self.version)
        self.app.router.add_get("/api/me", self.me)
        self.app.router.add_get("/api/workspaces", self.list)
        self.app.router.add_get("/api/workspaces/{id}", self.read)
        self.app.router.add_post("/api/workspaces/{id}/{verb:start|stop}", self.change)
        self.app.router.add_route("*", "/login", self.login)
        self.app.router.add_get("/tokens", self.tokens)
        self.app.router.add_get("/ide/{id}", self.ide)
        self.harness.install(self.app)

    def person(self, token: str | None) -> str:
        """Return the owner of a token."""
        for name, own in self.seed["tokens"].items():
            if own == token:
                return str(name)
        raise web.HTTPUnauthorized

    def workspace(self, request: web.Request, token: str | None) -> str:
        """Return the workspace named in a request, which must belong to the user."""
        name, person = request.match_info["id"], self.person(token)
        if self.seed["owners"].get(name) != person:
            raise web.HTTPNotFound
        if self.clock.now() >= self.on_at.get(name, 0.0) and self.states[name] == "booting":
            self.states[name] = "on"
        return name

    def describe(self, request: web.Request, name: str) -> dict[str, str]:
        """Return a workspace as the API shows it."""
        url = f"{request.scheme}://{request.host}/ide/{name}"
        return {"id": name, "name": name, "state": self.states[name], "url": url}

    async def version(self, _request: web.Request) -> web.Response:
        """Return the version to anyone."""
        return web.json_response({"version": "4.2"})

    async def me(self, request: web.Request) -> web.Response:
        """Return the token's owner."""
        return web.json_response({"name": self.person(request.headers.get("X-Lagoon-Token"))})

    async def list(self, request: web.Request) -> web.Response:
        """List a user's workspaces."""
        person = self.person(request.headers.get("X-Lagoon-Token"))
        own = [name for name, owner in self.seed["owners"].items() if owner == person]
        return web.json_response({"workspaces": [self.describe(request, name) for name in own]})

    async def read(self, request: web.Request) -> web.Response:
        """Read a workspace."""
        name = self.workspace(request, request.headers.get("X-Lagoon-Token"))
        return web.json_response(self.describe(request, name))

    async def change(self, request: web.Request) -> web.Response:
        """Start or stop a workspace. The one named "broken" always fails."""
        name = self.workspace(request, request.headers.get("X-Lagoon-Token"))
        if name == "broken":
            self.states[name] = "broken"
        elif request.match_info["verb"] == "stop":
            self.states[name] = "off"
        elif self.states[name] == "off":
            self.states[name] = "booting"
            self.on_at[name] = self.clock.now() + self.seed["boot_seconds"]
        return web.json_response({}, status=202)

    async def login(self, request: web.Request) -> web.Response:
        """Log a browser in as a user, whose token is the password."""
        token = str((await request.post()).get("password", ""))
        page = f"Signed in as {self.person(token)}." if request.method == "POST" else LOGIN
        response = web.Response(text=page, content_type="text/html")
        response.set_cookie("lagoon", token, httponly=True)
        return response

    async def tokens(self, request: web.Request) -> web.Response:
        """Show the token of the user who is signed in."""
        token = request.cookies.get("lagoon")
        return web.Response(text=f"{self.person(token)}'s token: {token}")

    async def ide(self, request: web.Request) -> web.Response:
        """Show a workspace's IDE to its owner, once the workspace is running."""
        name = self.workspace(request, request.cookies.get("lagoon"))
        return web.Response(text=f"The IDE of {name}", status=200 if self.states[name] == "on" else 502)


def build(seed: Mapping[str, Any]) -> tuple[web.Application, dict[str, Any]]:
    """Return the server to run, and everyone's credentials, which are printed once it's ready."""
    users = {name: {"token": token} for name, token in seed["tokens"].items()}
    return LocalLagoon(seed).app, {"users": users}


def guest(people: Collection[str]) -> dict[str, Any]:
    """Return the demo's connection to this server, where everyone has a token and a workspace."""
    tokens = {name: f"{number:040x}" for number, name in enumerate(people, start=1)}
    owners = {f"lagoon-{name}": name for name in people}
    return {
        "name": "lagoon",
        "title": "Lagoon",
        "module": "usher_lagoon_local",
        "seed": {"tokens": tokens, "owners": owners, "boot_seconds": 5},
        "settings": {"provider": "lagoon", "from": "usher-lagoon", "title": "Lagoon"},
    }


if __name__ == "__main__":
    run_server(build, SEED)
