"""Every facet is one of some provider, and every method of it is called in a test of this folder."""

import ast
from functools import cache
from pathlib import Path

import pytest

from bot.providers import base, provider_classes
from bot.providers.base import Facet


def kinds(of: type[Facet] = Facet) -> list[type[Facet]]:
    """Return all facets, those of others included; a provider is none."""
    own = [kind for kind in of.__subclasses__() if kind.__module__ == base.__name__]
    return [found for kind in own for found in (kind, *kinds(kind))]


@cache
def called() -> frozenset[str]:
    """Return the names of the methods that this folder's tests call on something."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in Path(__file__).parent.glob("*.py")]
    return frozenset(
        node.func.attr
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    )


def unused(facet: type[Facet]) -> list[str]:
    """Return what is wrong with a facet: nobody has it, or the methods that no test calls."""
    if not any(issubclass(provider, facet) for provider in provider_classes().values()):
        return ["no provider has it"]
    methods = [name for name, what in vars(facet).items() if not name.startswith("_") and callable(what)]
    return [name for name in methods if name not in called()]


@pytest.mark.parametrize("facet", kinds(), ids=lambda facet: facet.__name__)
def test_a_facet_has_a_provider_and_its_methods_are_driven(facet):
    assert unused(facet) == []


def test_a_facet_that_nobody_has_or_drives_is_found():
    class Nobody(Facet):
        def waves(self) -> None: ...

    assert unused(Nobody) == ["no provider has it"]
    assert set(kinds()) >= {base.Lists, base.Making, base.Runs}
