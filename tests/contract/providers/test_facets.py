"""Every facet has a contract, and each of its methods has to do something."""

import inspect

import pytest

from bot.providers import facets
from bot.providers.base import Provider
from bot.providers.facets import Facet
from tests.contract.providers.conftest import KINDS, class_of, rig_of
from usher.conformance.facets import CONTRACTS, set_up

on_one_loop = pytest.mark.asyncio(loop_scope="session")


def kinds(of: type[Facet] = Facet) -> list[type[Facet]]:
    """Return all facets defined in the module, including those that extend another facet."""
    own = [kind for kind in of.__subclasses__() if kind.__module__ == facets.__name__]
    return [found for kind in own for found in (kind, *kinds(kind))]


def having(facet: type[Facet]) -> list[str]:
    """Return the kinds of providers with a facet. A real hub is slow, so it comes last."""
    found = [kind for kind in KINDS if issubclass(class_of(kind), facet)]
    return sorted(found, key=lambda kind: kind == "jupyterhub")


def demanded(facet: type[Facet]) -> list[str]:
    """Return the methods that a provider with this facet must implement."""
    return sorted(name for name in facet.__abstractmethods__)


#: Forms have no contract of their own: they are covered by those for creating workspaces and running jobs.
WHOLE = [facet for facet in kinds() if facet is not facets.Forms]
METHODS = [(having(facet)[0], facet, name) for facet in WHOLE if having(facet) for name in demanded(facet)]


def test_every_facet_has_a_contract_and_a_provider():
    assert set(CONTRACTS) == set(WHOLE)
    # Only Coder, in the package usher-coder, can extend an end; its own run of the kit covers that.
    assert [facet for facet in WHOLE if not having(facet)] == [facets.Extension]


@on_one_loop
@pytest.mark.parametrize(
    ("kind", "facet", "name"),
    METHODS,
    ids=[f"{kind}-{facet.__name__}.{name}" for kind, facet, name in METHODS],
)
async def test_a_method_that_does_nothing_breaks_the_contract(hubs, kind, facet, name):
    async with rig_of(kind, hubs)() as rig:
        set_up(rig, facet)
        empty(rig.provider, name)
        with pytest.raises((Exception, pytest.fail.Exception)):
            await CONTRACTS[facet](rig)


def empty(provider: Provider, name: str) -> None:
    """Replace a provider's method with one that does nothing."""
    old = inspect.getattr_static(provider, name)

    def nothing(*_args, **_named):
        return None

    async def no_answer(*_args, **_named):
        return None

    async def no_pieces(*_args, **_named):
        for piece in ():
            yield piece

    if inspect.isasyncgenfunction(old) or name == "run_output":
        body = no_pieces
    elif isinstance(old, property):
        body = property(nothing)
    else:
        body = no_answer if inspect.iscoroutinefunction(old) else nothing
    provider.__class__ = type("Empty", (type(provider),), {name: body})
