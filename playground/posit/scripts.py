"""The output and the end of a job, as a function of its command line; lines are made when they are read."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, fields
from typing import Any

from playground.values import typed

#: In a command line, what follows this word says what is printed: ``print-lines lines=100 rate=5 exit=3``.
CONTROL_WORD = "print-lines"

_SHORT = {"stderr": "stderr_every", "exit": "exit_code"}


@dataclass(frozen=True, slots=True)
class Script:
    """Say what is printed: ``lines`` lines, ``rate`` each second (0: all at once), after ``silent`` seconds.

    ``text`` may hold ``{n}``, the number of the line, from 1. ``width`` fills each line up to so many
    characters. The job ends ``tail`` seconds after its last line. ``stderr_every`` sends every so manieth
    line to stderr. ``start_fails`` lets the job end as Failed before it runs.
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
        """Return for how many seconds the job runs when nobody stops it."""
        return self.silent + self._spread(self.lines) + self.tail

    def printed(self, age: float) -> int:
        """Return how many lines are out when the job has run for ``age`` seconds."""
        since = age - self.silent
        if since < 0 or self.lines == 0:
            return 0
        if self.rate <= 0:
            return self.lines
        # A hair's breadth against sums of floats that stay just below a whole number.
        return min(self.lines, int(since * self.rate + 1e-6) + 1)

    def next_line_at(self, printed: int) -> float | None:
        """Return the age in seconds at which the next line comes, or nothing when all are out."""
        return None if printed >= self.lines else self.silent + self._spread(printed + 1)

    def line(self, number: int) -> tuple[str, str]:
        """Return the stream's name and the text of a line, its end of line with it."""
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
    """Bind a script to the command lines that a pattern is found in."""

    match: re.Pattern[str]
    script: Script


def script_for(command_line: str, rules: tuple[Rule, ...]) -> Script:
    """Return what a job with this command line prints: as it says itself, or by the first rule that fits."""
    own = _scripted(command_line) or _echoed(command_line)
    if own is not None:
        return own
    return next((rule.script for rule in rules if rule.match.search(command_line)), Script())


def build_script(values: dict[str, Any]) -> Script:
    """Make a script of JSON values; raise SeedError for what is unknown or of another type."""
    return Script(**typed(Script, {_SHORT.get(key, key): value for key, value in values.items()}))


def _echoed(command_line: str) -> Script | None:
    """Return what a command line of ``echo`` and words alone prints, as a shell does."""
    found = re.fullmatch(r"echo ((?:[\w.,:-]+ ?)+)", command_line)
    return Script(text=found[1], lines=1) if found else None


def _scripted(command_line: str) -> Script | None:
    try:
        words = shlex.split(command_line)
    except ValueError:
        words = command_line.split()
    if len(words) > 0 and CONTROL_WORD not in words:
        # `bash -c "print-lines …"` holds it within one word.
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
