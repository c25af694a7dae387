"""Slack's rate limits. Calls are counted for each method and Slack workspace, over a sliding minute.

This module also enforces the minimum gap between two calls to one channel, and the pauses that Slack asks for
(``docs/adr/0030-slack-calls-are-counted-in-the-database.md``).
"""

from typing import Final, NamedTuple

from bot.store.fan_out import FAN_OUT_BATCH_SIZE
from bot.store.transaction import Priority, Row, Transaction, concerns, prioritize

#: A call counted towards the limit is sent within this many seconds or not at all.
DEPARTURE_SECONDS: Final = 1.0
#: Two calls are assumed to differ by at most this many seconds in how long they take to reach Slack.
ARRIVAL_SECONDS: Final = 1.0
#: Period over which Slack counts incoming calls, in seconds.
MINUTE_SECONDS: Final = 60.0
#: How long, in seconds, Usher counts a call towards the limit. By then, Slack has stopped counting it, even
#: if it arrived late.
WINDOW_SECONDS: Final = MINUTE_SECONDS + DEPARTURE_SECONDS + ARRIVAL_SECONDS


#: The share of Slack's limit that Usher uses. The rest is left for calls that aren't counted: retries, and
#: calls by Slack's own tools.
USED_SHARE: Final = 0.9
#: Number of calls treated as allowed if Slack sets no limit: more than Usher ever makes at once. It is also
#: the highest number of remaining calls that is ever reported.
_UNLIMITED_CALLS: Final = 1_000


class CallQuota(NamedTuple):
    """A Slack method that claimed work will call, and how often per minute Slack allows the call.

    The query that looks for work also checks this quota, which saves a separate query. If ``per_minute`` is
    None, calls aren't counted.
    """

    team: str = ""
    method: str = ""
    per_minute: int | None = None

    def most(self, share: float = 1.0) -> int:
        """Return the maximum number of calls per minute, multiplied by ``share``."""
        return (
            _UNLIMITED_CALLS if self.per_minute is None else max(int(self.per_minute * USED_SHARE * share), 1)
        )

    def within(self, now: float, share: float = 1.0) -> Row:
        """Return the parameters of the query fragment ``{room}``, except ``limit``."""
        counted = {"team": self.team, "method": self.method, "since": now - WINDOW_SECONDS}
        return {**counted, "most": self.most(share)}


UNLIMITED: Final = CallQuota()


@concerns(lambda team, method, **_: [f"slack {team} {method}"])
@prioritize(Priority.URGENT)
def take_slack_call(
    tx: Transaction, team: str, method: str, *, most: int, channel: str = "", gap: float = 0.0
) -> float:
    """Count a call and return 0. If the call must wait, return the number of seconds without counting it.

    Calls of a method are counted one at a time, so that none is missed. ``most`` is the maximum number of
    calls per minute, and ``gap`` is the minimum number of seconds between two calls to the same channel.
    """
    key, now = {"team": team, "method": method}, tx.now()
    paced = {"pause": _name_pause(method, channel) if gap else "", "paced": channel if gap else None}
    # Old calls are deleted together, once the oldest is well outside the window.
    oldest = now - 2 * WINDOW_SECONDS
    former = {**key, "before": now - WINDOW_SECONDS, "oldest": oldest, "limit": FAN_OUT_BATCH_SIZE}
    call = {**key, **paced, "channel": channel, "now": now, "most": most}
    call |= {"last": now - gap, "since": now - WINDOW_SECONDS}
    next_call = {**key, **paced, "place": most - 1, "window": WINDOW_SECONDS, "gap": gap, "last": now - gap}
    tx.ask("forget_slack_calls", **former)
    tx.ask("count_slack_call", **call)
    tx.ask("next_slack_call", **next_call)
    tx.finish()
    counted = tx.one("count_slack_call", **call)
    if counted is not None:
        if (counted["oldest"] or now) <= oldest:
            tx.all("forget_slack_calls", **former)
        return 0.0
    row = tx.one("next_slack_call", **next_call)
    # Never return 0, because the call wasn't counted.
    return max((row["at"] or now) - now if row else 0.0, 0.001)


def count_remaining_calls(tx: Transaction, room: CallQuota, share: float = 1.0) -> int:
    """Return how many more calls are allowed now, at most a thousand. During a pause, that is 0."""
    within = room.within(tx.now(), share)
    (row,) = tx.all("slack_calls_left", limit=_UNLIMITED_CALLS, now=tx.now(), **within)
    return int(row["fit"])


@concerns(lambda team, method, *_: [f"slack {team} {method}"])
@prioritize(Priority.URGENT)
def pause_slack_method(
    tx: Transaction, team: str, method: str, seconds: float, channel: str | None = None
) -> None:
    """Pause all calls of a method, because Slack requires a pause.

    If there are several pauses, the longest applies. If a channel is given, only calls to that channel are
    paused, because Slack limits each channel separately. But if another channel is already paused, the
    method's own limit must have been reached, so the whole method is paused.
    """
    until, paused = tx.now() + seconds, method
    if channel:
        paused = _name_pause(method, channel)
        prefix = {"begin": _name_pause(method, ""), "end": f"{method}!"}
        tx.run("forget_slack_pauses", team=team, **prefix, now=tx.now())
        if tx.one("other_slack_pause", team=team, **prefix, paused=paused) is not None:
            paused = method
    tx.run("pause_slack_method", team=team, method=paused, until=until)


def _name_pause(method: str, channel: str) -> str:
    """Return the name under which a channel's pause is stored. Without a channel, it is the method's name."""
    return f"{method} {channel}"
