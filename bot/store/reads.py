"""The results of claimed reads, written in batches."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from bot.store import gates
from bot.store.transaction import Priority

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.models import ReadResult
    from bot.store.transaction import Engine

#: Results per transaction: about ten milliseconds.
_AT_ONCE: Final = 100


async def record(engine: Engine, results: Sequence[ReadResult]) -> bool:
    """Write the results of claimed reads: states, due times, verified marks; wake operations, mark cards.

    Return whether that left work for others: an operation was woken or a card became dirty.

    The card of each row's newest operation becomes dirty if anything visible changed. An observation is
    as old as its claim, not its answer. ``gone`` applies to the reader's own row only: for others it may
    just mean *not yours*, so they are read again with their own accounts. Atomic per result, in batches
    that give way to operations.
    """
    is_news = False
    for first in range(0, len(results), _AT_ONCE):
        some = results[first : first + _AT_ONCE]
        is_news |= await engine.write(partial(gates.record, results=some), Priority.RECORDS, rows=len(some))
    return is_news
