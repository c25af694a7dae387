"""The front: checks the size, headers, time and signature of Slack's requests before anything parses them.

Bolt parses a request before checking it. On its own, it would answer unsigned garbage with status 500, and
accept the same signed bytes again for five minutes (measured on slack-bolt 1.30). A proxy may repeat a
request whose response it lost, so the front gives the same bytes the same answer for a minute. The inbox, not
the front, ensures that a request takes effect only once. See ``docs/internals/rules.md``, "The front verifies
before anything parses".
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from mmap import mmap
from typing import Any, Final, TypeAlias

import aiohttp
import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import SecretStr

from bot.support.clock import Clock
from bot.support.logs import mark_as_known
from bot.web.connections import READ_BYTES
from bot.web.health import Metrics
from bot.web.replays import Replays
from bot.web.shapes import Malformed, read

log = structlog.get_logger(__name__)


#: Maximum size of a request body in bytes, for all of Usher's endpoints. Slack's requests are far smaller.
MAX_BYTES = 1024 * 1024
#: Maximum difference, in seconds, between a request's signed time and our clock. Usher remembers signatures
#: for longer than that, so a replayed request is either recognised or too old.
MAX_AGE = 300
BODY_SECONDS = 5.0
#: How long, in seconds, a repeated request gets the same answer as the first.
REPEAT_SECONDS: Final = 60.0
#: Maximum number of answers kept for repeated requests. A repeat whose answer was dropped gets an empty
#: response.
MAX_KEPT_ANSWERS: Final = 100

_TIMESTAMP_PATTERN = re.compile(r"[0-9]{9,11}")
_SIGNATURE_PATTERN = re.compile(r"v0=[0-9a-f]{64}")
_CHARSETS = frozenset({None, "utf-8", "utf8", "UTF-8", "UTF8"})


#: A function that handles a verified request and returns the response. Its arguments are the payload, the
#: signature and the headers. The signature doesn't cover the headers.
Serve: TypeAlias = Callable[[dict[str, Any], str, Mapping[str, str]], Awaitable[web.Response]]
_KeptAnswer: TypeAlias = tuple[int, bytes, str] | None


class Refusal(Exception):
    """The refusal of a request. It has a status, and a reason that reveals nothing about the request."""

    def __init__(self, status: int, reason: str, *, is_signed: bool = False) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        #: Whether Slack signed the request. Log lines about unsigned requests are limited, because anyone can
        #: send as many requests as they like.
        self.is_signed = is_signed


class Repeated(Exception):
    """The same request has been received before. The message is the request's signature."""


