"""Tests of when unknown outcomes have settled, when reads are certain, and when a start is slow."""

from dataclasses import replace

import pytest

from bot.domain.durations import Typical, estimate_duration, start_kind
from bot.domain.forms import Spec
from bot.domain.observations import Created
from bot.domain.operations import OperationVerb
from bot.domain.people import Principal
from bot.domain.reads import Unconfirmed
from bot.domain.runs import Run, RunState
from bot.domain.timeouts import (
    Verdict,
    count_unconfirmed,
    has_settled,
    is_confirmed,
    is_going,
    is_run_unanswered,
    is_slow,
    is_unanswered,
    judge,
    search_in,
    unknown_since,
)
from bot.domain.work_items import Call, Outcome, WorkItem
from bot.domain.workspaces import State
from bot.messages.texts.times import format_roughly
from bot.providers.base import Pace
from tests.messages.card_facts import ALICE, NOW, facts

OURS, ONE, OTHER = (Created(name, name) for name in ("ours", "one", "other"))

# Results of a search for something that a call may have created. Each row has whether one was found with
# Usher's mark, how many others may be it, and whether finding none proves that none was created. Each column
# has whether the call has settled, or was called off.
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


MAKER = WorkItem(id="job_1", principal=ALICE, connection="saturn", created_at=0.0)

# When a call was made, when its outcome became unknown, and when it has settled. A call of another process
# may take 45 s, and so may one for which no time was recorded.
SETTLES = """
call     called unknown | unknown-since settled
unknown  100    125     | 125           245
unknown  100    -       | 145           265
calling  100    -       | 145           265
calling  100    125     | 145           265
unknown  -      -       | 45            165
accepted 100    125     | 125           245
"""


@pytest.mark.parametrize("line", SETTLES.strip().splitlines()[1:])
def test_it_settles_from_when_the_outcome_became_unknown(line):
    call, called, unknown, _, since, settled = line.split()
    times = [None if one == "-" else float(one) for one in (called, unknown)]
    maker = replace(MAKER, start_call=Call(call), called_at=times[0], unknown_since=times[1])
    assert unknown_since(maker.start_call, *times) == float(since)
    assert not has_settled(maker, float(settled) - 0.1)
    assert has_settled(maker, float(settled))


@pytest.mark.parametrize(
    ("asked_for", "seconds"),
    # First the normal interval, then a twentieth of the time for which the owner has been asked, then five
    # minutes.
    [(None, 15), (0, 15), (300, 15), (320, 16), (1_200, 60), (5_980, 299), (6_020, 300), (86_400, 300)],
)
def test_a_search_becomes_rarer_while_its_person_is_asked(asked_for, seconds):
    asked_at = None if asked_for is None else NOW - asked_for
    assert search_in(Pace(min_poll_interval=10.0, pending_interval=15.0), asked_at, NOW) == pytest.approx(
        seconds
    )
    assert search_in(Pace(min_poll_interval=400.0, pending_interval=15.0), asked_at, NOW) == 400.0


@pytest.mark.parametrize(
    ("kinds", "seconds", "certain"),
    [
        (["forbidden"], 90, False),
        (["forbidden"] * 2, 90, False),
        (["forbidden"] * 2, 60, False),
        (["forbidden"] * 3, 29.9, False),
        (["forbidden"] * 3, 30, True),
        (["forbidden"] * 4, 19.9, False),
        (["forbidden"] * 4, 20, True),
        # An entry missing from a list counts like one more refusal. A read says more than a list.
        (["unlisted"] * 3, 29.9, False),
        (["unlisted"] * 3, 30, True),
        (["forbidden", "invalid", "forbidden", "invalid"], 90, False),
        (["forbidden", "invalid", "invalid", "invalid"], 30, True),
        (["gone"], 10, False),
        (["gone"] * 2, 0, True),
        (["forbidden", "gone"], 10, False),
        (["left_out"] * 2, 10, False),
        (["left_out"] * 3, 0, True),
    ],
)
def test_what_reads_say_is_news_when_they_say_it_again(kinds, seconds, certain):
    unconfirmed: Unconfirmed | None = None
    now = NOW
    for number, kind in enumerate(kinds):
        now = NOW + number * float(seconds)
        unconfirmed = count_unconfirmed(unconfirmed, kind, now)
    assert unconfirmed is not None
    assert is_confirmed(unconfirmed, now) is certain


# -- how long a start takes ---------------------------------------------------------------------------------


ALIKE = [60.0] * 9 + [300.0]


