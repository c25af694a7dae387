"""What the bot's loops do, done in turn until nothing is left to do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from itertools import cycle, islice

#: So many turns of all steps are taken for no end.
TURNS = 500


async def until_idle(steps: Sequence[Callable[[], Awaitable[int]]]) -> bool:
    """Do one step after the other until each, since anything was done, has found nothing to do.

    Return whether anything was.
    """
    idle = 0
    for number, step in enumerate(islice(cycle(steps), TURNS * len(steps)), 1):
        idle = 0 if await step() else idle + 1
        if idle == len(steps):
            return number > idle
    raise AssertionError("the steps find no end")
