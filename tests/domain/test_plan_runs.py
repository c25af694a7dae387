"""The specification of a run's life cycle, as a table: every launch, stop and state."""

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.forms import Spec
from bot.domain.people import Principal
from bot.domain.plan import Plan, Step, next_run_read, plan_run
from bot.domain.runs import Run, RunState, StopKind
from bot.domain.work_items import Call

#: The specified durations, in seconds. The code defines them separately, with the same values.
CALL_ENDS, START_SETTLES, ANSWER_SECONDS = 45.0, 60.0, 86_400.0
MAX_ATTEMPTS = 20

MADE = 1000.0
CALLED = 1100.0
JOB = Run(
    id="job_1",
    principal=Principal(None, "T1", "U1"),
    connection="posit",
    name="train",
    spec=Spec("train"),
    created_at=MADE,
    reference="REF",
)
ENDS = {
    "ended": Plan(Step.END, "ended"),
    "off": Plan(Step.END, "cancelled", "cancelled"),
    "gave up": Plan(Step.END, "failed", "gave_up"),
    "untold": Plan(Step.END, "failed", "untold"),
    "unanswered": Plan(Step.END, "failed", "unanswered"),
}


def wanted(word: str) -> Plan:
    return ENDS[word] if word in ENDS else Plan(Step(word))


# Runs that the provider doesn't have yet. Each row has what is known of the launch, and whether the owner is
# being asked about it (`over`: for a day or longer). Each column has what the owner wants.
UNLAUNCHED = """
launch   asked | go-on      stop   force
none     no    | launch     off    off
calling  no    | find       find   find
unknown  no    | find       find   find
unknown  yes   | find       untold untold
unknown  over  | unanswered untold untold
accepted no    | find       find   find
"""

# Runs that the provider has. Each row has what the owner wants, and what is known of that call. Each column
# has the run's state.
LAUNCHED = """
want  call     | queued running unknown succeeded failed cancelled
go-on none     | read   read    read    ended     ended  ended
stop  none     | stop   stop    stop    ended     ended  ended
stop  calling  | stop   stop    stop    ended     ended  ended
stop  settling | read   read    read    ended     ended  ended
stop  unknown  | stop   stop    stop    ended     ended  ended
stop  accepted | read   read    read    ended     ended  ended
force none     | stop   stop    stop    ended     ended  ended
force calling  | stop   stop    stop    ended     ended  ended
force settling | read   read    read    ended     ended  ended
force unknown  | stop   stop    stop    ended     ended  ended
force accepted | read   read    read    ended     ended  ended
"""


def cases(table: str) -> list[tuple[str, ...]]:
    head, *rows = [line.split("|") for line in table.strip().splitlines()]
    return [
        (*left.split(), column, word)
        for left, right in rows
        for column, word in zip(head[1].split(), right.split(), strict=True)
    ]


def stop(word: str) -> StopKind:
    return "" if word == "go-on" else word


@pytest.mark.parametrize(("launch", "asked", "want", "word"), cases(UNLAUNCHED))
def test_before_the_provider_has_it(launch, asked, want, word):
    now = CALLED + 2 * ANSWER_SECONDS
    asked_at = {"no": None, "yes": now - ANSWER_SECONDS + 0.1, "over": now - ANSWER_SECONDS}[asked]
    run = replace(
        JOB, start_call=Call(launch), requested_stop=stop(want), called_at=CALLED, question_since=asked_at
    )
    assert plan_run(run, now) == wanted(word)


@pytest.mark.parametrize(("want", "call", "state", "word"), cases(LAUNCHED))
def test_once_the_provider_has_it(want, call, state, word):
    run = replace(
        JOB,
        remote_id="r1",
        start_call=Call.ACCEPTED,
        requested_stop=stop(want),
        stop_call=Call.UNKNOWN if call == "settling" else Call(call),
        state=RunState(state),
        called_at=CALLED - 100,
        unknown_since=CALLED - START_SETTLES + 0.1 if call == "settling" else CALLED - START_SETTLES,
    )
    assert plan_run(run, CALLED + CALL_ENDS if call == "calling" else CALLED) == wanted(word)


