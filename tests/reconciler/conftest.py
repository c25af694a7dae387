"""A fresh world for each story."""

import pytest

from tests.reconciler.runs import new_run_world
from tests.reconciler.world import new_world


@pytest.fixture
async def world():
    async with new_world() as made:
        yield made


@pytest.fixture
async def runs():
    """Hold a world in which jobs run, too."""
    async with new_run_world() as made:
        yield made
