"""The world of the scenarios at a Workbench."""

import pytest_asyncio

from tests.rigs.scenario.workbench import workbench_world


@pytest_asyncio.fixture
async def linked(tmp_path):
    """A world in which Olivia has linked alice's account at the Workbench."""
    async with workbench_world(tmp_path) as ready:
        await ready.alice.links("alice", "wb")
        yield ready
