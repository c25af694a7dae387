"""The table of what its provider has yet to make, as far as is known; this file is its specification."""

from dataclasses import replace

import pytest

from bot.domain.people import Principal
from bot.domain.plan import MAX_ATTEMPTS, Plan, Step, plan_unmade
from bot.domain.settling import ANSWER_SECONDS, CALL_ENDS
from bot.domain.workspaces import Call, Operation, OperationVerb, Outcome

MADE = 1000.0
CALLED = 1100.0
OPERATION = Operation(
    id="operation_1",
    principal=Principal(None, "T1", "U1"),
    workspace_id="ws_1",
    connection="saturn",
    verb=OperationVerb.START,
    created_at=MADE,
    deadline_at=MADE + 1800,
)

# What is not made yet. Rows: the operation. Columns: what is known of the creation's call, while a call may
# be under way in another process, and afterwards.
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
        OPERATION, verb=OperationVerb.CREATE, start_call=Call.UNKNOWN, called_at=CALLED, asked_at=CALLED + 150
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
