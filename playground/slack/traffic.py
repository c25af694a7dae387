"""The latest requests between Slack and the app, with their answers, for the page that shows them."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from playground.harness import Handler
from playground.slack.masking import masked, masked_text, read
from playground.slack.records import Json
from playground.slack.replies import Reply
from playground.slack.state import State
from playground.values import loads

#: Maximum total size of the bodies kept, in bytes.
MOST_BYTES = 8 * 2**20
WAIT_SECONDS = 25.0
#: Path prefixes at which an app calls Slack: methods, response_urls and uploads.
CALLED = ("/api/", "/commands/", "/actions/", "/app/", "/upload/")
_SHOWN_HEADERS = (
    "Authorization", "Content-Type", "Retry-After", "X-Slack-Request-Timestamp", "X-Slack-Retry-Num",
    "X-Slack-Retry-Reason", "X-Slack-Signature",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an exchange: its headers and its body, unless the body is too long."""

    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    size: int = 0

    def shown(self) -> Json:
        """Return it without secrets."""
        headers = {name: self.headers[name] for name in _SHOWN_HEADERS if name in self.headers}
        body: Any = f"{self.size:,} bytes: too long to keep"
        if self.size == len(self.body):
            body = masked(read(self.body, self.headers.get("Content-Type", "")))
        return {"headers": masked(headers), "body": body}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer. ``error`` is Slack's error code if the request failed."""

    number: int
    at: float
    direction: str
    name: str
    person: str
    path: str
    status: int | None
    error: str | None
    milliseconds: float
    asked: Side
    answered: Side

    def summary(self) -> Json:
        """Return the exchange's entry in the list."""
        return {
            "number": self.number,
            "at": self.at,
            "direction": self.direction,
            "name": self.name,
            "person": self.person,
            "status": self.status,
            "error": self.error,
            "milliseconds": self.milliseconds,
        }


