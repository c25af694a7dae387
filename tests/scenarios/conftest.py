"""Every scenario has its own world. At the end, ``watch.check`` checks that all rules were kept."""

import pytest_asyncio

from tests.rigs.scenario import world
from tests.rigs.scenario.cloud import cloud_world


@pytest_asyncio.fixture
async def bare(tmp_path, request):
    """A world in which nobody has linked an account.

    Options are passed by ``@pytest.mark.parametrize(indirect)``.
    """
    async with world(tmp_path, **getattr(request, "param", {})) as ready:
        yield ready


@pytest_asyncio.fixture
async def just_linked(tmp_path):
    """A world in which Olivia has just linked her account at Saturn Cloud, through all steps."""
    async with world(tmp_path) as ready:
        await ready.alice.links("alice")
        yield ready


@pytest_asyncio.fixture
async def linked(tmp_path):
    """A world in which Olivia linked her account some time ago. She has got no messages about it."""
    async with world(tmp_path) as ready:
        await ready.alice.has_linked("alice")
        yield ready


@pytest_asyncio.fixture
async def cloud(tmp_path):
    """A world in which Olivia has linked her account at a Saturn Cloud with recipes and jobs."""
    async with cloud_world(tmp_path) as ready:
        await ready.alice.has_linked("alice")
        yield ready
