"""How soon a function's work is wanted is declared with the function."""

import pytest

from bot.store import outages, owners, tasks
from bot.store.store import Store
from bot.store.transaction import Priority


class Queue:
    """Note how soon work is wanted."""

    def __init__(self):
        self.priorities = []

    def now(self):
        return 0.0

    async def read(self, _work, priority):
        self.priorities.append(priority)

    write = read


@pytest.mark.parametrize(
    ("verb", "function", "priority"),
    [
        ("read", tasks.has_task_turn, Priority.URGENT),
        ("read", owners.list_ownerships, Priority.STEADY),
        ("write", owners.own, Priority.STEADY),
        ("write", owners.renew_owned, Priority.URGENT),
        ("write", outages.note_answer, Priority.RECORDS),
        ("claim", tasks.claim_tasks, Priority.CLAIMS),
        ("carry_out", owners.own, Priority.URGENT),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
async def test_function_is_run_as_soon_as_declared(verb, function, priority):
    queue = Queue()
    await getattr(Store(queue), verb)(function)
    assert queue.priorities == [priority]
