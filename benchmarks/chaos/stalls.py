"""How long processes that wanted to run could not: what is the machine's fault, and not Usher's.

Limits and gaps are judged by when requests arrive, and something may have stood still meanwhile: a process of
the bot's, or the local servers, which run here.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from bot.store.slack_rate_limits import ARRIVAL_SECONDS

_EVERY: Final = 0.25
#: Slack counts the calls of a minute.
_REMEMBERED: Final = 61.0


class Stalls:
    """Look at all the time; ``pids`` are the bot's processes at the moment, ``now`` is the servers' clock."""

    def __init__(self, pids: Callable[[], Iterable[int]], now: Callable[[], float]) -> None:
        self._pids = pids
        self._now = now
        self._waited: dict[int, float] = {}
        #: When, how long at most one of the bot's processes waited since the last look, how late this one is.
        self._looks: deque[tuple[float, float, float]] = deque()
        #: The longest waits of all: for a processor, of a process of the bot's; of the local servers' loop.
        self.longest = self.longest_here = 0.0
        #: Calls beyond Slack's limits, and those of them that may have been on their way for too long.
        self.beyond_limits = self.late = 0

    async def watch(self) -> None:
        """Look until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _EVERY
            await asyncio.sleep(_EVERY)
            self._look(max(loop.time() - due, 0.0))

    def _look(self, late: float) -> None:
        waited = {pid: _read_run_delay(pid) for pid in self._pids()}
        since = [seconds - self._waited[pid] for pid, seconds in waited.items() if pid in self._waited]
        self._waited = waited
        now, longest = self._now(), max(since, default=0.0)
        self._looks.append((now, longest, late))
        while self._looks[0][0] < now - _REMEMBERED:
            self._looks.popleft()
        self.longest, self.longest_here = max(self.longest, longest), max(self.longest_here, late)

    def violated(self, rule: str, detail: str) -> None:
        """Say what the machine was like within the last minute, where a limit was violated.

        Usher lets calls leave only in time, and allows for their way. Where the local Slack stood still for
        longer, when they arrived tells nothing.
        """
        if rule != "rate_limit":
            return
        longest = max((one[1] for one in self._looks), default=0.0)
        here = max((one[2] for one in self._looks), default=0.0)
        self.beyond_limits += 1
        self.late += here > ARRIVAL_SECONDS
        sys.stderr.write(
            f"beyond limits: {detail}; in the minute before, the local Slack stood still for {here:.2f} s "
            f"at most, and a process of Usher's waited for a processor for {longest:.2f} s at most\n"
        )


def _read_run_delay(pid: int) -> float:
    """Return for how long a process's first thread, which has its loop, was ready to run and did not."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
