"""Tests of priorities: ``read`` and ``write`` use the function's, ``claim`` and ``carry_out`` their own."""

import pytest

from bot.store import outages, owners
from bot.store.store import Store
from bot.store.transaction import Priority


class Queue:
    """An engine that records the priority of each piece of work."""

    def __init__(self):
        self.priorities = []

    def now(self):
        return 0.0

    async def read(self, _work, priority, subjects=()):
        self.priorities.append(priority)

    write = read


@pytest.mark.parametrize(
    ("verb", "function", "priority"),
    [
        ("read", owners.list_ownerships, Priority.STEADY),
        ("write", owners.own, Priority.STEADY),
        ("write", owners.renew_owned, Priority.URGENT),
        ("write", outages.note_answer, Priority.RECORDS),
        ("claim", owners.renew_owned, Priority.CLAIMS),
        ("carry_out", outages.note_answer, Priority.URGENT),
    ],
    ids=lambda value: value.name if isinstance(value, Priority) else getattr(value, "__name__", value),
)
async def test_function_is_run_as_soon_as_declared(verb, function, priority):
    queue = Queue()
    await getattr(Store(queue), verb)(function, "somebody")
    assert queue.priorities == [priority]
