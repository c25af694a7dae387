"""Adding hours, lessons and waitlist entries to the facts from which messages about workspaces are built."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from bot.domain.courses import ClassCard
from bot.domain.hours import HoursRule
from bot.domain.message_context import WorkspaceFacts
from bot.domain.people import Principal
from bot.domain.workspaces import NOT_UP_STATES
from bot.store import courses, hours, waitlist
from bot.store.store import Store

#: Number of rows whose facts are gathered before other work can run.
CONTEXT_BATCH_SIZE: Final = 20
Item = TypeVar("Item")


async def yield_in_batches(items: Iterable[Item]) -> AsyncIterator[Item]:
    """Yield items, letting other work run between batches."""
    for number, item in enumerate(items, 1):
        if number % CONTEXT_BATCH_SIZE == 0:
            await asyncio.sleep(0)
        yield item


async def add_plans(
    store: Store, principal: Principal, every: Sequence[WorkspaceFacts]
) -> list[WorkspaceFacts]:
    """Return the facts about one person's workspaces, adding hours, lessons and waitlist entries."""
    keys = [facts.workspace.id if facts.workspace is not None else "" for facts in every]
    if not keys:
        return []
    rules, lessons = dict[str, list[HoursRule]](), dict[str, list[ClassCard]]()
    for rule in (
        await store.read(hours.list_rules, keys[0])
        if len(keys) == 1
        else await store.read(hours.list_rules_of_person, principal)
    ):
        rules.setdefault(rule.workspace_id, []).append(rule)
    for one in await store.read(courses.list_memberships, principal):
        card = await store.read(courses.find_card, one.card_id)
        if card is not None and not card.is_over(every[0].now):
            lessons.setdefault(one.workspace_id or "", []).append(card)
    # A workspace that is up isn't waiting for capacity.
    is_any_down = any(facts.state in NOT_UP_STATES for facts in every)
    entries = await store.read(waitlist.list_entries, principal) if is_any_down else []
    waits = {one.workspace_id: one for one in entries}
    return [
        replace(
            facts,
            rules=tuple(rules.get(key, ())),
            lessons=tuple(lessons.get(key, ())),
            waitlist_entry=waits.get(key) if facts.state in NOT_UP_STATES else None,
        )
        async for key, facts in yield_in_batches(zip(keys, every, strict=True))
    ]
