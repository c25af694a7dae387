"""Remove Usher's own credentials from an output that happens to print them."""

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
    """Yield a stream without secrets, even those split across chunks; closes the stream."""
    hiders: dict[str, Hider] = {}
    try:
        async for chunk in stream:
            hider = hiders.setdefault(chunk.stream, Hider(secrets))
            # Lone surrogates can't be encoded: they pass unchanged in both directions.
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