class Traffic:
    """Keeps one workspace's latest exchanges, and wakes requests that are waiting for new ones."""

    def __init__(self, state: State) -> None:
        #: Maximum number of exchanges kept, and maximum length of each body.
        self.most = 500
        self.longest_body = 2**18
        self._state = state
        self._kept: deque[Exchange] = deque()
        self._bytes = 0
        self._last = 0
        self._closing = False
        self._news = asyncio.Event()

    def install(self, app: web.Application) -> None:
        """Add the page's routes."""
        app.on_shutdown.append(self._close)
        app.router.add_get("/_page/traffic", self._list)
        app.router.add_get("/_page/traffic/{number}", self._one)
        app.router.add_post("/_page/traffic/clear", self._clear)

    async def _close(self, _app: web.Application) -> None:
        self._closing = True
        self._notify()

    def sent(self, kind: str, payload: Json, request: Side | None, reply: Reply, began: float) -> None:
        """Record a payload that Slack sent to the app, over HTTP or Socket Mode, and its acknowledgement."""
        seconds = time.perf_counter() - began
        if request is None:
            request = Side({"Content-Type": "application/json"}, json.dumps(payload).encode())
        self._keep(
            Exchange(
                number=self._last + 1,
                at=self._state.clock.now() - seconds,
                direction="to_app",
                name=masked_text(_name_of(kind, payload)),
                person=_person_of(payload),
                path=self._state.app.request_url or "Socket Mode",
                status=reply.status,
                error=reply.error,
                milliseconds=round(seconds * 1000, 1),
                asked=self._side(request.headers, request.body),
                answered=self._side({"Content-Type": reply.content_type}, reply.body),
            )
        )

    def recording(self, which: Callable[[web.Request], Awaitable[Traffic]] | None = None) -> Middleware:
        """Return a middleware that records the app's calls; ``which`` returns the log to use."""

        @web.middleware
        async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not request.path.startswith(CALLED):
                return await handler(request)
            began, at = time.perf_counter(), self._state.clock.now()
            # A body that is read here is cached, so it can be read again. The parts of a multipart form, and
            # uploads, can be read only once.
            is_small = (
                not request.path.startswith("/upload/") and request.content_type != "multipart/form-data"
            )
            body = await request.read() if is_small else b""
            asked = self._side(request.headers, body) if is_small else Side(size=request.content_length or 0)
            traffic = self if which is None else await which(request)
            response = await handler(request)
            traffic.called(request, at, time.perf_counter() - began, asked, response)
            return response

        return record

    def called(
        self, request: web.Request, at: float, seconds: float, asked: Side, response: web.StreamResponse
    ) -> None:
        """Record a call of the app and its answer, or that it got none."""
        is_cut = request.transport is None or request.transport.is_closing()
        said = response.body if isinstance(response, web.Response) else None
        answered = self._side(response.headers, said if isinstance(said, bytes) else b"")
        self._keep(
            Exchange(
                number=self._last + 1,
                at=at,
                direction="to_slack",
                name=_method_of(request.path),
                person=self._whose(request.path, read(asked.body, request.content_type)),
                path=f"{request.method} {masked_text(str(request.url))}",
                status=None if is_cut else response.status,
                error="no_answer" if is_cut else _error_of(answered, response.status),
                milliseconds=round(seconds * 1000, 1),
                asked=asked,
                answered=Side() if is_cut else answered,
            )
        )

    def _keep(self, exchange: Exchange) -> None:
        self._last = exchange.number
        self._kept.append(exchange)
        self._bytes += len(exchange.asked.body) + len(exchange.answered.body)
        while len(self._kept) > self.most or self._bytes > MOST_BYTES:
            gone = self._kept.popleft()
            self._bytes -= len(gone.asked.body) + len(gone.answered.body)
        self._notify()

    def _side(self, headers: Mapping[str, str], body: bytes) -> Side:
        return Side(headers, body if len(body) <= self.longest_body else b"", len(body))

    def _notify(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _whose(self, path: str, arguments: Any) -> str:
        """Return the person that a call of the app concerns, or "" if there is none."""
        state = self._state
        if (url := state.response_urls.get(path)) is not None:
            return url.user
        if not isinstance(arguments, dict):
            return ""
        if (trigger := state.triggers.get(str(arguments.get("trigger_id")))) is not None:
            return trigger.user
        place = str(arguments.get("user") or arguments.get("user_id") or arguments.get("channel") or "")
        channel = state.channels.get(place)
        found = (channel.user or "") if channel is not None else place
        return found if found in state.people else ""

    async def _list(self, request: web.Request) -> web.Response:
        """List the exchanges after a number. With ``wait``, wait until there is at least one."""
        after = _number(request.query.get("after", ""))
        if "wait" in request.query:
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    while self._last == after and not self._closing:
                        await self._news.wait()
            except TimeoutError:
                pass
        news = [exchange.summary() for exchange in self._kept if exchange.number > after]
        first = self._kept[0].number if self._kept else self._last + 1
        app = self._state.app.name
        answer = {"ok": True, "app": app, "first": first, "last": self._last, "exchanges": news}
        return web.json_response(answer, headers={"Cache-Control": "no-store"})

    async def _one(self, request: web.Request) -> web.Response:
        number = _number(request.match_info["number"])
        found = next((exchange for exchange in self._kept if exchange.number == number), None)
        if found is None:
            return web.json_response({"ok": False, "error": "not_found"}, status=404)
        shown = {"path": found.path, "request": found.asked.shown(), "answer": found.answered.shown()}
        return web.json_response(
            {"ok": True, **found.summary(), **shown}, headers={"Cache-Control": "no-store"}
        )

    async def _clear(self, _request: web.Request) -> web.Response:
        self._kept.clear()
        self._bytes = 0
        # Wake the waiting pages, since the exchanges that they show are gone.
        self._last += 1
        self._notify()
        return web.json_response({"ok": True})


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _method_of(path: str) -> str:
    family, _, rest = path[1:].partition("/")
    return rest if family == "api" else "upload" if family == "upload" else "response_url"


def _name_of(kind: str, payload: Json) -> str:
    """Describe in a few words what Slack sent: the command, the button or the event."""
    if kind == "command":
        return f"{payload.get('command')} {payload.get('text', '')}".strip()
    if kind == "assistant":
        return f"{payload['method']} {payload['params'].get('name', '')}".strip()
    if kind == "event":
        return str(payload.get("event", payload).get("type"))
    actions = ", ".join(str(one.get("action_id")) for one in payload.get("actions", ()))
    about = actions or payload.get("callback_id") or payload.get("action_id")
    about = about or payload.get("view", {}).get("callback_id")
    return f"{payload.get('type')} {about or ''}".strip()


def _person_of(payload: Json) -> str:
    event = payload.get("event", {}) or payload.get("params", {}).get("_meta", {}).get("slack", {})
    user = payload.get("user_id") or payload.get("user") or event.get("user") or event.get("user_id", "")
    return str(user.get("id", "")) if isinstance(user, dict) else str(user)


def _error_of(answered: Side, status: int) -> str | None:
    """Return the error code of a failed call, or None. Slack answers most errors with status 200."""
    try:
        answer = loads(answered.body)
    except ValueError:
        answer = None
    if isinstance(answer, dict) and answer.get("ok") is False:
        return str(answer.get("error"))
    return None if status < 400 else "http_error"
