"""Counts the rows changed by each piece of work in any test, so that no transaction changes thousands.

Several queued pieces may share a commit, so each piece is counted on its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:  # what is patched is loaded in a process that hasn't imported it yet
    from bot.store.transaction import Transaction, Work

Result = TypeVar("Result")

#: Maximum number of rows that a use case, a due row, a task or any other write may change.
MOST: Final = 200
#: Functions that may change more rows, and why.
MAY: Final = {
    "bot.store.schema.begin_serving.<locals>.<lambda>": "what a moved clock left is healed at once",
    "bot.store.slack_rate_limits.take_slack_call": "calls of one moment, where a test's clock stands still",
    "bot.store.gates.record_some": "up to a hundred results of reads, each a work of its own, share it",
    "bot.store.gates.claim_reads": "as many reads are granted as may be sent now, each a work of its own",
}
#: The pieces of work that were too heavy since the last test, with the number of rows that each changed.
_heavy: list[tuple[str, int]] = []


def weighed(work: Work[Result]) -> Work[Result]:
    """Return the work, wrapped so that it is recorded if it changes too many rows."""

    def on_scales(tx: Transaction) -> Result:
        # These statements don't count as round trips.
        bare = getattr(tx, "bare", tx)
        before = bare.changes
        result = work(tx)
        if (changed := bare.changes - before) > MOST:
            name = _name(work)
            # Rows that a test writes itself, in order to start with many, aren't Usher's work.
            if name not in MAY and not name.startswith("tests."):
                _heavy.append((name, changed))
        return result

    return on_scales


@contextmanager
def scales() -> Iterator[None]:
    """Fail if a piece of work within the block changes too many rows."""
    _heavy.clear()
    yield
    heavy, _heavy[:] = dict(_heavy), []
    assert not heavy, f"more than {MOST} rows in one transaction: {heavy}"


def _name(work: Callable[..., Any]) -> str:
    """Return the name of the innermost function of a piece of work."""
    inner: Any = work
    while callable(inner):
        work = inner
        if isinstance(work, partial):
            inner = work.func
        else:
            inner = inspect.getclosurevars(work).nonlocals.get("work") if inspect.isfunction(work) else None
    return f"{getattr(work, '__module__', '')}.{getattr(work, '__qualname__', work)}"
