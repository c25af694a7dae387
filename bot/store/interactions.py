"""The key of an interaction is used once within a request; again, it would be taken for a redelivery.

The inbox can't tell the two apart: it would drop the second write, and the answer would name both.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import TypeVar

from bot.store.transaction import Transaction, Work

Result = TypeVar("Result")

#: The keys that the request under way has used, and those that its transaction under way uses.
_used: ContextVar[set[str] | None] = ContextVar("used", default=None)
_using: ContextVar[set[str] | None] = ContextVar("using", default=None)


class UsedTwice(Exception):
    """Signal that a request used the key of its interaction twice: each write needs a key of its own."""


@contextmanager
def one_request() -> Iterator[None]:
    """Run a request, or a part of one: keys that are used within it can't be used again."""
    if _used.get() is not None:
        yield
        return
    token = _used.set(set())
    try:
        yield
    finally:
        _used.reset(token)


def use(interaction: str) -> None:
    """Note that the transaction under way uses a key; raises UsedTwice."""
    used, using = _used.get(), _using.get()
    if used is None or using is None:
        return
    if interaction in used:
        raise UsedTwice(f"the interaction {interaction} was used before in this request")
    using.add(interaction)


async def written(write: Callable[[Work[Result]], Awaitable[Result]], work: Work[Result]) -> Result:
    """Run work that writes, in a thread and perhaps repeatedly; what it used counts once it is committed."""
    used = _used.get()
    if used is None:
        return await write(work)
    using: set[str] = set()
    context = copy_context()
    context.run(_using.set, using)

    def attempt(tx: Transaction) -> Result:
        using.clear()
        return context.run(work, tx)

    result = await write(attempt)
    used |= using
    return result
