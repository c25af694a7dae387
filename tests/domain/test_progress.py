"""The bar never goes back, and stays below 95 % until the workspace is ready."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.models import Call, OperationVerb, Outcome, State
from bot.domain.progress import MOST, progress_of
from tests.messages.card_facts import CALLED, NOW, facts

STARTING = {"state": State.STARTING}


def _progress(of):
    return progress_of(of.operation, of.workspace, of.now, of.usual_seconds)


@pytest.mark.parametrize(
    ("given", "percent"),
    [
        (facts(), 3),
        (facts(operation={"progress_floor": 20}), 20),
        (facts(operation=CALLED, workspace=STARTING | {"progress": 40}), 40),
        (facts(operation=CALLED, workspace=STARTING | {"progress": 100}), MOST),
        (facts(operation=CALLED, workspace=STARTING | {"progress": 0}), 3),
        (facts(operation=CALLED | {"progress_floor": 60}, workspace=STARTING | {"progress": 40}), 60),
        (facts(operation=CALLED | {"called_at": NOW}, usual_seconds=100), 3),
        (facts(operation=CALLED | {"called_at": NOW - 100}, usual_seconds=100), 75),
        (facts(operation=CALLED | {"called_at": NOW - 9000}, usual_seconds=100), MOST),
        (facts(workspace=STARTING), 31),
        (facts(operation={"verb": OperationVerb.STOP}), 0),
        (facts(operation={"verb": OperationVerb.RESTART, "stop_call": Call.ACCEPTED}), 3),
        (facts(operation={"outcome": Outcome.FULFILLED}), 100),
        (facts(operation={"outcome": Outcome.FAILED, "progress_floor": 50}), 50),
        (facts(operation={"outcome": Outcome.FAILED, "progress_floor": 100}), MOST),
    ],
)
def test_how_far_a_start_has_come(given, percent):
    assert _progress(given) == percent


@given(
    st.lists(
        st.tuples(
            st.floats(min_value=0, max_value=5000),
            st.one_of(st.none(), st.integers(min_value=-5, max_value=200)),
            st.sampled_from([State.STOPPED, State.STARTING, State.UNKNOWN]),
            st.one_of(st.none(), st.floats(min_value=0.1, max_value=2000)),
        ),
        max_size=12,
    )
)
def test_whatever_is_read_the_bar_only_grows(steps):
    floor, now = 0, NOW
    for passed, told, state, usual in steps:
        now += passed
        shown = _progress(
            facts(
                operation=CALLED | {"progress_floor": floor},
                workspace={"state": state, "progress": told},
                now=now,
                usual_seconds=usual,
            )
        )
        assert floor <= shown < 95
        floor = shown
    assert _progress(facts(operation=CALLED | {"progress_floor": floor, "outcome": Outcome.FULFILLED})) == 100
