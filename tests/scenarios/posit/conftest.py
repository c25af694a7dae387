"""The world of the scenarios at a Workbench."""

import pytest_asyncio

from tests.rigs.scenario.workbench import workbench_world


@pytest_asyncio.fixture
async def linked(tmp_path):
    """A world in which Olivia has already linked the Workbench account *alice*, and no message said so."""
    async with workbench_world(tmp_path) as ready:
        # A token of Workbench doesn't tell whose it is.
        await ready.alice.has_linked("alice", "wb", is_named=False)
        yield ready
