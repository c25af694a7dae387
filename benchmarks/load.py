"""A load generator: many persistent connections with little overhead, which measure response times."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from benchmarks.machine import BenchmarkError

#: Seconds to wait for a response before a run is given up.
ANSWER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where commands are sent, how they are signed, and where the bot sends later answers to them."""

    url: str
    signing_secret: str
    response_url: str
    team_id: str = "T0ACME"

    def request(self, user: str, text: str, number: int, command: str = "/workspace") -> bytes:
        """Return a complete HTTP request: a slash command with the fields that Slack documents."""
        body = urlencode(
            {
                "token": "not-used-any-more",
                "team_id": self.team_id,
                "team_domain": "acme",
                "channel_id": "C0GENERAL",
                "channel_name": "general",
                "user_id": user,
                "user_name": user.lower(),
                "command": command,
                "text": text,
                "api_app_id": "A0USHER",
                "is_enterprise_install": "false",
                "response_url": self.response_url,
                "trigger_id": f"{number}.{time.monotonic_ns()}.0123456789abcdef",
            }
        ).encode()
        return self._sign(body)

    def click(self, user: str, action_id: str, value: str, place: Mapping[str, str], number: int) -> bytes:
        """Return a complete HTTP request: a press of a button in a channel's message.

        ``place`` contains ``channel``, ``ts`` and the ``response_url`` for the answer.
        """
        channel, ts = place["channel"], place["ts"]
        payload = {
            "type": "block_actions",
            "user": {"id": user, "username": user.lower(), "team_id": self.team_id},
            "api_app_id": "A0USHER",
            "team": {"id": self.team_id, "domain": "acme"},
            "enterprise": None,
            "is_enterprise_install": False,
            "container": {
                "type": "message",
                "message_ts": ts,
                "channel_id": channel,
                "is_ephemeral": False,
            },
            "channel": {"id": channel, "name": "general"},
            "message": {"type": "message", "ts": ts, "user": "U0USHER", "text": "a card"},
            "trigger_id": f"{number}.{time.monotonic_ns()}.0123456789abcdef",
            "response_url": place["response_url"],
            "actions": [
                {
                    "type": "button",
                    "action_id": action_id,
                    "block_id": "class",
                    "value": value,
                    "text": {"type": "plain_text", "text": "Press"},
                    "action_ts": f"{time.time():.6f}",
                }
            ],
        }
        return self._sign(urlencode({"payload": json.dumps(payload)}).encode())

    def search(self, user: str, typed: str) -> bytes:
        """Return a complete HTTP request: letters typed into a form's menu of workspaces."""
        payload = {
            "type": "block_suggestion",
            "user": {"id": user, "username": user.lower(), "team_id": self.team_id},
            "api_app_id": "A0USHER",
            "team": {"id": self.team_id, "domain": "acme"},
            "enterprise": None,
            "is_enterprise_install": False,
            "action_id": "start:workspace",
            "block_id": "start",
            # As in Slack's own requests, each body is different, because a repeated one would be refused.
            "action_ts": f"{time.monotonic_ns()}",
            "value": typed,
            "view": {"id": "V0", "type": "modal"},
        }
        return self._sign(urlencode({"payload": json.dumps(payload)}).encode())

    def unsigned(self, number: int) -> bytes:
        """Return a complete HTTP request with a wrong signature, to be sent on a separate connection."""
        return replace(self, signing_secret=self.signing_secret[::-1]).request("U0FORGER", "help", number)

    def _sign(self, body: bytes) -> bytes:
        place = urlsplit(self.url)
        at = str(int(time.time()))
        signed = hmac.new(self.signing_secret.encode(), b"v0:%s:%s" % (at.encode(), body), hashlib.sha256)
        return (
            f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\n"
            "User-Agent: Slackbot 1.0 (+https://api.slack.com/robots)\r\nAccept: application/json,*/*\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"X-Slack-Request-Timestamp: {at}\r\nX-Slack-Signature: v0={signed.hexdigest()}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body


@dataclass(slots=True)
class Outcome:
    """How long each response took, in seconds, and what was wrong with some of them.

    ``firsts`` are the times until the first byte of each response, ``seconds`` those until the last byte.
    """

    seconds: list[float] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    took: float = 0.0

    @property
    def rate(self) -> float:
        """Return the answers per second."""
        return len(self.seconds) / self.took


class _Connection(asyncio.Protocol):
    """A connection that sends the next request as soon as the last one has been answered."""

    def __init__(
        self, requests: Iterator[bytes], outcome: Outcome, is_right: Callable[[bytes], bool]
    ) -> None:
        self._requests = requests
        self._outcome = outcome
        self._is_right = is_right
        self._buffer = b""
        self._sent_at = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        if not self._buffer:
            self._outcome.firsts.append(time.perf_counter() - self._sent_at)
        self._buffer += data
        head, gap, body = self._buffer.partition(b"\r\n\r\n")
        if not gap or len(body) < _length(head):
            return
        self._outcome.seconds.append(time.perf_counter() - self._sent_at)
        if not head.startswith(b"HTTP/1.1 200") or not self._is_right(body):
            self._outcome.wrong.append((head[:40] + b" " + body[:200]).decode("utf-8", "replace"))
        self._buffer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if not self.done.done():
            self.done.set_exception(BenchmarkError("the server closed a connection"))

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            if not self.done.done():
                self.done.set_result(None)
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def ask(url: str, request: bytes) -> tuple[int, float]:
    """Send one request on a new connection; return the status and the seconds until the response.

    Raises OSError if nothing is listening there, or there is no response.
    """
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        began = time.perf_counter()
        writer.write(request)
        async with asyncio.timeout(ANSWER_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), time.perf_counter() - began
    except asyncio.IncompleteReadError as cut:
        raise ConnectionError("the server closed the connection") from cut
    finally:
        writer.close()


async def shown(url: str, request: bytes) -> Any:
    """Send one request on a new connection; return the decoded body, or None if it is empty.

    Raises OSError, like ``ask``.
    """
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        writer.write(request)
        async with asyncio.timeout(ANSWER_SECONDS):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = re.search(r"(?i)^content-length: *(\d+)", head, re.MULTILINE)
            body = await reader.readexactly(int(length[1]) if length else 0)
        return json.loads(body) if body else None
    except asyncio.IncompleteReadError as cut:
        raise ConnectionError("the server closed the connection") from cut
    finally:
        writer.close()


async def press_steadily(
    target: Target,
    commands: Iterator[tuple[str, str]],
    rate: float,
    is_right: Callable[[bytes], bool] = lambda _body: True,
) -> Outcome:
    """Send (user, text) commands at this rate per second, however long the responses take."""
    place, loop, outcome = urlsplit(target.url), asyncio.get_running_loop(), Outcome()
    free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def one(request: bytes) -> None:
        reader, writer = free.pop() if free else await asyncio.open_connection(place.hostname, place.port)
        sent_at = time.perf_counter()
        writer.write(request)
        async with asyncio.timeout(ANSWER_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_length(head))
        outcome.seconds.append(time.perf_counter() - sent_at)
        if not head.startswith(b"HTTP/1.1 200") or not is_right(body):
            outcome.wrong.append((head[:40] + b" " + body[:200]).decode("utf-8", "replace"))
        free.append((reader, writer))

    began = loop.time()
    async with asyncio.TaskGroup() as group:
        for number, (user, text) in enumerate(commands):
            await asyncio.sleep(began + number / rate - loop.time())
            group.create_task(one(target.request(user, text, number)))
    outcome.took = loop.time() - began
    for _, writer in free:
        writer.close()
    return outcome


async def press(
    target: Target,
    commands: Iterator[tuple[str, str]],
    connections: int,
    is_right: Callable[[bytes], bool] = lambda _body: True,
) -> Outcome:
    """Send all the commands, given as pairs (user, text), over this many connections."""
    requests = (target.request(user, text, number) for number, (user, text) in enumerate(commands))
    return await send(target.url, requests, connections, is_right)


async def send(
    url: str,
    requests: Iterator[bytes],
    connections: int,
    is_right: Callable[[bytes], bool] = lambda _body: True,
) -> Outcome:
    """Send all the requests to a server over this many connections. Each is a complete HTTP request."""
    place = urlsplit(url)
    assert place.hostname is not None, "it has a host"
    assert place.port is not None, "and a port"
    host, port = place.hostname, place.port
    outcome = Outcome()
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    made = [
        await loop.create_connection(lambda: _Connection(requests, outcome, is_right), host, port)
        for _ in range(connections)
    ]
    async with asyncio.timeout(ANSWER_SECONDS + 60.0):
        await asyncio.gather(*(protocol.done for _, protocol in made))
    outcome.took = time.perf_counter() - began
    return outcome
