"""Webhooks: signed arrays of events, which are sent repeatedly until the receiver answers 2xx."""

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

#: Maximum number of events per request: "A single request can carry up to 10 webhook messages" (documentation
#: of webhooks, "Workspaces").
MOST_EVENTS = 10
SIGNATURE = "X-Sphere-Engine-Signature"
#: Seconds from a failed request to the next attempt, and maximum number of attempts. Both are guesses.
RETRY_SECONDS = 60.0
MOST_ATTEMPTS = 10
_TIMEOUT = aiohttp.ClientTimeout(total=10)


def signature(secret: str, body: bytes) -> str:
    """Return the hex HMAC-SHA256 of the raw body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@dataclass(slots=True)
class Pending:
    """An event that the receiver hasn't accepted yet."""

    event: dict[str, Any]
    due_at: float
    attempts: int = 0


class Webhooks:
    """Queues events and delivers those that are due, at once or when the clock reaches their time."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._session: aiohttp.ClientSession | None = None
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.pending: list[Pending] = []
        #: All requests so far: ``{"at", "events", "status"}``. The status is 0 if there was no answer.
        self.deliveries: list[dict[str, Any]] = []
        self._sent: dict[str, dict[str, Any]] = {}
        state.clock.watchers.append(self.wake)

    async def life(self, _app: web.Application) -> AsyncIterator[None]:
        """Keep the HTTP session open while the server runs."""
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
        """Queue events and start delivering them, if there is a webhook."""
        if self._state.webhook_url is None:
            return
        now = self._state.clock.now()
        self.pending += [Pending(event, now) for event in events]
        self.wake()

    def again(self, event_id: str) -> bool:
        """Send a delivered event again with the same id; return whether such an event exists."""
        event = self._sent.get(event_id)
        if event is not None:
            self.add([event])
        return event is not None

    def wake(self) -> None:
        """Start delivering due events in the background."""
        if self._session is None or not self.pending:
            return
        task = asyncio.get_running_loop().create_task(self.deliver())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def deliver(self) -> None:
        """Send due events, up to ten in each request, one request at a time."""
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
            # If the clock stands still, check only once a second.
            self._timer = asyncio.get_running_loop().call_later(max(wait, 1.0), self.wake)
