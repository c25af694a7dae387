"""From pieces of one stream to lines: escapes are removed, lines assembled, and their end kept for display.

Of a progress bar only the last state is kept. Source of the grammar of terminal escapes: ECMA-48, 5.3–5.6
(control sequences, control strings, escape sequences).
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import Final, Literal

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


class EscapeRemover:
    """Remove escapes and control characters from one stream; keep line ends, returns, backspaces, tabs."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Return the text that is certain by now; an incomplete sequence waits for its end."""
        text = self._held + text
        self._held = ""
        plain: list[str] = []
        at = 0
        while (begin := _INTRODUCERS.search(text, at)) is not None:
            plain.append(text[at : begin.start()])
            at = begin.start()
            whole = _WHOLE.match(text, at)
            if whole is not None:
                at = whole.end()
            elif _BEGUN.match(text, at):
                self._held = text[at:]
                at = len(text)
            else:
                at += 1
        plain.append(text[at:])
        return _CONTROLS.sub("", "".join(plain))


def marked(piece: Piece) -> str:
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

    def add(self, piece: Piece) -> None:
        """Add a line; a long one is shown only up to a limit."""
        if piece.begins:
            self.count += 1
            self._lines.append(self._cut(marked(piece)))

    def last(self, lines: int, open_lines: tuple[str, ...] = ()) -> list[str]:
        """Return the last lines, oldest first; ``open_lines`` are those that haven't ended yet."""
        shown = [*self._lines, *(self._cut(line) for line in open_lines if line)]
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

    def _cut(self, line: str) -> str:
        return line if len(line) <= self._of_a_line else line[: self._of_a_line - 1] + CUT
