"""Skip what was already seen when a stream restarts from its beginning after an interruption."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.domain.models import OutputChunk


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
