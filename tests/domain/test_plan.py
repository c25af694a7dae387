"""The specification of an operation's life cycle, as a table: every verb, call and state."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.operations import OperationVerb
from bot.domain.plan import Plan, Step, may_repeat, only_waits, plan, plan_unmade
from bot.domain.stops import StopEffect, is_final
from bot.domain.usability import PATIENCE_SECONDS
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State, Workspace, is_down
from tests.domain.plan_cases import ALICE, CALLED, ENDS, MADE, OPERATION, STATES

#: The specified durations, in seconds. The code defines them separately, with the same values.
FRESH, START_SETTLES, STOP_SETTLES = 12.0, 60.0, 600.0
CALL_ENDS, STILL_DOWN_AFTER, NEVER_UP_AFTER, ANSWER_SECONDS = 45.0, 60.0, 180.0, 86_400.0
FAILED_AGAIN_AFTER = 20.0
INTERRUPTED_SETTLES = 30.0
MAX_ATTEMPTS = 20

#: When the call timed out, so that its outcome became unknown.
UNKNOWN = CALLED + 25.0


def wanted(word: str) -> Plan:
    return ENDS[word] if word in ENDS else Plan(Step(word))


# Each row has what is known of the calls, and when the read was requested: `early`, before the call has
# settled, or `late`. Each column has the state that a fresh read found. The workspace was stopped when the
# start was called, and hasn't been seen up since.
TABLE = """
verb    start_call stop_call when | stopped   suspended failed  starting running stopping gone unknown
start   none       none      late  | start     start     start   wait     done    wait     gone wait
start   calling    none      early | read      read      broke   wait     done    wait     gone wait
start   calling    none      late  | start     start     broke   wait     done    wait     gone wait
start   unknown    none      early | read      read      broke   wait     done    wait     gone wait
start   unknown    none      late  | start     start     broke   wait     done    wait     gone wait
start   accepted   none      early | read      read      broke   wait     done    wait     gone wait
start   accepted   none      late  | elsewhere elsewhere broke   wait     done    wait     gone wait
stop    none       none      late  | done      done      stop    stop     stop    wait     done stop
stop    none       calling   early | done      done      again   read     read    wait     done read
stop    none       calling   late  | done      done      again   stop     stop    wait     done stop
stop    none       unknown   early | done      done      again   read     read    wait     done read
stop    none       unknown   late  | done      done      again   stop     stop    wait     done stop
stop    none       accepted  late  | done      done      again   wait     quiet   wait     done wait
restart none       none      late  | start     start     start   stop     stop    wait     gone stop
restart none       calling   early | start     start     again   read     read    wait     gone read
restart none       calling   late  | start     start     again   stop     stop    wait     gone stop
restart none       unknown   early | start     start     again   read     read    wait     gone read
restart none       unknown   late  | start     start     again   stop     stop    wait     gone stop
restart none       accepted  late  | start     start     again   wait     quiet   wait     gone wait
restart calling    accepted  late  | start     start     broke   wait     done    wait     gone wait
restart unknown    accepted  early | read      read      broke   wait     done    wait     gone wait
restart unknown    accepted  late  | start     start     broke   wait     done    wait     gone wait
restart accepted   accepted  early | read      read      broke   wait     done    wait     gone wait
restart accepted   accepted  late  | elsewhere elsewhere broke   wait     done    wait     gone wait
create  accepted   none      early | read      read      broke   wait     done    wait     read wait
create  accepted   none      late  | elsewhere elsewhere broke   wait     done    wait     gone wait
suspend none       none      late  | done      done      suspend suspend  suspend wait     gone suspend
suspend none       calling   late  | done      done      again   suspend  suspend wait     gone suspend
suspend none       unknown   early | done      done      again   read     read    wait     gone read
suspend none       unknown   late  | done      done      again   suspend  suspend wait     gone suspend
suspend none       accepted  late  | done      done      again   wait     quiet   wait     gone wait
force   none       none      late  | done      done      force   force    force   force    done force
force   none       calling   late  | done      done      again   force    force   force    done force
force   none       unknown   early | done      done      again   read     read    read     done read
force   none       unknown   late  | done      done      again   force    force   force    done force
force   none       accepted  late  | done      done      again   wait     quiet   wait     done wait
remove  none       none      late  | remove    remove    remove  remove   remove  remove   done remove
remove  none       calling   late  | remove    remove    again   remove   remove  remove   done remove
remove  none       unknown   early | read      read      again   read     read    read     done read
remove  none       unknown   late  | remove    remove    again   remove   remove  remove   done remove
remove  none       accepted  late  | wait      wait      again   wait     quiet   wait     done wait
"""
#: When the reads in the table were requested. A call that timed out settles a minute later.
EARLY, LATE = CALLED + START_SETTLES - 1, CALLED + NEVER_UP_AFTER


def rows():
    for line in TABLE.strip().splitlines()[1:]:
        known, found = line.split("|")
        verb, start_call, stop_call, when = known.split()
        for state, word in zip(STATES, found.split(), strict=True):
            name = f"{' '.join(known.split())} {state}"
            yield pytest.param(verb, start_call, stop_call, when, state, word, id=name)


def operation_of(verb, start_call, stop_call):
    called = CALLED if {start_call, stop_call} != {"none"} else None
    return replace(
        OPERATION,
        verb=OperationVerb(verb),
        start_call=Call(start_call),
        stop_call=Call(stop_call),
        called_at=called,
        called_from=State.STOPPED,
        unknown_since=UNKNOWN if "unknown" in (start_call, stop_call) else None,
    )


@pytest.mark.parametrize(("verb", "start_call", "stop_call", "when", "state", "word"), list(rows()))
def test_the_table(verb, start_call, stop_call, when, state, word):
    operation = operation_of(verb, start_call, stop_call)
    assert plan(operation, State(state), EARLY if when == "early" else LATE) == wanted(word)


#: Each row has the verb, why its last call was refused, and how long ago (- if that doesn't matter). The
#: columns are as above.
REFUSED_TABLE = """
verb    refusal    when | stopped   suspended failed starting running stopping  gone unknown
start   refused    early | refused   refused   refused wait    done    wait      gone wait
stop    refused    early | done      done      -       refused refused wait      done refused
restart refused    early | refused   refused   -       refused refused wait      gone refused
stop    lost_track early | done      done      -       wait    wait    wait      done wait
stop    lost_track late  | done      done      -       lost    lost    wait      done wait
start   lost_track early | read      read      broke   wait    done    wait      gone wait
start   lost_track late  | lost      lost      broke   wait    done    wait      gone wait
start   once       early | start     start     start   wait    done    wait      gone wait
"""
CAUSES = {
    "refused": "refused: no such size",
    "lost_track": "lost_track: it isn't",
    "once": "credential_refused",
}


def refused_rows():
    for line in REFUSED_TABLE.strip().splitlines()[1:]:
        known, found = line.split("|")
        for state, word in zip(STATES, found.split(), strict=True):
            if word != "-":
                yield pytest.param(*known.split(), state, word, id=f"{' '.join(known.split())} {state}")


@pytest.mark.parametrize(("verb", "refusal", "when", "state", "word"), list(refused_rows()), ids=str)
def test_refused_call_is_judged_by_the_read_after_it(verb, refusal, when, state, word):
    """If the state is already as wanted, the operation is done.

    Otherwise it ends with the refusal, and the call isn't repeated.
    """
    call = "accepted" if refusal == "lost_track" else "none"
    calls = {"start": (call, "none")}.get(verb, ("none", call))
    operation = replace(operation_of(verb, *calls), called_at=CALLED, cause=CAUSES[refusal])
    ends = {"refused": CAUSES["refused"], "lost": CAUSES["lost_track"]}
    expected = Plan(Step.END, Outcome.FAILED, ends[word]) if word in ends else wanted(word)
    observed_at = CALLED + START_SETTLES + (-1 if when == "early" else 1)
    assert plan(operation, State(state), observed_at) == expected


def test_the_table_names_every_state():
    assert sorted(STATES) == sorted(State)


@pytest.mark.parametrize("verb", OperationVerb)
@pytest.mark.parametrize("state", State)
def test_nothing_is_decided_on_old_news(verb, state):
    operation = replace(OPERATION, verb=verb)
    assert plan(operation, state, None) == Plan(Step.READ)
    assert plan(operation, state, MADE - FRESH - 0.001) == Plan(Step.READ)


CALLS = (Step.START, Step.STOP, Step.SUSPEND, Step.FORCE, Step.REMOVE)


@pytest.mark.parametrize("verb", OperationVerb)
@pytest.mark.parametrize("state", State)
def test_fresh_news_from_before_the_operation_is_good_for_its_first_call_only(verb, state):
    operation = replace(OPERATION, verb=verb)
    now = plan(operation, state, MADE)
    before = plan(operation, state, MADE - FRESH)
    # An irreversible call needs a fresh read first.
    assert before == (now if now.step in CALLS and now.step is not Step.REMOVE else Plan(Step.READ))
    assert plan(replace(operation, called_at=MADE + 1), state, MADE - 1) == Plan(Step.READ)
    assert plan(replace(operation, read_since=MADE + 1), state, MADE - 1) == Plan(Step.READ)


@pytest.mark.parametrize("state", State)
def test_nothing_is_decided_on_news_older_than_the_call(state):
    operation = replace(OPERATION, start_call=Call.ACCEPTED, called_at=CALLED)
    assert plan(operation, state, CALLED) == Plan(Step.READ)


@pytest.mark.parametrize("state", State)
def test_an_unknown_outcome_asks_for_a_read_after_it(state):
    operation = replace(OPERATION, start_call=Call.UNKNOWN, called_at=CALLED, read_since=CALLED + 40)
    assert plan(operation, state, CALLED + 40) == Plan(Step.READ)


DOWN = [State.STOPPED, State.SUSPENDED]


@pytest.mark.parametrize("state", DOWN)
def test_an_unknown_start_settles_a_minute_after_its_outcome_became_unknown(state):
    operation = replace(OPERATION, start_call=Call.UNKNOWN, called_at=CALLED, unknown_since=UNKNOWN)
    assert plan(operation, state, UNKNOWN + START_SETTLES - 0.1) == Plan(Step.READ)
    assert plan(operation, state, UNKNOWN + START_SETTLES) == Plan(Step.START)


@pytest.mark.parametrize("state", DOWN, ids=str)
def test_interrupted_start_settles_from_the_call_on(state):
    """The process that called has died, so reads settle the outcome after half a minute."""
    operation = replace(OPERATION, start_call=Call.INTERRUPTED, called_at=CALLED)
    assert plan(operation, state, CALLED + INTERRUPTED_SETTLES - 0.1) == Plan(Step.READ)
    assert plan(operation, state, CALLED + INTERRUPTED_SETTLES) == Plan(Step.START)


@pytest.mark.parametrize("state", [State.RUNNING, State.STARTING], ids=str)
def test_interrupted_stop_settles_from_the_call_on(state):
    stop = replace(OPERATION, verb=OperationVerb.STOP, stop_call=Call.INTERRUPTED, called_at=CALLED)
    assert plan(stop, state, CALLED + INTERRUPTED_SETTLES - 0.1) == Plan(Step.READ)
    assert plan(stop, state, CALLED + INTERRUPTED_SETTLES) == Plan(Step.STOP)


@pytest.mark.parametrize("verb", [OperationVerb.START, OperationVerb.CREATE])
@pytest.mark.parametrize("state", DOWN)
def test_an_accepted_start_is_stopped_elsewhere_when_it_was_up_or_was_down_for_minutes(state, verb):
    operation = replace(OPERATION, verb=verb, start_call=Call.ACCEPTED, called_at=CALLED)
    for up_at in (None, CALLED - 1, CALLED):
        assert plan(operation, state, CALLED + STILL_DOWN_AFTER - 0.1, up_at=up_at) == Plan(Step.READ)
        late = Plan(Step.READ, cause="still_down")
        assert plan(operation, state, CALLED + STILL_DOWN_AFTER, up_at=up_at) == late
        assert plan(operation, state, CALLED + NEVER_UP_AFTER - 0.1, up_at=up_at) == late
        assert plan(operation, state, CALLED + NEVER_UP_AFTER, up_at=up_at) == ENDS["elsewhere"]
    assert plan(operation, state, CALLED + 6, up_at=CALLED + 3) == ENDS["elsewhere"]


@pytest.mark.parametrize("known", [Call.ACCEPTED, Call.UNKNOWN])
def test_what_was_up_since_the_call_and_is_down_is_not_started_again(known):
    operation = replace(OPERATION, start_call=known, called_at=CALLED, unknown_since=UNKNOWN)
    for state in (*DOWN, State.STOPPING):
        assert plan(operation, state, CALLED + 6, up_at=CALLED + 3) == ENDS["elsewhere"]


def test_start_from_error_fails_at_the_second_read_of_it():
    """If two reads in a row show a failure, 20 s after the call, the start has failed. One may be old."""
    operation = replace(OPERATION, start_call=Call.ACCEPTED, called_at=CALLED, called_from=State.FAILED)
    first = Plan(Step.READ, cause="still_failed")
    assert plan(operation, State.FAILED, CALLED + 11) == plan(operation, State.FAILED, CALLED + 70) == first
    again = replace(operation, failed_at=CALLED + 11)
    assert plan(again, State.FAILED, CALLED + 11) == first
    assert plan(again, State.FAILED, CALLED + FAILED_AGAIN_AFTER - 0.1) == first
    assert plan(again, State.FAILED, CALLED + FAILED_AGAIN_AFTER) == ENDS["broke"]
    assert plan(again, State.STARTING, CALLED + 30) == Plan(Step.WAIT)
    assert plan(operation, State.FAILED, CALLED + 11, up_at=CALLED + 5) == ENDS["broke"]
    assert plan(operation, State.FAILED, CALLED + NEVER_UP_AFTER) == ENDS["broke"]
    assert plan(replace(operation, called_from=State.STOPPED), State.FAILED, CALLED + 11) == ENDS["broke"]


def test_start_of_unknown_outcome_from_error_settles_first():
    keys = {"called_at": CALLED, "called_from": State.FAILED, "unknown_since": UNKNOWN}
    operation = replace(OPERATION, start_call=Call.UNKNOWN, failed_at=CALLED + 11, **keys)
    assert plan(operation, State.FAILED, UNKNOWN + START_SETTLES - 0.1) == Plan(Step.READ)
    assert plan(operation, State.FAILED, UNKNOWN + START_SETTLES) == ENDS["broke"]


REFUSED = {"called_at": CALLED, "read_since": CALLED + 1, "busy_since": CALLED + 1, "retry_at": CALLED + 11}


@pytest.mark.parametrize(
    ("verb", "called_from", "shown", "word"),
    [
        pytest.param("start", "stopped", "stopped", "start", id="start without effect"),
        pytest.param("start", "failed", "failed", "start", id="start from error without effect"),
        pytest.param("start", "stopped", "failed", "broke", id="start that failed all the same"),
        pytest.param("start", "stopped", "starting", "wait", id="start that was taken"),
        pytest.param("start", "stopped", "running", "done", id="start that came true"),
        pytest.param("stop", "running", "running", "stop", id="stop without effect"),
        pytest.param("stop", "running", "stopping", "wait", id="stop that was taken"),
        pytest.param("stop", "running", "stopped", "done", id="stop that came true"),
        pytest.param("suspend", "running", "running", "suspend", id="suspension without effect"),
        pytest.param("force", "stopping", "stopping", "force", id="forced stop without effect"),
    ],
)
def test_refused_call_is_sent_again_after_a_read(verb, called_from, shown, word):
    """A call that was refused because the provider is busy is repeated, but only after a fresh read.

    It doesn't matter how often it was refused.
    """
    keys = {**REFUSED, "called_from": State(called_from), "verb": OperationVerb(verb)}
    operation = replace(OPERATION, **keys)
    assert plan(operation, State(shown), CALLED + 1) == Plan(Step.READ)
    assert plan(operation, State(shown), CALLED + 1.1) == wanted(word)


@pytest.mark.parametrize("verb", OperationVerb, ids=str)
@pytest.mark.parametrize("step", Step, ids=str)
def test_starts_and_stops_alone_may_be_repeated(verb, step):
    is_harmless = step in {Step.START, Step.STOP, Step.SUSPEND, Step.FORCE}
    makes = verb in {OperationVerb.RESTART, OperationVerb.CREATE}
    assert may_repeat(replace(OPERATION, verb=verb), step) is (is_harmless and not makes)


def test_what_was_seen_up_counts_though_a_jump_of_the_clock_moved_the_call_past_it():
    sent = {"verb": OperationVerb.START, "sent_at": CALLED, "called_at": CALLED + 3600}
    for call in (Call.ACCEPTED, Call.UNKNOWN):
        operation = replace(OPERATION, start_call=call, **sent)
        assert plan(operation, State.STOPPED, CALLED + 3606, up_at=CALLED + 3) == ENDS["elsewhere"]


# A start after a stop that was already called, and the reverse. Each column has the state that a read found.
# Each row has what is known of the earlier call, and whether it may still take effect; for a stop, also
# whether the workspace has been seen up since.
PRIOR = """
verb  prior    when      | stopped    suspended  failed starting running  stopping unknown
start accepted early     | start      start      start  stopping stopping stopping wait
start accepted late      | start      start      start  wait     done     wait     wait
start unknown  early     | start      start      start  stopping stopping stopping wait
start unknown  late      | start      start      start  wait     done     wait     wait
start interrupted early  | start      start      start  stopping stopping stopping wait
start interrupted late   | start      start      start  wait     done     wait     wait
stop  accepted early     | start-sent start-sent stop   stop     stop     wait     stop
stop  accepted early,was | done       done       stop   stop     stop     wait     stop
stop  accepted early,up  | done       done       stop   stop     stop     wait     stop
stop  accepted late      | done       done       stop   stop     stop     wait     stop
stop  unknown  early     | start-sent start-sent stop   stop     stop     wait     stop
stop  unknown  late      | done       done       stop   stop     stop     wait     stop
stop  interrupted early  | start-sent start-sent stop   stop     stop     wait     stop
stop  interrupted late   | done       done       stop   stop     stop     wait     stop
"""
PRIOR_SETTLES = {
    ("start", "accepted"): STOP_SETTLES,
    ("start", "unknown"): CALL_ENDS + START_SETTLES,
    ("start", "interrupted"): INTERRUPTED_SETTLES,
    ("stop", "interrupted"): INTERRUPTED_SETTLES,
    ("stop", "accepted"): NEVER_UP_AFTER,
    ("stop", "unknown"): CALL_ENDS + START_SETTLES,
}
HELD = {
    "stopping": Plan(Step.WAIT, cause="stopping_first"),
    "start-sent": Plan(Step.READ, cause="start_sent"),
}


@pytest.mark.parametrize("line", PRIOR.strip().splitlines()[1:])
def test_what_was_sent_the_other_way_takes_effect_first(line):
    left, words = line.split("|")
    verb, known, when = left.split()
    states = PRIOR.strip().splitlines()[0].split("|")[1].split()
    operation = replace(OPERATION, verb=OperationVerb(verb), prior_call=Call(known), prior_at=MADE - 5)
    read_at = MADE - 5 + PRIOR_SETTLES[verb, known] - (0.1 if when.startswith("early") else 0)
    up_at = MADE + 1 if when.endswith("up") else None
    if when.endswith("was"):  # The stop was called for what was seen up.
        operation = replace(operation, called_from=State.STARTING)
    for state, word in zip(states, words.split(), strict=True):
        decided = plan(operation, State(state), max(read_at, MADE), up_at=up_at)
        assert decided == (HELD.get(word) or wanted(word)), state


@pytest.mark.parametrize(
    ("verb", "cause"),
    [
        (OperationVerb.STOP, "started_elsewhere"),
        (OperationVerb.RESTART, "started_elsewhere"),
        (OperationVerb.FORCE, "started_elsewhere"),
        (OperationVerb.SUSPEND, "not_suspended"),
        (OperationVerb.REMOVE, "not_removed"),
    ],
)
@pytest.mark.parametrize("state", State)
def test_an_accepted_stop_of_what_stays_up_ends_instead_of_waiting_for_ever(verb, cause, state):
    operation = replace(OPERATION, verb=verb, stop_call=Call.ACCEPTED, called_at=CALLED)
    early, late = (plan(operation, state, CALLED + STOP_SETTLES + more) for more in (-0.1, 0.0))
    stays = {State.RUNNING, State.STARTING, State.UNKNOWN}
    if verb is OperationVerb.REMOVE:
        stays |= {State.STOPPED, State.SUSPENDED}
    if state in stays:
        assert early == (ENDS["quiet"] if state is State.RUNNING else Plan(Step.WAIT))
        ends_as = "not_confirmed" if state is State.UNKNOWN else cause
        assert late == Plan(Step.END, Outcome.FAILED, ends_as)
    else:
        assert early == late


def test_what_was_made_a_moment_ago_may_not_be_listed_yet():
    operation = replace(OPERATION, verb=OperationVerb.CREATE, start_call=Call.ACCEPTED, called_at=CALLED)
    assert plan(operation, State.GONE, CALLED + START_SETTLES - 0.1) == Plan(Step.READ)
    assert plan(operation, State.GONE, CALLED + START_SETTLES) == ENDS["gone"]


@pytest.mark.parametrize("call", [Call.CALLING, Call.UNKNOWN, Call.ACCEPTED])
def test_a_failure_after_a_call_is_never_started_over(call):
    operation = replace(OPERATION, start_call=call, called_at=CALLED)
    assert plan(operation, State.FAILED, CALLED + 60) == ENDS["broke"]


def test_it_is_given_up_after_many_failures_in_a_row():
    operation = replace(OPERATION, attempts=MAX_ATTEMPTS)
    assert plan(operation, State.STOPPED, MADE) == ENDS["gave up"]
    assert plan(replace(operation, attempts=MAX_ATTEMPTS - 1), State.STOPPED, MADE) == Plan(Step.START)


def test_what_came_true_counts_after_many_failures_too():
    assert plan(replace(OPERATION, attempts=MAX_ATTEMPTS), State.RUNNING, MADE) == ENDS["done"]


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("verb", OperationVerb)
def test_an_ended_operation_is_only_watched(outcome, state, verb):
    operation = replace(OPERATION, verb=verb, outcome=outcome)
    assert plan(operation, state, MADE + 1) == Plan(Step.WATCH)


times = st.none() | st.floats(0, 5000)


operations = st.builds(
    lambda **keys: replace(OPERATION, **keys),
    verb=st.sampled_from(OperationVerb),
    start_call=st.sampled_from(Call),
    stop_call=st.sampled_from(Call),
    called_at=times,
    read_since=times,
    attempts=st.integers(0, 50),
    unknown_since=times,
    prior_call=st.sampled_from(Call),
    prior_at=times,
    agreed=st.booleans(),
)


EFFECTS = st.dictionaries(st.sampled_from(["stop", "suspend", "force"]), st.sampled_from(StopEffect))


@given(operation=operations, state=st.sampled_from(State), observed_at=times, up_at=times, effects=EFFECTS)
def test_it_answers_everything_and_starts_nothing_twice(operation, state, observed_at, up_at, effects):
    verb, start_call, agreed = operation.verb, operation.start_call, operation.agreed
    decided = plan(operation, state, observed_at, None, effects, up_at=up_at)
    if start_call is Call.ACCEPTED:
        assert decided.step is not Step.START
    if decided.step is Step.START:
        assert verb in (OperationVerb.START, OperationVerb.RESTART)
        assert observed_at is not None
        assert observed_at >= MADE - FRESH
        assert observed_at > max(operation.called_at or 0, operation.read_since or 0)
    if decided.step in (Step.STOP, Step.SUSPEND, Step.FORCE):
        mode = decided.step.value
        assert (
            verb.value == mode or verb is OperationVerb.RESTART or (agreed and verb is OperationVerb.SUSPEND)
        )
        # This is the rule that the whole table is for: nothing ends irreversibly unless its owner agreed.
        assert agreed or not is_final(effects, mode)
    if decided.step is Step.RENEW:
        assert agreed or (state is State.FAILED and "stop" not in effects)
        assert verb is OperationVerb.RESTART
    if decided.step is Step.REMOVE:
        assert verb is OperationVerb.REMOVE
    assert decided.step not in (Step.CREATE, Step.FIND)
    assert (decided.outcome is None) == (decided.step is not Step.END)


# -- what may not be stopped yet -----------------------------------------------------------------------------

DOWNWARDS = {
    OperationVerb.STOP: "stop",
    OperationVerb.RESTART: "stop",
    OperationVerb.SUSPEND: "suspend",
    OperationVerb.FORCE: "force",
    OperationVerb.REMOVE: "remove",
}


@pytest.mark.parametrize(("verb", "action"), DOWNWARDS.items())
@pytest.mark.parametrize("known", [Call.NONE, Call.CALLING, Call.UNKNOWN])
def test_what_starts_and_may_not_be_brought_down_yet_comes_up_first(verb, action, known):
    operation = replace(
        OPERATION, verb=verb, stop_call=known, called_at=None if known is Call.NONE else CALLED
    )
    seen_at = CALLED + NEVER_UP_AFTER
    without = frozenset({"open"})
    assert plan(operation, State.STARTING, seen_at, without).step is Step.WAIT
    assert plan(operation, State.STARTING, seen_at, without | {action}).step == Step(action)
    assert plan(operation, State.STARTING, seen_at, None).step == Step(action)
    # If the workspace is running, the call is sent even if it isn't in ``actions``. The provider decides.
    assert plan(operation, State.RUNNING, seen_at, without).step == Step(action)


# -- what may still run --------------------------------------------------------------------------------------

STOPS = {OperationVerb.STOP: Step.STOP, OperationVerb.FORCE: Step.FORCE}
NOTHING_LEFT = frozenset({"start", "remove"})


@pytest.mark.parametrize("state", State, ids=str)
def test_only_what_is_known_to_be_down_is_not_stopped(state):
    """A stop isn't sent if the workspace is down. A workspace that is stopping is left alone."""
    down = {State.STOPPED, State.SUSPENDED, State.GONE}
    assert is_down(state, None) is (state in down)
    for verb, step in STOPS.items():
        decided = plan(replace(OPERATION, verb=verb), state, MADE + 1)
        waits = state is State.STOPPING and verb is OperationVerb.STOP
        assert decided == (ENDS["done"] if state in down else Plan(Step.WAIT) if waits else Plan(step))


