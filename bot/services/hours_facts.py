"""The hours and lessons of workspaces, added to the facts for messages about them."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from bot.domain.courses import ClassCard
from bot.domain.hours import HoursRule
from bot.domain.message_context import WorkspaceFacts
from bot.domain.people import Principal
from bot.store import courses as courses_store
from bot.store import hours as hours_store
from bot.store.store import Store

#: Rows whose facts are gathered at a time; other work may run in between.
CONTEXT_BATCH_SIZE: Final = 20
Item = TypeVar("Item")


async def yield_in_batches(items: Iterable[Item]) -> AsyncIterator[Item]:
    """Yield items, letting other work run between two batches."""
    for number, item in enumerate(items, 1):
        if number % CONTEXT_BATCH_SIZE == 0:
            await asyncio.sleep(0)
        yield item


async def add_rules(
    store: Store, principal: Principal, every: Sequence[WorkspaceFacts]
) -> Sequence[WorkspaceFacts]:
    """Return the facts of one person's workspaces with their hours."""
    keys = [context.workspace.id if context.workspace is not None else "" for context in every]
    if not keys:
        return []
    by_workspace = dict[str, list[HoursRule]]()
    rules = (
        await store.read(hours_store.list_rules, keys[0])
        if len(keys) == 1
        else await store.read(hours_store.list_rules_of_person, principal)
    )
    for rule in rules:
        by_workspace.setdefault(rule.workspace_id, []).append(rule)
    extended = []
    async for key, context in yield_in_batches(zip(keys, every, strict=True)):
        rules = by_workspace.get(key, [])
        extended.append(replace(context, rules=tuple(rules)) if rules else context)
    return extended


async def add_lessons(
    store: Store, principal: Principal, every: Sequence[WorkspaceFacts]
) -> list[WorkspaceFacts]:
    """Return the facts of one person's workspaces with the courses that start them."""
    joined = dict[str, list[ClassCard]]()
    for one in await store.read(courses_store.list_memberships, principal):
        card = await store.read(courses_store.find_card, one.card_id)
        joined.setdefault(one.workspace_id or "", []).extend([card] if card is not None else [])
    found = []
    async for facts in yield_in_batches(every if joined else ()):
        own = joined.get(facts.workspace.id if facts.workspace is not None else "", [])
        lessons = tuple(card for card in own if not card.is_over(facts.now))
        found.append(replace(facts, lessons=lessons) if lessons else facts)
    return found if joined else list(every)
