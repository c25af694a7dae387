"""How often Slack's methods may be called: a sliding minute per method, a second per channel.

The limits are in ``docs/slack.md``, "Rate limits". Every call of a limited method is counted in the database
before it is made, so the budget holds across restarts and for all processes together (ADR 30).
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.policy import Installation
from bot.slack.methods import METHODS, Method
from bot.store.slack_calls import LEAVES_WITHIN, MINUTE
from bot.store.store import Store

#: The rest is for calls that aren't counted here: by Slack's own tools, and those made once more.
USED_SHARE = 0.9
#: The limit for methods without a row of their own, taken from Slack's lower tiers.
UNLISTED = Method(per_minute=20)


@dataclass(frozen=True, slots=True)
class Room:
    """Hold how many calls of a method a minute has had; ``made`` is None while Slack wants a pause."""

    per_minute: int | None
    made: int | None

    def within(self, share: float = 1.0) -> int:
        """Return how many calls may leave now, within a share of the budget; a large number if unlimited."""
        if self.made is None:
            return 0
        return 1_000 if self.per_minute is None else max(_most(self.per_minute, share) - self.made, 0)


class Budget:
    """Grant calls. ``share`` reserves the rest of a method's budget for more urgent calls.

    A method that Slack doesn't limit costs nothing: it isn't counted. Raises StoreError.
    """

    def __init__(self, store: Store, installation: Installation) -> None:
        self._store = store
        self.installation = installation
        self._team = installation.id

    async def take(self, method: str, channel: str | None = None, share: float = 1.0) -> float:
        """Count a call and return 0; or count nothing and return how many seconds to wait."""
        limit = METHODS.get(method, UNLISTED)
        if limit.per_minute is None:
            return 0.0
        paced = limit.per_channel_per_minute if channel is not None else None
        return await self._store.take_slack_call(
            self._team,
            method,
            most=_most(limit.per_minute, share),
            channel=channel or "",
            gap=0.0 if paced is None else MINUTE / paced + LEAVES_WITHIN,
        )

    async def room(self, method: str) -> Room:
        """Return how much of a method's budget is left."""
        per_minute = METHODS.get(method, UNLISTED).per_minute
        if per_minute is None:
            return Room(None, 0)
        return Room(per_minute, await self._store.slack_calls_made(self._team, method))

    async def pause(self, method: str, seconds: float) -> None:
        """Stop calling a method for a while, because Slack asked for it."""
        await self._store.pause_slack_method(self._team, method, seconds)


def _most(per_minute: int, share: float) -> int:
    return max(int(per_minute * USED_SHARE * share), 1)
