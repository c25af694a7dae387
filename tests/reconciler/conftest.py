"""A new world for each test."""

import pytest

from tests.reconciler.runs import new_run_world
from tests.reconciler.world import new_world


@pytest.fixture
async def world():
    async with new_world() as made:
        yield made


@pytest.fixture
async def runs():
    """A world that can run jobs."""
    async with new_run_world() as made:
        yield made
