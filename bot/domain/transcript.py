"""The output of runs that one process is following, cleaned and split into lines.

The end of a run's output is kept in memory for display, and all of it is kept in a file. Nothing outlives the
process, because the output can be read again from its beginning. Only the last state of a progress bar is
kept. Terminal escapes follow the grammar of ECMA-48, 5.3–5.6 (control sequences, control strings, escape
sequences).
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

#: Maximum length of a line, in characters. Longer lines are passed on in parts, so that they can't fill up
#: memory.
LONGEST: Final = 8_192
#: Matches a control string (such as a title or a link's URL), which ends with BEL or ST. The match never
#: spans lines, so that an unterminated string costs only a line rather than the rest of the output. The match
#: is limited in length and ends before another control string begins. Without these limits, matching many
#: unterminated strings would take quadratic time.
_CONTROL_STRING: Final = r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9b-\x9f\n]{0,4096}+"
_CONTROL_SEQUENCE: Final = r"(?:\x1b\[|\x9b)[\x30-\x3f]{0,256}[\x20-\x2f]{0,16}"
_WHOLE: Final = re.compile(
    rf"{_CONTROL_SEQUENCE}[\x40-\x7e]"
    rf"|{_CONTROL_STRING}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[\x20-\x2f]{1,16}[\x30-\x7e]"
    r"|\x1b[\x30-\x4f\x51-\x57\x59\x5a\x5c\x60-\x7e]"
)
#: Matches the beginning of an escape. The rest of it may arrive with the next chunk.
_BEGUN: Final = re.compile(rf"(?:{_CONTROL_SEQUENCE}|{_CONTROL_STRING}\x1b?|\x1b[\x20-\x2f]{{0,16}})\Z")
_INTRODUCERS: Final = re.compile("[\x1b\x90\x98\x9b\x9d-\x9f]")
#: Control characters to be removed. Line feed, carriage return, backspace and tab are kept.
_CONTROLS: Final = re.compile("[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f]")
#: Maximum number of lines kept from the end of a run's output. Together, they have at most ``CHARACTERS``
#: characters, and each line has at most ``OF_A_LINE``.
LINES: Final = 40
CHARACTERS: Final = 2_500
OF_A_LINE: Final = 400
CUT: Final = "…"
#: Prefix of lines that a run wrote to standard error.
MARK: Final = "! "


@dataclass(frozen=True, slots=True)
class OutputLine:
    """A line of output, or part of a long line. A part may lack the line's beginning or end."""

    stream: StreamName
    text: str
    begins: bool = True
    ends: bool = True


class Lines:
    """Splits a stream's plain text into lines.

    Text after a carriage return replaces the part of the line that hasn't been passed on yet. A backspace
    removes a character.
    """

    def __init__(self, stream: StreamName, longest: int = LONGEST) -> None:
        self._stream: StreamName = stream
        self._longest = longest
        #: The part of the unfinished line that hasn't been passed on yet.
        self.open_line = ""
        self._returned = False
        self._begun = False

    def feed(self, text: str) -> list[OutputLine]:
        """Process text, and return the lines or parts of lines that are complete now."""
        pieces: list[OutputLine] = []
        first, *others = text.split("\n")
        self._write(first, pieces)
        for line in others:
            self._end(pieces)
            self._write(line, pieces)
        return pieces

    def finish(self) -> list[OutputLine]:
        """Return whatever is left of an unfinished line when its stream ends."""
        pieces: list[OutputLine] = []
        if self.open_line or self._begun:
            self._end(pieces)
        return pieces

    def _write(self, text: str, pieces: list[OutputLine]) -> None:
        for number, part in enumerate(text.split("\r")):
            if number:
                self._returned = True
            if not part:
                continue
            if self._returned:
                self.open_line, self._returned = "", False
            for times, written in enumerate(part.split("\b")):
                if times:
                    self.open_line = self.open_line[:-1]
                self.open_line += written
                while len(self.open_line) > self._longest:
                    begin, self.open_line = self.open_line[: self._longest], self.open_line[self._longest :]
                    pieces.append(OutputLine(self._stream, begin, begins=not self._begun, ends=False))
                    self._begun = True

    def _end(self, pieces: list[OutputLine]) -> None:
        pieces.append(OutputLine(self._stream, self.open_line, begins=not self._begun))
        self.open_line, self._returned, self._begun = "", False, False


