"""Tests of a workspace's state on its page: each state and operation has a phase and words."""

from dataclasses import replace
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from bot.domain.forms import Spec
from bot.domain.message_context import WorkspaceFacts
from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Principal
from bot.domain.stops import PlannedStop, PlannedStops, StopEffect
from bot.domain.work_items import Outcome
from bot.domain.workspaces import PROVISIONAL, State, Workspace
from bot.messages.blocks import buttons
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.texts import ide
from bot.web.ide import build_page_state

ALICE = Principal(None, "T1", "U1")
ROW = Workspace("w", ALICE, "sphere", "1" * 32, "gate", "notebook", state=State.RUNNING)
UNMADE = replace(ROW, remote_id=f"{PROVISIONAL}w", state=State.UNKNOWN, spec=Spec("notebook"))


def operation(verb, outcome=None):
    return Operation(
        id="operation",
        principal=ALICE,
        workspace_id="w",
        connection="sphere",
        verb=verb,
        created_at=0.0,
        outcome=outcome,
    )


def facts(row, one=None, now=0.0):
    return WorkspaceFacts(
        now=now,
        connection="sphere",
        connection_title="Sphere Engine",
        capabilities=frozenset({"creation"}),
        operation=one,
        workspace=row,
        effects={"stop": StopEffect.RETURNS},
    )


def stands(row, verb=None, outcome=None, now=1000.0):
    return build_page_state(facts(row, None if verb is None else operation(verb, outcome), now))


def test_every_state_with_every_operation_is_shown():
    for row, state, verb in product((ROW, UNMADE), State, (None, *OperationVerb)):
        seen = stands(replace(row, state=state), verb)
        assert seen.line
        assert seen.is_up or (seen.heading and seen.text)
        assert "{" not in seen.text
        assert seen.as_json()["phase"] == seen.phase
    assert ide.PLACES.keys() | {"running"} == ide.LINES.keys()


def test_a_start_says_how_long_it_takes_once_that_is_known():
    new = replace(operation(OperationVerb.START), called_at=1000.0)
    known = replace(new, usual_seconds=90.0, slow_seconds=120.0)
    row = replace(ROW, state=State.STARTING)
    said = [
        build_page_state(facts(row, one, now)).text
        for one, now in ((new, 1e6), (known, 1100.0), (known, 1121.0))
    ]
    assert said == [
        "It will open here by itself.",
        "It will open here by itself. This usually takes a minute or two.",
        "It will open here by itself. Slower than usual: this usually takes a minute or two.",
    ]


@pytest.mark.parametrize(
    ("state", "actions", "line"),
    [
        (State.RUNNING, None, "Running until 18:00"),
        (State.RUNNING, frozenset({"stop"}), "Running, but not open. It will be stopped at 18:00."),
        (State.STARTING, None, "Starting. It will be stopped at 18:00."),
        (State.STOPPED, None, "Stopped"),
    ],
    ids=["running", "closed", "starting", "stopped"],
)
def test_until_when_it_runs_is_said_while_it_is_up(state, actions, line):
    row = replace(ROW, state=state, actions=actions, stop_at=17 * 3600.0)
    timer = PlannedStop(17 * 3600.0, "suspend")
    zone, suspended = ZoneInfo("Europe/Berlin"), replace(row, planned_stops=PlannedStops(counts=timer))
    assert build_page_state(facts(row), zone=zone).line == line
    assert build_page_state(facts(suspended), zone=zone).line == line.replace("be stopped", "be suspended")
    sooner, later = (replace(ROW, expires_at=at, expiry_mode="stops", stop_at=600.0) for at in (300.0, 900.0))
    assert build_page_state(facts(sooner)).line == "Running, will stop at 00:05 UTC unless you use it"
    assert build_page_state(facts(later)).line == "Running until 00:10 UTC"


@pytest.mark.parametrize(
    ("state", "verb", "phase"),
    [
        (State.RUNNING, None, "running"),
        (State.RUNNING, OperationVerb.START, "running"),
        (State.RUNNING, OperationVerb.RESTART, "starting"),
        (State.RUNNING, OperationVerb.STOP, "stopping"),
        (State.RUNNING, OperationVerb.REMOVE, "stopping"),
        (State.STARTING, None, "starting"),
        (State.STOPPED, None, "stopped"),
        (State.SUSPENDED, None, "stopped"),
        (State.STOPPED, OperationVerb.START, "starting"),
        (State.FAILED, None, "failed"),
        (State.FAILED, OperationVerb.START, "starting"),
        (State.GONE, None, "gone"),
        (State.UNKNOWN, None, "unknown"),
    ],
)
def test_the_open_operation_and_the_row_make_the_phase(state, verb, phase):
    assert stands(replace(ROW, state=state), verb).phase == phase


def test_an_operation_that_has_ended_says_nothing():
    assert stands(ROW, OperationVerb.STOP, Outcome.FAILED).phase == "running"


def test_what_is_not_made_yet_and_what_never_was():
    assert stands(UNMADE, OperationVerb.CREATE).phase == "starting"
    failed = stands(UNMADE, OperationVerb.CREATE, Outcome.FAILED)
    assert (failed.phase, failed.start) == ("unmade", ide.START_NEW)


def test_buttons_follow_what_may_be_done():
    assert stands(ROW).stops
    # An action that the provider doesn't accept yet is sent as soon as it does.
    assert stands(replace(ROW, actions=frozenset({"open"}))).stops
    assert stands(replace(ROW, actions=frozenset({"stop"}))).phase == "closed"
    stopped = replace(ROW, state=State.STOPPED)
    assert stands(stopped).start == ide.START
    assert stands(replace(stopped, actions=frozenset())).start == ""
    gone = replace(ROW, state=State.GONE)
    assert stands(gone).start == ""
    again = stands(replace(gone, spec=Spec("notebook")))
    assert again.start == ide.START_NEW
    assert again.text.endswith(ide.NEW_ONE)
    assert not stands(replace(gone, spec=None)).stops


@pytest.mark.parametrize("state", State)
def test_a_page_offers_what_slack_offers(state):
    row = replace(ROW, state=state, spec=Spec("notebook"))
    offered = {ButtonValue.from_button(button).name for button in buttons.list_buttons(facts(row))}
    seen = stands(row)
    assert (seen.stops, bool(seen.start)) == ("stop" in offered, bool({"start", "again"} & offered))


def test_why_it_failed_is_said():
    seen = stands(replace(ROW, state=State.FAILED, reason="image pull failed"))
    assert seen.text.endswith(" Sphere Engine couldn't get the image that it's started from.")


@pytest.mark.parametrize(
    ("state", "how", "left", "line"),
    [
        (State.RUNNING, "stops", 260, "Running, will stop at 00:21 UTC unless you use it"),
        (State.RUNNING, "removed", 20, "Running, will be removed at 00:17 UTC unless you use it"),
        (State.RUNNING, "stops", 86_400, "Running, will stop tomorrow at 00:16 UTC unless you use it"),
        (State.RUNNING, "stops", 0, "Running"),
        (State.STOPPED, "removed", 600, "Stopped, will be removed at 00:26 UTC unless you start it"),
        (State.STOPPED, "stops", 600, "Stopped"),
        (State.STARTING, "stops", 60, "Starting"),
    ],
)
def test_an_end_that_comes_by_itself_is_said(state, how, left, line):
    row = replace(ROW, state=state, expires_at=1000.0 + left, expiry_mode=how)
    assert stands(row).line == line
