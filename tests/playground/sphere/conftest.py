"""The server that each test of this folder speaks to."""

import pytest

from tests.playground.sphere.stand import sphere_server


@pytest.fixture
async def sphere():
    async with sphere_server() as server:
        yield server