@pytest.mark.parametrize("verb", [OperationVerb.STOP, OperationVerb.SUSPEND, OperationVerb.FORCE], ids=str)
@pytest.mark.parametrize("call", Call, ids=str)
def test_failed_workspace_of_which_nothing_is_left_is_down(verb, call):
    operation = replace(OPERATION, verb=verb, stop_call=call, called_at=CALLED)
    assert is_down(State.FAILED, NOTHING_LEFT)
    assert plan(operation, State.FAILED, CALLED + START_SETTLES, NOTHING_LEFT) == ENDS["done"]


@pytest.mark.parametrize("state", [State.STARTING, State.UNKNOWN, State.FAILED], ids=str)
def test_stop_waits_until_the_provider_accepts_it(state):
    operation = replace(OPERATION, verb=OperationVerb.STOP)
    without = frozenset({"open", "force"})
    assert plan(operation, state, MADE + 1, without) == Plan(Step.WAIT, cause="no_stop_yet")
    assert plan(operation, state, MADE + 1, without | {"stop"}) == Plan(Step.STOP)


@pytest.mark.parametrize("verb", [OperationVerb.STOP, OperationVerb.REMOVE], ids=str)
def test_earlier_failure_is_no_news_of_the_stop(verb):
    """A workspace that had failed before its stop was sent counts as failed again after a minute."""
    sent = replace(OPERATION, verb=verb, stop_call=Call.ACCEPTED, called_at=CALLED, called_from=State.FAILED)
    assert plan(sent, State.FAILED, CALLED + START_SETTLES - 0.1) == Plan(Step.WAIT)
    assert plan(sent, State.FAILED, CALLED + START_SETTLES) == ENDS["again"]
    assert plan(replace(sent, called_from=State.RUNNING), State.FAILED, CALLED + 1) == ENDS["again"]
    unsure = replace(sent, stop_call=Call.UNKNOWN, unknown_since=UNKNOWN)
    assert plan(unsure, State.FAILED, UNKNOWN + START_SETTLES - 0.1) == Plan(Step.READ)
    assert plan(unsure, State.FAILED, UNKNOWN + START_SETTLES) == Plan(Step(verb.value))


