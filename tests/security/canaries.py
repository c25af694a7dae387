"""Places where secrets could leak: logs at every level, exceptions, metrics and the database."""

from __future__ import annotations

import io
import logging
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer

import bot
import handlers
from bot.support.logs import Redactor, configure
from tests.rigs.hubs import NEWEST, list_full_scopes
from tests.support.http_rig import chain

PASTED, MINTED = "canary-of-a-pasted-hub-token-1", "canary-of-a-minted-hub-token-2"
_OURS = tuple(str(Path(package.__file__).parent) for package in (bot, handlers))
#: The only module in which aiohttp's errors, which contain headers, may be. None may leave it.
_TRANSPORT = str(Path(bot.__file__).parent / "http.py")


class _Ours(dict[str, bool]):
    def __missing__(self, filename: str) -> bool:
        self[filename] = is_ours = filename.startswith(_OURS)
        return is_ours


class ErrorWatch:
    """A recorder for the messages of all exceptions in Usher's own code, with their causes."""

    def __init__(self) -> None:
        self.texts: set[str] = set()
        self.kinds: set[str] = set()
        #: Exceptions are kept alive, so that no other object gets the id of one that was seen.
        self._seen: dict[int, BaseException] = {}

    def _look(self, error: BaseException) -> None:
        # A coroutine's return value is passed as an exception that nobody sees.
        if isinstance(error, (StopIteration, StopAsyncIteration)) or id(error) in self._seen:
            return
        self._seen[id(error)] = error
        for one in chain(error):
            self.kinds.add(type(one).__name__)
            self.texts.add(f"{one!r} {one} {one.args!r}")

    def _local(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "exception" and frame.f_code.co_filename != _TRANSPORT:
            self._look(argument[1])
        return self._local

    @contextmanager
    def watching(self) -> Iterator[ErrorWatch]:
        """Watch exceptions for a block, and restore the previous tracer afterwards."""
        local, is_ours = self._local, _Ours()

        def begun(frame: FrameType, _event: str, _argument: Any) -> Any:
            # This function runs for every Python call.
            if is_ours[frame.f_code.co_filename]:
                frame.f_trace_lines = False
                return local
            return None

        before = sys.gettrace()
        sys.settrace(begun)
        try:
            yield self
        finally:
            sys.settrace(before)


@contextmanager
def logging_everything(secrets: list[str]) -> Iterator[io.StringIO]:
    """Send all logs through the bot's configuration at debug level, and yield the stream that they end in."""
    root, told = logging.getLogger(), io.StringIO()
    before, level, handlers_before = structlog.get_config(), root.level, root.handlers[:]
    levels = {name: logging.getLogger(name).level for name in ("slack_bolt", "slack_sdk", "aiohttp.access")}
    configure("debug", Redactor(secrets))
    root.handlers[0].setStream(told)  # type: ignore[attr-defined]  # it is the stream handler just made
    structlog.configure(cache_logger_on_first_use=False)
    try:
        yield told
    finally:
        root.handlers[:] = handlers_before
        root.setLevel(level)
        for name, was in levels.items():
            logging.getLogger(name).setLevel(was)
        structlog.configure(**before)


def dump(path: Path) -> str:
    """Return a database as text."""
    with closing(sqlite3.connect(path)) as database:
        return "\n".join(database.iterdump())


class SmallHub:
    """A hub that issues tokens, and answers badly while ``spoiled`` says how."""

    def __init__(self) -> None:
        self.spoiled: dict[str, Any] = {}
        self.is_running = False
        self.tokens = {PASTED, MINTED}
        self.deleted = 0
        app = web.Application(middlewares=[self._guard])
        api = "/hub/api"
        app.router.add_get(f"{api}/", self._version)
        app.router.add_get(f"{api}/user", self._user)
        app.router.add_get(f"{api}/users/alice", self._servers)
        app.router.add_get(f"{api}/users/alice/tokens/a1", self._pasted)
        app.router.add_post(f"{api}/users/alice/tokens", self._mint)
        app.router.add_delete(f"{api}/users/alice/tokens/{{id}}", self._delete)
        app.router.add_post(f"{api}/users/alice/server", self._start)
        app.router.add_delete(f"{api}/users/alice/server", self._stop)
        app.router.add_get("/user/alice/api/status", self._version)
        self.server = TestServer(app, host="127.0.0.1")

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.spoiled.get("hangs_up") and request.transport is not None:
            request.transport.abort()
        if self.spoiled:
            told = self.spoiled.get("body", "{}").replace("TOKEN", request.headers.get("Authorization", ""))
            return web.Response(status=self.spoiled.get("status", 200), text=told)
        token = request.headers.get("Authorization", "").removeprefix("token ")
        if token not in self.tokens and request.path != "/hub/api/":
            return web.json_response({"message": f"no such token {token}"}, status=403)
        return await handler(request)

    async def _version(self, _request: web.Request) -> web.Response:
        return web.json_response({"version": "6.1.1"})

    async def _user(self, _request: web.Request) -> web.Response:
        scopes = list_full_scopes(NEWEST, "alice")
        return web.json_response({"name": "alice", "kind": "user", "scopes": scopes, "token_id": "a1"})

    async def _servers(self, _request: web.Request) -> web.Response:
        server = {"name": "", "pending": None, "ready": True, "stopped": False, "url": "/user/alice/"}
        return web.json_response({"name": "alice", "servers": {"": server} if self.is_running else {}})

    async def _pasted(self, _request: web.Request) -> web.Response:
        return web.json_response({"id": "a1", "expires_at": None})

    async def _mint(self, _request: web.Request) -> web.Response:
        return web.json_response({"token": MINTED, "id": "a2"}, status=201)

    async def _delete(self, _request: web.Request) -> web.Response:
        self.deleted += 1
        return web.Response(status=204)

    async def _start(self, _request: web.Request) -> web.Response:
        self.is_running = True
        return web.Response(status=202)

    async def _stop(self, _request: web.Request) -> web.Response:
        self.is_running = False
        return web.Response(status=204)
