"""How long processes had to wait for a processor, so that a slow machine isn't mistaken for a bug.

Limits and gaps are judged by when requests arrive. In the meantime, a process of the bot may have been
stalled, or the local servers, which run in this process.
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
#: Seconds for which observations are kept, since Slack's limits are per minute.
_REMEMBERED: Final = 61.0


class Stalls:
    """Continuous checks for stalls; ``pids`` returns the bot's processes, ``now`` the servers' time."""

    def __init__(self, pids: Callable[[], Iterable[int]], now: Callable[[], float]) -> None:
        self._pids = pids
        self._now = now
        self._waited: dict[int, float] = {}
        #: Each check: its time, the longest wait of any of the bot's processes since the last one, and its
        #: own delay.
        self._looks: deque[tuple[float, float, float]] = deque()
        #: The longest wait of any of the bot's processes for a processor, and the longest stall of the
        #: servers' loop.
        self.longest = self.longest_here = 0.0
        #: Calls beyond Slack's limits, and how many of these may only have been late because the local Slack
        #: was stalled.
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
        """If a rate limit was exceeded, print how long processes were stalled during the last minute.

        Usher makes its calls in time, and allows for the time that they take to arrive. If the local Slack
        was stalled for longer than that, the times of arrival prove nothing.
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
    """Return how long a process's first thread, which runs its event loop, has waited for a processor."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
