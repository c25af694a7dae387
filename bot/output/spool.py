"""A complete output in an unnamed file, which disappears with the process however that ends."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from typing import BinaryIO, Final

import structlog

log = structlog.get_logger(__name__)

#: The most bytes kept of one output.
CAP: Final = 50_000_000
#: The most bytes that a character takes; none is cut in two.
LONGEST_CHARACTER: Final = 4
#: The most bytes kept of all outputs together.
TOTAL: Final = 500_000_000
#: How many bytes are buffered in memory before they are written.
HELD: Final = 65_536


class Room:
    """Hold how many bytes all spools of the process may use together."""

    def __init__(self, total: int = TOTAL) -> None:
        self._total = total
        self.used = 0

    @property
    def left(self) -> int:
        """Return how many more bytes may be used."""
        return max(self._total - self.used, 0)


class Spool:
    """Take text as it arrives, return it as bytes. ``is_full`` once its limit, or the shared one, is reached.

    The file has no name (``O_TMPFILE`` where available, otherwise it is unlinked at once), so nothing is left
    to clean up after a crash and nobody else can open it. Only one task may write and read at a
    time.
    """

    def __init__(
        self, cap: int = CAP, held: int = HELD, folder: str | None = None, room: Room | None = None
    ) -> None:
        self._folder = folder
        self._room = room or Room()
        self._cap = cap
        self._most_held = held
        self._file: BinaryIO | None = None
        self._held = bytearray()
        self._writing: asyncio.Future[None] | None = None
        self._is_closed = False
        self.size = 0
        #: Its share of the room, given back when it is closed.
        self._taken = 0
        self.is_full = False

    async def add(self, text: str) -> None:
        """Append a text as far as there is room, never splitting a character."""
        if self.is_full or not text:
            return
        data = text.encode("utf-8", "replace")
        room = min(self._cap - self.size, self._room.left)
        if len(data) > room:
            data = data[:room].decode("utf-8", "ignore").encode()
            self.is_full = True
        self._grow(data)
        if len(self._held) >= self._most_held:
            await self._flush()

    async def note(self, text: str) -> None:
        """Append a short text beyond the limit, to say why the rest is missing."""
        self._grow(text.encode("utf-8", "replace"))
        await self._flush()

    def _grow(self, data: bytes) -> None:
        self.size += len(data)
        self._taken += len(data)
        self._room.used += len(data)
        self._held += data

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield all of it from the beginning, ``size`` bytes in total."""
        await self._flush()
        file = self._file
        at = 0
        while file is not None and at < self.size:
            piece = await asyncio.to_thread(os.pread, file.fileno(), HELD, at)
            if not piece:
                return
            at += len(piece)
            yield piece

    def close(self) -> None:
        """Close the file: nothing of it remains, and nothing more is accepted."""
        self.is_full = self._is_closed = True
        self._held.clear()
        self._room.used -= self._taken
        self._taken = 0
        if self._file is not None:
            self._file.close()
            self._file = None

    async def _flush(self) -> None:
        """Write the buffer; if the caller is cancelled, the write still completes and the next one waits."""
        while self._writing is not None or self._held:
            if self._writing is None:
                data = bytes(self._held)
                self._held.clear()
                self._writing = asyncio.ensure_future(asyncio.to_thread(self._write, data))
            await asyncio.shield(self._writing)
            self._writing = None

    def _write(self, data: bytes) -> None:
        if self._is_closed:
            return
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - closed by close()
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self.is_full = True
            self.size = 0 if self._file is None else os.fstat(self._file.fileno()).st_size
            log.warning("output not spooled", problem=error, number=error.errno)
        except ValueError:
            # It was closed while it was being written.
            self.is_full = True
