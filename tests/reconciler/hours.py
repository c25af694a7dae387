"""A workspace's working hours: local times, rules, and the messages to its owner."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.time_parsing import read_hours
from bot.domain.workspaces import State
from bot.services import hours as hours_use_cases

MINUTE = 60.0


HOUR = 60 * MINUTE


BERLIN = ZoneInfo("Europe/Berlin")


async def given(world, text, state=State.STOPPED, *, at="08:00", **keys):
    """Give Alice a workspace with working hours in Berlin, on a Monday at this time."""
    hour, minute = map(int, at.split(":"))
    monday = datetime(2027, 11, 22, hour, minute, tzinfo=BERLIN).timestamp()
    world.clock.advance(monday - world.clock.now())
    workspace = await world.own(state=state)
    await world.know(time_zone="Europe/Berlin")
    await world.ask("set").run(hours_use_cases.add, workspace.id, read_hours(text), **keys)
    return workspace


def local(at: str, day: int = 22) -> float:
    hour, minute = map(int, at.split(":"))
    return datetime(2027, 11, day, hour, minute, tzinfo=BERLIN).timestamp()


async def until(world, at, day=22, step=60.0):
    """Let time pass until a local time on a day of November 2027."""
    await world.know(time_zone="Europe/Berlin")
    await world.pass_time(local(at, day) - world.clock.now(), step=step)


def told(world):
    return world.slack.sent_kinds()


async def became(world):
    """Return the result of each start and stop."""

    def read(tx):
        rows = tx.all("SELECT local, side, result FROM occurrences ORDER BY at, side")
        return [(row["local"][8:], row["side"], row["result"]) for row in rows]

    return await world.store.engine.read(read)
