"""Fixtures for the scenarios with a Workbench."""

import pytest_asyncio

from tests.rigs.scenario.workbench import workbench_world


@pytest_asyncio.fixture
async def linked(tmp_path):
    """A world in which Olivia linked the Workbench account *alice* before, without messages about it."""
    async with workbench_world(tmp_path) as ready:
        # A Workbench token doesn't reveal whose it is.
        await ready.alice.has_linked("alice", "wb", is_named=False)
        yield ready
