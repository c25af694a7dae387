"""The servers that most tests of this folder speak to."""

import pytest

from tests.playground.posit_help import posit_server
from tests.playground.saturn_help import saturn_server


@pytest.fixture
async def posit():
    async with posit_server() as server:
        yield server


@pytest.fixture
async def saturn():
    async with saturn_server() as server:
        yield server
