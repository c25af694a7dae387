"""An HTTP proxy between a client and local servers. It supports only CONNECT."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

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
            behind, there = await asyncio.open_connection("127.0.0.1", int(target.rpartition(":")[2]))
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            try:
                await asyncio.gather(_pass_on(reader, there), _pass_on(behind, writer))
            finally:
                there.close()
        await writer.drain()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65_536):
        writer.write(piece)
    writer.close()


@asynccontextmanager
async def forward_proxy(
    answer: bytes = b"", before: Callable[[], object] = lambda: None
) -> AsyncIterator[ForwardProxy]:
    """Listen on a free port for the duration of a block."""
    proxy = ForwardProxy(answer, before)
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await proxy._serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Closed transports are cleaned up in the loop's next iteration.
        await asyncio.sleep(0)