@pytest.mark.parametrize("verb", [OperationVerb.STOP, OperationVerb.REMOVE], ids=str)
def test_stop_fails_at_the_second_read_of_it(verb):
    """After one read that shows a failure, the next may still show it as stopped."""
    sent = replace(OPERATION, verb=verb, stop_call=Call.ACCEPTED, called_at=CALLED, called_from=State.RUNNING)
    seen = replace(sent, failed_at=CALLED + 11)
    assert plan(seen, State.FAILED, CALLED + 11) == ENDS["again"]
    assert plan(seen, State.FAILED, CALLED + 22) == ENDS["broke"]
    assert plan(replace(sent, verb=OperationVerb.STOP), State.STOPPED, CALLED + 22) == ENDS["done"]


@pytest.mark.parametrize("state", [State.STOPPED, State.RUNNING, State.FAILED, State.STOPPING], ids=str)
def test_unknown_read_leaves_the_known_state_in_doubt(state):
    """Whatever the workspace's last known state was, it may not be down any more."""
    known = Workspace("w", ALICE, "saturn", "r", "g", "n", state=state, observed_at=MADE)
    doubtful = replace(known, unknown_at=MADE + 5)
    assert (known.current_state, known.read_at) == (state, MADE)
    assert (doubtful.current_state, doubtful.read_at, doubtful.is_down) == (State.UNKNOWN, MADE + 5, False)


