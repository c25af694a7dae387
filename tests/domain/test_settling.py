"""When an unknown outcome has settled, when reads count as certain, and how far a start has come."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.forms import Spec
from bot.domain.people import Principal
from bot.domain.settling import (
    CALL_ENDS,
    GONE,
    LEFT_OUT,
    MAKE_SETTLES,
    MOST,
    Verdict,
    doubted,
    has_settled,
    is_certain,
    is_short,
    is_slow,
    judge,
    progress_of,
)
from bot.domain.workspaces import (
    Call,
    Created,
    Doubt,
    Errand,
    OperationVerb,
    Outcome,
    State,
    Typical,
    start_kind,
    typical,
)
from bot.messages.texts.times import roughly
from tests.messages.card_facts import ALICE, CALLED, NOW, facts

OURS, ONE, OTHER = (Created(name, name) for name in ("ours", "one", "other"))

# What a search found: ours by its mark, and what else may have come of the call. Whether nothing found proves
# that nothing was made; whether it has had its time; whether it is still wanted.
TABLE = """
ours others  proof | settling | settled | called-off
yes  none    yes   | ours     | ours    | ours
yes  two     no    | ours     | ours    | ours
no   one     no    | one      | one     | one
no   none    yes   | search   | repeat  | nothing
no   none    no    | search   | ask     | untold
no   two     no    | search   | ask     | untold
no   two     yes   | search   | ask     | untold
"""
OTHERS = {"none": [], "one": [ONE], "two": [ONE, OTHER]}


@pytest.mark.parametrize("line", TABLE.strip().splitlines()[1:])
def test_what_a_search_comes_to(line):
    known, settling, settled, called_off = line.split("|")
    ours, others, proof = known.split()
    for word, settles, wanted in ((settling, False, True), (settled, True, True), (called_off, True, False)):
        verdict = judge(
            OURS if ours == "yes" else None,
            OTHERS[others],
            is_proof=proof == "yes",
            has_settled=settles,
            is_wanted=wanted,
        )
        expected = {"ours": OURS, "one": ONE}.get(word.strip())
        assert verdict == (expected or Verdict(word.strip()))


def test_it_settles_from_when_the_outcome_became_unknown():
    unknown = Errand(
        id="job_1",
        principal=Principal(None, "T1", "U1"),
        connection="saturn",
        created_at=0.0,
        start_call=Call.UNKNOWN,
        called_at=0.0,
        unknown_since=25.0,
    )
    assert not has_settled(unknown, 25.0 + MAKE_SETTLES - 0.1)
    assert has_settled(unknown, 25.0 + MAKE_SETTLES)
    # Under way in another process, or from before that was written down.
    calling = replace(unknown, start_call=Call.CALLING, unknown_since=None)
    assert not has_settled(calling, CALL_ENDS + MAKE_SETTLES - 0.1)
    assert has_settled(replace(unknown, unknown_since=None), CALL_ENDS + MAKE_SETTLES)


@pytest.mark.parametrize(
    ("kinds", "seconds", "certain"),
    [
        (["forbidden"], 90, False),
        (["forbidden"] * 2, 90, False),
        (["forbidden"] * 3, 20, False),
        (["forbidden"] * 3, 30, True),
        (["forbidden", "invalid", "forbidden", "invalid"], 90, False),
        (["forbidden", "invalid", "invalid", "invalid"], 30, True),
        ([GONE], 10, False),
        ([GONE] * 2, 10, True),
        (["forbidden", GONE], 10, False),
        ([LEFT_OUT] * 2, 10, False),
        ([LEFT_OUT] * 3, 10, True),
    ],
)
def test_what_reads_say_is_news_when_they_say_it_again(kinds, seconds, certain):
    doubt: Doubt | None = None
    now = 0.0
    for number, kind in enumerate(kinds):
        now = number * float(seconds)
        doubt = doubted(doubt, kind, now)
    assert doubt is not None
    assert is_certain(doubt, now) is certain


# -- how far a start has come --------------------------------------------------------------------------------


STARTING = {"state": State.STARTING}
USUAL = {"usual_seconds": 100.0}


def _progress(of):
    return progress_of(of.operation, of.workspace, of.now)


@pytest.mark.parametrize(
    ("given", "percent"),
    [
        # Nothing is known yet.
        (facts(), None),
        (facts(operation=USUAL), None),
        (facts(operation=CALLED), None),
        (facts(workspace=STARTING), None),
        (facts(operation=CALLED, workspace=STARTING | {"progress": 0}), None),
        (facts(operation=CALLED | USUAL | {"called_at": NOW}), None),
        (facts(operation={"verb": OperationVerb.STOP}), None),
        (facts(operation={"verb": OperationVerb.RESTART, "stop_call": Call.ACCEPTED}), None),
        # The provider's own figure.
        (facts(operation=CALLED, workspace=STARTING | {"progress": 40}), 40),
        (facts(operation=CALLED | USUAL, workspace=STARTING | {"progress": 40}), 40),
        (facts(operation=CALLED, workspace=STARTING | {"progress": 100}), MOST),
        # An estimate.
        (facts(operation=CALLED | USUAL | {"called_at": NOW - 4}), 6),
        (facts(operation=CALLED | USUAL | {"called_at": NOW - 100}), 75),
        (facts(operation=CALLED | USUAL | {"called_at": NOW - 9000}), MOST),
        (facts(operation=USUAL, workspace=STARTING), 36),
        # What was shown before.
        (facts(operation={"progress_floor": 20}), 20),
        (facts(operation=CALLED | {"progress_floor": 60}, workspace=STARTING | {"progress": 40}), 60),
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
                operation=CALLED | {"progress_floor": floor, "usual_seconds": usual},
                workspace={"state": state, "progress": told},
                now=now,
            )
        )
        assert shown is None or max(floor, 1) <= shown < 95
        assert shown is not None or floor == 0
        floor = shown or 0
    assert _progress(facts(operation=CALLED | {"progress_floor": floor, "outcome": Outcome.FULFILLED})) == 100


ALIKE = [60.0] * 9 + [300.0]


@pytest.mark.parametrize(
    ("own", "alike", "usual", "slow"),
    [
        ([], [], None, None),
        ([], ALIKE[:9], None, None),
        ([], ALIKE, 60.0, 60.0),
        ([], [*ALIKE, 300.0], 60.0, 300.0),
        # One's own history comes first; what is slow needs ten.
        ([10.0, 20.0], ALIKE, 60.0, 60.0),
        ([10.0, 20.0, 30.0], ALIKE, 20.0, 60.0),
        ([10.0, 20.0, 30.0], [], 20.0, None),
        ([10.0] * 8 + [40.0, 90.0], ALIKE, 10.0, 40.0),
    ],
)
def test_how_long_a_start_takes_is_said_from_enough_of_them(own, alike, usual, slow):
    assert typical(own, alike) == Typical(usual, slow)


def test_slow_is_what_nine_of_ten_are_not():
    of = facts(operation=CALLED | {"slow_seconds": 60.0, "called_at": NOW - 61}).operation
    assert is_slow(of, NOW)
    assert not is_slow(of, NOW - 2)
    assert not is_slow(facts(operation=CALLED | {"called_at": NOW - 9000}).operation, NOW)
    assert is_short(facts(operation=USUAL).operation)
    assert not is_short(facts(operation={"usual_seconds": 600.0}).operation)
    assert not is_short(facts().operation)


def test_starts_of_one_kind_share_the_slack_workspace_the_connection_and_the_template():
    small, large = Spec("one", {"size": "small"}), Spec("two", {"size": "large"})
    kind = start_kind(OperationVerb.START, ALICE, "saturn", small)
    bob = Principal(None, "T1", "UBOB")
    assert start_kind(OperationVerb.START, bob, "saturn", Spec("other", {"size": "small"})) == kind
    others = [
        start_kind(OperationVerb.START, ALICE, "saturn", large),
        start_kind(OperationVerb.START, ALICE, "saturn", None),
        start_kind(OperationVerb.START, ALICE, "hub", small),
        start_kind(OperationVerb.CREATE, ALICE, "saturn", small),
        start_kind(OperationVerb.START, Principal(None, "T2", "UALICE"), "saturn", small),
    ]
    assert kind not in others
    assert len(set(others)) == len(others)
    assert "UALICE" not in str(kind)
    assert start_kind(OperationVerb.RESTART, ALICE, "saturn", small) is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (12, "under a minute"),
        (60, "a minute or two"),
        (140, "a minute or two"),
        (180, "about 3 minutes"),
        (290, "about 5 minutes"),
        (600, "about 10 minutes"),
        (1_000, "about 15 minutes"),
        (3_100, "about 50 minutes"),
        (3_600, "about an hour"),
        (7_000, "about 2 hours"),
    ],
)
def test_a_usual_time_is_said_roughly(seconds, said):
    assert roughly(seconds) == said