class EscapeRemover:
    """Removes escapes and control characters, except newlines, returns, backspaces and tabs."""

    def __init__(self) -> None:
        self._kept = ""

    def feed(self, text: str) -> str:
        """Return the text without escapes. An incomplete escape is held back until the rest arrives."""
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
    """Return a line, or part of a line, as users see it. Lines of stderr begin with a mark."""
    return MARK + piece.text if piece.stream == "stderr" and piece.begins else piece.text


class Tail:
    """Keeps the last lines of an output. ``count`` is the number of lines so far."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=LINES)
        self.count = 0

    def add(self, piece: OutputLine) -> None:
        """Add a line, cut to the maximum length. If the line is long, its later parts are ignored."""
        if piece.begins:
            self.count += 1
            self._lines.append(_cut_line(format_line(piece)))

    def last(self, lines: int, open_lines: tuple[str, ...] = ()) -> list[str]:
        """Return the last lines, oldest first. ``open_lines`` are lines that haven't ended."""
        shown = [*self._lines, *(_cut_line(line) for line in open_lines if line)]
        return shown[-lines:] if lines > 0 else []

    def text(self, open_lines: tuple[str, ...] = ()) -> str:
        """Return as many whole lines from the end of the output as may be displayed."""
        kept: list[str] = []
        room = CHARACTERS
        for line in reversed(self.last(LINES, open_lines)):
            room -= len(line) + 1
            if room < 0:
                break
            kept.append(line)
        return "\n".join(reversed(kept))


def _cut_line(line: str) -> str:
    return line if len(line) <= OF_A_LINE else line[: OF_A_LINE - 1] + CUT


#: Number of characters of output that are processed at a time.
SLICE: Final = 16_384
_STREAMS: Final[tuple[StreamName, ...]] = ("stdout", "stderr")


