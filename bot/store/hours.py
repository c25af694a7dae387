"""Working hours: rules by which a workspace is started and stopped at set times.

This module stores the rules, when each rule is checked next, and how each planned start or stop turned out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from bot.domain import begun_hours
from bot.domain.causes import MISSED_CAUSE, get_cause_word
from bot.domain.hours import HORIZON_SECONDS, HoursRule, Occurrence
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import Operation
from bot.domain.people import Principal
from bot.domain.time_parsing import EVERY_DAY
from bot.domain.workspaces import Workspace
from bot.store.fan_out import OF_ACCOUNT, Stage, register_fan_out, select_some
from bot.store.notices import add_notices
from bot.store.queues import Queue, declare_queue
from bot.store.tables import OCCURRENCES, RULES
from bot.store.transaction import Row, Transaction

DAY_SECONDS: Final = 86_400.0
#: Causes that pause working hours until the owner links the account again.
LINK_CAUSES = frozenset({"unlinked", "refused"})


def list_rules(tx: Transaction, workspace_id: str) -> list[HoursRule]:
    """Return a workspace's rules for working hours."""
    return RULES.parse_all(RULES.rows(tx, "id", workspace_id=workspace_id))


def list_rules_of_person(tx: Transaction, principal: Principal) -> list[HoursRule]:
    """Return a person's rules for working hours, sorted by workspace."""
    return RULES.parse_all(RULES.rows(tx, "workspace_id, id", principal=principal))


def is_needed_after(tx: Transaction, workspace_id: str, at: float) -> bool:
    """Return whether a workspace's working hours require it to run after a given time."""
    return begun_hours.need_workspace(list_rules(tx, workspace_id), at)


def is_rule_on(tx: Transaction, rule_id: str) -> bool:
    """Return whether a rule requires its workspace to be running at the moment."""
    found = RULES.one(tx, id=rule_id)
    return found is not None and not found.paused and found.is_on(tx.now())


def find_planned_stop(tx: Transaction, workspace: Workspace) -> tuple[float, bool] | None:
    """Return when working hours will next stop a workspace, or None if no stop is planned.

    The second value says whether the owner has agreed to a stop that can't be undone.
    """
    rules = list_rules(tx, workspace.id)
    found = [(one.next_stop(tx.now(), rules), one.agreed) for one in rules]
    return min(((at, agreed) for at, agreed in found if at is not None), default=None)


def save_rule(tx: Transaction, new: HoursRule) -> None:
    """Add or replace a rule for working hours."""
    RULES.upsert(tx, new, next_check_at=_get_next_check(new, new.processed_until))


def get_result(tx: Transaction, looked: HoursRule, one: Occurrence) -> str:
    """Return the result of a start or stop that a rule planned, or "" if there is none yet."""
    row = OCCURRENCES.row(tx, rule_id=looked.id, local=one.local, side=one.side)
    return "" if row is None else str(row["result"])


# Deletes the rules of a person who may no longer use Usher.
register_fan_out(
    "departed",
    (select_some("rules", "principal = :principal"), lambda tx, row, _: RULES.delete(tx, id=row["id"])),
)


RULE_QUEUE: Final = declare_queue(
    Queue(
        name="rules",
        kind="hours",
        is_scheduled=True,
        table="rules",
        due="next_check_at",
        order="next_check_at, id",
    )
)


def claim_hours(tx: Transaction, limit: int, lease: float) -> list[HoursRule]:
    """Claim due rules for ``lease`` seconds, and return them in the order in which they are due."""
    now, rules = tx.now(), RULES.parse_all(RULE_QUEUE.take(tx, lease, limit))
    return sorted(rules, key=lambda one: (one.due(now)[:1], one.id))


def schedule_check(tx: Transaction, looked: HoursRule, at: float) -> None:
    """Schedule a rule's next check, unless the rule is paused."""
    RULES.change(tx, {"id": looked.id, "paused": ""}, next_check_at=at)


def list_due(tx: Transaction, looked: HoursRule) -> list[Occurrence]:
    """Return a rule's starts and stops that are due and have no result yet.

    Starts and stops that seem due may already have a result, if the clock was set back or the rule's time
    zone was changed.
    """
    return [one for one in looked.due(tx.now()) if not get_result(tx, looked, one)]


def settle(tx: Transaction, settled: HoursRule, results: Mapping[Occurrence, str]) -> None:
    """Write the results of the starts and stops that were due, and schedule the rule's next check.

    Hours for a single day are deleted after their last start or stop.
    """
    now = tx.now()
    until = max([settled.processed_until, now - HORIZON_SECONDS, *(one.at for one in settled.due(now))])
    for one, result in results.items():
        OCCURRENCES.add(tx, rule_id=settled.id, local=one.local, side=one.side, result=result, at=one.at)
    next_check_at = _get_next_check(settled, until)
    if next_check_at is None and not settled.days & EVERY_DAY:
        RULES.delete(tx, id=settled.id)
    else:
        RULES.change(tx, {"id": settled.id}, processed_until=until, next_check_at=next_check_at)


def find_timed_stop(tx: Transaction, looked: HoursRule) -> Occurrence | None:
    """Return the last stop that a rule has processed, if the result was a timer."""
    last = looked.after(looked.processed_until - 1.0)
    if last is None or last.at != looked.processed_until:
        return None
    return last if get_result(tx, looked, last) == "timer" else None


