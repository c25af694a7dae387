"""Counts the rows that each piece of work changes, in any test, so that no transaction changes thousands.

Queued pieces may share a commit, so what counts is the number that one of them changes.
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

#: So many rows, at most, are changed by a use case, a due row, a task, and whatever else writes.
MOST: Final = 200
#: What may change more, by the function that does it, and why.
MAY: Final = {
    "bot.store.schema.begin_serving.<locals>.<lambda>": "what a moved clock left is healed at once",
    "bot.store.slack_rate_limits.take_slack_call": "calls of one moment, where a test's clock stands still",
    "bot.store.gates.record_some": "up to a hundred results of reads, each a work of its own, share it",
    "bot.store.gates.claim_reads": "as many reads are granted as may be sent now, each a work of its own",
}
#: What was too heavy since the last test: which work, and how many rows it changed.
_heavy: list[tuple[str, int]] = []


def weighed(work: Work[Result]) -> Work[Result]:
    """Return work that notes how many rows it changes, if they are too many."""

    def on_scales(tx: Transaction) -> Result:
        # What counts the round trips isn't to count these.
        bare = getattr(tx, "bare", tx)
        before = bare.changes
        result = work(tx)
        if (changed := bare.changes - before) > MOST:
            name = _name(work)
            # What a test does itself, to have many rows to begin with, isn't a piece of Usher's work.
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
    """Return the name of a piece of work, without what it was wrapped in."""
    inner: Any = work
    while callable(inner):
        work = inner
        if isinstance(work, partial):
            inner = work.func
        else:
            inner = inspect.getclosurevars(work).nonlocals.get("work") if inspect.isfunction(work) else None
    return f"{getattr(work, '__module__', '')}.{getattr(work, '__qualname__', work)}"
