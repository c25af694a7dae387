"""The rules of people's workspaces, added to what messages say about these."""

from collections.abc import Sequence

from bot.domain.hours import HoursContext, HoursKind, HoursRule
from bot.domain.message_context import WorkspaceFacts
from bot.domain.people import Principal
from bot.services.message_context import Gatherer, add_features, kind_extensions, yield_in_batches
from bot.store import hours as hours_store

kind_extensions(HoursKind.HOURS_PAUSED)(add_features)


async def add_rules(
    gatherer: Gatherer, principal: Principal, every: Sequence[WorkspaceFacts]
) -> Sequence[WorkspaceFacts]:
    """Return the facts of one person's workspaces with their rules."""
    keys = [context.workspace.id if context.workspace is not None else "" for context in every]
    if not keys:
        return []
    store, by_workspace = gatherer.store, dict[str, list[HoursRule]]()
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
        extended.append(context.add(HoursContext(rules=tuple(rules))) if rules else context)
    return extended