def test_refused_stop_of_a_run_is_sent_again_after_pause_and_read():
    keys = {"remote_id": "r1", "start_call": Call.ACCEPTED, "requested_stop": "stop", "called_at": CALLED}
    run = replace(JOB, busy_since=CALLED + 1, retry_at=CALLED + 11, **keys)
    assert plan_run(run, CALLED + 60) == wanted("read")
    read = replace(run, observed_at=CALLED + 2)
    assert plan_run(read, CALLED + 10.9) == wanted("read")
    assert plan_run(read, CALLED + 11) == wanted("stop")


def test_what_may_have_been_launched_is_looked_for_at_once_unless_its_call_is_under_way():
    run = replace(JOB, start_call=Call.UNKNOWN, called_at=CALLED)
    assert plan_run(run, CALLED) == Plan(Step.FIND)
    calling = replace(run, start_call=Call.CALLING)
    waits = Plan(Step.WAIT, at=CALLED + CALL_ENDS)
    assert plan_run(calling, CALLED) == plan_run(calling, CALLED + CALL_ENDS - 0.1) == waits
    assert plan_run(calling, CALLED + CALL_ENDS) == Plan(Step.FIND)


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ({"start_call": Call.NONE}, "gave up"),
        ({"start_call": Call.UNKNOWN, "called_at": MADE}, "find"),
        ({"start_call": Call.NONE, "requested_stop": "stop"}, "off"),
        ({"remote_id": "r1", "start_call": Call.ACCEPTED, "requested_stop": "stop"}, "read"),
        ({"remote_id": "r1", "start_call": Call.ACCEPTED}, "read"),
    ],
)
def test_many_failures_give_a_launch_up_but_never_a_run_that_goes_on(keys, word):
    run = replace(JOB, attempts=MAX_ATTEMPTS, **keys)
    assert plan_run(run, CALLED) == wanted(word)


runs = st.builds(
    lambda **keys: replace(JOB, **keys),
    remote_id=st.sampled_from([None, "r1"]),
    start_call=st.sampled_from(Call),
    requested_stop=st.sampled_from(get_args(StopKind)),
    stop_call=st.sampled_from(Call),
    state=st.sampled_from(RunState),
    called_at=st.sampled_from([None, MADE, CALLED]),
    attempts=st.integers(0, MAX_ATTEMPTS + 1),
    outcome=st.sampled_from([None, "ended", "failed", "cancelled"]),
)


@given(runs, st.floats(MADE, CALLED + 100))
def test_what_holds_for_every_run(run, now):
    decided = plan_run(run, now)
    if run.outcome is not None:
        assert decided.step is Step.WATCH
    if decided.step is Step.LAUNCH:
        assert run.remote_id is None
        assert run.start_call is Call.NONE
        assert not run.requested_stop
    if decided.step in (Step.STOP, Step.READ):
        assert run.remote_id is not None
    assert (decided.step is Step.END) == (decided.outcome is not None)
    assert (decided.step is Step.WAIT) == (decided.at is not None)
    if decided.at is not None:
        assert decided.at > now


@pytest.mark.parametrize(
    ("state", "age", "fastest", "seconds"),
    [
        (RunState.RUNNING, 0.0, 2.0, 2.0),
        (RunState.RUNNING, 30.0, 2.0, 5.0),
        (RunState.RUNNING, 130.0, 2.0, 15.0),
        (RunState.RUNNING, 1e6, 2.0, 15.0),
        (RunState.QUEUED, 0.0, 2.0, 2.0),
        (RunState.RUNNING, 0.0, 10.0, 10.0),
        (RunState.RUNNING, 1e6, 30.0, 30.0),
        (RunState.UNKNOWN, 0.0, 2.0, 5.0),
    ],
)
def test_reads_begin_quickly_and_grow_rarer(state, age, fastest, seconds):
    assert next_run_read(state, age, fastest) == seconds
