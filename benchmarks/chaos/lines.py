"""Lines between a cluster and PostgreSQL: slow, standing still, or cut in the middle of a piece."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import parse_qs, urlsplit

LINES: Final = "lines"
#: Seconds until the next trouble; for how long all lines are slow, and stand still.
PAUSE_SECONDS: Final = (0.5, 4.0)
SLOW_SECONDS: Final = (1.0, 5.0)
STILL_SECONDS: Final = (0.5, 6.0)
#: Seconds by which a slow line holds back each piece.
DELAY_SECONDS: Final = (0.002, 0.03)
#: A line is cut once it passes a piece on, or after so many seconds at the latest.
CUT_SECONDS: Final = 1.0


class _Line:
    """One connection of a process, passed on to the server."""

    def __init__(self, *ends: asyncio.StreamWriter) -> None:
        self.ends = ends
        self.is_to_be_cut = False

    def cut(self) -> None:
        """Reset both ends: neither hears what was under way."""
        for end in self.ends:
            end.transport.abort()


class Lines:
    """Pass connections to a port of this machine on to a server's socket."""

    def __init__(self, url: str, chance: random.Random, count: Counter[str]) -> None:
        """``url`` is a database's address by its socket; ``count`` is of the lines that were cut."""
        self._socket = f"{parse_qs(urlsplit(url).query)['host'][0]}/.s.PGSQL.5432"
        self._chance, self._count = chance, count
        self._lines: set[_Line] = set()
        self._delay = 0.0
        self._moves = asyncio.Event()
        self._moves.set()
        self._port = 0

    def address(self, url: str) -> str:
        """Return a database's address by way of a line."""
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.partition('@')[0]}@127.0.0.1:{self._port}{parts.path}"

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Take connections within a block."""
        tasks: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None, "a connection has one"
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            with suppress(OSError):
                await self._connect(reader, writer)
            writer.transport.abort()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        async with server:
            yield
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        other_reader, other_writer = await asyncio.open_unix_connection(self._socket)
        line = _Line(writer, other_writer)
        self._lines.add(line)
        try:
            both = self._pass_on(line, reader, other_writer), self._pass_on(line, other_reader, writer)
            await asyncio.gather(*both, return_exceptions=True)
        finally:
            self._lines.discard(line)
            line.cut()

    async def _pass_on(self, line: _Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65_536):
            if self._delay:
                await asyncio.sleep(self._delay)
            await self._moves.wait()
            if line.is_to_be_cut:
                # Some of it arrives, or all.
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
        """Trouble the lines for so many seconds."""
        loop, ways = asyncio.get_running_loop(), [self.slow_down, self.stand_still, self.cut_some]
        until, turn = loop.time() + seconds, 0
        while loop.time() < until:
            await asyncio.sleep(self._chance.uniform(*PAUSE_SECONDS))
            await ways[turn % len(ways)]()
            turn += 1

    async def slow_down(self) -> None:
        """Hold every piece back for a while."""
        self._delay = self._chance.uniform(*DELAY_SECONDS)
        await asyncio.sleep(self._chance.uniform(*SLOW_SECONDS))
        self._delay = 0.0

    async def stand_still(self) -> None:
        """Pass nothing on for a while; then some lines go on, and the others are cut."""
        self._moves.clear()
        await asyncio.sleep(self._chance.uniform(*STILL_SECONDS))
        self._choose_some()
        self._moves.set()

    async def cut_some(self) -> None:
        """Cut some lines, each with what it passes on next."""
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