# -- what the provider still has to create, as far as is known -----------------------------------------------


# Workspaces that don't exist yet. Each row has the operation. Each column has what is known of the call that
# creates the workspace: first while another process may still be calling, then afterwards.
UNMADE = """
verb    | none calling unknown | none calling unknown
create  | create   wait find   | create   find find
stop    | not-made wait find   | not-made find find
suspend | not-made wait find   | not-made find find
force   | not-made wait find   | not-made find find
remove  | not-made wait find   | not-made find find
start   | unmade unmade unmade | unmade unmade unmade
restart | unmade unmade unmade | unmade unmade unmade
"""
UNMADE_ENDS = {
    "not-made": Plan(Step.END, Outcome.FULFILLED, "not_made"),
    "unmade": Plan(Step.END, Outcome.FAILED, "unmade"),
}


@pytest.mark.parametrize("line", UNMADE.strip().splitlines()[1:])
def test_the_table_of_what_is_not_made_yet(line):
    word, early, late = (part.split() for part in line.split("|"))
    verb = OperationVerb(word[0])
    for known, before, after in zip((Call.NONE, Call.CALLING, Call.UNKNOWN), early, late, strict=True):
        called = None if known is Call.NONE else CALLED
        creation = replace(OPERATION, verb=OperationVerb.CREATE, start_call=known, called_at=called)
        operation = (
            creation if verb is OperationVerb.CREATE else replace(OPERATION, id="operation_2", verb=verb)
        )
        at = CALLED + CALL_ENDS
        for now, expected in ((at - 0.1, before), (at, after)):
            decided = plan_unmade(operation, creation, now)
            if expected == "wait":
                assert decided == Plan(Step.WAIT, at=at)
            else:
                assert decided == (UNMADE_ENDS.get(expected) or Plan(Step(expected)))


