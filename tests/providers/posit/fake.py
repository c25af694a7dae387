"""A Workbench that answers as it is told and keeps what it was asked."""

import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.providers.base import Credential
from bot.providers.posit.client import Transport, Workbench
from bot.support.http import Http

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
    """Answer every call with ``answer``: JSON-ready, bytes, or a function of the request."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Any = {"result": {}}
        self.status = 200
        self.headers: dict[str, str] = {}
        self.root = ""
        self.client: Any = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
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
        """Return the parameters of the one call so far, whose envelope is as documented."""
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
        fake.client = Workbench(Transport(Http(session), fake.root))
        yield fake


def streamed(*pieces: bytes, is_cut: bool = False) -> Answer:
    """Answer with pieces one after another; a cut one hangs up without an end."""

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
