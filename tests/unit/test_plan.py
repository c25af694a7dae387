"""The table of the life cycle: every verb, every call, every state; this file is its specification."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import Call, Outcome, Principal, State, StopEffect, Wish, WishVerb
from bot.models.stopping import is_final
from bot.plan import (
    ACCEPTED_SETTLES,
    CALL_ENDS,
    FRESH,
    MAX_ATTEMPTS,
    STOP_SETTLES,
    UNKNOWN_SETTLES,
    Operation,
    Plan,
    plan,
    plan_unmade,
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
create  accepted   none      | elsewhere elsewhere broke  wait     done    elsewhere gone wait
suspend none       none      | done      done      done   suspend  suspend wait      gone suspend
suspend none       calling   | done      done      done   suspend  suspend wait      gone suspend
suspend none       unknown   | done      done      done   suspend  suspend wait      gone suspend
suspend none       accepted  | done      done      done   wait     wait    wait      gone wait
force   none       none      | done      done      done   force    force   force     done force
force   none       calling   | done      done      done   force    force   force     done force
force   none       unknown   | done      done      done   force    force   force     done force
force   none       accepted  | done      done      done   wait     wait    wait      done wait
remove  none       none      | remove    remove    remove remove   remove  remove    done remove
remove  none       calling   | remove    remove    remove remove   remove  remove    done remove
remove  none       unknown   | remove    remove    remove remove   remove  remove    done remove
remove  none       accepted  | wait      wait      wait   wait     wait    wait      done wait
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


CALLS = (Operation.START, Operation.STOP, Operation.SUSPEND, Operation.FORCE, Operation.REMOVE)


@pytest.mark.parametrize("verb", WishVerb)
@pytest.mark.parametrize("state", State)
def test_fresh_news_from_before_the_wish_is_good_for_its_first_call_only(verb, state):
    wish = replace(WISH, verb=verb)
    now = plan(wish, state, MADE)
    before = plan(wish, state, MADE - FRESH)
    assert before == (now if now.operation in CALLS else Plan(Operation.READ))
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


@pytest.mark.parametrize(
    ("verb", "cause"),
    [
        (WishVerb.STOP, "started_elsewhere"),
        (WishVerb.RESTART, "started_elsewhere"),
        (WishVerb.FORCE, "started_elsewhere"),
        (WishVerb.SUSPEND, "not_suspended"),
        (WishVerb.REMOVE, "not_removed"),
    ],
)
@pytest.mark.parametrize("state", State)
def test_an_accepted_stop_of_what_stays_up_ends_instead_of_waiting_for_ever(verb, cause, state):
    wish = replace(WISH, verb=verb, stop_call=Call.ACCEPTED, called_at=CALLED)
    early, late = (plan(wish, state, CALLED + STOP_SETTLES + more) for more in (-0.1, 0.0))
    stays = {State.RUNNING, State.STARTING}
    if verb is WishVerb.REMOVE:
        stays |= {State.STOPPED, State.SUSPENDED, State.FAILED}
    if state in stays:
        assert early == Plan(Operation.WAIT)
        assert late == Plan(Operation.END, Outcome.FAILED, cause)
    else:
        assert early == late


def test_what_was_made_a_moment_ago_may_not_be_listed_yet():
    wish = replace(WISH, verb=WishVerb.CREATE, start_call=Call.ACCEPTED, called_at=CALLED)
    assert plan(wish, State.GONE, CALLED + UNKNOWN_SETTLES - 0.1) == Plan(Operation.READ)
    assert plan(wish, State.GONE, CALLED + UNKNOWN_SETTLES) == ENDS["gone"]


# What is not made yet. Rows: the wish. Columns: what is known of the creation's call, before and after the
# time that it has to show.
UNMADE = """
verb    | none calling unknown | none calling unknown
create  | create   wait wait   | create   find find
stop    | not-made wait wait   | not-made find find
suspend | not-made wait wait   | not-made find find
force   | not-made wait wait   | not-made find find
remove  | not-made wait wait   | not-made find find
start   | unmade unmade unmade | unmade unmade unmade
restart | unmade unmade unmade | unmade unmade unmade
"""
UNMADE_ENDS = {
    "not-made": Plan(Operation.END, Outcome.FULFILLED, "not_made"),
    "unmade": Plan(Operation.END, Outcome.FAILED, "unmade"),
}


def settles_after(verb, known):
    replaced = verb is not WishVerb.CREATE and known is Call.CALLING
    return CALL_ENDS if replaced else UNKNOWN_SETTLES


@pytest.mark.parametrize("line", UNMADE.strip().splitlines()[1:])
def test_the_table_of_what_is_not_made_yet(line):
    word, early, late = (part.split() for part in line.split("|"))
    verb = WishVerb(word[0])
    for known, before, after in zip((Call.NONE, Call.CALLING, Call.UNKNOWN), early, late, strict=True):
        called = None if known is Call.NONE else CALLED
        creation = replace(WISH, verb=WishVerb.CREATE, start_call=known, called_at=called)
        wish = creation if verb is WishVerb.CREATE else replace(WISH, id="wish_2", verb=verb)
        at = CALLED + settles_after(verb, known)
        for now, expected in ((at - 0.1, before), (at, after)):
            decided = plan_unmade(wish, creation, now)
            if expected == "wait":
                assert decided == Plan(Operation.WAIT, at=at)
            else:
                assert decided == (UNMADE_ENDS.get(expected) or Plan(Operation(expected)))


def test_what_nobody_made_is_called_off_at_once():
    assert plan_unmade(replace(WISH, verb=WishVerb.STOP), None, MADE) == UNMADE_ENDS["not-made"]


def test_a_creation_is_given_up_only_while_nothing_can_have_been_made():
    wish = replace(WISH, verb=WishVerb.CREATE, attempts=MAX_ATTEMPTS, called_at=CALLED)
    assert plan_unmade(wish, wish, CALLED + 60) == ENDS["gave up"]
    lost = replace(wish, start_call=Call.UNKNOWN)
    assert plan_unmade(lost, lost, CALLED + 60) == Plan(Operation.FIND)


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("verb", WishVerb)
@pytest.mark.parametrize("known", Call)
def test_an_ended_wish_makes_nothing(outcome, verb, known):
    wish = replace(WISH, verb=verb, start_call=known, called_at=CALLED, outcome=outcome)
    assert plan_unmade(wish, wish, CALLED + 60) == Plan(Operation.WATCH)


@pytest.mark.parametrize("known", [Call.CALLING, Call.UNKNOWN, Call.ACCEPTED])
@pytest.mark.parametrize("attempts", [0, MAX_ATTEMPTS])
def test_nothing_is_made_again_before_it_was_looked_for(known, attempts):
    wish = replace(WISH, verb=WishVerb.CREATE, start_call=known, called_at=CALLED, attempts=attempts)
    for now in (CALLED, CALLED + 20, CALLED + 10_000):
        assert plan_unmade(wish, wish, now).operation in (Operation.WAIT, Operation.FIND)


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
    agreed=st.booleans(),
    effects=st.dictionaries(st.sampled_from(["stop", "suspend", "force"]), st.sampled_from(StopEffect)),
)
def test_it_answers_everything_and_starts_nothing_twice(
    verb, state, start_call, stop_call, called_at, read_since, observed_at, attempts, agreed, effects
):
    wish = replace(
        WISH,
        verb=verb,
        start_call=start_call,
        stop_call=stop_call,
        called_at=called_at,
        read_since=read_since,
        attempts=attempts,
        agreed=agreed,
    )
    decided = plan(wish, state, observed_at, None, effects)
    if start_call is Call.ACCEPTED:
        assert decided.operation is not Operation.START
    if decided.operation is Operation.START:
        assert verb in (WishVerb.START, WishVerb.RESTART)
        assert observed_at is not None
        assert observed_at >= MADE - FRESH
        assert observed_at > max(called_at or 0, read_since or 0)
    if decided.operation in (Operation.STOP, Operation.SUSPEND, Operation.FORCE):
        mode = decided.operation.value
        assert verb.value == mode or verb is WishVerb.RESTART or (agreed and verb is WishVerb.SUSPEND)
        # The one rule that all the rest is for.
        assert agreed or not is_final(effects, mode)
    if decided.operation is Operation.RENEW:
        assert agreed
        assert verb is WishVerb.RESTART
    if decided.operation is Operation.REMOVE:
        assert verb is WishVerb.REMOVE
    assert decided.operation not in (Operation.CREATE, Operation.FIND)
    assert (decided.outcome is None) == (decided.operation is not Operation.END)


# -- what may not be brought down yet ------------------------------------------------------------------------

DOWNWARDS = {
    WishVerb.STOP: "stop",
    WishVerb.RESTART: "stop",
    WishVerb.SUSPEND: "suspend",
    WishVerb.FORCE: "force",
    WishVerb.REMOVE: "remove",
}


@pytest.mark.parametrize(("verb", "action"), DOWNWARDS.items())
@pytest.mark.parametrize("known", [Call.NONE, Call.CALLING, Call.UNKNOWN])
def test_what_starts_and_may_not_be_brought_down_yet_comes_up_first(verb, action, known):
    wish = replace(WISH, verb=verb, stop_call=known, called_at=None if known is Call.NONE else CALLED)
    seen_at = CALLED + UNKNOWN_SETTLES
    without = frozenset({"open"})
    assert plan(wish, State.STARTING, seen_at, without).operation is Operation.WAIT
    assert plan(wish, State.STARTING, seen_at, without | {action}).operation == Operation(action)
    assert plan(wish, State.STARTING, seen_at, None).operation == Operation(action)
    # What runs is called all the same: the provider itself has the last word.
    assert plan(wish, State.RUNNING, seen_at, without).operation == Operation(action)
