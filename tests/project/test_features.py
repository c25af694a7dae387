"""Declarations of features: every folder has one, and names the features that it imports."""

import pytest

from bot.features import FEATURES, feature
from bot.features.hooks import Hooks
from bot.store.hooks import StoreHooks
from bot.support import declarations
from bot.support.declarations import LayerHooks
from tests.project.features import find_foreign_statements, find_imports
from tests.project.repository import ROOT


def test_every_folder_is_a_feature_and_the_reverse():
    folders = {path.parent.name for path in (ROOT / "bot/features").glob("*/feature.py")}
    assert sorted(folders) == sorted(FEATURES)
    assert [one.name for one in feature.load()] == list(FEATURES)
    assert all(one.summary for one in feature.load())


def test_a_folder_that_is_not_listed_stops_the_start(monkeypatch):
    monkeypatch.setattr(feature, "FEATURES", FEATURES[:-1])
    with pytest.raises(ValueError, match=f"not in FEATURES: {FEATURES[-1]}"):
        feature.load.__wrapped__()


def test_features_need_what_they_import():
    needs = {(one.name, needed) for one in feature.load() for needed in one.needs}
    assert {(one, other) for one, other in find_imports() if one} == needs


def test_core_imports_no_feature():
    assert [other for one, other in find_imports() if not one] == []


def test_statements_of_a_feature_are_run_by_itself():
    assert find_foreign_statements() == frozenset()


def test_each_feature_comes_after_those_that_it_needs():
    for at, one in enumerate(feature.load()):
        assert set(one.needs) <= set(FEATURES[:at]), one.name


def test_every_hook_is_used_by_a_feature():
    own = {type(one.hooks) for one in feature.load()}
    for layer in Hooks.__mro__[1:]:
        if issubclass(layer, LayerHooks) and layer is not LayerHooks:
            moments = {name for name in vars(layer) if not name.startswith("_")}
            assert moments <= {name for kind in own for name in vars(kind)}, layer


def test_hooks_act_in_the_order_of_features():
    assert StoreHooks.list_subscribers() == tuple(one.hooks for one in feature.load())


def test_hooks_are_not_read_before_features_are_loaded(monkeypatch):
    monkeypatch.setattr(declarations, "_complete", [])
    with pytest.raises(RuntimeError, match="features aren't loaded"):
        StoreHooks.list_subscribers()
    with pytest.raises(RuntimeError, match="features aren't loaded"):
        declarations.Registry().get("a name")
