"""Fixtures for attacks: the worlds of the scenarios, and the pages of links."""

import pytest

from tests.scenarios.conftest import bare, linked
from tests.web.rig import rig

__all__ = ["bare", "linked", "made"]


@pytest.fixture
async def made():
    async with rig() as made:
        yield made
