"""Tests of what each provider declares a stop to mean, by state and by what is known of the workspace."""

from types import SimpleNamespace

import pytest

from bot.domain.forms import Spec
from bot.domain.people import Principal
from bot.domain.stops import StopEffect, choose_gentlest_mode, choose_restart_mode, ends_by_consent
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks.courses import get_end_words
from bot.providers.jupyterhub.provider import JupyterHub
from bot.providers.posit.provider import PositProvider
from bot.providers.saturn.provider import Saturn
from bot.providers.sphere import SphereProvider

ALICE = Principal(None, "T1", "U1")
TEMPLATES = [{"name": "notebook", "title": "Notebook", "session": {"workbench": "JupyterLab"}}]
SETTINGS = {
    PositProvider: {"templates": TEMPLATES},
    SphereProvider: {"access_token": "t" * 20, "linking": ("none",)},
}
UP, DOWN = "starting running unknown", "stopped suspended failed"
ALL = f"{UP} {DOWN} stopping gone"
RETURNS = "stop: returns"
ENDS, KEEPS = "stop: ends, force: ends", "stop: ends, force: ends, suspend: keeps"

# Each row: a provider, what is known of the workspace, its states, and the effect of each way of stopping.
TABLE = [
    (Saturn, {}, ALL, RETURNS),
    (JupyterHub, {"remote_id": "alice/"}, ALL, RETURNS),
    (JupyterHub, {"remote_id": "alice/gpu"}, ALL, RETURNS),
    (SphereProvider, {}, f"{UP} stopping stopped", RETURNS),
    (SphereProvider, {"survives_stop": True}, f"{UP} stopping stopped", RETURNS),
    (SphereProvider, {"survives_stop": False}, f"{UP} stopping", "stop: erases"),
    (SphereProvider, {"survives_stop": False}, "stopped", RETURNS),
    (SphereProvider, {"survives_stop": True}, "failed gone", ""),
    # RStudio sessions, recognised by their actions, by their state, or because Usher launched them.
    (PositProvider, {"actions": frozenset({"stop", "suspend"})}, "running", KEEPS),
    (PositProvider, {"actions": frozenset({"stop"})}, "suspended stopping", KEEPS),
    (PositProvider, {"spec": Spec("", {"workbench": "RStudio"})}, f"{UP} suspended stopping", KEEPS),
    # Another IDE.
    (PositProvider, {"actions": frozenset({"stop"})}, "running", ENDS),
    (PositProvider, {"spec": Spec("", {"workbench": "JupyterLab"})}, UP, ENDS),
    (PositProvider, {"spec": Spec("", {"template": "notebook"})}, UP, ENDS),
    # If the kind of session isn't known yet, the server is asked before anything is suspended.
    (PositProvider, {}, UP, KEEPS),
    (PositProvider, {"spec": Spec("", {"template": "not set up any more"})}, UP, KEEPS),
    (PositProvider, {"spec": Spec("", {"workbench": "RStudio"})}, "failed gone", ""),
]


def provider_of(kind):
    told = {"name": "there", "provider": kind.kind, "title": "There", "base_url": "https://there.example"}
    settings = kind.settings_model(**told | SETTINGS.get(kind, {}))
    return kind(settings, SimpleNamespace())


@pytest.mark.parametrize(("kind", "known", "states", "expected"), TABLE)
def test_the_table_of_what_a_stop_means(kind, known, states, expected):
    provider = provider_of(kind)
    wanted = dict(one.split(": ") for one in expected.split(", ") if one)
    for state in states.split():
        row = {"remote_id": "r1", "state": State(state)} | known
        workspace = Workspace("ws_1", ALICE, "there", gate_key="g", name="lab", **row)
        assert provider.stop_effects(workspace) == wanted, state


@pytest.mark.parametrize(
    ("declared", "is_any", "agrees"),
    [
        (RETURNS, True, False),
        (RETURNS, False, False),
        (ENDS, True, True),
        (ENDS, False, True),
        (KEEPS, True, True),
        (KEEPS, False, False),
    ],
)
def test_who_presses_a_class_card_agrees_to_what_it_says(declared, is_any, agrees):
    effects = {mode: StopEffect(effect) for mode, effect in (one.split(": ") for one in declared.split(", "))}
    assert ends_by_consent(effects, is_any=is_any) == agrees
    assert ("for good" in get_end_words(effects, is_any=is_any)["done"]) == agrees


@pytest.mark.parametrize("kind", [Saturn, JupyterHub, SphereProvider, PositProvider])
@pytest.mark.parametrize("state", State)
def test_only_ways_that_there_are_get_a_meaning(kind, state):
    provider = provider_of(kind)
    workspace = Workspace("ws_1", ALICE, "there", "r1", "g", "lab", state=state)
    assert set(provider.stop_effects(workspace)) <= provider.stop_modes


@pytest.mark.parametrize(
    ("stop", "suspend", "restart", "gentlest"),
    [
        (StopEffect.RETURNS, None, "stop", "stop"),
        (StopEffect.RETURNS, StopEffect.KEEPS, "stop", "suspend"),
        (StopEffect.ENDS, StopEffect.KEEPS, "suspend", "suspend"),
        (StopEffect.ENDS, None, None, "stop"),
        (StopEffect.ERASES, None, None, "stop"),
        (None, None, None, "stop"),
    ],
)
def test_what_follows_from_a_declaration(stop, suspend, restart, gentlest):
    told = {"stop": stop, "suspend": suspend}
    effects = {mode: effect for mode, effect in told.items() if effect is not None}
    assert choose_restart_mode(effects) == restart
    assert choose_gentlest_mode(effects) == gentlest
