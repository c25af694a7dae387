"""Tests of what prevents a plan from being carried out, as far as Usher knows."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.accounts import Account
from bot.domain.approvals import find_next_morning
from bot.domain.feasibility import find_access_obstacle, find_stop_obstacle
from bot.domain.stops import StopEffect
from bot.domain.workspaces import State, Workspace
from tests.rigs.store import ALICE

NOW = 1_000_000.0
LINKED = Account("account_1", ALICE, "cloud", "alice", "sealed", "active", NOW - 500.0)


@pytest.mark.parametrize(
    ("account", "obstacle"),
    [
        pytest.param(LINKED, "", id="linked"),
        pytest.param(None, "unlinked", id="unlinked"),
        pytest.param(replace(LINKED, state="revoking"), "unlinked", id="being revoked"),
        pytest.param(replace(LINKED, state="refused"), "credential_refused", id="link given up"),
        pytest.param(replace(LINKED, refused_since=NOW - 5), "", id="one refusal"),
        pytest.param(replace(LINKED, refused_since=NOW - 60), "sign_in_refused", id="refused"),
        pytest.param(replace(LINKED, refused_since=NOW - 60, renamed_to="al"), "renamed", id="another name"),
    ],
)
def test_access_obstacle_is_what_nothing_can_be_sent_for(account, obstacle):
    assert find_access_obstacle(account, NOW) == obstacle


ENDS = {"stop": StopEffect.ENDS}
KEEPS = {"suspend": StopEffect.KEEPS, **ENDS}


@pytest.mark.parametrize(
    ("state", "actions", "effects", "mode", "is_possible"),
    [
        pytest.param(State.RUNNING, None, KEEPS, "suspend", True, id="offered"),
        pytest.param(State.RUNNING, None, ENDS, "suspend", False, id="no such way"),
        pytest.param(State.RUNNING, frozenset({"stop"}), KEEPS, "suspend", False, id="not with this one"),
        pytest.param(State.RUNNING, frozenset({"open"}), ENDS, "stop", True, id="a stop waits"),
        pytest.param(State.STARTING, frozenset({"stop"}), KEEPS, "suspend", True, id="not up yet"),
    ],
)
def test_stop_obstacle_is_a_way_that_is_not_offered(state, actions, effects, mode, is_possible):
    workspace = Workspace("ws_1", ALICE, "cloud", "r1", "r1", "notebook", state=state, actions=actions)
    assert (find_stop_obstacle(workspace, effects, mode) == "") is is_possible


@pytest.mark.parametrize(
    ("asked", "reminded"),
    [
        pytest.param("2026-11-09T14:00", "2026-11-10T09:00", id="afternoon"),
        pytest.param("2026-11-09T00:30", "2026-11-09T09:00", id="night"),
        pytest.param("2026-11-09T08:59", "2026-11-10T09:00", id="morning"),
    ],
)
def test_next_morning_is_nine_in_the_reader_zone(asked, reminded):
    zone = ZoneInfo("America/New_York")
    at, morning = (datetime.fromisoformat(one).replace(tzinfo=zone).timestamp() for one in (asked, reminded))
    assert find_next_morning(at, zone) == morning