@pytest.mark.parametrize(
    ("own", "alike", "usual", "slow"),
    [
        ([], [], None, None),
        ([], ALIKE[:9], None, None),
        ([], ALIKE, 60.0, 60.0),
        ([], [*ALIKE, 300.0], 60.0, 300.0),
        # A workspace's own history counts most. Slow starts are judged from ten or more.
        ([10.0, 20.0], ALIKE, 60.0, 60.0),
        ([10.0, 20.0, 30.0], ALIKE, 20.0, 60.0),
        ([10.0, 20.0, 30.0], [], 20.0, None),
        ([10.0] * 8 + [40.0, 90.0], ALIKE, 10.0, 40.0),
    ],
)
def test_how_long_a_start_takes_is_said_from_enough_of_them(own, alike, usual, slow):
    assert estimate_duration(own, alike) == Typical(usual, slow)


@pytest.mark.parametrize(
    ("usual", "slow", "late"),
    [(None, None, None), (100.0, None, 150.0), (100.0, 120.0, 150.0), (100.0, 300.0, 300.0)],
    ids=["unknown", "too-few", "alike", "scattered"],
)
def test_late_is_longer_than_usual_by_half(usual, slow, late):
    assert Typical(usual, slow).late == late


@pytest.mark.parametrize(
    ("called_for", "slow_seconds", "is_"), [(59.9, 60.0, False), (60, 60.0, True), (9_000, None, False)]
)
def test_start_is_slow_after_its_slow_seconds(called_for, slow_seconds, is_):
    called = {"start_call": Call.ACCEPTED, "called_at": NOW - called_for}
    assert is_slow(facts(operation=called | {"slow_seconds": slow_seconds}).operation, NOW) is is_


def test_without_a_call_a_start_is_as_old_as_its_operation():
    waiting = facts(operation={"slow_seconds": 60.0, "created_at": NOW - 60}).operation
    assert is_slow(waiting, NOW)
    assert not is_slow(waiting, NOW - 1)


@pytest.mark.parametrize(
    ("called_after", "begins_after"),
    [(None, 0.0), (14.9, 0.0), (15.0, 15.0), (400.0, 400.0)],
    ids=["not-called", "at-once", "waited", "waited-long"],
)
def test_start_begins_with_a_call_that_had_to_wait(called_after, begins_after):
    called_at = None if called_after is None else NOW + called_after
    operation = facts(operation={"created_at": NOW, "called_at": called_at}).operation
    assert operation.began_at == NOW + begins_after


START, STOP = OperationVerb.START, OperationVerb.STOP


@pytest.mark.parametrize(
    ("operation", "state", "is_"),
    [
        ({}, State.STOPPED, False),
        ({}, State.STARTING, True),
        ({}, State.STOPPING, False),
        ({}, None, False),
        ({"start_call": Call.CALLING}, None, True),
        ({"stop_call": Call.UNKNOWN}, None, True),
        ({"verb": STOP}, State.STOPPING, True),
        ({"verb": STOP}, State.STARTING, False),
        ({"verb": STOP, "stop_call": Call.ACCEPTED}, State.RUNNING, True),
    ],
)
def test_it_goes_on_once_it_was_called_or_is_seen_to(operation, state, is_):
    of = facts(operation=operation, workspace={"state": state or State.STOPPED})
    assert is_going(of.operation, None if state is None else of.workspace) is is_


ASKED = {"verb": STOP, "stop_call": Call.ACCEPTED, "created_at": NOW - 60}


@pytest.mark.parametrize(
    ("changed", "is_"),
    [
        ({}, True),
        ({"created_at": NOW - 59.9}, False),
        ({"verb": OperationVerb.SUSPEND}, True),
        # A stop that was forced already, or that is part of a restart, can't be forced.
        ({"verb": OperationVerb.FORCE}, False),
        ({"verb": OperationVerb.RESTART}, False),
        ({"stop_call": Call.NONE}, False),
        ({"stop_call": Call.UNKNOWN}, True),
        ({"outcome": Outcome.FAILED}, False),
    ],
)
def test_a_stop_may_be_forced_once_it_stayed_without_effect_for_a_minute(changed, is_):
    assert is_unanswered(facts(operation=ASKED | changed).operation, NOW) is is_


ASKED_RUN = Run(
    id="job_1",
    principal=ALICE,
    connection="posit",
    created_at=NOW - 900,
    name="train",
    spec=None,
    state=RunState.RUNNING,
    requested_stop="stop",
    stop_call=Call.ACCEPTED,
    called_at=NOW - 60,
)


@pytest.mark.parametrize(
    ("changed", "is_"),
    [
        ({}, True),
        ({"called_at": NOW - 59.9}, False),
        ({"called_at": None}, False),
        ({"requested_stop": "force"}, False),
        ({"requested_stop": None}, False),
        ({"stop_call": Call.NONE}, False),
        ({"state": RunState.CANCELLED}, False),
        ({"outcome": Outcome.ENDED}, False),
    ],
)
def test_the_stop_of_a_run_may_be_forced_once_it_stayed_without_effect_for_a_minute(changed, is_):
    assert is_run_unanswered(replace(ASKED_RUN, **changed), NOW) is is_


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
    assert format_roughly(seconds) == said