class Transcript:
    """The output of one run, made from chunks of both of its streams.

    Lines are in the order in which they ended, and stderr lines are marked. ``version`` is incremented with
    every visible change.
    """

    def __init__(self, spool: Spool | None = None) -> None:
        self.spool = spool or Spool()
        self._tail = Tail()
        #: How many characters of each stream have been read, and how many to skip when the streams are read
        #: again.
        self._seen: Counter[str] = Counter()
        self._to_skip: Counter[str] = Counter()
        self._plain = {name: EscapeRemover() for name in _STREAMS}
        self._lines = {name: Lines(name) for name in _STREAMS}
        #: The stream of the unfinished line at the end of the spool (the file with the output).
        self._unended: StreamName | None = None
        self.version = 0
        self.has_ended = False

    @property
    def line_count(self) -> int:
        """Return the number of lines so far. Unfinished ones count, too."""
        return self._tail.count + sum(bool(line) for line in self._open_lines())

    @property
    def tail(self) -> str:
        """Return the end of the output, as much of it as may be displayed."""
        return self._tail.text(self._open_lines())

    def last_lines(self, count: int) -> list[str]:
        """Return the last lines that aren't blank, oldest first."""
        lines = self._tail.last(10 * count, self._open_lines())
        return [line for line in lines if line.removeprefix(MARK).strip()][-count:]

    @property
    def is_short(self) -> bool:
        """Return whether the whole output fits into the message about the run's end."""
        lines = self._tail.last(LAST_LINES, self._open_lines())
        is_cut = self.spool.is_full or any(len(line) >= OF_A_LINE for line in lines)
        return not is_cut and self.line_count == len(lines) and self.tail == "\n".join(lines)

    def end_lines(self) -> list[str]:
        """Return the lines to show when the run ends: the whole output if it is short, or its last lines."""
        return self.tail.splitlines() if self.is_short else self.last_lines(LAST_LINES)

    def begin(self) -> None:
        """Record that the streams are being read from the beginning, possibly for a second time."""
        self._to_skip = Counter(self._seen)

    async def take(self, chunk: OutputChunk) -> bool:
        """Process a chunk. Return False if it contained nothing new."""
        is_new = False
        for at in range(0, len(chunk.text), SLICE):
            if at:
                await asyncio.sleep(0)  # Let other work run; a cancellation here loses no output.
            part = chunk.text[at : at + SLICE]
            skipped = min(self._to_skip[chunk.stream], len(part))
            self._to_skip[chunk.stream] -= skipped
            if new := part[skipped:]:
                is_new = True
                self._seen[chunk.stream] += len(new)
                self.version += 1
                self._keep(self._lines[chunk.stream].feed(self._plain[chunk.stream].feed(new)))
        return is_new

    def end(self, note: str = "") -> None:
        """End the output and complete unfinished lines. ``note`` says what is missing, if anything."""
        if self.has_ended:
            return
        self.has_ended = True
        for name in _STREAMS:
            self._keep(self._lines[name].finish())
        if note:
            for line in note.splitlines():
                self._tail.add(OutputLine("stdout", line))
            self.spool.note(("\n" if self._unended else "") + note + "\n")
        self.version += 1

    def _open_lines(self) -> tuple[str, ...]:
        out, err = self._lines["stdout"].open_line, self._lines["stderr"].open_line
        return tuple(line for line in (out, MARK + err if err else "") if line)

    def _keep(self, pieces: Iterable[OutputLine]) -> None:
        written: list[str] = []
        for piece in pieces:
            self._tail.add(piece)
            # If the last piece was an unfinished line of the other stream, begin a new line.
            if self._unended not in (None, piece.stream):
                written.append("\n")
            written.append(format_line(piece))
            if piece.ends:
                written.append("\n")
            self._unended = None if piece.ends else piece.stream
        self.spool.add("".join(written))


#: Maximum number of lines shown from the end of a run's output once the run has ended.
LAST_LINES: Final = 5


@dataclass(slots=True, eq=False)
class FollowedRun:
    """The state of following the output of one run. Times are in monotonic seconds.

    ``is_over`` means that nothing more will be read, and ``is_done`` that all of the output has been sent.
    ``is_asked`` means that the run was already over when the user asked for its output, so they get an answer
    even if it has none.
    """

    run_id: str
    transcript: Transcript = field(default_factory=Transcript)
    is_over: bool = False
    is_done: bool = False
    is_asked: bool = False
    done_at: float = 0.0
    changed_at: float = float("-inf")
    #: The version of the transcript when ``Board.find_grown_runs`` last reported new output for the run's
    #: card.
    pending_version: int = 0
    #: When to try again to deliver the file. ``deliveries`` counts failed attempts.
    deliver_after: float = 0.0
    deliveries: int = 0
    is_delivering: bool = False

    def finish(self, now: float) -> None:
        """Record that everything has been sent, and close the spool."""
        self.is_done, self.done_at = True, now
        self.transcript.spool.close()


#: Why the rest of a run's output is missing: the file would be too large, the disk was full, or the output
#: couldn't be read.
Missing = Literal["cut", "not_kept", "not_read"]


