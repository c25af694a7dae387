"""A rig per provider; all tests of a run share one hub, each with a person of its own where it matters."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest_asyncio

from tests.contract.providers.rigs import HUB_PEOPLE, HastyHttp, LazyHub, saturn_rig

KINDS = ["saturn", "jupyterhub"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def hubs():
    async with AsyncExitStack() as stack:
        yield LazyHub(stack)


@pytest_asyncio.fixture(loop_scope="session", params=KINDS)
async def rig(request, hubs):
    async with saturn_rig() if request.param == "saturn" else hubs.rig() as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="session", params=KINDS)
async def quiet_rig(request, hubs):
    """A rig whose workspaces no test starts: at the hub it is always the same person's."""
    if request.param == "saturn":
        chosen = saturn_rig(client=HastyHttp)
    else:
        chosen = hubs.rig(HUB_PEOPLE[0], client=HastyHttp)
    async with chosen as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="session")
async def saturn():
    async with saturn_rig() as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="session")
async def hub(hubs):
    async with hubs.rig() as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="session")
async def quiet_hub(hubs):
    """The hub with the person whose servers no test starts."""
    async with hubs.rig(HUB_PEOPLE[0]) as ready:
        yield ready
