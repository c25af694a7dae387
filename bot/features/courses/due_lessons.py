"""Due lessons: each starts and stops the workspaces of a course's members.

A start is an ordinary operation in its person's name, and plans its stop, too.
"""

from typing import Final

from bot.domain.workspaces import Workspace
from bot.features.courses import lesson_store as rows
from bot.features.courses import store, timetable
from bot.features.courses.model import CourseRule
from bot.features.hours import store as rules
from bot.features.hours import use_cases as hours_use_cases
from bot.features.hours.model import Occurrence
from bot.services.caller import Caller
from bot.services.creation import check_offered
from bot.services.scheduled_work import CLAIM_LEASE_SECONDS, ScheduledWork
from bot.store import operations, timers, undoable_actions
from bot.store.transaction import Transaction
from bot.support.errors import Refused

#: How many rules are claimed at once.
_BATCH_SIZE: Final = 50


def carry_out(tx: Transaction, caller: Caller, claimed: CourseRule) -> None:
    """Carry out the due occurrences of a course's rule in its person's name; some may be missed.

    Raises NotIdentified and Refused as ``hours.use_cases.carry_out`` does.
    """
    rule = rows.find_course_rule(tx, claimed.id)
    if rule is None or rule.paused or not (due := hours_use_cases.list_due(tx, rule)):
        return
    last = due[-1]
    workspace = hours_use_cases.find_usable(tx, caller, last.side, rule.workspace_id)
    if (card := store.find_card(tx, rule.card)) is not None:
        check_offered(caller.context.need(rule.connection), card.spec, rule.principal)
    if last.side == "stop":
        hours_use_cases.settle(tx, rule, due, _decide_stop(tx, caller, rule, last, workspace))
        return
    latest, start = operations.find_latest_operation(tx, workspace.id), None
    result = hours_use_cases.decide(workspace, latest, last, tx.now())
    if result == "unread":
        hours_use_cases.wait_for_read(tx, rule)
        return
    if result == "started":
        started = hours_use_cases.count_start(tx, rule, last, workspace)
        start = hours_use_cases.start(tx, caller, started, last, workspace, latest)
        end = timetable.plan_lesson_end(
            rule, last.until, hours_use_cases.get_mode(caller, workspace), start.id
        )
        timers.plan_stop(tx, workspace.id, end)
    elif latest is not None and latest.is_open:
        operations.extend_start(tx, latest, last.latest_start)
    if result in hours_use_cases.DONE_WELL - {"by hand"}:
        rows.notify_of_lesson(tx, rule, last, start)
    hours_use_cases.settle(tx, rule, due, result)


def _decide_stop(
    tx: Transaction, caller: Caller, rule: CourseRule, stop: Occurrence, workspace: Workspace
) -> str:
    """Return the result of a lesson's end, which was planned when it began: a ``timer``, or nothing.

    0.2.1 planned nothing: what it has started is stopped, too, if its person did nothing with it since.
    """
    begin, latest = rule.begin(stop), operations.find_latest_operation(tx, workspace.id)
    is_its = latest is not None and latest.planned_for == begin.at and latest.has_called
    is_left = not workspace.is_down and not undoable_actions.was_asked(tx, workspace, begin.due_at)
    if workspace.stop_at is not None and workspace.planned_stops.has(rule.id):
        return "timer"
    if not (is_its and is_left and rules.get_result(tx, rule, begin) == "started"):
        return "needless"
    timers.plan_stop(
        tx,
        workspace.id,
        timetable.plan_lesson_end(rule, stop.at, hours_use_cases.get_mode(caller, workspace)),
    )
    return "timer"


def _refuse(tx: Transaction, caller: Caller, claimed: CourseRule, refusal: Refused) -> None:
    """Record the refusal of a lesson; a member who may not have its template any more leaves the course."""
    hours_use_cases.refuse(tx, caller, claimed, refusal)
    rule = rows.find_course_rule(tx, claimed.id)
    if rule is not None and rule.paused == "withheld":
        rows.leave(tx, rule.card, rule.principal)
        timers.decide(tx, rule.workspace_id)


LESSON_WORK: Final = ScheduledWork(
    name="lessons",
    order=35,
    claim=lambda tx, _: rows.claim_lessons(tx, _BATCH_SIZE, CLAIM_LEASE_SECONDS),
    carry_out=carry_out,
    refuse=_refuse,
    later=hours_use_cases.postpone,
)
