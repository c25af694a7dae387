"""The specification of irreversible stops, as a table: none happens unless the owner agreed."""

from dataclasses import replace

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.plan import Plan, Step, plan
from bot.domain.stops import Consent, StopEffect
from bot.domain.timeouts import START_SETTLES
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State
from tests.domain.plan_cases import CALLED, ENDS, MADE, OPERATION, STATES

EFFECTS = {
    "keeps": {"stop": StopEffect.ENDS, "suspend": StopEffect.KEEPS, "force": StopEffect.ENDS},
    "ends": {"stop": StopEffect.ENDS, "force": StopEffect.ENDS},
    "over": {},
}
CAUSES = {
    "asks": Plan(Step.END, Outcome.FAILED, "not_agreed"),
    "never": Plan(Step.END, Outcome.FAILED, "no_restart"),
}


def wanted(word: str) -> Plan:
    return CAUSES.get(word) or ENDS.get(word) or Plan(Step(word))


# Each row has the verb, whether the owner agreed to an irreversible stop, and the declared effects. The
# columns are as above.
FINAL = """
verb    agreed effects | stopped suspended failed  starting running stopping gone unknown
stop    no     keeps   | asks    asks      asks    asks     asks    asks     done asks
stop    yes    keeps   | stop    stop      stop    stop     stop    wait     done stop
stop    yes    over    | done    done      done    stop     stop    wait     done stop
force   no     ends    | asks    asks      asks    asks     asks    asks     done asks
force   yes    keeps   | force   force     force   force    force   force    done force
suspend no     keeps   | done    done      suspend suspend  suspend wait     gone suspend
suspend yes    keeps   | done    done      suspend suspend  suspend wait     done suspend
suspend yes    ends    | stop    stop      stop    stop     stop    wait     done stop
restart no     keeps   | start   start     start   suspend  suspend wait     gone suspend
restart no     ends    | asks    asks      asks    asks     asks    asks     gone asks
restart no     over    | never   never     renew   never    never   never    gone never
restart yes    ends    | stop    stop      stop    stop     stop    wait     renew stop
restart yes    over    | renew   renew     renew   stop     stop    wait     renew stop
"""


@pytest.mark.parametrize("line", FINAL.strip().splitlines()[1:])
def test_the_table_of_what_a_stop_ends_for_good(line):
    known, found = line.split("|")
    verb, agreed, declared = known.split()
    operation = replace(OPERATION, verb=OperationVerb(verb), agreed=agreed == "yes")
    for state, word in zip(STATES, found.split(), strict=True):
        decided = plan(operation, State(state), MADE + 1, None, EFFECTS[declared])
        assert decided == wanted(word), state
        # Nothing ends on old news.
        if decided.step in (Step.END, Step.RENEW):
            assert plan(operation, State(state), MADE - 1, None, EFFECTS[declared]) == Plan(Step.READ)


@pytest.mark.parametrize("state", [State.RUNNING, State.SUSPENDED])
def test_what_was_to_end_and_is_still_there_is_told_in_the_end(state):
    operation = replace(
        OPERATION, verb=OperationVerb.STOP, agreed=True, stop_call=Call.ACCEPTED, called_at=CALLED
    )
    early, late = (
        plan(operation, state, CALLED + 600.0 + more, None, EFFECTS["keeps"]) for more in (-0.1, 0.0)
    )
    assert early == Plan(Step.WAIT, cause="no_effect" if state is State.RUNNING else None)
    assert late == Plan(Step.END, Outcome.FAILED, "not_removed")


BUSY, UNSAVED = frozenset({"busy"}), frozenset({"unsaved"})
LEFT = Plan(Step.END, Outcome.FAILED, "at_stake")


@pytest.mark.parametrize("verb", ["stop", "force", "restart"])
def test_an_end_for_good_reads_first_and_costs_no_more_than_its_person_knew(verb):
    call = Plan(Step.FORCE if verb == "force" else Step.STOP)
    asked = replace(OPERATION, verb=OperationVerb(verb), agreed=Consent.GIVEN)
    knowing = replace(asked, agreed=Consent.KNOWING)

    def decided(operation, stop_risks=frozenset(), observed_at=MADE + 1, effects=EFFECTS["ends"]):
        return plan(operation, State.RUNNING, observed_at, None, effects, stop_risks=stop_risks)

    for stop_risks in (BUSY, UNSAVED, BUSY | UNSAVED):
        assert decided(asked, stop_risks) == LEFT
        assert decided(knowing, stop_risks) == call
    assert decided(asked) == call
    # A read from just before the request is recent enough only if the workspace can be started again.
    assert decided(knowing, BUSY, MADE - 0.1) == Plan(Step.READ)
    if verb == "stop":
        returns = {"stop": StopEffect.RETURNS}
        assert decided(asked, BUSY, MADE - 0.1, returns) == call
    # A stop that was already sent is carried through.
    sent = replace(asked, stop_call=Call.UNKNOWN, called_at=CALLED, unknown_since=CALLED)
    assert decided(sent, BUSY, CALLED + START_SETTLES + 1) == call
    # A person who planned the stop was warned of unsaved work.
    planned = replace(asked, planned_for=MADE)
    assert (decided(planned, UNSAVED), decided(planned, BUSY)) == (call, LEFT)
