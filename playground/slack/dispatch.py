"""Sends payloads to the app, as signed HTTP requests or as envelopes on a Socket Mode connection."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp

from playground.harness import Harness
from playground.slack.payloads import Retry
from playground.slack.records import Json
from playground.slack.replies import Reply
from playground.slack.sockets import Sockets
from playground.slack.state import State
from playground.slack.traffic import Side, Traffic

#: Time limit, in seconds, for an app's acknowledgement ("Acknowledgment response").
ACK_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Sent:
    """The exact bytes of a request, so that a test can replay it."""

    url: str
    headers: dict[str, str]
    body: bytes


def encode(kind: str, payload: Json) -> tuple[str, bytes]:
    """Return content type and body: a form for commands, a form field for interactions, JSON for events."""
    if kind == "command":
        return "application/x-www-form-urlencoded", urlencode(payload).encode()
    if kind == "interactive":
        return "application/x-www-form-urlencoded", urlencode({"payload": json.dumps(payload)}).encode()
    return "application/json", json.dumps(payload).encode()


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the v0 signature of a request ("Verifying requests from Slack")."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class Dispatcher:
    """Sends payloads to the app, over a socket if one is open, otherwise to the request URL."""

    def __init__(
        self,
        state: State,
        harness: Harness,
        sockets: Sockets,
        traffic: Traffic,
        wall: Callable[[], float],
        ack_seconds: float,
    ) -> None:
        self.sent: deque[Sent] = deque(maxlen=200)
        self._state = state
        self._harness = harness
        self._sockets = sockets
        self._traffic = traffic
        self._wall = wall
        self._ack_seconds = ack_seconds
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections to the app."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, kind: str, payload: Json, retry: Retry | None = None) -> Reply:
        """Send a payload (``kind`` is command, interactive or event), and wait for the acknowledgement."""
        began = time.perf_counter()
        request: Side | None = None
        if self._sockets.open:
            reply = await self._sockets.send(kind, payload, retry, self._ack_seconds)
        elif self._state.app.request_url:
            sent = self._signed(kind, payload, retry)
            request = Side(sent.headers, sent.body)
            reply = await self._post(sent)
        else:
            reply = Reply(error="dispatch_failed", reason="connection_failed")
        self._traffic.sent(kind, payload, request, reply, began)
        if reply.error == "operation_timeout":
            what = payload.get("type") or payload.get("command") or kind
            self._harness.violation("ack_within_3_s", f"{what}: no acknowledgement within 3 s")
        return reply

    async def call(self, message: Json) -> Reply:
        """Send a call by the assistant to the app's tools, signed like any other request."""
        began, sent = time.perf_counter(), self._signed("event", message, None, self._state.app.assistant_url)
        reply = await self._post(sent)
        self._traffic.sent("assistant", message, Side(sent.headers, sent.body), reply, began)
        return reply

    async def replay(self, index: int = -1) -> Reply:
        """Send the exact bytes of an earlier request again, signature included, as an eavesdropper might."""
        return await self._post(self.sent[index])

    def _signed(self, kind: str, payload: Json, retry: Retry | None, url: str | None = None) -> Sent:
        content_type, body = encode(kind, payload)
        timestamp = str(int(self._wall()))
        headers = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "Accept": "application/json,*/*",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": sign(self._state.app.signing_secret, timestamp, body),
        }
        if retry is not None:
            headers |= {"X-Slack-Retry-Num": str(retry.number), "X-Slack-Retry-Reason": retry.reason}
        sent = Sent(url or self._state.app.request_url or "", headers, body)
        self.sent.append(sent)
        return sent

    async def _post(self, sent: Sent) -> Reply:
        if self._session is None:
            # Use a new connection for each request, so that one left half open when an app ended can't make
            # the next request fail.
            connector = aiohttp.TCPConnector(limit=0, force_close=True)
            self._session = aiohttp.ClientSession(connector=connector)
        try:
            async with asyncio.timeout(self._ack_seconds):
                async with self._session.post(
                    sent.url, data=sent.body, headers=sent.headers, allow_redirects=False
                ) as response:
                    body = await response.read()
        except TimeoutError:
            return Reply(error="operation_timeout", reason="http_timeout")
        except aiohttp.ClientError:
            return Reply(error="dispatch_failed", reason="connection_failed")
        good = 200 <= response.status < 300
        return Reply(
            response.status,
            body,
            response.content_type,
            error=None if good else "dispatch_failed",
            reason=None if good else "http_error",
            no_retry=response.headers.get("X-Slack-No-Retry") == "1",
        )
