"""An HTTP proxy between a client and local servers. It supports only CONNECT."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.rigs.relays import listening, relay

USER, PASSWORD = "usher", "canary-of-the-proxy"
_LEAVE = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


class ForwardProxy:
    """Opens a tunnel for each client that gives the password. Every host name leads to this machine.

    If ``answer`` is set, it is sent instead of opening a tunnel. ``before`` is called between the request and
    the answer.
    """

    def __init__(self, answer: bytes = b"", before: Callable[[], object] = lambda: None) -> None:
        self._answer, self._before = answer, before
        self.heads: list[str] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{USER}:{PASSWORD}@127.0.0.1:{self.port}"

    @property
    def asked(self) -> list[str]:
        """Return the request lines that the proxy received, in order."""
        return [head.split("\r\n")[0] for head in self.heads]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        self._before()
        method, target, _ = head.split(maxsplit=2)
        if self._answer or method != "CONNECT":
            writer.write(self._answer or b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
        elif f"Proxy-Authorization: {_LEAVE}\r\n" not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        else:
            behind = await asyncio.open_connection("127.0.0.1", int(target.rpartition(":")[2]))
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await relay(reader, writer, behind)
        await writer.drain()


@asynccontextmanager
async def forward_proxy(
    answer: bytes = b"", before: Callable[[], object] = lambda: None
) -> AsyncIterator[ForwardProxy]:
    """Listen on a free port for the duration of a block."""
    proxy = ForwardProxy(answer, before)
    async with listening(proxy._serve) as proxy.port:
        yield proxy
