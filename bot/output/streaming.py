"""Endless responses, read piece by piece: as careful as ``bot.support.http``, without a time limit.

A stream may be silent for hours, so only its size is limited. Cancelling the reader closes the connection.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
from multidict import CIMultiDictProxy

from bot.domain.runs import OutputChunk
from bot.support.cleaning import Hider
from bot.support.errors import BadAnswer
from bot.support.http import Http, Response

#: How large a response may be if it is read whole after all, such as an error page.
WHOLE_BYTES = 65_536


class Stream:
    """Read one open response, once: iterate over its pieces, or read it whole."""

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        max_bytes: int,
        secrets: Sequence[str] = (),
    ) -> None:
        self._response = response
        self._hider = Hider(secrets)
        self._room = max_bytes

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return self._response.status

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """Return the response's headers."""
        return self._response.headers

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece with secrets removed; raise BadAnswer once the limit is reached."""
        shown = b""
        while not shown:
            if self._room <= 0:
                raise BadAnswer("the answer is too large", status=self.status)
            piece = await self._response.content.readany()
            if not piece:
                shown = self._hider.rest()
                if not shown:
                    raise StopAsyncIteration
                return shown
            shown = self._hider.feed(piece[: self._room])
            self._room -= len(piece)
        return shown

    async def whole(self, max_bytes: int = WHOLE_BYTES) -> Response:
        """Read to the end and return everything; raise BadAnswer if it is larger than ``max_bytes``."""
        body = bytearray()
        async for piece in self:
            body += piece
            if len(body) > max_bytes:
                raise BadAnswer("the answer is too large", status=self.status)
        return Response(self.status, self.headers, bytes(body))


@asynccontextmanager
async def open_stream(
    http: Http,
    method: str,
    url: str,
    *,
    max_bytes: int,
    headers: Mapping[str, str] | None = None,
    json_body: Any = None,
) -> AsyncIterator[Stream]:
    """Send one request once and open its response, whatever its status; redirects are not followed.

    It is requested uncompressed, so that each piece arrives when it is sent. Raises as ``Http.request`` does:
    UnknownOutcome if it breaks off, BadAnswer beyond ``max_bytes``.
    """
    wanted = {**(headers or {}), "Accept-Encoding": "identity"}
    async with http.stream(method, url, headers=wanted, json_body=json_body, total=None) as response:
        yield Stream(response, max_bytes, http.secrets_of(headers))


async def without_secrets(
    stream: AsyncIterator[OutputChunk], secrets: Sequence[str]
) -> AsyncIterator[OutputChunk]:
    """Yield a stream without secrets, even those split across chunks; closes the stream."""
    hiders: dict[str, Hider] = {}
    try:
        async for chunk in stream:
            hider = hiders.setdefault(chunk.stream, Hider(secrets))
            # Lone surrogates can't be encoded: they pass unchanged in both directions.
            clean = hider.feed(chunk.text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
            if clean:
                yield replace(chunk, text=clean)
        for name, hider in hiders.items():
            rest = hider.rest().decode()
            if rest:
                yield OutputChunk("stderr" if name == "stderr" else "stdout", rest)
    finally:
        close: Any = getattr(stream, "aclose", None)
        if close is not None:
            await close()
