"""A fake server per test."""

import pytest_asyncio

from tests.providers.posit.fake import fake_workbench


@pytest_asyncio.fixture
async def fake():
    async with fake_workbench() as ready:
        yield ready
