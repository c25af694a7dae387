"""Fixtures for the servers that most tests of this folder use."""

import aiohttp
import pytest

from tests.playground.posit_help import posit_server
from tests.playground.saturn_help import saturn_server
from tests.playground.slack_help import recorded, slack
from tests.playground.sphere.stand import sphere_server


@pytest.fixture
async def posit():
    async with posit_server() as server:
        yield server


@pytest.fixture
async def saturn():
    async with saturn_server() as server:
        yield server


@pytest.fixture
async def sphere():
    async with sphere_server() as server:
        yield server


@pytest.fixture
def options():
    """Return options for the local Slack. A module may override this fixture."""
    return {}


@pytest.fixture
async def local_slack(options):
    async with slack(**options) as ready:
        yield ready


@pytest.fixture
def server(local_slack):
    return local_slack[0]


@pytest.fixture
def client(local_slack):
    return local_slack[1]


@pytest.fixture
async def app(server):
    async with recorded(server) as ready:
        yield ready


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as ready:
        yield ready
