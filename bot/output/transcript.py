"""Everything known about one run's output: cleaned, with its end kept for display and all of it spooled."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Final

from bot.domain.models import OutputChunk
from bot.output.lines import MARK, EscapeRemover, Lines, Piece, StreamName, Tail, marked
from bot.output.spool import Spool

#: How many characters are processed at a time.
SLICE: Final = 16_384
_STREAMS: Final[tuple[StreamName, ...]] = ("stdout", "stderr")


class Transcript:
    """Process chunks; lines of both streams are in the order in which they ended, with stderr's marked.

    ``version`` grows with every visible change.
    """

    def __init__(self, spool: Spool | None = None) -> None:
        self.spool = spool or Spool()
        self._tail = Tail()
        self._seen = Seen()
        self._plain = {name: EscapeRemover() for name in _STREAMS}
        self._lines = {name: Lines(name) for name in _STREAMS}
        #: The stream whose unfinished line is at the end of the spool.
        self._unended: StreamName | None = None
        self.version = 0
        self.has_ended = False

    @property
    def line_count(self) -> int:
        """Return how many lines there are so far, including unfinished ones."""
        return self._tail.count + sum(bool(line) for line in self._open_lines())

    @property
    def tail(self) -> str:
        """Return the visible end of it."""
        return self._tail.text(self._open_lines())

    def last_lines(self, count: int) -> list[str]:
        """Return the last lines that aren't blank, oldest first."""
        lines = self._tail.last(10 * count, self._open_lines())
        return [line for line in lines if line.removeprefix(MARK).strip()][-count:]

    def begin(self) -> None:
        """Note that the stream is being read from its beginning (again)."""
        self._seen.begin()

    async def take(self, chunk: OutputChunk) -> bool:
        """Process a chunk; return False if it held nothing new."""
        is_new = False
        for at in range(0, len(chunk.text), SLICE):
            if at:
                await asyncio.sleep(0)  # A large chunk blocks nobody else; cancelling here loses none of it.
            new = self._seen.new_of(OutputChunk(chunk.stream, chunk.text[at : at + SLICE]))
            if new:
                is_new = True
                self.version += 1
                await self._keep(self._lines[chunk.stream].feed(self._plain[chunk.stream].feed(new)))
        return is_new

    async def end(self, note: str = "") -> None:
        """Complete it once: unfinished lines are ended, and ``note`` says what is missing."""
        if self.has_ended:
            return
        self.has_ended = True
        for name in _STREAMS:
            await self._keep(self._lines[name].finish())
        if note:
            line = Lines("stdout")
            for piece in line.feed(note + "\n"):
                self._tail.add(piece)
            await self.spool.note(("\n" if self._unended else "") + note + "\n")
        self.version += 1

    def _open_lines(self) -> tuple[str, ...]:
        out, err = self._lines["stdout"].open_line, self._lines["stderr"].open_line
        return tuple(line for line in (out, MARK + err if err else "") if line)

    async def _keep(self, pieces: Iterable[Piece]) -> None:
        written: list[str] = []
        for piece in pieces:
            self._tail.add(piece)
            # Part of a long line of one stream is followed by a line of the other.
            if self._unended not in (None, piece.stream):
                written.append("\n")
            written.append(marked(piece))
            if piece.ends:
                written.append("\n")
            self._unended = None if piece.ends else piece.stream
        if written:
            await self.spool.add("".join(written))


class Seen:
    """Count the characters of each stream, and skip that many after a restart."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._to_skip: Counter[str] = Counter()

    def begin(self) -> None:
        """Note that the stream restarts."""
        self._to_skip = Counter(self._seen)

    def new_of(self, chunk: OutputChunk) -> str:
        """Return the part of a chunk that wasn't seen before; empty if all of it was."""
        skip = min(self._to_skip[chunk.stream], len(chunk.text))
        self._to_skip[chunk.stream] -= skip
        new = chunk.text[skip:]
        self._seen[chunk.stream] += len(new)
        return new
