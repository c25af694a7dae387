"""Tests of the facts about an operation that is about to be reported as over."""

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from tests.messages.card_facts import CALLED, NOW, facts

STOP = {"verb": OperationVerb.STOP, "stop_call": CALLED["start_call"], "called_at": NOW - 25}
RUNNING, STOPPED = {"state": State.RUNNING}, {"state": State.STOPPED}


@pytest.mark.parametrize(
    ("operation", "workspace", "read_at", "is_ending"),
    [
        pytest.param(CALLED, RUNNING, NOW, True, id="start-running"),
        pytest.param(CALLED, {"state": State.FAILED}, NOW, True, id="start-failed"),
        pytest.param(CALLED, {"state": State.STARTING}, NOW, False, id="start-starting"),
        pytest.param(CALLED, RUNNING | {"lacks": "page"}, NOW, False, id="start-without-page"),
        pytest.param(CALLED, RUNNING, NOW - 5, False, id="start-read-before"),
        pytest.param(CALLED | {"called_at": NOW}, RUNNING, NOW, False, id="start-just-sent"),
        pytest.param(CALLED | {"outcome": Outcome.FULFILLED}, RUNNING, NOW, False, id="start-ended"),
        pytest.param(STOP, STOPPED, NOW, True, id="stop-stopped"),
        pytest.param(STOP, RUNNING, NOW, False, id="stop-running"),
    ],
)
def test_end_is_coming_after_the_read_that_ends(operation, workspace, read_at, is_ending):
    assert facts(operation, workspace | {"observed_at": read_at}).is_ending is is_ending
