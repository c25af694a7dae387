"""The output and end of a job, as determined by its command line. Lines are generated when they are read."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, fields
from typing import Any

from playground.values import typed

#: The words after this one in a command line determine the output: ``print-lines lines=100 rate=5 exit=3``.
CONTROL_WORD = "print-lines"

_SHORT = {"stderr": "stderr_every", "exit": "exit_code"}


@dataclass(frozen=True, slots=True)
class Script:
    """A job's output: ``lines`` lines, ``rate`` per second (0: all at once), after ``silent`` seconds.

    ``text`` may contain ``{n}``, the number of the line, counted from 1. ``width`` pads each line to that
    many characters. The job ends ``tail`` seconds after its last line. If ``stderr_every`` is n, every nth
    line goes to stderr. With ``start_fails``, the job fails before it runs.
    """

    text: str = "line {n}"
    lines: int = 5
    rate: float = 2.0
    silent: float = 0.0
    tail: float = 1.0
    stderr_every: int = 0
    exit_code: int = 0
    width: int = 0
    ansi: bool = False
    unicode: bool = False
    start_fails: bool = False

    @property
    def duration(self) -> float:
        """Return for how many seconds the job runs if nobody stops it."""
        return self.silent + self._spread(self.lines) + self.tail

    def printed(self, age: float) -> int:
        """Return the number of lines written once the job has run for ``age`` seconds."""
        since = age - self.silent
        if since < 0 or self.lines == 0:
            return 0
        if self.rate <= 0:
            return self.lines
        # A small margin, because sums of floats can end up just below a whole number.
        return min(self.lines, int(since * self.rate + 1e-6) + 1)

    def next_line_at(self, printed: int) -> float | None:
        """Return the job's age, in seconds, when it writes the next line, or None after the last line."""
        return None if printed >= self.lines else self.silent + self._spread(printed + 1)

    def line(self, number: int) -> tuple[str, str]:
        """Return the name of the stream and the text of a line, including its newline."""
        text = self.text.replace("{n}", str(number))
        if self.unicode:
            text += " – naïve Größe 数据 🚀"
        if self.width > len(text):
            text += " " + "0123456789" * (self.width // 10 + 1)
            text = text[: self.width]
        if self.ansi:
            text = f"\x1b[1;32m{text}\x1b[0m"
        on_stderr = self.stderr_every > 0 and number % self.stderr_every == 0
        return "stderr" if on_stderr else "stdout", text + "\n"

    def _spread(self, number: int) -> float:
        return (number - 1) / self.rate if self.rate > 0 and number > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """The script for command lines that match a pattern."""

    match: re.Pattern[str]
    script: Script


def script_for(command_line: str, rules: tuple[Rule, ...]) -> Script:
    """Return the script of a job: the one in its command line, or that of the first rule that matches it."""
    own = _scripted(command_line) or _echoed(command_line)
    if own is not None:
        return own
    return next((rule.script for rule in rules if rule.match.search(command_line)), Script())


def build_script(values: dict[str, Any]) -> Script:
    """Build a script from JSON values; raise SeedError for unknown names or wrong types."""
    return Script(**typed(Script, {_SHORT.get(key, key): value for key, value in values.items()}))


def _echoed(command_line: str) -> Script | None:
    """Return the script for ``echo`` followed only by words: it prints what a shell would."""
    found = re.fullmatch(r"echo ((?:[\w.,:-]+ ?)+)", command_line)
    return Script(text=found[1], lines=1) if found else None


def _scripted(command_line: str) -> Script | None:
    try:
        words = shlex.split(command_line)
    except ValueError:
        words = command_line.split()
    if len(words) > 0 and CONTROL_WORD not in words:
        # In `bash -c "print-lines …"`, the control word is part of a longer word.
        words = [part for word in words for part in word.split()]
    if CONTROL_WORD not in words:
        return None
    kinds = {field.name: str(field.type) for field in fields(Script)}
    values: dict[str, Any] = {}
    for word in words[words.index(CONTROL_WORD) + 1 :]:
        key, _, value = word.partition("=")
        kind = kinds.get(_SHORT.get(key, key))
        try:
            if kind == "bool":
                values[key] = value in {"", "true", "1"}
            elif kind is not None:
                values[key] = {"int": int, "float": float, "str": str}[kind](value)
        except ValueError:
            continue
    return build_script(values)
