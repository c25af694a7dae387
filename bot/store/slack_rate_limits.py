"""Counts of calls of Slack's methods: a sliding minute for each of them in each Slack workspace.

Besides, a gap between two calls to one channel, and the pauses that Slack asked for
(``docs/adr/0030-slack-calls-are-counted-in-the-database.md``).
"""

from dataclasses import dataclass
from typing import Final

from bot.store.fan_out import FAN_OUT_BATCH_SIZE
from bot.store.transaction import Priority, Row, Transaction, concerns, prioritize

#: A call leaves within so many seconds after it was counted, or not at all.
DEPARTURE_SECONDS: Final = 1.0
#: How much longer one call may be on its way than the next one, in seconds.
ARRIVAL_SECONDS: Final = 1.0
#: Slack counts the calls that arrive in a minute.
MINUTE_SECONDS: Final = 60.0
#: So long after it was counted, a call doesn't count any more, whenever it arrived.
WINDOW_SECONDS: Final = MINUTE_SECONDS + DEPARTURE_SECONDS + ARRIVAL_SECONDS


#: Slack's own tools may call, too, and what is sent once more isn't counted: they have the rest.
USED_SHARE: Final = 0.9
#: As many as there is never more to do of.
_UNLIMITED_CALLS: Final = 1_000


@dataclass(frozen=True, slots=True)
class CallQuota:
    """The method of the calls that a claim leads to, and their number in a minute.

    It is looked up by what claims, so that looking for something to do costs nothing more. Without a number
    they aren't counted.
    """

    team: str = ""
    method: str = ""
    per_minute: int | None = None

    def most(self, share: float = 1.0) -> int:
        """Return the number of calls that fit into a minute, within a share of it."""
        return (
            _UNLIMITED_CALLS if self.per_minute is None else max(int(self.per_minute * USED_SHARE * share), 1)
        )

    def within(self, now: float, share: float = 1.0) -> Row:
        """Return the parameters of ``{room}`` in a query, but its ``limit``."""
        counted = {"team": self.team, "method": self.method, "since": now - WINDOW_SECONDS}
        return {**counted, "most": self.most(share)}


UNLIMITED: Final = CallQuota()


@concerns(lambda team, method, **_: [f"slack {team} {method}"])
@prioritize(Priority.URGENT)
def take_slack_call(
    tx: Transaction, team: str, method: str, *, most: int, channel: str = "", gap: float = 0.0
) -> float:
    """Count a call and return 0; or count nothing and return how many seconds to wait.

    One at a time, as whatever decides: what is counted meanwhile would be missed.
    ``most`` calls fit into a minute; ``gap`` is how many seconds have to pass between two to one channel.
    """
    key, now = {"team": team, "method": method}, tx.now()
    pause = _name_pause(method, channel) if gap else ""
    given = {"channel": channel, "paced": channel if gap else None, "last": now - gap, "most": most}
    counted = tx.one("count_slack_call", **key, **given, pause=pause, now=now, since=now - WINDOW_SECONDS)
    if counted is not None:
        if (counted["oldest"] or now) <= now - 2 * WINDOW_SECONDS:
            tx.run("forget_slack_calls", **key, before=now - WINDOW_SECONDS, limit=FAN_OUT_BATCH_SIZE)
        return 0.0
    paused = tx.one("slack_pause", **key, pause=pause)
    waits = [paused["paused_until"] - now if paused and paused["paused_until"] else 0.0]
    if (last := tx.one("slack_call_at", **key, place=most - 1)) is not None:
        waits.append(last["called_at"] + WINDOW_SECONDS - now)
    if gap and (last := tx.one("slack_call_to", **key, channel=channel, since=now - gap)) is not None:
        waits.append(last["called_at"] + gap - now)
    # Nothing was counted, whatever rounding makes of the rest.
    return max(*waits, 0.001)


def count_remaining_calls(tx: Transaction, room: CallQuota, share: float = 1.0) -> int:
    """Return the number of calls that still fit into the minute, a thousand at most.

    0 while Slack wants a pause.
    """
    row = tx.one("slack_calls_left", limit=_UNLIMITED_CALLS, now=tx.now(), **room.within(tx.now(), share))
    assert row is not None  # it counts, so there is always a row
    return int(row["fit"])


@concerns(lambda team, method, *_: [f"slack {team} {method}"])
@prioritize(Priority.URGENT)
def pause_slack_method(
    tx: Transaction, team: str, method: str, seconds: float, channel: str | None = None
) -> None:
    """Let nobody call a method for a while, because Slack asked for it; the longer pause wins.

    With a channel it is that channel's pause, as Slack limits each by itself; unless Slack wants one in
    another channel, too: then the method's own limit was reached.
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
    """Return the key of a channel's pause, beside those of methods."""
    return f"{method} {channel}"
