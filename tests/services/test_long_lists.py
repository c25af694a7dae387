"""Test that a long list doesn't block other requests while its facts are gathered."""

import asyncio
from typing import Any

from bot.services.message_context import CONTEXT_BATCH_SIZE, Gatherer
from bot.store import workspaces
from tests.handlers.rig import rig
from tests.rigs.context import context
from tests.rigs.store import ALICE


class Memory:
    """A store that answers immediately, so that it doesn't give others a turn."""

    async def read(self, _work: Any, _principal: Any) -> list[Any]:
        return []

    async def now(self) -> float:
        return 0.0

    async def known_zone(self, _principal: Any) -> None:
        return None


async def test_others_get_their_turns_while_two_hundred_rows_are_gathered():
    async with rig() as bot:
        await bot.link(names=tuple(f"notebook-{number:03d}" for number in range(200)))
        rows = await bot.store.perform(workspaces.read_workspaces, ALICE)
        gatherer = Gatherer(context(Memory(), bot.connections))
        gathering, turns = asyncio.create_task(gatherer.describe_workspaces(ALICE, rows)), 0
        while not gathering.done():
            await asyncio.sleep(0)
            turns += 1
        assert [facts.workspace.id for facts in await gathering] == [row.id for row in rows]
        assert turns >= len(rows) / CONTEXT_BATCH_SIZE
