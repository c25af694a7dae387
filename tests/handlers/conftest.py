"""The bot that most tests of handlers speak to."""

from collections.abc import AsyncIterator

import pytest

from tests.handlers.rig import Rig, rig


@pytest.fixture
async def bot() -> AsyncIterator[Rig]:
    async with rig() as one:
        yield one
