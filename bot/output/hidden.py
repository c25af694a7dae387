"""An output without what a program may print of Usher's own credentials."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.domain.models import OutputChunk
from bot.support.hiding import Hider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


async def without_secrets(
    stream: AsyncIterator[OutputChunk], secrets: Sequence[str]
) -> AsyncIterator[OutputChunk]:
    """Hand a stream on without secrets, also where one came in pieces; closes it."""
    hiders: dict[str, Hider] = {}
    try:
        async for chunk in stream:
            hider = hiders.setdefault(chunk.stream, Hider(secrets))
            # Halves of pairs have no encoding: they pass unchanged, there and back.
            clean = hider.feed(chunk.text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
            if clean:
                yield replace(chunk, text=clean)
        for name, hider in hiders.items():
            rest = hider.rest().decode()
            if rest:
                yield OutputChunk("stderr" if name == "stderr" else "stdout", rest)
    finally:
        close: Any = getattr(stream, "aclose", None)
        if close is not None:
            await close()
