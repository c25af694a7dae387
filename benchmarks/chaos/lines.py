"""Faulty connections between a cluster and PostgreSQL: slow, stalled, or cut in the middle of a message."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import parse_qs, urlsplit

from tests.rigs.relays import listening

LINES: Final = "lines"
#: Seconds until the next failure, and for how long all connections are slow or stalled.
PAUSE_SECONDS: Final = (0.5, 4.0)
SLOW_SECONDS: Final = (1.0, 5.0)
STILL_SECONDS: Final = (0.5, 6.0)
#: Seconds by which a slow connection delays each chunk of data.
DELAY_SECONDS: Final = (0.002, 0.03)
#: Seconds after which a connection is cut at the latest. Normally it is cut when it forwards its next chunk.
CUT_SECONDS: Final = 1.0


class _Line:
    """One connection of a process, forwarded to the server."""

    def __init__(self, *ends: asyncio.StreamWriter) -> None:
        self.ends = ends
        self.is_to_be_cut = False

    def cut(self) -> None:
        """Reset both ends. Data in transit is lost in both directions."""
        for end in self.ends:
            end.transport.abort()


class Lines:
    """A proxy that forwards connections from a local port to a server's socket, and can disturb them."""

    def __init__(self, url: str, chance: random.Random, count: Counter[str]) -> None:
        """Create a proxy for the database at ``url``, which names a socket.

        ``count`` counts the connections that it cuts.
        """
        self._socket = f"{parse_qs(urlsplit(url).query)['host'][0]}/.s.PGSQL.5432"
        self._chance, self._count = chance, count
        self._lines: set[_Line] = set()
        self._delay = 0.0
        self._moves = asyncio.Event()
        self._moves.set()
        self._port = 0

    def address(self, url: str) -> str:
        """Return a database's URL with the proxy's address in it."""
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.partition('@')[0]}@127.0.0.1:{self._port}{parts.path}"

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Take connections within a block."""
        async with listening(self._connect) as self._port:
            yield

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        other_reader, other_writer = await asyncio.open_unix_connection(self._socket)
        line = _Line(writer, other_writer)
        self._lines.add(line)
        try:
            both = self._pass_on(line, reader, other_writer), self._pass_on(line, other_reader, writer)
            # If one end is reset, cut the other one, too, as the system would.
            await asyncio.gather(*both)
        finally:
            self._lines.discard(line)
            line.cut()

    async def _pass_on(self, line: _Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65_536):
            if self._delay:
                await asyncio.sleep(self._delay)
            await self._moves.wait()
            if line.is_to_be_cut:
                # Forward all of the chunk, or only a part of it, before the connection is cut.
                writer.write(piece[: self._chance.randint(0, len(piece))])
                with suppress(OSError, TimeoutError):
                    async with asyncio.timeout(CUT_SECONDS):
                        await writer.drain()
                line.cut()
                return
            writer.write(piece)
            await writer.drain()
        writer.close()

    async def storm(self, seconds: float) -> None:
        """For this many seconds, disturb the connections in one way after another."""
        loop, ways = asyncio.get_running_loop(), [self.slow_down, self.stand_still, self.cut_some]
        until, turn = loop.time() + seconds, 0
        while loop.time() < until:
            await asyncio.sleep(self._chance.uniform(*PAUSE_SECONDS))
            await ways[turn % len(ways)]()
            turn += 1

    async def slow_down(self) -> None:
        """Delay every chunk of data for a while."""
        self._delay = self._chance.uniform(*DELAY_SECONDS)
        await asyncio.sleep(self._chance.uniform(*SLOW_SECONDS))
        self._delay = 0.0

    async def stand_still(self) -> None:
        """Forward nothing for a while; afterwards cut some connections, and let the others continue."""
        self._moves.clear()
        await asyncio.sleep(self._chance.uniform(*STILL_SECONDS))
        self._choose_some()
        self._moves.set()

    async def cut_some(self) -> None:
        """Cut some connections, each while it forwards its next chunk."""
        chosen = self._choose_some()
        await asyncio.sleep(CUT_SECONDS)
        for line in chosen & self._lines:
            line.cut()

    def _choose_some(self) -> set[_Line]:
        chosen = {line for line in self._lines if self._chance.random() < 0.5}
        for line in chosen:
            line.is_to_be_cut = True
        self._count[LINES] += len(chosen)
        return chosen
