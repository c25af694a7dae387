"""Lines of one stream, assembled from pieces; of a progress bar only the last state is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

StreamName = Literal["stdout", "stderr"]

#: A longer line is passed on in parts of this many characters, so that it can't fill the memory.
LONGEST: Final = 8_192


@dataclass(frozen=True, slots=True)
class Piece:
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

    def feed(self, text: str) -> list[Piece]:
        """Return the pieces that are now complete."""
        pieces: list[Piece] = []
        first, *others = text.split("\n")
        self._write(first, pieces)
        for line in others:
            self._end(pieces)
            self._write(line, pieces)
        return pieces

    def finish(self) -> list[Piece]:
        """Return the unfinished line, if there is one."""
        pieces: list[Piece] = []
        if self._line or self._begun:
            self._end(pieces)
        return pieces

    def _write(self, text: str, pieces: list[Piece]) -> None:
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

    def _hand_on(self, pieces: list[Piece]) -> None:
        while len(self._line) > self._longest:
            part, self._line = self._line[: self._longest], self._line[self._longest :]
            pieces.append(Piece(self._stream, part, begins=not self._begun, ends=False))
            self._begun = True

    def _end(self, pieces: list[Piece]) -> None:
        pieces.append(Piece(self._stream, self._line, begins=not self._begun))
        self._line, self._returned, self._begun = "", False, False