def test_a_question_that_nobody_answers_for_a_day_ends_as_unknown():
    operation = replace(
        OPERATION,
        verb=OperationVerb.CREATE,
        start_call=Call.UNKNOWN,
        called_at=CALLED,
        question_since=CALLED + 150,
    )
    assert plan_unmade(operation, operation, CALLED + 150 + ANSWER_SECONDS - 0.1) == Plan(Step.FIND)
    ended = Plan(Step.END, Outcome.UNKNOWN, "unanswered")
    assert plan_unmade(operation, operation, CALLED + 150 + ANSWER_SECONDS) == ended


def test_what_nobody_made_is_called_off_at_once():
    assert plan_unmade(replace(OPERATION, verb=OperationVerb.STOP), None, MADE) == UNMADE_ENDS["not-made"]


def test_a_creation_is_given_up_only_while_nothing_can_have_been_made():
    operation = replace(OPERATION, verb=OperationVerb.CREATE, attempts=MAX_ATTEMPTS, called_at=CALLED)
    assert plan_unmade(operation, operation, CALLED + 60) == Plan(Step.END, Outcome.FAILED, "gave_up")
    lost = replace(operation, start_call=Call.UNKNOWN)
    assert plan_unmade(lost, lost, CALLED + 60) == Plan(Step.FIND)


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("verb", OperationVerb)
@pytest.mark.parametrize("known", Call)
def test_an_ended_operation_makes_nothing(outcome, verb, known):
    operation = replace(OPERATION, verb=verb, start_call=known, called_at=CALLED, outcome=outcome)
    assert plan_unmade(operation, operation, CALLED + 60) == Plan(Step.WATCH)


