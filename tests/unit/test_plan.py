"""The table of the life cycle: every verb, every call, every state; this file is its specification."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import Call, Outcome, Principal, State, Wish, WishVerb
from bot.plan import (
    ACCEPTED_SETTLES,
    FRESH,
    MAX_ATTEMPTS,
    STOP_SETTLES,
    UNKNOWN_SETTLES,
    Operation,
    Plan,
    plan,
)

ALICE = Principal(None, "T1", "U1")
MADE = 1000.0
CALLED = 1100.0

WISH = Wish("wish_1", ALICE, "ws_1", "saturn", WishVerb.START, MADE, deadline_at=MADE + 1800)

ENDS = {
    "done": Plan(Operation.END, Outcome.FULFILLED),
    "gone": Plan(Operation.END, Outcome.FAILED, "gone"),
    "broke": Plan(Operation.END, Outcome.FAILED, "provider_failed"),
    "elsewhere": Plan(Operation.END, Outcome.FAILED, "stopped_elsewhere"),
    "gave up": Plan(Operation.END, Outcome.FAILED, "gave_up"),
}


def wanted(word: str) -> Plan:
    return ENDS[word] if word in ENDS else Plan(Operation(word))


STATES = ["stopped", "suspended", "failed", "starting", "running", "stopping", "gone", "unknown"]

# Rows: what is known of the calls. Columns: the state that a fresh and settled read found.
TABLE = """
verb    start_call stop_call | stopped   suspended failed starting running stopping  gone unknown
start   none       none      | start     start     start  wait     done    wait      gone wait
start   calling    none      | start     start     broke  wait     done    elsewhere gone wait
start   unknown    none      | start     start     broke  wait     done    elsewhere gone wait
start   accepted   none      | elsewhere elsewhere broke  wait     done    elsewhere gone wait
stop    none       none      | done      done      done   stop     stop    wait      done stop
stop    none       calling   | done      done      done   stop     stop    wait      done stop
stop    none       unknown   | done      done      done   stop     stop    wait      done stop
stop    none       accepted  | done      done      done   wait     wait    wait      done wait
restart none       none      | start     start     start  stop     stop    wait      gone stop
restart none       calling   | start     start     start  stop     stop    wait      gone stop
restart none       unknown   | start     start     start  stop     stop    wait      gone stop
restart none       accepted  | start     start     start  wait     wait    wait      gone wait
restart calling    accepted  | start     start     broke  wait     done    elsewhere gone wait
restart unknown    accepted  | start     start     broke  wait     done    elsewhere gone wait
restart accepted   accepted  | elsewhere elsewhere broke  wait     done    elsewhere gone wait
"""


def rows():
    for line in TABLE.strip().splitlines()[1:]:
        known, found = line.split("|")
        verb, start_call, stop_call = known.split()
        for state, word in zip(STATES, found.split(), strict=True):
            yield pytest.param(
                verb, start_call, stop_call, state, word, id=f"{' '.join(known.split())} {state}"
            )


def wish_of(verb, start_call, stop_call):
    called = CALLED if {start_call, stop_call} != {"none"} else None
    return replace(
        WISH,
        verb=WishVerb(verb),
        start_call=Call(start_call),
        stop_call=Call(stop_call),
        called_at=called,
    )


@pytest.mark.parametrize(("verb", "start_call", "stop_call", "state", "word"), list(rows()))
def test_the_table(verb, start_call, stop_call, state, word):
    wish = wish_of(verb, start_call, stop_call)
    assert plan(wish, State(state), CALLED + UNKNOWN_SETTLES) == wanted(word)


def test_the_table_names_every_state():
    assert sorted(STATES) == sorted(State)


@pytest.mark.parametrize("verb", WishVerb)
@pytest.mark.parametrize("state", State)
def test_nothing_is_decided_on_old_news(verb, state):
    wish = replace(WISH, verb=verb)
    assert plan(wish, state, None) == Plan(Operation.READ)
    assert plan(wish, state, MADE - FRESH - 0.001) == Plan(Operation.READ)


@pytest.mark.parametrize("verb", WishVerb)
@pytest.mark.parametrize("state", State)
def test_fresh_news_from_before_the_wish_is_good_for_its_first_call_only(verb, state):
    wish = replace(WISH, verb=verb)
    now = plan(wish, state, MADE)
    before = plan(wish, state, MADE - FRESH)
    calls = (Operation.START, Operation.STOP)
    assert before == (now if now.operation in calls else Plan(Operation.READ))
    assert plan(replace(wish, called_at=MADE + 1), state, MADE - 1) == Plan(Operation.READ)
    assert plan(replace(wish, read_since=MADE + 1), state, MADE - 1) == Plan(Operation.READ)


@pytest.mark.parametrize("state", State)
def test_nothing_is_decided_on_news_older_than_the_call(state):
    wish = replace(WISH, start_call=Call.ACCEPTED, called_at=CALLED)
    assert plan(wish, state, CALLED) == Plan(Operation.READ)


@pytest.mark.parametrize("state", State)
def test_an_unknown_outcome_asks_for_a_read_after_it(state):
    wish = replace(WISH, start_call=Call.UNKNOWN, called_at=CALLED, read_since=CALLED + 40)
    assert plan(wish, state, CALLED + 40) == Plan(Operation.READ)


@pytest.mark.parametrize("state", [State.STOPPED, State.SUSPENDED, State.FAILED])
def test_a_call_has_a_moment_to_show_before_it_counts_as_lost(state):
    accepted = replace(WISH, start_call=Call.ACCEPTED, called_at=CALLED)
    unknown = replace(WISH, start_call=Call.UNKNOWN, called_at=CALLED)
    assert plan(accepted, state, CALLED + ACCEPTED_SETTLES - 0.1) == Plan(Operation.READ)
    assert plan(accepted, state, CALLED + ACCEPTED_SETTLES).operation is Operation.END
    assert plan(unknown, state, CALLED + UNKNOWN_SETTLES - 0.1) == Plan(Operation.READ)
    assert plan(unknown, state, CALLED + UNKNOWN_SETTLES).operation in (Operation.START, Operation.END)


@pytest.mark.parametrize("verb", [WishVerb.STOP, WishVerb.RESTART])
@pytest.mark.parametrize("state", State)
def test_an_accepted_stop_of_what_stays_up_ends_instead_of_waiting_for_ever(verb, state):
    wish = replace(WISH, verb=verb, stop_call=Call.ACCEPTED, called_at=CALLED)
    early, late = (plan(wish, state, CALLED + STOP_SETTLES + more) for more in (-0.1, 0.0))
    if state in (State.RUNNING, State.STARTING):
        assert early == Plan(Operation.WAIT)
        assert late == Plan(Operation.END, Outcome.FAILED, "started_elsewhere")
    else:
        assert early == late


@pytest.mark.parametrize("call", [Call.CALLING, Call.UNKNOWN, Call.ACCEPTED])
def test_a_failure_after_a_call_is_never_started_over(call):
    wish = replace(WISH, start_call=call, called_at=CALLED)
    assert plan(wish, State.FAILED, CALLED + 60) == ENDS["broke"]


def test_it_is_given_up_after_many_failures_in_a_row():
    wish = replace(WISH, attempts=MAX_ATTEMPTS)
    assert plan(wish, State.STOPPED, MADE) == ENDS["gave up"]
    assert plan(replace(wish, attempts=MAX_ATTEMPTS - 1), State.STOPPED, MADE) == Plan(Operation.START)


def test_what_came_true_counts_after_many_failures_too():
    assert plan(replace(WISH, attempts=MAX_ATTEMPTS), State.RUNNING, MADE) == ENDS["done"]


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("verb", WishVerb)
def test_an_ended_wish_is_only_watched(outcome, state, verb):
    wish = replace(WISH, verb=verb, outcome=outcome)
    assert plan(wish, state, MADE + 1) == Plan(Operation.WATCH)


times = st.none() | st.floats(0, 5000)


@given(
    verb=st.sampled_from(WishVerb),
    state=st.sampled_from(State),
    start_call=st.sampled_from(Call),
    stop_call=st.sampled_from(Call),
    called_at=times,
    read_since=times,
    observed_at=times,
    attempts=st.integers(0, 50),
)
def test_it_answers_everything_and_starts_nothing_twice(
    verb, state, start_call, stop_call, called_at, read_since, observed_at, attempts
):
    wish = replace(
        WISH,
        verb=verb,
        start_call=start_call,
        stop_call=stop_call,
        called_at=called_at,
        read_since=read_since,
        attempts=attempts,
    )
    decided = plan(wish, state, observed_at)
    if start_call is Call.ACCEPTED:
        assert decided.operation is not Operation.START
    if decided.operation is Operation.START:
        assert verb is not WishVerb.STOP
        assert observed_at is not None
        assert observed_at >= MADE - FRESH
        assert observed_at > max(called_at or 0, read_since or 0)
    if decided.operation is Operation.STOP:
        assert verb is not WishVerb.START
    assert (decided.outcome is None) == (decided.operation is not Operation.END)
