"""A server that sends given bytes, and counts the requests that reached it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from ssl import SSLContext

from bot.support.http import Http
from tests.rigs.relays import listening

Answer = Callable[[asyncio.StreamWriter, int], Awaitable[None]]
CANARY = "canary-4f1d9c-token"
HEADERS = {"Authorization": f"token {CANARY}"}


def whole(body: bytes = b"{}", status: str = "200 OK", *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class RawServer:
    """A server that gives its answers in turn, on any connection. An empty answer closes the connection."""

    def __init__(self, *answers: bytes | Answer) -> None:
        self.answers = answers
        self.requests: list[bytes] = []
        self.arrived = asyncio.Event()
        self.connections = 0
        self.url, self.port = "", 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            number = len(self.requests)
            self.requests.append(head)
            self.arrived.set()
            answer = self.answers[min(number, len(self.answers) - 1)]
            if not isinstance(answer, bytes):
                await answer(writer, number)
            elif not answer:
                break
            else:
                writer.write(answer)
                await writer.drain()


@asynccontextmanager
async def raw_server(*answers: bytes | Answer, ssl: SSLContext | None = None):
    server = RawServer(*answers)
    async with listening(server._serve, ssl=ssl) as server.port:
        server.url = f"http{'s' if ssl else ''}://127.0.0.1:{server.port}"
        yield server


@asynccontextmanager
async def http(monotonic: Callable[[], float] | None = None, limit: int = 200):
    async with Http.new_session(limit=limit) as session:
        yield Http(session) if monotonic is None else Http(session, monotonic)


def chain(error: BaseException | None) -> list[BaseException]:
    """Return an error with all its causes and contexts, including suppressed ones."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__]
    return found
