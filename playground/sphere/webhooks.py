"""Webhooks: signed arrays of events, which are sent again until the receiver answers 2xx."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from playground.sphere.state import State

#: "A single request can carry up to 10 webhook messages" (documentation of webhooks, "Workspaces").
MOST_EVENTS = 10
SIGNATURE = "X-Sphere-Engine-Signature"
#: How long after a failure it is tried again, and how often at all; both are guesses.
RETRY_SECONDS = 60.0
MOST_ATTEMPTS = 10
_TIMEOUT = aiohttp.ClientTimeout(total=10)


def signature(secret: str, body: bytes) -> str:
    """Return the hex HMAC-SHA256 of the raw body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@dataclass(slots=True)
class Pending:
    """Hold an event that has not been taken yet."""

    event: dict[str, Any]
    due_at: float
    attempts: int = 0


class Webhooks:
    """Queue events and deliver what is due: at once, when the clock is moved, and when it has passed."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._session: aiohttp.ClientSession | None = None
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.pending: list[Pending] = []
        #: Each request that was made: ``{"at", "events", "status"}``; status 0 when nothing answered.
        self.deliveries: list[dict[str, Any]] = []
        self._sent: dict[str, dict[str, Any]] = {}
        state.clock.watchers.append(self.wake)

    async def life(self, _app: web.Application) -> AsyncIterator[None]:
        """Hold the HTTP session for as long as the server runs."""
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar())
        yield
        if self._timer is not None:
            self._timer.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._session.close()
        self._session = None

    def add(self, events: list[dict[str, Any]]) -> None:
        """Take in events and begin to deliver them, where there is somebody to deliver them to."""
        if self._state.webhook_url is None:
            return
        now = self._state.clock.now()
        self.pending += [Pending(event, now) for event in events]
        self.wake()

    def again(self, event_id: str) -> bool:
        """Send an event that was delivered once more, under the same id; say whether it is known."""
        event = self._sent.get(event_id)
        if event is not None:
            self.add([event])
        return event is not None

    def wake(self) -> None:
        """Deliver in the background what is due."""
        if self._session is None or not self.pending:
            return
        task = asyncio.get_running_loop().create_task(self.deliver())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def deliver(self) -> None:
        """Send what is due, ten events to a request, one request at a time."""
        async with self._lock:
            now = self._state.clock.now()
            due = [one for one in self.pending if one.due_at <= now]
            for begin in range(0, len(due), MOST_EVENTS):
                await self._deliver(due[begin : begin + MOST_EVENTS])
            self._set_timer()

    async def _deliver(self, batch: list[Pending]) -> None:
        body = json.dumps([one.event for one in batch]).encode()
        status = await self._post(body)
        now = self._state.clock.now()
        names = [one.event["id"] for one in batch]
        self.deliveries.append({"at": now, "events": names, "status": status})
        for one in batch:
            one.attempts += 1
            one.due_at = now + RETRY_SECONDS
            taken = 200 <= status < 300
            if taken:
                self._sent[one.event["id"]] = one.event
            if taken or one.attempts >= MOST_ATTEMPTS:
                self.pending.remove(one)

    async def _post(self, body: bytes) -> int:
        url, session = self._state.webhook_url, self._session
        if url is None or session is None:
            return 0
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: signature(self._state.webhook_secret, body),
        }
        try:
            async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return 0

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.pending:
            wait = max(0.0, min(one.due_at for one in self.pending) - self._state.clock.now())
            # A clock that stands still is not asked again and again.
            self._timer = asyncio.get_running_loop().call_later(max(wait, 1.0), self.wake)
