"""A pooler in front of PostgreSQL that shares one connection between transactions, as PgBouncer can."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from urllib.parse import parse_qs, urlsplit

from tests.rigs.relays import listening

_PROTOCOL = 196_608
#: The server's message that it is ready for a statement, and its status when no transaction is open.
_READY, _IDLE = b"Z", b"I"
#: Types of messages to which a client expects an answer.
_ASKS = (b"Q", b"S")
_ENDS = b"X"


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Read one message. Return its type and the whole message."""
    head = await reader.readexactly(5)
    (length,) = struct.unpack("!I", head[1:])
    return head[:1], head + await reader.readexactly(length - 4)


async def _startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read a client's startup message. Refuse its request for encryption."""
    while True:
        length, code = struct.unpack("!II", await reader.readexactly(8))
        await reader.readexactly(length - 8)
        if code == _PROTOCOL:
            return
        writer.write(b"N")


class _Shared:
    """The only connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.turn = asyncio.Lock()
        self.greeting = b""

    async def log_in(self, user: str, database: str) -> None:
        given = b"".join(f"{part}\0".encode() for part in ("user", user, "database", database)) + b"\0"
        self.writer.write(struct.pack("!II", 8 + len(given), _PROTOCOL) + given)
        kind = b""
        while kind != _READY:
            kind, whole = await _message(self.reader)
            self.greeting += whole

    async def transact(
        self, asked: bytes, kind: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Relay one client transaction, starting with the given message."""
        while True:
            if kind in _ASKS:
                self.writer.write(asked)
                asked, said, answer = b"", b"", b""
                while said != _READY:
                    said, answer = await _message(self.reader)
                    writer.write(answer)
                if answer[-1:] == _IDLE:
                    return
            kind, message = await _message(reader)
            asked += message


@asynccontextmanager
async def pooled(url: str, *, has_room: bool = True) -> AsyncIterator[str]:
    """Listen in front of the server of a URL, and yield the pooler's URL.

    Without ``has_room``, clients wait forever.
    """
    parts = urlsplit(url)
    place, database = parse_qs(parts.query)["host"][0], parts.path.strip("/")
    shared = _Shared(*await asyncio.open_unix_connection(f"{place}/.s.PGSQL.5432"))
    await shared.log_in(parts.username or "postgres", database)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _startup(reader, writer)
        writer.write(shared.greeting)
        while True:
            kind, asked = await _message(reader)
            if kind == _ENDS:
                break
            if has_room:
                async with shared.turn:
                    await shared.transact(asked, kind, reader, writer)

    async with listening(serve) as port:
        with closing(shared.writer):
            yield f"postgresql://postgres@127.0.0.1:{port}/{database}"