@pytest.mark.parametrize("known", [Call.CALLING, Call.UNKNOWN, Call.ACCEPTED])
@pytest.mark.parametrize("attempts", [0, MAX_ATTEMPTS])
def test_nothing_is_made_again_before_it_was_looked_for(known, attempts):
    operation = replace(
        OPERATION, verb=OperationVerb.CREATE, start_call=known, called_at=CALLED, attempts=attempts
    )
    for now in (CALLED, CALLED + 20, CALLED + 10_000):
        assert plan_unmade(operation, operation, now).step in (Step.WAIT, Step.FIND)


@pytest.mark.parametrize(
    ("verb", "state", "planned"),
    [
        ("start", State.STOPPED, ENDS["done"]),
        ("create", State.STOPPED, ENDS["done"]),
        ("create", State.RUNNING, ENDS["done"]),
        ("create", State.GONE, Plan(Step.READ)),
        ("start", State.UNKNOWN, Plan(Step.WAIT)),
    ],
)
def test_what_is_only_to_be_made_is_not_started(verb, state, planned):
    made = replace(operation_of(verb, "none" if verb == "start" else "accepted", "none"), run_seconds=0.0)
    assert plan(made, state, CALLED + 1.0) == planned
    assert plan(replace(made, run_seconds=None), State.STOPPED, CALLED + 1.0) != ENDS["done"]


