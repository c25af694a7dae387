"""A local Saturn Cloud in the test's own process, on a clock that only tests move."""

from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from playground.saturn import SaturnServer, build
from tests.playground.served import Client, served

SEED: dict[str, Any] = {
    "users": [
        {"name": "alice", "token": "a1", "refresh_token": "r-alice", "password": "pw-alice"},
        {"name": "bob", "token": "b1", "password": "pw-bob"},
        {"name": "admin", "admin": True, "token": "adm"},
    ],
    "workspaces": [
        {"owner": "alice", "name": "notebook", "start_seconds": 4, "stop_seconds": 2},
        {"owner": "alice", "name": "broken", "fail": True},
        {"owner": "alice", "name": 'Ana\'s "quick" 🚀 <!channel>'},
        {"owner": "alice", "name": "notes", "status": "running"},
        {"owner": "bob", "name": "notebook"},
    ],
    "jobs": [
        {
            "owner": "alice",
            "name": "report",
            "start_seconds": 4,
            "run_seconds": 6,
            "command": "python report.py",
        },
        {"owner": "alice", "name": "import", "exit_code": 3},
        {"owner": "alice", "name": "unlucky", "fail": True},
    ],
}


class Saturn(Client):
    server: SaturnServer

    @property
    def ids(self) -> dict[str, str]:
        alice = self.server.credentials["users"]["alice"]
        return {**alice["workspaces"], **alice["jobs"]}

    async def call(self, method: str, path: str, *, token: str | None = "a1", **rest: Any) -> tuple[int, Any]:
        if token is not None:
            rest.setdefault("headers", {"Authorization": f"token {token}"})
        rest.setdefault("skip_auto_headers", ("Content-Type",))
        async with self.session.request(method, self.url + path, allow_redirects=False, **rest) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, (await answer.json()) if is_json else await answer.text()

    async def status(self, resource_id: str, token: str = "a1") -> str:
        status, answer = await self.call("GET", f"/api/workspaces/{resource_id}", token=token)
        assert status == 200
        return str(answer["status"])

    async def advance(self, seconds: float) -> None:
        assert (await self.call("POST", "/_playground/advance", json={"seconds": seconds}))[0] == 200

    async def stats(self) -> Any:
        return (await self.call("GET", "/_playground/stats"))[1]

    @asynccontextmanager
    async def browser(self, name: str):
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            form = {"username": name, "password": f"pw-{name}"}
            async with browser.post(f"{self.url}/login", data=form) as answer:
                assert answer.status == 200
            yield browser


def saturn_server(seed: Any = None, *middlewares: Any):
    def built(**options: Any) -> SaturnServer:
        server = build(**options)
        server.app.middlewares.extend(middlewares)
        return server

    return served(built, seed or SEED, Saturn)
