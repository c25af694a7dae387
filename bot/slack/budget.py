"""How often Slack's methods may be called: a sliding minute per method, a second per channel.

The limits are in ``docs/slack.md``, "Rate limits". Kept in memory: after a restart, Slack's own
429 responses teach it again. Times are the injected monotonic seconds.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

from bot.slack.methods import METHODS, Method

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW = 60.0
#: Slack counts requests as they arrive, not as they leave, so only this share of a limit is used.
USED_SHARE = 0.9
#: The limit for methods without a row of their own, taken from Slack's lower tiers.
UNLISTED = Method(per_minute=20)
#: How many channels are remembered with the time of their last message.
REMEMBERED = 5_000


class Budget:
    """Grant calls. ``share`` reserves the rest of a method's budget for more urgent calls."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)
        self._paused: dict[str, float] = {}
        self._channels: dict[str, float] = {}

    def take(self, method: str, channel: str | None = None, share: float = 1.0) -> float:
        """Count a call and return 0; or count nothing and return how many seconds to wait."""
        wait = self.wait(method, channel, share)
        if wait > 0:
            return wait
        now = self._monotonic()
        self._calls[method].append(now)
        if channel is not None and self._gap(method):
            self._channels.pop(channel, None)
            self._channels[channel] = now
            if len(self._channels) > REMEMBERED:
                del self._channels[next(iter(self._channels))]
        return 0.0

    def wait(self, method: str, channel: str | None = None, share: float = 1.0) -> float:
        """Return the seconds until a call may leave."""
        now = self._monotonic()
        waits = [self._paused.get(method, now) - now]
        calls, most = self._recent(method, now), self._most(method, share)
        if most is not None and len(calls) >= most:
            waits.append(calls[len(calls) - most] + WINDOW - now)
        gap = self._gap(method)
        if gap and channel is not None and channel in self._channels:
            waits.append(self._channels[channel] + gap - now)
        return max(*waits, 0.0)

    def room(self, method: str, share: float = 1.0) -> int:
        """Return how many calls may leave now; a large number if there is no limit."""
        now = self._monotonic()
        if self._paused.get(method, now) > now:
            return 0
        most = self._most(method, share)
        return 1_000 if most is None else max(most - len(self._recent(method, now)), 0)

    def pause(self, method: str, seconds: float) -> None:
        """Stop calling a method for a while, because Slack asked for it."""
        self._paused[method] = max(self._paused.get(method, 0.0), self._monotonic() + seconds)

    def _most(self, method: str, share: float) -> int | None:
        limit = METHODS.get(method, UNLISTED).per_minute
        return None if limit is None else max(int(limit * USED_SHARE * share), 1)

    def _gap(self, method: str) -> float:
        limit = METHODS.get(method, UNLISTED).per_channel_per_minute
        return 0.0 if limit is None else WINDOW / limit / USED_SHARE

    def _recent(self, method: str, now: float) -> deque[float]:
        calls = self._calls[method]
        while calls and calls[0] <= now - WINDOW:
            calls.popleft()
        return calls
