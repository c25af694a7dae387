"""Socket Mode: the connections that an app keeps open, and the envelopes sent over them."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import uuid
from collections import deque
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from playground.harness import Harness
from playground.slack.payloads import Retry
from playground.slack.records import Json
from playground.slack.replies import Reply
from playground.slack.state import State
from playground.values import loads

#: According to "Using Socket Mode", up to ten connections may be open, and each payload goes to one of them.
CONNECTIONS = 10
PING_SECONDS = 10.0
TICKET_SECONDS = 60.0
#: Maximum length of an app's frame. Slack closes the connection after a longer one, with code 1009.
FRAME_BYTES = 20_480

ENVELOPES = {"command": "slash_commands", "interactive": "interactive", "event": "events_api"}


def accepts_payload(kind: str, payload: Json) -> bool:
    """Return whether the acknowledgement may contain an answer."""
    return kind == "command" or payload.get("type") in ("view_submission", "block_suggestion")


class Sockets:
    """Keeps the open connections, and matches acknowledgements to envelopes."""

    def __init__(self, state: State, harness: Harness) -> None:
        self.open: list[web.WebSocketResponse] = []
        #: Connections on which pings aren't answered, as if the network were down.
        self.mute: set[web.WebSocketResponse] = set()
        #: The latest envelopes, so that a test can send one again.
        self.sent: deque[Json] = deque(maxlen=200)
        self._state = state
        self._harness = harness
        self._tickets: dict[str, float] = {}
        self._waiting: dict[str, tuple[web.WebSocketResponse, asyncio.Future[Json]]] = {}
        self._late: set[str] = set()

    def new_url(self) -> str:
        """Create the URL for one connection. It can be used once, within a minute."""
        ticket = secrets.token_urlsafe(16)
        self._tickets[ticket] = self._state.clock.now()
        origin = self._state.base_url.replace("http", "ws", 1)
        return f"{origin}/link/?ticket={ticket}&app_id={self._state.app.id}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it ends."""
        made = self._tickets.pop(request.query.get("ticket", ""), None)
        if made is None or self._state.clock.now() - made > TICKET_SECONDS:
            return web.Response(status=401, text="invalid ticket")
        if len(self.open) >= CONNECTIONS:
            return web.Response(status=429, text="too many connections")
        socket = web.WebSocketResponse(heartbeat=PING_SECONDS, autoping=False)
        await socket.prepare(request)
        self.open.append(socket)
        self._state.changed()
        try:
            await socket.send_json(self._hello())
            async for message in socket:
                if message.type is WSMsgType.TEXT and len(message.data.encode()) > FRAME_BYTES:
                    self._harness.violation("socket_frame", f"{len(message.data.encode())} bytes")
                    text = f"Max frame length of {FRAME_BYTES} has been exceeded."
                    await socket.close(code=WSCloseCode.MESSAGE_TOO_BIG, message=text.encode())
                elif message.type is WSMsgType.TEXT:
                    self._acknowledged(socket, message.data)
                elif message.type is WSMsgType.PING and socket not in self.mute:
                    await socket.pong(message.data)
        finally:
            if socket in self.open:
                self.open.remove(socket)
            self._state.changed()
        return socket

    async def send(self, kind: str, payload: Json, retry: Retry | None, ack_seconds: float) -> Reply:
        """Send an envelope over one of the connections, and wait for its acknowledgement."""
        envelope: Json = {
            "envelope_id": str(uuid.uuid4()),
            "payload": payload,
            "type": ENVELOPES[kind],
            "accepts_response_payload": accepts_payload(kind, payload),
        }
        if kind == "event":
            envelope |= {
                "retry_attempt": retry.number if retry else 0,
                "retry_reason": retry.reason if retry else "",
            }
        self.sent.append(envelope)
        return await self.deliver(envelope, ack_seconds)

    async def deliver(
        self, envelope: Json, ack_seconds: float, to: web.WebSocketResponse | None = None
    ) -> Reply:
        """Send or resend an envelope over the given or a random connection; wait for its acknowledgement."""
        envelope_id = envelope["envelope_id"]
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ack_seconds):
                socket = to or random.choice(self.open)
                self._waiting[envelope_id] = socket, answer
                await socket.send_json(envelope)
                acknowledged = await answer
        except TimeoutError:
            self._late.add(envelope_id)
            return Reply(error="operation_timeout", reason="timeout")
        except (ConnectionError, IndexError):
            return Reply(error="dispatch_failed", reason="connection_failed")
        finally:
            self._waiting.pop(envelope_id, None)
        return self._reply(envelope, acknowledged)

    def _reply(self, envelope: Json, acknowledged: Json) -> Reply:
        payload = acknowledged.get("payload")
        if payload in (None, {}, ""):
            return Reply(200)
        if not envelope["accepts_response_payload"]:
            self._harness.violation(
                "ack_without_payload", f"{envelope['type']}: the payload of the ack is ignored"
            )
            return Reply(200)
        if isinstance(payload, str):
            return Reply(200, payload.encode(), "text/plain")
        return Reply(200, json.dumps(payload).encode(), "application/json")

    def _acknowledged(self, socket: web.WebSocketResponse, text: str) -> None:
        try:
            values: Any = loads(text)
        except ValueError:
            values = None
        envelope_id = values.get("envelope_id") if isinstance(values, dict) else None
        if not isinstance(envelope_id, str):
            self._harness.violation("socket_message", "a message without envelope_id")
            return
        asked, waiting = self._waiting.get(envelope_id, (None, None))
        if asked is not None and asked is not socket:
            self._harness.violation("socket_message", "an acknowledgement on another connection")
        if waiting is not None and not waiting.done():
            waiting.set_result(values)
        elif envelope_id in self._late:
            self._harness.violation("ack_within_3_s", "an envelope was acknowledged later than 3 s")
            self._state.changed()
        else:
            self._harness.violation("socket_message", "an acknowledgement of an unknown envelope")

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.open),
            "debug_info": {"host": "applink-local", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._state.app.id},
        }

    async def disconnect(self, reason: str = "refresh_requested", *, close: bool = True) -> int:
        """Send every connection a disconnect message with this reason, and close it; return their number."""
        sockets = list(self.open)
        for socket in sockets:
            await socket.send_json(
                {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-local"}}
            )
            if close and reason != "warning":
                self.open.remove(socket)
                await socket.close()
        return len(sockets)

    async def close(self) -> None:
        """Close every connection, as when the server shuts down."""
        for socket in list(self.open):
            await socket.close()
