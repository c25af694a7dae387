"""Tests that built-in providers use only what other authors can use."""

import pytest

from tests.project.provider_imports import list_foreign_names
from tests.project.repository import ROOT
from usher import provider

KINDS = ["jupyterhub", "posit", "saturn", "sphere"]


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
