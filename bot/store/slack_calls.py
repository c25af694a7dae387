"""The calls of Slack's limited methods: counted before they are made, for all processes and across restarts.

A sliding minute for each method and Slack workspace, a gap between two calls to one channel, and the pauses
that Slack asked for (``docs/adr/0030-slack-calls-are-counted-in-the-database.md``).
"""

from __future__ import annotations

from typing import Final

from bot.store.tables import SLACK_CALLS
from bot.store.transaction import Transaction

#: A call leaves within so many seconds after it was counted, or not at all.
LEAVES_WITHIN: Final = 1.0
#: How much longer one call may be on its way than the next one, in seconds.
ARRIVES_WITHIN: Final = 1.0
#: Slack counts the calls that arrive in a minute.
MINUTE: Final = 60.0
#: So long after it was counted, a call doesn't count any more, whenever it arrived.
WINDOW: Final = MINUTE + LEAVES_WITHIN + ARRIVES_WITHIN


def take(tx: Transaction, team: str, method: str, *, most: int, channel: str = "", gap: float = 0.0) -> float:
    """Count a call and return 0; or count nothing and return how many seconds to wait.

    ``most`` calls fit into a minute; ``gap`` is how many seconds have to pass between two to one channel.
    """
    key = {"team": team, "method": method}
    # Written before it is read: on any engine, nobody else counts this method's calls at the same time.
    paused = tx.one("have_slack_method", **key)
    now = tx.now()
    waits = [paused["paused_until"] - now if paused is not None else 0.0]
    tx.run("forget_slack_calls", **key, before=now - WINDOW)
    if (last := tx.one("slack_call_at", **key, place=most - 1)) is not None:
        waits.append(last["made_at"] + WINDOW - now)
    if gap and (last := tx.one("slack_call_to", **key, channel=channel, since=now - gap)) is not None:
        waits.append(last["made_at"] + gap - now)
    wait = max(*waits, 0.0)
    if wait <= 0:
        SLACK_CALLS.add(tx, **key, channel=channel, made_at=now)
    return wait


def made(tx: Transaction, team: str, method: str) -> int | None:
    """Return how many calls count now; None while Slack wants a pause."""
    now = tx.now()
    row = tx.one("slack_calls_made", team=team, method=method, since=now - WINDOW, now=now)
    assert row is not None  # it counts, so there is always a row
    return None if row["paused"] else int(row["made"])


def pause(tx: Transaction, team: str, method: str, seconds: float) -> None:
    """Let nobody call a method for a while, because Slack asked for it; the longer pause wins."""
    tx.run("pause_slack_method", team=team, method=method, until=tx.now() + seconds)
