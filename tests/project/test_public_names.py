"""Tests that buttons, menus and forms in messages from earlier releases still work."""

import tomllib

import pytest

from handlers.loading import load
from handlers.requests import routes
from tests.project.repository import ROOT

NAMES = tomllib.loads((ROOT / "tests/project/public_names.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("registry", NAMES)
def test_names_of_old_messages_have_functions(registry):
    load()
    assert NAMES[registry] == sorted(NAMES[registry])
    assert set(NAMES[registry]) <= set(getattr(routes, registry))
