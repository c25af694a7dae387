"""The outputs that one process follows: cleaned, in lines, the end kept for display and all of it in a file.

Whoever reads an output writes it here, and whoever displays it reads it. Nothing of it survives the
process, and nothing has to: an output can be read again from its beginning. Of a progress bar only the last
state is kept. Source of the grammar of terminal escapes: ECMA-48, 5.3–5.6 (control sequences, control
strings, escape sequences).
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import BinaryIO, Final, Literal

import structlog

from bot.domain.runs import OutputChunk, OutputTail

log = structlog.get_logger(__name__)


StreamName = Literal["stdout", "stderr"]

#: A longer line is passed on in parts of this many characters, so that it can't fill the memory.
LONGEST: Final = 8_192
#: A control string (a title, a link's address) ends with BEL or ST. Here it never spans lines, so that an
#: unterminated one costs a line and not the rest; anything longer than this isn't treated as one. Nor does it
#: contain the beginning of another: each of a row of them would be read up to the end of all.
_CONTROL_STRING: Final = r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9b-\x9f\n]{0,4096}+"
_CONTROL_SEQUENCE: Final = r"(?:\x1b\[|\x9b)[\x30-\x3f]{0,256}[\x20-\x2f]{0,16}"
_WHOLE: Final = re.compile(
    rf"{_CONTROL_SEQUENCE}[\x40-\x7e]"
    rf"|{_CONTROL_STRING}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[\x20-\x2f]{1,16}[\x30-\x7e]"
    r"|\x1b[\x30-\x4f\x51-\x57\x59\x5a\x5c\x60-\x7e]"
)
#: The beginning of one of these: the rest may come with the next piece.
_BEGUN: Final = re.compile(rf"(?:{_CONTROL_SEQUENCE}|{_CONTROL_STRING}\x1b?|\x1b[\x20-\x2f]{{0,16}})\Z")
_INTRODUCERS: Final = re.compile("[\x1b\x90\x98\x9b\x9d-\x9f]")
#: Line feed, carriage return, backspace and tab have a meaning here; other control characters are dropped.
_CONTROLS: Final = re.compile("[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f]")
#: How many lines of the end are kept, and how much of each line.
LINES: Final = 40
CHARACTERS: Final = 2_500
OF_A_LINE: Final = 400
CUT: Final = "…"
#: Prefixed to lines of stderr to tell them apart.
MARK: Final = "! "


@dataclass(frozen=True, slots=True)
class OutputLine:
    """Hold a line or a part of a long one; ``begins`` and ``ends`` say which part it is."""

    stream: StreamName
    text: str
    begins: bool = True
    ends: bool = True


class Lines:
    """Split a stream's plain text into lines.

    A carriage return goes back to the start of the line: what follows overwrites whatever hasn't been passed
    on yet. A backspace removes a character.
    """

    def __init__(self, stream: StreamName, longest: int = LONGEST) -> None:
        self._stream: StreamName = stream
        self._longest = longest
        self._line = ""
        self._returned = False
        self._begun = False

    @property
    def open_line(self) -> str:
        """Return the part of the unfinished line that hasn't been passed on yet."""
        return self._line

    def feed(self, text: str) -> list[OutputLine]:
        """Return the pieces that are now complete."""
        pieces: list[OutputLine] = []
        first, *others = text.split("\n")
        self._write(first, pieces)
        for line in others:
            self._end(pieces)
            self._write(line, pieces)
        return pieces

    def finish(self) -> list[OutputLine]:
        """Return the unfinished line, if there is one."""
        pieces: list[OutputLine] = []
        if self._line or self._begun:
            self._end(pieces)
        return pieces

    def _write(self, text: str, pieces: list[OutputLine]) -> None:
        for number, part in enumerate(text.split("\r")):
            if number:
                self._returned = True
            if not part:
                continue
            if self._returned:
                self._line, self._returned = "", False
            for times, written in enumerate(part.split("\b")):
                if times:
                    self._line = self._line[:-1]
                self._line += written
                self._hand_on(pieces)

    def _hand_on(self, pieces: list[OutputLine]) -> None:
        while len(self._line) > self._longest:
            part, self._line = self._line[: self._longest], self._line[self._longest :]
            pieces.append(OutputLine(self._stream, part, begins=not self._begun, ends=False))
            self._begun = True

    def _end(self, pieces: list[OutputLine]) -> None:
        pieces.append(OutputLine(self._stream, self._line, begins=not self._begun))
        self._line, self._returned, self._begun = "", False, False


