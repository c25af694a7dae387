"""A fresh world for each story."""

from __future__ import annotations

import pytest

from tests.reconciler.world import new_world


@pytest.fixture
async def world():
    async with new_world() as made:
        yield made
