"""A few operations are checked seconds after their call, so that the cards of short starts move."""

from __future__ import annotations

from collections import deque
from typing import Final

from bot.domain.settling import is_short
from bot.domain.workspaces import Operation

#: How long after its call a short start is first checked, in seconds.
AFTER: Final = 4.0
#: The least seconds between two such looks: Slack takes fifty updates a minute, and a class has its counts.
EVERY: Final = 2.0
#: How many are remembered: more than can wait for their look.
MOST: Final = 20


class EarlyLooks:
    """Grant early looks; a process that forgets them moves some cards a little later."""

    def __init__(self) -> None:
        self._last = 0.0
        self._granted: deque[str] = deque(maxlen=MOST)

    def next_in(self, operation: Operation, now: float, otherwise: float) -> float:
        """Return in how many seconds to check an operation whose call was just accepted."""
        if not is_short(operation) or otherwise <= AFTER or now < self._last + EVERY:
            return otherwise
        self._last = now
        self._granted.append(operation.id)
        return AFTER

    def has(self, operation: Operation) -> bool:
        """Return whether an operation got one."""
        return operation.id in self._granted