class EscapeRemover:
    """Remove escapes and control characters from one stream; keep line ends, returns, backspaces, tabs."""

    def __init__(self) -> None:
        self._kept = ""

    def feed(self, text: str) -> str:
        """Return the text that is certain by now; an incomplete sequence waits for its end."""
        text = self._kept + text
        self._kept = ""
        plain: list[str] = []
        at = 0
        while (begin := _INTRODUCERS.search(text, at)) is not None:
            plain.append(text[at : begin.start()])
            at = begin.start()
            whole = _WHOLE.match(text, at)
            if whole is not None:
                at = whole.end()
            elif _BEGUN.match(text, at):
                self._kept = text[at:]
                at = len(text)
            else:
                at += 1
        plain.append(text[at:])
        return _CONTROLS.sub("", "".join(plain))


def format_line(piece: OutputLine) -> str:
    """Return a piece as it is shown: stderr is marked at the start."""
    return MARK + piece.text if piece.stream == "stderr" and piece.begins else piece.text


class Tail:
    """Keep the last lines. ``count`` is the number of all lines so far."""

    def __init__(self, lines: int = LINES, characters: int = CHARACTERS, of_a_line: int = OF_A_LINE) -> None:
        self._lines: deque[str] = deque(maxlen=lines)
        self._most = lines
        self._characters = characters
        self._of_a_line = of_a_line
        self.count = 0

    def add(self, piece: OutputLine) -> None:
        """Add a line; a long one is shown only up to a limit."""
        if piece.begins:
            self.count += 1
            self._lines.append(self._cut_line(format_line(piece)))

    def last(self, lines: int, open_lines: tuple[str, ...] = ()) -> list[str]:
        """Return the last lines, oldest first; ``open_lines`` are those that haven't ended yet."""
        shown = [*self._lines, *(self._cut_line(line) for line in open_lines if line)]
        return shown[-lines:] if lines > 0 else []

    def text(self, open_lines: tuple[str, ...] = ()) -> str:
        """Return the visible end: as many of the last whole lines as fit."""
        kept: list[str] = []
        room = self._characters
        for line in reversed(self.last(self._most, open_lines)):
            room -= len(line) + 1
            if room < 0:
                break
            kept.append(line)
        return "\n".join(reversed(kept))

    def _cut_line(self, line: str) -> str:
        return line if len(line) <= self._of_a_line else line[: self._of_a_line - 1] + CUT


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
        """Return the number of lines so far, including unfinished ones."""
        return self._tail.count + sum(bool(line) for line in self._open_lines())

    @property
    def tail(self) -> str:
        """Return the visible end of it."""
        return self._tail.text(self._open_lines())

    def last_lines(self, count: int) -> list[str]:
        """Return the last lines that aren't blank, oldest first."""
        lines = self._tail.last(10 * count, self._open_lines())
        return [line for line in lines if line.removeprefix(MARK).strip()][-count:]

    @property
    def is_short(self) -> bool:
        """Return whether it is no longer than what is shown of it at the end."""
        lines = self._tail.last(LAST_LINES, self._open_lines())
        is_cut = self.spool.is_full or any(len(line) >= OF_A_LINE for line in lines)
        return not is_cut and self.line_count == len(lines) and self.tail == "\n".join(lines)

    def end_lines(self) -> list[str]:
        """Return the lines that are shown at the end: all if it is short, else the last."""
        return self.tail.splitlines() if self.is_short else self.last_lines(LAST_LINES)

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

    async def _keep(self, pieces: Iterable[OutputLine]) -> None:
        written: list[str] = []
        for piece in pieces:
            self._tail.add(piece)
            # Part of a long line of one stream is followed by a line of the other.
            if self._unended not in (None, piece.stream):
                written.append("\n")
            written.append(format_line(piece))
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


#: How many of the last lines are shown when a run ends that has written more than fits.
LAST_LINES: Final = 5


@dataclass(slots=True, eq=False)
class FollowedRun:
    """Follow one run's output. Times are monotonic seconds.

    ``is_over``: nothing more will be read. ``is_done``: all of it was sent. ``is_asked``: its run was over
    before somebody asked for it, so they hear of it even if there is none.
    """

    run_id: str
    transcript: Transcript = field(default_factory=Transcript)
    is_over: bool = False
    is_done: bool = False
    is_asked: bool = False
    done_at: float = 0.0
    changed_at: float = float("-inf")
    #: The version of the transcript for which the card was last marked dirty.
    pending_version: int = 0
    #: No delivery of the file before this time, after this many failures.
    deliver_after: float = 0.0
    deliveries: int = 0
    is_delivering: bool = False

    def finish(self, now: float) -> None:
        """Note that everything was sent, and release the spool."""
        self.is_done, self.done_at = True, now
        self.transcript.spool.close()


