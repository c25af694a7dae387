"""Sentences that only a missing feature could answer."""

import pytest

from tests.handlers.rig import rig


@pytest.fixture
async def bot():
    async with rig() as made:
        yield made