class Board:
    """The outputs that this process is following, keyed by run id."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        room: SpoolBudget | None = None,
        explain_missing: Callable[[Missing, str, str], str] = lambda missing, _cause, _title: missing,
    ) -> None:
        self.monotonic = monotonic
        #: Function that returns the line to add at the end of an incomplete output. Its arguments are the
        #: reason (``Missing``), a cause, and the connection's title.
        self.explain_missing = explain_missing
        #: The disk space shared by all spools (the files that hold output).
        self.room = room or SpoolBudget()
        self.entries: dict[str, FollowedRun] = {}

    def is_used(self) -> bool:
        """Return whether this process is following the output of any run."""
        return bool(self.entries)

    def add(self, run_id: str) -> FollowedRun:
        """Start following a run's output."""
        entry = self.entries[run_id] = FollowedRun(run_id, Transcript(Spool(room=self.room)))
        return entry

    def drop(self, run_id: str) -> None:
        """Stop following a run's output."""
        entry = self.entries.pop(run_id, None)
        if entry is not None:
            entry.transcript.spool.close()

    def close(self) -> None:
        """Stop following the output of all runs."""
        for run_id in list(self.entries):
            self.drop(run_id)

    def find_tail(self, run_id: str) -> OutputTail | None:
        """Return what messages show of a run's output. If this process isn't following it, return None."""
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
        """Return the given runs that have written more output since the last call."""
        grown = []
        for run_id in run_ids:
            entry = self.entries.get(run_id)
            if entry is not None and entry.pending_version != entry.transcript.version:
                entry.pending_version = entry.transcript.version
                grown.append(run_id)
        return grown


#: Maximum size, in bytes, of the output that is kept for one run.
CAP: Final = 50_000_000
#: Maximum number of bytes in a character. Characters are never split.
LONGEST_CHARACTER: Final = 4
#: Maximum size, in bytes, of the output that is kept for all runs together.
TOTAL: Final = 500_000_000
#: Size, in bytes, of the blocks in which the file is written and read. Output is kept in memory until it
#: fills a block.
KEPT: Final = 65_536


class SpoolBudget:
    """The number of bytes that all spools of a process may use together."""

    def __init__(self, total: int = TOTAL) -> None:
        self._total = total
        self.used = 0

    @property
    def left(self) -> int:
        """Return how many more bytes may be used."""
        return max(self._total - self.used, 0)


class Spool:
    """A file that holds an output's text.

    ``is_full`` is set once its own limit or the shared one is reached. The file has no name (``O_TMPFILE`` if
    available, otherwise it is unlinked immediately), so a crash leaves nothing to clean up, and nobody else
    can open it.
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
        self._is_closed = False
        self.size = 0
        self.is_full = False

    def add(self, text: str) -> None:
        """Append as much of a string as the limits allow, without splitting a character."""
        if self.is_full:
            return
        data = text.encode("utf-8", "replace")
        room = min(self._cap - self.size, self._room.left)
        if len(data) > room:
            data = data[:room].decode("utf-8", "ignore").encode()
            self.is_full = True
        self._keep(data)

    def note(self, text: str) -> None:
        """Append a short note that says why the rest is missing, even if that exceeds the limits."""
        self._keep(text.encode("utf-8", "replace"))

    def _keep(self, data: bytes) -> None:
        if self._is_closed:
            return
        self._kept += data
        self._count(len(data))
        if len(self._kept) >= self._most_kept:
            self._flush()

    def _count(self, number: int) -> None:
        self.size += number
        self._room.used += number

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the whole text, ``size`` bytes in total, from the beginning."""
        self._flush()
        at = 0
        while self._file is not None and at < self.size:
            piece = os.pread(self._file.fileno(), KEPT, at)
            at += len(piece)
            yield piece

    def close(self) -> None:
        """Close the file, which also deletes it. Nothing can be added after that."""
        self.is_full = self._is_closed = True
        self._kept.clear()
        self._count(-self.size)
        if self._file is not None:
            self._file.close()
            self._file = None

    def _flush(self) -> None:
        """Write the buffer to the file. If the disk is full, drop the rest of the text."""
        data = bytes(self._kept)
        self._kept.clear()
        try:
            while data:
                if self._file is None:
                    self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - closed by close()
                data = data[self._file.write(data) :]
        except OSError as error:
            self.is_full = True
            self._count(-len(data))
            log.warning("output not spooled", problem=error, number=error.errno)