#: What is missing of an output: what is longer than a file may be, what there is no room for, and what
#: couldn't be read.
Missing = Literal["cut", "not_kept", "not_read"]


class Board:
    """Hold the outputs that are followed, by the ids of their runs."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        room: SpoolBudget | None = None,
        explain_missing: Callable[[Missing, str, str], str] = lambda missing, _cause, _title: missing,
    ) -> None:
        self.monotonic = monotonic
        #: Says in the output itself what is missing of it; given the cause and the connection's title, too.
        self.explain_missing = explain_missing
        #: How much disk space their spools share.
        self.room = room or SpoolBudget()
        self.entries: dict[str, FollowedRun] = {}

    def is_used(self) -> bool:
        """Return whether any output is followed."""
        return bool(self.entries)

    def add(self, run_id: str) -> FollowedRun:
        """Start following an output."""
        entry = self.entries[run_id] = FollowedRun(run_id, Transcript(Spool(room=self.room)))
        return entry

    def drop(self, run_id: str) -> None:
        """Stop following an output."""
        entry = self.entries.pop(run_id, None)
        if entry is not None:
            entry.transcript.spool.close()

    def close(self) -> None:
        """Stop following all outputs."""
        for run_id in list(self.entries):
            self.drop(run_id)

    def find_tail(self, run_id: str) -> OutputTail | None:
        """Return the part of a run's output for a message; None if it isn't followed here."""
        entry = self.entries.get(run_id)
        if entry is None:
            return None
        transcript = entry.transcript
        return OutputTail(
            tail=transcript.tail,
            lines=transcript.line_count,
            is_over=entry.is_over,
            last_lines=tuple(transcript.end_lines()),
        )

    def find_grown_runs(self, run_ids: Iterable[str]) -> list[str]:
        """Return those of these runs that have written more since the last time."""
        grown = []
        for run_id in run_ids:
            entry = self.entries.get(run_id)
            if entry is not None and entry.pending_version != entry.transcript.version:
                entry.pending_version = entry.transcript.version
                grown.append(run_id)
        return grown


#: The most bytes kept of one output.
CAP: Final = 50_000_000
#: The most bytes that a character takes; none is cut in two.
LONGEST_CHARACTER: Final = 4
#: The most bytes kept of all outputs together.
TOTAL: Final = 500_000_000
#: How many bytes are buffered in memory before they are written.
KEPT: Final = 65_536


class SpoolBudget:
    """The bytes that all spools of the process may use together."""

    def __init__(self, total: int = TOTAL) -> None:
        self._total = total
        self.used = 0

    @property
    def left(self) -> int:
        """Return the number of bytes that remain."""
        return max(self._total - self.used, 0)


class Spool:
    """Take text as it arrives, return it as bytes. ``is_full`` once its limit, or the shared one, is reached.

    The file has no name (``O_TMPFILE`` where available, otherwise it is unlinked at once), so nothing is left
    to clean up after a crash and nobody else can open it. Only one task may write and read at a
    time.
    """

    def __init__(
        self, cap: int = CAP, kept: int = KEPT, folder: str | None = None, room: SpoolBudget | None = None
    ) -> None:
        self._folder = folder
        self._room = room or SpoolBudget()
        self._cap = cap
        self._most_kept = kept
        self._file: BinaryIO | None = None
        self._kept = bytearray()
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
        if len(self._kept) >= self._most_kept:
            await self._flush()

    async def note(self, text: str) -> None:
        """Append a short text beyond the limit, with the reason for the missing rest."""
        self._grow(text.encode("utf-8", "replace"))
        await self._flush()

    def _grow(self, data: bytes) -> None:
        self.size += len(data)
        self._taken += len(data)
        self._room.used += len(data)
        self._kept += data

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield all of it from the beginning, ``size`` bytes in total."""
        await self._flush()
        file = self._file
        at = 0
        while file is not None and at < self.size:
            piece = await asyncio.to_thread(os.pread, file.fileno(), KEPT, at)
            if not piece:
                return
            at += len(piece)
            yield piece

    def close(self) -> None:
        """Close the file: nothing of it remains, and nothing more is accepted."""
        self.is_full = self._is_closed = True
        self._kept.clear()
        self._room.used -= self._taken
        self._taken = 0
        if self._file is not None:
            self._file.close()
            self._file = None

    async def _flush(self) -> None:
        """Write the buffer; if the caller is cancelled, the write still completes and the next one waits."""
        while self._writing is not None or self._kept:
            if self._writing is None:
                data = bytes(self._kept)
                self._kept.clear()
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
