"""Tests that built-in providers use only what other authors can use."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from tests.project.repository import ROOT
from usher import provider

KINDS = ["jupyterhub", "posit", "saturn", "sphere"]


def list_foreign_names(path: Path, own: str) -> Iterator[tuple[str, str]]:
    """Yield module and name of everything that a file imports from ``bot``, except from its own package.

    A name that is read from a module counts as well: ``base.Provider`` belongs to ``bot.providers.base``.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module)) if _is_foreign(module, own):
                for one in node.names:
                    found = getattr(import_module(module), one.name, None)
                    if isinstance(found, ModuleType):
                        if _is_foreign(found.__name__, own):
                            modules[one.asname or one.name] = found.__name__
                    else:
                        yield module, one.name
            case ast.Import():
                for one in node.names:
                    if _is_foreign(one.name, own):
                        yield one.name, "*"
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in modules:
                yield modules[name], attribute


def _is_foreign(module: str, own: str) -> bool:
    is_ours = module.partition(".")[0] in {"bot", "handlers", "playground"}
    return is_ours and module != own and not module.startswith(f"{own}.")


@pytest.mark.parametrize("kind", KINDS)
def test_built_in_provider_takes_what_usher_provider_exports(kind):
    public = {*provider.__all__, *(f"errors.{name}" for name in vars(provider.errors))}
    missing = {
        f"{path.name}: {module}.{name}"
        for path in (ROOT / "bot/providers" / kind).rglob("*.py")
        for module, name in list_foreign_names(path, f"bot.providers.{kind}")
        if not {name, f"{module.rpartition('.')[2]}.{name}"} & public
    }
    assert missing == set()


def test_the_check_finds_names_by_either_way_of_importing(tmp_path):
    path = tmp_path / "provider.py"
    path.write_text(
        "from bot.providers import base as b\nfrom bot.store.transaction import Transaction\n"
        "from bot.providers.posit.types import Version\nimport bot.support.clock\nb.Provider, b.hidden\n"
    )
    assert set(list_foreign_names(path, "bot.providers.posit")) == {
        ("bot.providers.base", "Provider"),
        ("bot.providers.base", "hidden"),
        ("bot.store.transaction", "Transaction"),
        ("bot.support.clock", "*"),
    }
