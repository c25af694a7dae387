"""A local Sphere Engine in the test's own process, on a clock that only tests move."""

from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from playground.sphere import SphereServer, build
from tests.playground.served import Client, served

TOKEN = "t1"
PYTHON, BROKEN, SHAKY = "a" * 32, "b" * 32, "c" * 32
RUNNING, STOPPED, PLAIN = "1" * 32, "2" * 32, "3" * 32
SECRET_OF_RUNNING = "73543c2d-3476-46ee-a49c-227f59181961"

SEED: dict[str, Any] = {
    "access_token": TOKEN,
    "page_size": 2,
    "webhook_secret": "shh",
    "projects": [
        {"name": "Console Python", "id": PYTHON, "start_seconds": 4, "stop_seconds": 2},
        {"name": "Broken", "id": BROKEN, "fail": "image pull failed"},
        {"name": "Shaky", "id": SHAKY, "init_failed": True, "init_output": "out", "init_error": "err"},
    ],
    "workspaces": [
        {
            "project": "Console Python",
            "id": RUNNING,
            "workspace_token": SECRET_OF_RUNNING,
            "retention_time_stopped": 60,
        },
        {"project": "Console Python", "id": STOPPED, "state": "stopped", "retention_time_stopped": 60},
        {"project": "Shaky", "id": PLAIN, "workspace_token_required": False},
    ],
}


class Sphere(Client):
    server: SphereServer

    async def call(self, method: str, path: str, token: str | None = TOKEN, **rest: Any) -> tuple[int, Any]:
        """Call the API, or any other path if it begins with a slash."""
        if not path.startswith("/"):
            path = f"/api/v1/{path}"
            if token is not None:
                path += f"{'&' if '?' in path else '?'}access_token={token}"
        async with self.session.request(method, self.url + path, allow_redirects=False, **rest) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, (await answer.json()) if is_json else await answer.text()

    async def create(self, **fields: Any) -> dict[str, Any]:
        status, answer = await self.call("POST", "workspaces", json={"project_id": PYTHON, **fields})
        assert status == 201, answer
        return dict(answer["workspace"])

    async def read(self, workspace_id: str) -> dict[str, Any]:
        status, answer = await self.call("GET", f"workspaces/{workspace_id}")
        assert status == 200, answer
        return dict(answer)

    async def code(self, workspace_id: str) -> Any:
        return (await self.read(workspace_id))["state"]["code"]

    async def put(self, workspace_id: str, verb: str) -> tuple[int, Any]:
        return await self.call("PUT", f"workspaces/{workspace_id}/{verb}")

    async def enter(self, workspace_id: str, token: str | None = None) -> tuple[int, Any]:
        form = {"workspace": workspace_id} | ({} if token is None else {"token": token})
        return await self.call("POST", "/sdk/enter", data=form)

    async def control(self, path: str, /, **told: Any) -> Any:
        status, answer = await self.call("POST", f"/_playground/{path}", json=told)
        assert status == 200, answer
        return answer

    async def advance(self, seconds: float) -> None:
        await self.control("advance", seconds=seconds)

    async def violations(self) -> list[str]:
        _, answer = await self.call("GET", "/_playground/stats")
        return [violation["rule"] for violation in answer["violations"]]


def sphere_server(seed: Any = None):
    return served(build, seed or SEED, Sphere)


class Receiver:
    """A receiver of webhooks: what arrived, with its signature, and what to answer."""

    def __init__(self) -> None:
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.came.append((dict(request.headers), await request.read()))
        return web.Response(status=self.answers.pop(0) if self.answers else 204)


@asynccontextmanager
async def receiver():
    made = Receiver()
    app = web.Application()
    app.router.add_post("/hooks/sphere", made.take)
    test_server = TestServer(app, host="127.0.0.1")
    await test_server.start_server()
    made.url = str(test_server.make_url("/hooks/sphere"))
    try:
        yield made
    finally:
        await test_server.close()
