"""The rows that a message changed."""

from bot.features.hours import store as hours_store
from bot.store import operations, workspaces
from tests.rigs.store import ALICE


async def became(bot):
    """Return what is wanted now: operations, planned stops in hours and minutes, hours, and new names."""
    rows = await bot.store.perform(workspaces.read_workspaces, ALICE)
    titles = {one.id: one.title for one in rows}
    found = [
        f"{one.verb} {titles[one.workspace_id]}"
        for one in await bot.store.read(operations.open_operations, ALICE)
    ]
    timers = ((one.title, one.stop_at - bot.clock.now()) for one in rows if one.stop_at is not None)
    found += [
        f"{title} off in {round(left / 60) // 60}:{round(left / 60) % 60:02d}" for title, left in timers
    ]
    found += [f"{one.name} is {one.title}" for one in rows if one.title != one.name]
    rules = await bot.store.read(hours_store.list_rules_of_person, ALICE)
    return [*found, *(f"{','.join(sorted(one.days))} {one.starts}-{one.stops}" for one in rules)]