@dataclass
class Front:
    """Verifies and counts requests to an endpoint that Slack calls."""

    signing_secret: SecretStr
    clock: Clock
    replays: Replays
    metrics: Metrics
    parse: Callable[[str, bytes], dict[str, Any]] = read

    def __post_init__(self) -> None:
        #: An HMAC initialised with the signing secret. It is copied for each request, because preparing the
        #: key takes longer than signing.
        self._keyed = hmac.new(self.signing_secret.get_secret_value().encode(), digestmod=hashlib.sha256)
        self._answers: OrderedDict[str, asyncio.Future[_KeptAnswer]] = OrderedDict()

    def guard(self, serve: Serve) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Return a handler for all HTTP methods. It passes verified payloads on to ``serve``."""

        async def handler(request: web.Request) -> web.Response:
            try:
                payload, signature = await self._verify(request)
            except Repeated as repeated:
                mark_as_known()
                return await self._repeat_answer(str(repeated))
            except Refusal as refusal:
                self.metrics.request_refused(refusal.reason)
                if refusal.is_signed:
                    mark_as_known()
                log.warning("slack.request_refused", reason=refusal.reason)
                return build_refusal(refusal.status, refusal.reason)
            mark_as_known()
            self.metrics.accepted_requests.inc()
            return await self._keep_answer(signature, serve(payload, signature, request.headers))

        return handler

    async def _keep_answer(self, signature: str, serving: Awaitable[web.Response]) -> web.Response:
        """Return the answer, and keep it in case the same request is received again.

        That may even happen before the answer is ready.
        """
        kept = self._answers[signature] = asyncio.get_running_loop().create_future()
        if len(self._answers) > MAX_KEPT_ANSWERS:
            self._answers.popitem(last=False)
        answer: _KeptAnswer = None
        try:
            response = await serving
            if isinstance(response.body, bytes):
                answer = response.status, response.body, response.headers["Content-Type"]
            return response
        finally:
            kept.set_result(answer)

    async def _repeat_answer(self, signature: str) -> web.Response:
        kept = self._answers.get(signature)
        answer = None if kept is None else await asyncio.shield(kept)
        status, body, content_type = answer or (200, b"", "text/plain")
        return web.Response(status=status, body=body, headers={"Content-Type": content_type})

    async def _verify(self, request: web.Request) -> tuple[dict[str, Any], str]:
        if request.method != "POST":
            raise Refusal(405, "method")
        if request.content_length is not None and request.content_length > MAX_BYTES:
            raise Refusal(413, "size")
        timestamp = _require_header(request, "X-Slack-Request-Timestamp", _TIMESTAMP_PATTERN)
        signature = _require_header(request, "X-Slack-Signature", _SIGNATURE_PATTERN)
        if abs(self.clock.now() - int(timestamp)) > MAX_AGE:
            raise Refusal(401, "time")
        if request.headers.getall("Content-Encoding", []) not in ([], ["identity"]):
            # The signature covers the body as it was sent, so compressed bodies are refused.
            raise Refusal(400, "encoding")
        raw = await read_body(request)
        signed = self._keyed.copy()
        signed.update(b"v0:" + timestamp.encode() + b":" + raw)
        if not hmac.compare_digest("v0=" + signed.hexdigest(), signature):
            raise Refusal(401, "signature")
        if len(request.headers.getall("Content-Type", [])) != 1 or request.charset not in _CHARSETS:
            raise Refusal(400, "content type", is_signed=True)
        try:
            payload = self.parse(request.content_type, raw)
        except Malformed as malformed:
            raise Refusal(400, f"malformed: {malformed}", is_signed=True) from None
        digits = signature.removeprefix("v0=")
        if self.replays.is_first(digits):
            return payload, signature
        if self.replays.measure_age(digits) <= REPEAT_SECONDS:
            raise Repeated(signature)
        raise Refusal(401, "replay")


def _require_header(request: web.Request, name: str, shape: re.Pattern[str]) -> str:
    values = request.headers.getall(name, [])
    if len(values) != 1 or shape.fullmatch(values[0]) is None:
        raise Refusal(401, "headers")
    return values[0]


class _Body:
    """Collects the pieces of a body.

    A long body gets its own block of memory, which is freed right after use. On the regular heap, the pieces
    of many bodies would leave gaps that can't be reused.
    """

    def __init__(self) -> None:
        self.size = 0
        self._pieces: list[bytes] = []
        self._rest: mmap | None = None

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > MAX_BYTES:
            raise Refusal(413, "size")
        if self.size <= READ_BYTES:
            self._pieces.append(piece)
            return
        if self._rest is None:
            self._rest = mmap(-1, MAX_BYTES)
        self._rest.write(piece)

    def read(self) -> bytes:
        return b"".join([*self._pieces, self._rest[: self._rest.tell()] if self._rest else b""])

    def close(self) -> None:
        self._pieces.clear()
        if self._rest is not None:
            self._rest.close()


async def read_body(request: web.Request) -> bytes:
    """Return the whole body. Raise Refusal if it is too large, arrives too slowly or is cut off.

    With ``request.read()``, aiohttp would keep up to twice the limit in memory for each connection.
    """
    with closing(_Body()) as body:
        try:
            if request.content.is_eof():
                # In nearly all cases, the whole body has already arrived.
                body.add(request.content.read_nowait())
                return body.read()
            async with asyncio.timeout(BODY_SECONDS):
                async for piece in request.content.iter_any():
                    body.add(piece)
        except TimeoutError:
            raise Refusal(400, "slow body") from None
        except (aiohttp.ClientError, web.RequestPayloadError, HttpProcessingError, OSError, RuntimeError):
            # If the connection has been closed in the meantime, aiohttp raises RuntimeError.
            raise Refusal(400, "broken body") from None
        return body.read()


def build_refusal(status: int, reason: str | None = None) -> web.Response:
    """Return a response with only a status and a reason, which closes the connection."""
    response = web.Response(status=status, text=reason)
    # Don't wait for the rest of the body.
    response.force_close()
    return response