@pytest.mark.parametrize("lacks", PATIENCE_SECONDS, ids=str)
@pytest.mark.parametrize(
    ("verb", "start_call", "stop_call"),
    [
        ("start", "none", "none"),
        ("start", "unknown", "none"),
        ("start", "accepted", "none"),
        ("restart", "accepted", "accepted"),
        ("create", "accepted", "none"),
    ],
)
def test_running_is_done_once_usable_or_the_patience_is_over(verb, start_call, stop_call, lacks):
    """The patience counts from when it was first seen *running*, however long the start took."""
    operation, since = operation_of(verb, start_call, stop_call), CALLED + 900
    over = since + PATIENCE_SECONDS[lacks]

    def decided(at, lacks=lacks):
        return plan(operation, State.RUNNING, at, lacks=lacks, lacks_since=since)

    assert decided(since) == decided(over - 0.1) == Plan(Step.WAIT)
    assert decided(over) == decided(since, None) == ENDS["done"]


@pytest.mark.parametrize("verb", ["stop", "suspend", "force", "remove"])
def test_unusable_workspace_is_brought_down_at_once(verb):
    operation = operation_of(verb, "none", "none")
    assert plan(operation, State.RUNNING, LATE, lacks="agent", lacks_since=LATE).step is Step(verb)


@pytest.mark.parametrize("verb", OperationVerb)
@pytest.mark.parametrize("start_call", Call)
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("seconds", [-1.0, 1.0, 59.0, 61.0, 179.0, 181.0, 100_000.0])
def test_who_only_waits_has_nothing_to_do_by_the_plan(verb, start_call, state, seconds):
    operation = replace(
        OPERATION,
        verb=verb,
        start_call=start_call,
        called_at=CALLED,
        sent_at=CALLED,
        called_from=State.STOPPED,
    )
    if not only_waits(verb, start_call, state):
        return
    for up_at in (None, CALLED + 1.0):
        decided = plan(operation, state, CALLED + seconds, up_at=up_at)
        assert decided in (Plan(Step.WAIT), Plan(Step.READ)), decided


def test_start_that_was_accepted_only_waits_while_it_is_starting():
    waiting = [state for state in State if only_waits(OperationVerb.START, Call.ACCEPTED, state)]
    assert waiting == [State.STARTING]
    assert not only_waits(OperationVerb.STOP, Call.ACCEPTED, State.STARTING)
    assert not only_waits(OperationVerb.START, Call.UNKNOWN, State.STARTING)
