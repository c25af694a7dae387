"""A stream that begins again after a cut: what was seen before is not taken twice."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.domain.models import OutputChunk


class Seen:
    """Count the characters of each stream, and pass over as many after a new beginning."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._to_skip: Counter[str] = Counter()

    def begin(self) -> None:
        """Note that the stream begins again."""
        self._to_skip = Counter(self._seen)

    def new_of(self, chunk: OutputChunk) -> str:
        """Return the part of a chunk that was not seen before; empty when all of it was."""
        skip = min(self._to_skip[chunk.stream], len(chunk.text))
        self._to_skip[chunk.stream] -= skip
        new = chunk.text[skip:]
        self._seen[chunk.stream] += len(new)
        return new
