"""The end of an output, limited in lines and characters."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bot.output.lines import Piece

#: How many lines of the end are kept, and how much of each line.
LINES: Final = 40
CHARACTERS: Final = 2_500
OF_A_LINE: Final = 400
CUT: Final = "…"
#: Prefixed to lines of stderr to tell them apart.
MARK: Final = "! "


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
