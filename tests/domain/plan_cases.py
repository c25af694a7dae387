"""The cases in the tables of plans: operations, states, and earlier calls."""

from bot.domain.operations import Operation, OperationVerb
from bot.domain.people import Principal
from bot.domain.plan import Plan, Step
from bot.domain.work_items import Outcome

ALICE = Principal(None, "T1", "U1")


MADE = 1000.0


CALLED = 1100.0


OPERATION = Operation(
    id="operation_1",
    principal=ALICE,
    workspace_id="ws_1",
    connection="saturn",
    verb=OperationVerb.START,
    created_at=MADE,
    deadline_at=MADE + 1800,
)


ENDS = {
    "done": Plan(Step.END, Outcome.FULFILLED),
    "gone": Plan(Step.END, Outcome.FAILED, "gone"),
    "broke": Plan(Step.END, Outcome.FAILED, "provider_failed"),
    "elsewhere": Plan(Step.END, Outcome.FAILED, "stopped_elsewhere"),
    "gave up": Plan(Step.END, Outcome.FAILED, "gave_up"),
    # The operation continues, and its card says that an accepted stop has had no effect so far.
    "quiet": Plan(Step.WAIT, cause="no_effect"),
    # A failure counts only when a second read confirms it.
    "again": Plan(Step.READ, cause="still_failed"),
}


STATES = ["stopped", "suspended", "failed", "starting", "running", "stopping", "gone", "unknown"]
