"""Starts planned for working hours and lessons. They are updated whenever the hours or lessons change."""

from bot.domain.courses import Participant
from bot.domain.hours import HoursRule
from bot.domain.work_items import Outcome
from bot.store import courses, operations, timers
from bot.store.hours import filter_plans, find_plan
from bot.store.tables import OPERATIONS, WORKSPACES
from bot.store.transaction import Transaction


def review_start(tx: Transaction, workspace_id: str, *changed: HoursRule) -> None:
    """Update a workspace's planned start after some rules have ``changed``.

    A start that has already been sent isn't updated. The current rules determine how long the start may still
    be sent. If no rule needs the start any more, it is cancelled.
    """
    row = OPERATIONS.row(tx, workspace_id=workspace_id, outcome=None)
    start = None if row is None else OPERATIONS.parse(row)
    if start is None or not start.is_planned_ahead:
        return
    # After a change, the rules may no longer include this start. But if a stop was planned along with it, it
    # must have come from a rule.
    workspace = WORKSPACES.one(tx, id=workspace_id)
    has_end = workspace is not None and any(one.start == start.id for one in workspace.planned_stops.rows)
    if not has_end and not filter_plans(tx, start, changed):
        return
    plan = find_plan(tx, start)
    if plan is None:
        operations.end(tx, start.id, Outcome.CANCELLED, "cancelled")
        timers.drop_stops(tx, workspace_id, start.id)
    else:
        tx.run("change_good_until", id=start.id, at=plan[1].latest_start, now=tx.now())


def cancel_start(tx: Transaction, member: Participant) -> None:
    """Cancel a member's unsent start for a lesson, because the member is leaving the course."""
    workspace_id = member.workspace_id or ""
    row = OPERATIONS.row(tx, workspace_id=workspace_id, outcome=None)
    start = None if row is None else OPERATIONS.parse(row)
    of = courses.find_member_of_start(tx, start) if start is not None and start.is_planned_ahead else None
    if start is not None and of is not None and of.card_id == member.card_id:
        operations.end(tx, start.id, Outcome.CANCELLED, "cancelled")
        timers.drop_stops(tx, workspace_id, start.id)
