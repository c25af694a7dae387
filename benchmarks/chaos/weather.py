"""What goes wrong beside the kills: bursts of 429, 5xx, cut and slow answers at Slack and at the provider."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from playground.harness import Fault

if TYPE_CHECKING:
    from benchmarks.chaos.stage import Stage

_MESSAGES = r"/api/chat\.(postMessage|update)$"
_HISTORY = r"/api/conversations\.(history|open)$"
_STATUS = r"/api/workspaces/[^/]+$"
_START = r"/api/workspaces/[^/]+/(start|stop)$"
_LIMITED = json.dumps({"ok": False, "error": "ratelimited"})

#: Each kind of burst: where, which path, what happens, and how many requests it meets at most.
BURSTS: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "slack_429": ("slack", _MESSAGES, {"status": 429, "headers": {"Retry-After": "2"}, "body": _LIMITED}, 6),
    "slack_5xx": ("slack", _MESSAGES, {"status": 503}, 12),
    "slack_5xx_after": ("slack", _MESSAGES, {"status": 500, "after": True}, 12),
    "slack_cut_after": ("slack", _MESSAGES, {"drop": True, "after": True}, 12),
    "slack_slow": ("slack", _MESSAGES, {"delay_s": 2.0}, 12),
    "slack_history_5xx": ("slack", _HISTORY, {"status": 503}, 6),
    "status_429": ("saturn", _STATUS, {"status": 429, "headers": {"Retry-After": "3"}}, 6),
    "status_5xx": ("saturn", _STATUS, {"status": 502}, 25),
    "status_cut": ("saturn", _STATUS, {"drop": True, "after": True}, 12),
    "status_garbage": ("saturn", _STATUS, {"garbage": True}, 12),
    "status_slow": ("saturn", _STATUS, {"delay_s": 21.0, "after": True}, 12),
    "start_5xx": ("saturn", _START, {"status": 500}, 8),
    "start_5xx_after": ("saturn", _START, {"status": 504, "after": True}, 8),
    "start_cut_after": ("saturn", _START, {"drop": True, "after": True}, 8),
    "start_slow": ("saturn", _START, {"delay_s": 26.0, "after": True}, 4),
}


class Weather:
    """Let bursts come and go, one after another and beside one another."""

    def __init__(self, stage: Stage, chance: random.Random) -> None:
        self._harness = {"slack": stage.slack.harness, "saturn": stage.saturn.harness}
        self._chance = chance
        self.bursts: Counter[str] = Counter()

    async def storm(self, seconds: float) -> None:
        """Begin a burst every second or two, for so long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until:
            name = self._chance.choice(list(BURSTS))
            server, path, what, most = BURSTS[name]
            fault = Fault(re.compile(path), times=self._chance.randint(1, most), **what)
            self._harness[server].faults.append(fault)
            self.bursts[name] += 1
            await asyncio.sleep(self._chance.uniform(0.7, 2.0))
            self._forget()

    def clear(self) -> None:
        """Let everything work again."""
        for harness in self._harness.values():
            harness.faults.clear()

    def _forget(self) -> None:
        for harness in self._harness.values():
            harness.faults[:] = [fault for fault in harness.faults if fault.times > 0][-6:]
