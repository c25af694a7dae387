"""Fixtures with a rig per provider.

Tests share one hub of each release; tests that change things get a person of their own.
"""

import importlib
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from bot.providers import list_provider_classes
from bot.support.http import Http
from tests.contract.providers.posit_rig import posit_rig
from tests.contract.providers.rigs import HUB_PEOPLE, ImpatientHttp, LazyHubs, saturn_rig
from tests.contract.providers.sphere_rig import sphere_rig
from tests.rigs.hubs import NEWEST, list_params
from usher.conformance import check_no_token_logged


def _rig_of(kind):
    """Return the rig of the module ``KIND_rig``. A new rig needs no other registration."""
    return getattr(importlib.import_module(f"tests.contract.providers.{kind}_rig"), f"{kind}_rig")


def class_of(kind):
    """Return the provider class of a kind of rig.

    The part after an underscore is a dialect of the provider's API.
    """
    return list_provider_classes()[kind.partition("_")[0]]


_FOUND = [path.stem.removesuffix("_rig") for path in sorted(Path(__file__).parent.glob("*_rig.py"))]
RIGS = {"saturn": saturn_rig, **{kind: _rig_of(kind) for kind in _FOUND}}
KINDS = ["saturn", "jupyterhub", *_FOUND]
#: Older releases of the hub. The newest one runs as plain ``jupyterhub``.
_OLDER_HUBS = ["jupyterhub_5", pytest.param("jupyterhub_4", marks=pytest.mark.thorough)]
#: Kinds whose people link accounts of their own. For the others, one secret opens everybody's workspaces.
LINKED = [kind for kind in KINDS if "token" in class_of(kind).settings_model.link_methods]


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config, items):
    # All reads use the same mapping of states, so each value is tried at one of them only.
    again = [one for one in items if one.get_closest_marker("again") and "saturn-" not in f"{one.name}-"]
    config.hook.pytest_deselected(items=again)
    items[:] = [one for one in items if one not in set(again)]
    for one in items:
        if "hubs" in getattr(one, "fixturenames", ()) and "hub" in one.nodeid:
            one.add_marker(pytest.mark.xdist_group(f"hub-{_release_of(one)}"))
        elif "saturn_2026" in one.nodeid:
            # Loading its API document takes a worker two seconds, so one worker runs all of these tests.
            one.add_marker(pytest.mark.xdist_group("saturn_2026"))


def _release_of(item):
    """Return the release of the hub that a test shares with other tests."""
    chosen = item.callspec.params if hasattr(item, "callspec") else {}
    return chosen.get("hub") or _parse_release(chosen.get("rig", ""))


def _parse_release(kind):
    return int(kind.partition("_")[2] or NEWEST) if kind.startswith("jupyterhub") else NEWEST


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def hubs():
    async with AsyncExitStack() as stack:
        yield LazyHubs(stack)


@pytest_asyncio.fixture(loop_scope="session", params=[*KINDS, *_OLDER_HUBS])
async def rig(request, hubs, caplog):
    async with check_no_token_logged(rig_of(request.param, hubs)(), caplog) as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="session", params=LINKED)
async def linked_rig(request, hubs):
    """A rig of each provider that links people's own accounts."""
    async with rig_of(request.param, hubs)() as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="session", params=KINDS)
async def quiet_rig(request, hubs):
    """A rig whose workspaces no test starts. At the hub it always belongs to the same person."""
    async with _quiet(request.param, hubs, Http) as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="session", params=KINDS)
async def impatient_rig(request, hubs):
    """A quiet rig whose client gives up after one second, for servers that never answer."""
    async with _quiet(request.param, hubs, ImpatientHttp) as ready:
        yield ready


def _quiet(kind, hubs, client):
    if kind == "jupyterhub":
        return hubs.rig(name=HUB_PEOPLE[0], client=client)
    return RIGS[kind](client=client)


def rig_of(kind, hubs):
    """Return a function that opens the rig of a kind. Rigs at the hub share one server."""
    if kind.startswith("jupyterhub"):
        return partial(hubs.rig, _parse_release(kind))
    return RIGS[kind]


@pytest_asyncio.fixture(loop_scope="session")
async def saturn():
    async with saturn_rig() as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="session")
async def posit():
    async with posit_rig() as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="session")
async def sphere():
    async with sphere_rig() as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="session", params=list_params("hub"))
async def hub(request, hubs):
    async with hubs.rig(request.param) as ready:
        yield ready


@pytest_asyncio.fixture(loop_scope="session")
async def quiet_hub(hubs):
    """The newest hub, used by the person whose servers no test starts."""
    async with hubs.rig(name=HUB_PEOPLE[0]) as ready:
        yield ready
