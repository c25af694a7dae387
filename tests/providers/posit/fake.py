"""A fake Workbench that answers as the test says, and records the requests."""

import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.providers.base import Credential, CredentialPlacement
from bot.providers.posit.client import Workbench
from bot.providers.requests import ApiClient
from bot.support.http import Http

#: An example of each answer, from the API reference.
VERSION = {
    "version": {
        "major": "2024",
        "minor": "09",
        "patch": "1",
        "build_number": "394.pro7",
        "release_name": "Cranberry Hibiscus",
        "build_type": "Release",
    },
    "features": ["jobs", "launcher"],
}
USERS = [
    {
        "username": "user1",
        "status": "Active",
        "isAdmin": True,
        "uid": 1037,
        "lastSignIn": "2024-07-30T23:45:28.351868Z",
        "created": "2024-07-30T23:41:28.109218Z",
    },
    {"username": "user2", "status": "Inactive", "isAdmin": False, "isSuperAdmin": True},
]
SESSION = {
    "url": "/s/0da29cfc78a316124d41f/",
    "id": "6124d41f",
    "launch_parameters": {
        "name": "RStudio Pro Session",
        "cluster": "Local",
        "placement_constraints": [],
        "resource_limits": [],
        "queues": [],
        "container_image": "",
        "default_image": "",
        "container_images": [""],
    },
    "created": 1721684073175,
    "activity_state": "suspended",
    "label": "RStudio Pro Session",
    "display_name": "RStudio Pro Session",
    "status_detail": "",
    "project": None,
    "project_id": "none",
    "running": False,
    "r_version": "4.3.0",
    "suspend_size": 20324197,
    "workbench": "RStudio",
    "something_new": {"deep": [1]},
}
JOB = {
    "id": "77",
    "cluster": "Local",
    "name": "JobTest.R",
    "user": "jvroom",
    "queues": [],
    "workingDirectory": "/home/j",
    "host": "localhost",
    "status": "Pending",
    "pid": 729383,
    "command": "",
    "exe": "/bin/bash",
    "args": ["-c", "R -f /tmp/JobTest.R"],
    "environment": [],
    "placementConstraints": [],
    "lastUpdateTime": "2024-10-01T20:49:32.294130Z",
    "submissionTime": "2024-10-01T20:49:32.294014Z",
    "exposedPorts": [],
    "config": [],
    "resourceLimits": [],
    "tags": [],
    "metadata": {},
    "resourceProfile": "custom",
}

TOKEN = "canary-7c1d-token"
CREDENTIAL = Credential(SecretStr(TOKEN))

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Asked:
    verb: str
    method: str
    authorization: str | None
    body: Any


class FakeWorkbench:
    """A fake Workbench that answers every call with ``answer``.

    ``answer`` may be data for JSON, bytes, or a function of the request.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Any = {"result": {}}
        self.status = 200
        self.headers: dict[str, str] = {}
        self.root = ""
        self.client: Any = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if self.asked and request.path.endswith("/version"):
            # After a refused call, the client asks for the version, and this shows that the token is valid.
            return web.json_response(VERSION)
        text = await request.text()
        self.asked.append(
            Asked(
                request.method,
                request.path.removeprefix("/api/"),
                request.headers.get("Authorization"),
                json.loads(text) if text else None,
            )
        )
        if callable(self.answer):
            return await self.answer(request)
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        headers = {"Content-Type": "application/json", **self.headers}
        return web.Response(status=self.status, body=body, headers=headers)

    @property
    def kwparams(self) -> dict[str, Any]:
        """Check the envelope of the only call so far, and return its parameters."""
        (asked,) = self.asked
        assert asked.verb == "POST"
        assert asked.authorization == f"Bearer {TOKEN}"
        assert asked.body["method"] == asked.method
        assert set(asked.body) == {"method", "kwparams"}
        return asked.body["kwparams"]


@asynccontextmanager
async def fake_workbench():
    fake = FakeWorkbench()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", fake.handle)
    server = TestServer(app, host="127.0.0.1")
    async with server, Http.new_session() as session:
        fake.root = str(server.make_url("")).rstrip("/")
        fake.client = Workbench(
            ApiClient(Http(session), f"{fake.root}/api", CredentialPlacement()).acting_as(CREDENTIAL)
        )
        yield fake


def streamed(*pieces: bytes, is_cut: bool = False) -> Answer:
    """Return an answer that is streamed in pieces.

    With ``is_cut``, the connection is closed before the end.
    """

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        if is_cut:
            assert request.transport is not None
            request.transport.close()
        return response

    return answer