def unsettle(tx: Transaction, changed: HoursRule, stop: Occurrence) -> None:
    """Save a changed rule, and make one of its past stops due again, no matter how late it is."""
    OCCURRENCES.delete(tx, rule_id=changed.id, local=stop.local, side=stop.side)
    save_rule(tx, replace(changed, processed_until=min(tx.now(), stop.at - 1.0)))


def find_plan(tx: Transaction, start: Operation) -> tuple[HoursRule, Occurrence] | None:
    """Return the rule behind a start, and which of the rule's planned starts it carries out.

    If there are several, return the one that remains valid longest. Hours that began after the start was
    requested count, too, because they share the start.
    """
    plans = filter_plans(tx, start, (one for one in list_rules(tx, start.workspace_id) if not one.paused))
    begins = start.planned_for or 0.0
    return max(plans, key=lambda plan: (plan[1].at >= begins, plan[1].latest_start), default=None)


def filter_plans(
    tx: Transaction, start: Operation, rules: Iterable[HoursRule]
) -> list[tuple[HoursRule, Occurrence]]:
    """Return the rules that a start carries out, each with the planned start in question."""
    begins, now = start.planned_for, tx.now()
    if begins is None or start.good_until is None:
        return []
    begun = ((rule, one) for rule in rules for one in rule.between(begins - DAY_SECONDS, max(begins, now)))
    return [(rule, one) for rule, one in begun if one.side == "start" and one.until > begins]


def follow_start(tx: Transaction, ended: Operation, pending: Sequence[NewNotice]) -> Sequence[NewNotice]:
    """Retry a rule's failed start later if the cause may be temporary. Return the notices to send."""
    plan = find_plan(tx, ended)
    if plan is None:
        return pending
    rule, begin = plan
    if get_cause_word(ended.cause) == MISSED_CAUSE:
        return [build_missed_notice(rule, begin, missed=ended.cause)]
    if not begun_hours.tries_again(ended, begin, tx.now(), is_own=True):
        return pending
    unsettle(tx, rule, begin)
    schedule_check(tx, rule, tx.now() + begun_hours.RETRY_SECONDS)
    return ()


def build_missed_notice(rule: HoursRule, one: Occurrence, **more: Any) -> NewNotice:
    """Return the notice that says that a planned start or stop was missed."""
    body: Row = {"workspace": rule.workspace_id, "connection": rule.connection}
    until = one.until if one.side == "start" and rule.stops is not None else None
    body |= {"side": one.side, "planned_at": one.at, "until": until, "cause": "", "more": 0, **more}
    occasion = f"{rule.id}:{one.local}:{one.side}"
    return NewNotice(rule.workspace_id, NoticeKind.HOURS_MISSED, occasion, rule.principal, body)


def pause(tx: Transaction, paused: HoursRule, why: str, *, notify: bool = True) -> None:
    """Pause a rule for as long as the cause lasts. Notify the owner once per workspace and cause."""
    RULES.change(tx, {"id": paused.id}, paused=why, next_check_at=None)
    if notify:
        body: Row = {"workspace": paused.workspace_id, "connection": paused.connection, "cause": why}
        body |= {"name": paused.name}
        occasion = f"{why}:{paused.processed_until:.0f}"
        notice = NewNotice(paused.workspace_id, NoticeKind.HOURS_PAUSED, occasion, paused.principal, body)
        add_notices(tx, [notice])


def resume(tx: Transaction, row: Row, _said: Row) -> None:
    """Resume a rule that was paused because its account had been refused or unlinked."""
    for paused in RULES.parse_all([row]) if row["paused"] in LINK_CAUSES else ():
        processed_until = tx.now()
        if row["paused"] == "refused":
            # It wasn't the owner who paused the rule, so catch up on hours that have begun in the meantime
            # and aren't over yet.
            coming = paused.after(processed_until)
            begin = None if coming is None else paused.begin(coming)
            if begin is not None:
                processed_until = min(processed_until, max(begin.at - 1.0, paused.processed_until))
        save_rule(tx, replace(paused, paused="", processed_until=processed_until))


#: The stage of a fan-out (a change made to many rows in batches) that resumes working hours. It must stay
#: ahead of the stage for workspaces. An unfinished fan-out stores the number of its next stage, so stages
#: must keep their numbers in later releases.
RESUME_STAGE: Final[Stage] = select_some("rules", OF_ACCOUNT), resume


def unlink(tx: Transaction, workspace: Row, notify: bool) -> None:
    """Pause the working hours of a workspace whose account was unlinked and whose row is being deleted.

    Hours that were paused for another reason, for example by the owner, stay paused even after a new link.
    """
    for one in list_rules(tx, workspace["id"]):
        named = replace(one, name=workspace["alias"] or workspace["name"], remote_id=workspace["remote_id"])
        save_rule(tx, named)
        if not one.paused or one.paused in LINK_CAUSES:
            pause(tx, named, "unlinked", notify=notify)


def _get_next_check(looked: HoursRule, after: float) -> float | None:
    next_ = None if looked.paused else looked.after(after)
    return None if next_ is None else next_.due_at
