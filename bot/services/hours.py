"""Working hours of workspaces. People set, skip and pause them, and Usher starts and stops the workspaces.

A start is an ordinary operation on the owner's behalf. A stop becomes one of the workspace's planned stops
shortly before its time, so that the buttons on its warning affect only that stop. If a person changes or
deletes hours that have already begun, the workspace is still stopped: when they would have ended, or at the
end of the new hours. If a workspace is left running and no stop is planned within a day, Usher asks its
owner, at most once a day, whether it is still needed.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from bot.domain import begun_hours
from bot.domain.accepted_requests import HOURS as BY_HOURS
from bot.domain.hours import (
    HORIZON_SECONDS,
    MAX_RULES,
    UNUSED_PAUSES,
    FormerHours,
    HoursRule,
    Occurrence,
    find_asking_evening,
    find_hours_stop,
    find_idle_since,
    find_run_through,
    is_planned,
    list_dates,
    was_used,
)
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import Operation, OperationVerb
from bot.domain.preferences import find_asking_hours
from bot.domain.stops import PlannedStop, StopMode, choose_gentlest_mode, choose_planned_mode, is_final
from bot.domain.time_parsing import EVERY_DAY, Wanted, load_zone, write_hours
from bot.domain.timers import find_next_stop
from bot.domain.work_items import Outcome
from bot.domain.workspaces import UP_STATES, State, Workspace
from bot.services.caller import Caller, concerns_caller
from bot.services.feasibility import check_shared, get_stop_effects, predict_stop_effects
from bot.services.operation_requests import begin_operation
from bot.services.scheduled_work import (
    CLAIM_LEASE_SECONDS,
    FRESH_SECONDS,
    POLL_SECONDS,
    READ_TIMEOUT_SECONDS,
    RETRY_SECONDS,
    ScheduledWork,
)
from bot.services.timers import plan_timer
from bot.services.workspaces import require_workspace
from bot.store import accepted_requests, accounts, cards, gates, operations, people, timers
from bot.store import hours as rows
from bot.store import preferences as preferences_store
from bot.store import workspaces as stored
from bot.store.notices import add_notices, is_written
from bot.store.planned_starts import review_start
from bot.store.tables import RULES, WORKSPACES
from bot.store.transaction import Transaction
from bot.support.errors import NotLinked, Refused

#: How long to wait, in seconds, for a new read of a workspace that has been left running. After that, Usher
#: decides again whether to ask its owner about it.
RECHECK_SECONDS: Final = 30.0
HOUR_SECONDS: Final = 3600.0
#: How long, in seconds, a scheduled start may wait for the provider to allow it.
UNOFFERED_SECONDS: Final = 1800.0
#: Maximum number of running workspaces that a process claims at a time when it asks their owners whether they
#: are still needed. To start and stop workspaces, it claims at most half as many rules of working hours.
CLAIM_BATCH_SIZE: Final = 100
#: How often to look for workspaces left running, in seconds.
IDLE_CHECK_SECONDS: Final = 1800.0
#: An hours rule before and after a change. The first is None if the rule was added, the second if it was
#: removed.
RuleChange = tuple[HoursRule | None, HoursRule | None]
#: Results of scheduled starts and stops that people don't need to be told about.
DONE_WELL: Final = frozenset({"started", "timer", "needless", "by hand"})


@concerns_caller
def add(
    tx: Transaction,
    caller: Caller,
    workspace_id: str,
    wanted: Wanted,
    *,
    agreed: bool = False,
    former: str = "",
) -> list[HoursRule]:
    """Give a workspace hours. Return the existing rules that conflict with them, which they replace.

    ``former`` is the id of a rule that the new hours replace in any case. Raises Refused: ``workspace.ends``
    if a stop would be final and the owner hasn't agreed, ``hours.makes`` if a stopped workspace couldn't be
    started again, ``hours.many`` if there are too many rules, ``hours.never`` if the hours never occur, and
    ``hours.runs_on`` if a stop and a start coincide and the owner hasn't agreed to that.
    """
    workspace = find_usable(tx, caller, "hours", workspace_id)
    known = rows.list_rules(tx, workspace.id)
    zone = wanted.zone or people.find_zone(tx, caller.principal).key
    wanted = _keep_start(wanted, [one for one in known if one.zone == zone and not one.paused], tx.now())
    replaced = [one for one in known if one.id == former or one.wanted.contradicts(wanted)]
    left = [
        replace(one, days=days) for one in replaced if one.id != former and (days := one.days - wanted.days)
    ]
    kept = [*(one for one in known if one not in replaced), *left]
    made = _make_rule(tx, caller, workspace, wanted, kept=len(kept), agreed=agreed)
    dates = {one.id: days for one in kept if (days := _list_replaced_dates(one, made, tx.now()))}
    kept = [replace(one, off=one.off.union(dates.get(one.id, ()))) for one in kept]
    stop = None if agreed else find_run_through(kept, made, tx.now())
    if stop is not None:
        title = caller.context.need(workspace.connection).settings.title
        raise Refused("hours.runs_on", cause="not_agreed", title=title, at=stop.at)
    if not caller.is_first_delivery(tx):
        return []
    by_id = {one.id: one for one in kept}
    replaced = [one for one in known if one in replaced or one.id in dates]
    change: list[RuleChange] = [*((one, by_id.get(one.id)) for one in replaced), (None, made)]
    change_rules(tx, workspace, change, get_mode(caller, workspace))
    agreed_to = {"agreed": "yes"} if made.agreed else {}
    caller.record(tx, "workspace.hours", workspace, hours=write_hours(wanted), zone=made.zone, **agreed_to)
    return [
        replace(one, days=dates.get(one.id) or one.days & wanted.days) if one.id in by_id else one
        for one in replaced
    ]


def _keep_start(wanted: Wanted, rules: Sequence[HoursRule], now: float) -> Wanted:
    """Give hours for dates that only have a stop the start of the hours that they replace or extend."""
    if wanted.starts is not None or wanted.stops is None or wanted.days & EVERY_DAY:
        return wanted
    for rule in rules:
        longer = replace(rule, days=wanted.days, stops=wanted.stops)
        near = {*list_dates(rule.day(now), rule.day(now + HORIZON_SECONDS))} & wanted.days
        both = [(rule.on(day), longer.on(day)) for day in map(date.fromisoformat, near)]
        is_replaced = not rule.days & EVERY_DAY
        is_taken = all(
            len(old) == len(new) == 2 and now < old[0].at and (is_replaced or old[1] < new[1])
            for old, new in both
        )
        if is_taken and near == wanted.days and (rule.starts or 0) < wanted.stops:
            return wanted._replace(starts=rule.starts)
    return wanted


def _list_replaced_dates(rule: HoursRule, made: HoursRule, now: float) -> frozenset[str]:
    """Return the dates on which new hours overlap a rule's hours, and so replace them.

    If the new hours only have a stop, they don't replace hours that have yet to begin.
    """
    found = set[str]()
    for day in made.days - EVERY_DAY:
        new, old = (one.on(date.fromisoformat(day)) for one in (made, rule))
        if not new or not old or not new[-1].side == old[-1].side == "stop":
            continue
        begins = now if made.starts is None else new[0].at
        is_kept = made.starts is None and old[0].side == "start" and old[0].at > now
        if begins < old[-1].at and old[0].at < new[-1].at and not is_kept:
            found.add(day)
    return frozenset(found)


def _make_rule(
    tx: Transaction, caller: Caller, workspace: Workspace, wanted: Wanted, *, kept: int, agreed: bool = False
) -> HoursRule:
    """Build the rule for a workspace's new hours. Raise Refused like ``add``.

    ``kept`` is the number of the workspace's other rules that stay.
    """
    caller.check_plan(tx, workspace.connection)
    context, now = caller.context, tx.now()
    title = context.need(workspace.connection).settings.title
    effects = predict_stop_effects(context, workspace)
    if wanted.starts is not None:
        check_shared(workspace, title, ("start",))
    if wanted.starts is not None and is_final(effects, choose_gentlest_mode(effects)):
        raise Refused("hours.makes", cause="hours_make", title=title)
    is_agreed = wanted.stops is not None and plan_timer(context, workspace, now, agreed=agreed).agreed
    if kept >= MAX_RULES:
        raise Refused("hours.many", cause="hours_many", title=title)
    zone = wanted.zone or people.find_zone(tx, caller.principal).key
    shared = (caller.principal, workspace.connection, workspace.id, zone, now, is_agreed)
    made = HoursRule(tx.ids.new("rule"), *shared, days=wanted.days, starts=wanted.starts, stops=wanted.stops)
    first = made.after(now)
    if first is None or first.at > now + HORIZON_SECONDS:
        raise Refused("hours.never", cause="hours_never", title=title)
    return made


@concerns_caller
def end(tx: Transaction, caller: Caller, workspace_id: str) -> Workspace:
    """Remove a workspace's hours and return the workspace. Hours that have begun still end as planned."""
    workspace = require_workspace(tx, caller, "hours", workspace_id)
    rules = rows.list_rules(tx, workspace.id)
    if rules and caller.is_first_delivery(tx):
        change: list[RuleChange] = [(one, None) for one in rules]
        change_rules(tx, workspace, change, get_mode(caller, workspace))
        cards.queue_messages(tx, workspace.id, changed=False)
        caller.record(tx, "workspace.hours", workspace, hours="off")
    return stored.find_workspace(tx, workspace.id) or workspace


@concerns_caller
def restore(
    tx: Transaction, caller: Caller, workspace_id: str, former: Sequence[FormerHours]
) -> tuple[Workspace, bool]:
    """Restore hours that were turned off, unless the workspace has been given other hours since.

    Returns the workspace, and whether the hours were restored. Raises Refused like ``add``.
    """
    workspace = find_usable(tx, caller, "hours", workspace_id)
    if rows.list_rules(tx, workspace.id):
        return workspace, False
    made = list[HoursRule]()
    for one in former:
        try:
            rule = _make_rule(tx, caller, workspace, one.wanted, kept=len(made))
        except Refused as refusal:
            # Hours for a day that has passed since are left out, unless there are no others.
            if refusal.rule == "hours.never" and (made or one is not former[-1]):
                continue
            raise
        paused = "person" if one.is_paused else ""
        made.append(replace(rule, zone=load_zone(one.zone).key, off=one.off, paused=paused))
    if caller.is_first_delivery(tx):
        change_rules(tx, workspace, [(None, one) for one in made], get_mode(caller, workspace))
        said = "; ".join(write_hours(one.wanted) for one in made)
        caller.record(tx, "workspace.hours", workspace, hours=said, zone=made[0].zone)
    return stored.find_workspace(tx, workspace.id) or workspace, True


def change_rules(
    tx: Transaction,
    workspace: Workspace,
    change: Sequence[RuleChange],
    mode: StopMode = "stop",
) -> None:
    """Change a workspace's rules. Hours in progress end as planned or according to the new rules.

    If the change would remove the stop at the end of hours in progress, that stop is planned immediately. A
    stop that is already planned is cancelled only if the new rules include another one, or if no hours are in
    progress. In the latter case, the rules may plan the stop again.
    """
    now, former = tx.now(), rows.list_rules(tx, workspace.id)
    has_begun, begun = begun_hours.has_begun(former, now), begun_hours.find_begun_stop(former, now)
    settled = {one.id: rows.find_timed_stop(tx, one) for one in former}
    for before, after in change:
        if after is not None:
            rows.save_rule(tx, after)
        elif before is not None:
            RULES.delete(tx, id=before.id)
    review_start(tx, workspace.id, *(before for before, _ in change if before is not None))
    known = rows.list_rules(tx, workspace.id)
    for planned in (one for one in workspace.planned_stops.rows if one.because == "hours"):
        stop = settled.get(planned.source)
        is_dropped = begun_hours.has_end(known, planned.at, now) or (stop is not None and not has_begun)
        is_dropped = is_dropped and not is_planned(known, "stop", planned.at if stop is None else stop.at)
        if is_dropped or is_planned(known, "start", planned.at):
            timers.drop_stops(tx, workspace.id, planned.source)
            changed = next((one for one in known if one.id == planned.source), None)
            if stop is not None and changed is not None:
                rows.unsettle(tx, changed, stop)
    if begun is not None and not begun_hours.has_end(known, begun[0].at, now):
        _keep_stop(tx, workspace, *begun, mode)
    if any(before is not None and before.paused for before, _ in change):
        # Redraw messages about the account's link, because they mention that hours are paused.
        cards.queue_messages(
            tx, cards.make_link_key(workspace.principal.key, workspace.connection), changed=False
        )
    timers.decide(tx, workspace.id)


def _keep_stop(
    tx: Transaction, workspace: Workspace, stop: Occurrence, rule: HoursRule, mode: StopMode
) -> None:
    """If the workspace is up or starting, schedule it to stop when the current working hours end."""
    latest = operations.find_latest_operation(tx, workspace.id)
    is_coming_up = latest is not None and latest.is_open and not latest.verb.brings_down
    if is_coming_up or not workspace.is_down:
        timers.plan_stop(tx, workspace.id, PlannedStop(stop.at, mode, rule.agreed, True, "hours", rule.id))


@concerns_caller
def leave_out_days(
    tx: Transaction, caller: Caller, workspace_id: str, days: Collection[str] = ()
) -> Workspace:
    """Skip some days of a workspace's hours. If ``days`` is empty, skip none and resume paused hours.

    Hours in progress still end as planned. Raises NotLinked or Refused if the workspace can't be used.
    """
    workspace = find_usable(tx, caller, "hours", workspace_id)
    resting: list[RuleChange] = []
    now, rules = tx.now(), rows.list_rules(tx, workspace.id)
    every = [replace(one, off=frozenset()) for one in rules]
    for one, whole in zip(rules, every, strict=True):
        # Starts and stops before the last one processed can no longer become due.
        oldest = one.day(one.processed_until - begun_hours.DAY_SECONDS).isoformat()
        # Hours for a date still replace those of its weekday.
        others = (_list_replaced_dates(whole, other, now) for other in every if other is not whole)
        off = one.off.union(days) if days else one.list_days_over(now).union(*others) & one.off
        off = frozenset(day for day in off if day >= oldest)
        # Someone who resumes paused hours is there, so reset the count of unused starts.
        again = replace(one, processed_until=now, started_at=None, unused=0, paused="")
        resting.append((one, replace(one if days or not one.paused else again, off=off)))
    return _change_days_off(tx, caller, workspace, resting, off=",".join(sorted(days)))


@concerns_caller
def pause(tx: Transaction, caller: Caller, workspace_id: str) -> Workspace:
    """Pause a workspace's hours until its owner resumes them. Hours in progress still end as planned."""
    workspace = require_workspace(tx, caller, "hours", workspace_id)
    found = [one for one in rows.list_rules(tx, workspace.id) if not one.paused]
    return _change_days_off(
        tx, caller, workspace, [(one, replace(one, paused="person")) for one in found], off="all"
    )


def _change_days_off(
    tx: Transaction, caller: Caller, workspace: Workspace, change: Sequence[RuleChange], **said: str
) -> Workspace:
    if any(before != after for before, after in change) and caller.is_first_delivery(tx):
        change_rules(tx, workspace, change, get_mode(caller, workspace))
        caller.record(tx, "workspace.hours", workspace, **said)
    return stored.find_workspace(tx, workspace.id) or workspace


def find_usable(tx: Transaction, caller: Caller, verb: str, workspace_id: str) -> Workspace:
    """Return a workspace. Raise NotLinked or Refused if it doesn't exist or can't be used."""
    workspace = require_workspace(tx, caller, verb, workspace_id)
    provider = caller.context.need(workspace.connection)
    caller.require_account(tx, workspace.connection)
    causes = {
        "forgotten": workspace.hidden,
        "unmade": workspace.is_provisional,
        "gone": workspace.state is State.GONE,
    }
    for cause in (cause for cause, is_so in causes.items() if is_so):
        raise Refused(f"workspace.{cause}", cause=cause, title=provider.settings.title)
    return workspace


# -- when they are due ---------------------------------------------------------------------------------------


@concerns_caller
def carry_out(tx: Transaction, caller: Caller, looked: HoursRule) -> None:
    """Carry out the latest due start or stop of a rule on its owner's behalf. Mark earlier ones as missed.

    Raises NotIdentified while Slack can't identify the owner, and Refused (see ``refuse``).
    """
    rule, now = RULES.one(tx, id=looked.id), tx.now()
    if rule is None or rule.paused:
        return
    if not (due := rows.list_due(tx, rule)):
        rows.settle(tx, rule, {})  # This records when it was last processed.
        return
    last = due[-1]
    workspace = find_usable(tx, caller, last.side, rule.workspace_id)
    latest = operations.find_latest_operation(tx, workspace.id)
    result = decide(workspace, latest, last, now)
    runs_on = last.side == "stop" and is_planned(rows.list_rules(tx, workspace.id), "start", last.at)
    if runs_on:
        result = "needless"
    if result == "unread":
        gates.want(tx, rule.workspace_id, by_itself=True)
        rows.schedule_check(tx, rule, now + POLL_SECONDS)
        return
    if result == "started":
        started = count_start(tx, rule, last, workspace)
        if started.unused >= UNUSED_PAUSES:
            rows.pause(tx, rule, "unused")
            return
        start(tx, caller, f"hours:{rule.id}", last, workspace, latest)
        RULES.change(tx, {"id": rule.id}, started_at=started.started_at, unused=started.unused)
    elif last.side == "start" and latest is not None and latest.is_open:
        operations.extend_start(tx, latest, last.latest_start)
    own = PlannedStop(last.at, get_mode(caller, workspace), rule.agreed, True, "hours", rule.id)
    if result == "timer":
        timers.plan_stop(tx, workspace.id, own)
    elif last.side == "stop" and workspace.is_down and not runs_on:
        # The workspace is down, but it may be up by that time, so plan the stop anyway.
        timers.plan_resting_stop(tx, workspace.id, own)
    settle(tx, rule, due, result)


def count_start(tx: Transaction, rule: HoursRule, plan: Occurrence, workspace: Workspace) -> HoursRule:
    """Return a rule with one more start counted.

    The rule counts consecutive starts after which nobody used the workspace.
    """
    since = rule.started_at
    if since == plan.at:
        return rule
    is_used = since is None or was_used(workspace, since) or accepted_requests.was_asked(tx, workspace, since)
    return rule.started(max(tx.now(), plan.at), is_used=is_used)


def start(
    tx: Transaction,
    caller: Caller,
    key: str,
    plan: Occurrence,
    workspace: Workspace,
    latest: Operation | None,
) -> Operation:
    """Begin a start that hours or a lesson planned. ``key`` identifies the plan."""
    # Another attempt at the same planned time is a new request, so it needs its own key.
    tried = latest.id if latest is not None and latest.planned_for == plan.at else ""
    once = replace(caller, interaction=f"{key}:{plan.local}:{tried}".rstrip(":"))
    return begin_operation(
        tx,
        once,
        workspace.id,
        OperationVerb.START,
        planned_for=plan.at,
        good_until=plan.latest_start,
        initiator=BY_HOURS,
    ).operation


def get_mode(caller: Caller, workspace: Workspace) -> StopMode:
    """Return the mode in which hours stop a workspace."""
    return choose_planned_mode(get_stop_effects(caller.context, workspace))


def decide(workspace: Workspace, latest: Operation | None, due: Occurrence, now: float) -> str:
    """Decide what to do about a due start or stop, given the workspace's latest operation.

    ``timer`` means to plan the stop, ``started`` to start the workspace, and ``unread`` to read it first. In
    all other cases, nothing is started or stopped: the workspace is already in the wanted state
    (``needless``), it is too late (``missed``), the owner has since done something else (``by hand``), or the
    owner is having the workspace stopped or wanted it removed (``given_up``). Only a read made after the
    start was due shows that the workspace is already up.
    """
    is_stop, is_down = due.side == "stop", workspace.is_down
    if not is_stop and latest is not None and is_given_up(latest):
        return "given_up" if latest.outcome or latest.verb is not OperationVerb.REMOVE else "by hand"
    since = workspace.started_at or 0.0 if is_stop else 0.0
    if latest is not None and latest.verb.brings_down is not is_stop:
        since = max(since, latest.created_at)
    elif latest is not None and latest.is_open:
        return "needless"
    # A stop is processed early, so that a warning can be sent. But only a start after the planned time
    # overrides it.
    if since >= (due.at if is_stop else due.due_at):
        return "by hand"
    is_coming_up = latest is not None and latest.is_open
    if is_stop and is_coming_up:
        return "timer"
    is_so = is_down if is_stop else workspace.state in UP_STATES
    read_at = workspace.observed_at or 0.0
    is_unread = now - read_at > FRESH_SECONDS or (not is_stop and read_at < due.due_at)
    if is_so and is_unread and now < due.due_at + READ_TIMEOUT_SECONDS:
        return "unread"
    if is_so and (is_stop or not is_unread):
        return "needless"
    return "timer" if is_stop else "missed" if now >= due.latest_start else "started"


def is_given_up(latest: Operation) -> bool:
    """Return whether the owner has requested a stop that is open, or a removal that is open or has failed.

    Planned stops don't count.
    """
    if not latest.verb.brings_down or latest.planned_for is not None:
        return False
    failed = latest.outcome in {Outcome.FAILED, Outcome.UNKNOWN}
    return latest.is_open or (failed and latest.verb is OperationVerb.REMOVE)


def settle(tx: Transaction, rule: HoursRule, due: list[Occurrence], result: str) -> None:
    """Save the result of the latest due start or stop, mark earlier ones as missed, and tell the owner."""
    settled = dict.fromkeys(due, "missed") | {due[-1]: result}
    rows.settle(tx, rule, settled)
    missed = [one for one in due if settled[one] not in DONE_WELL]
    if missed:
        last = missed[-1]
        cause = settled[last].removeprefix("missed")
        add_notices(tx, [rows.build_missed_notice(rule, last, cause=cause, more=len(missed) - 1)])


def refuse(tx: Transaction, _caller: Caller, looked: HoursRule, refusal: Refused) -> None:
    """Handle a refusal of due starts or stops: retry them, record them as failed, or pause the rule.

    They are retried while the workspace is in transition and, for a while, if the provider doesn't currently
    offer the action. After that, they fail. Any other refusal pauses the rule.
    """
    rule = RULES.one(tx, id=looked.id)
    due = [] if rule is None or rule.paused else rows.list_due(tx, rule)
    if rule is None or not due:
        return
    passing = {"workspace.not_allowed": "not_allowed_now", "workspace.unmade": "unmade"}
    workspace = stored.find_workspace(tx, rule.workspace_id)
    is_moving = workspace is not None and workspace.is_moving and refusal.rule in passing
    is_unoffered = refusal.rule == "workspace.not_allowed" and tx.now() < due[-1].at + UNOFFERED_SECONDS
    if (is_moving or is_unoffered) and tx.now() + RETRY_SECONDS < due[-1].latest_start:
        gates.want(tx, rule.workspace_id, by_itself=True)
        rows.schedule_check(tx, rule, tx.now() + RETRY_SECONDS)
    elif refusal.rule in passing:
        settle(tx, rule, due, passing[refusal.rule])
    elif isinstance(refusal, NotLinked):
        rows.pause(tx, rule, "refused" if refusal.is_refused else "unlinked")
    else:
        cause = refusal.rule.rpartition(".")[2]
        rows.pause(tx, rule, "gone" if cause == "unknown" else cause)


HOURS_WORK: Final = ScheduledWork(
    name="hours",
    claim=lambda tx, _: rows.claim_hours(tx, CLAIM_BATCH_SIZE // 2, CLAIM_LEASE_SECONDS),
    carry_out=carry_out,
    refuse=refuse,
)


# -- workspaces left running ---------------------------------------------------------------------------------


@concerns_caller
def _ask_if_needed(tx: Transaction, caller: Caller, looked: Workspace) -> None:
    """Ask a workspace's owner whether it is still needed if it would run for a day without a planned stop.

    If the connection is configured for it, a stop is planned for that evening, unless that stop would be
    final or another stop is already planned.
    """
    context, principal, now = caller.context, caller.principal, tx.now()
    workspace, provider = stored.find_workspace(tx, looked.id), context.connections.get(looked.connection)
    if workspace is None or provider is None or not workspace.is_own:
        return
    account = accounts.find_account(tx, principal, workspace.connection)
    if account is None or account.state != "active" or account.is_refused:
        return
    planned = find_hours_stop(rows.list_rules(tx, workspace.id), now)
    next_stop = find_next_stop(workspace, planned, now)
    if next_stop is not None and next_stop <= now + begun_hours.STOP_AHEAD_SECONDS:
        return
    zone, here = people.find_zone(tx, principal), provider.settings.asks_after_hours
    hours = find_asking_hours(preferences_store.preferences(tx, principal).idle_prompt_after, here)
    left = find_idle_since(workspace)
    evening = None if hours is None else find_asking_evening(workspace, hours * HOUR_SECONDS, now, zone)
    day = datetime.fromtimestamp(now, zone).date().isoformat()
    if evening is None or left is None or is_written(tx, workspace.id, NoticeKind.IDLE_PROMPT, day):
        return
    latest = operations.find_latest_operation(tx, workspace.id)
    if latest is not None and latest.is_open and latest.verb.brings_down:
        return
    if now - (workspace.observed_at or 0.0) > FRESH_SECONDS:
        gates.request_read_now(tx, workspace.id)
        WORKSPACES.change(tx, {"id": workspace.id}, idle_check_at=now + RECHECK_SECONDS)
        return
    mode = choose_planned_mode(predict_stop_effects(context, workspace))
    is_over = is_final(predict_stop_effects(context, workspace), mode)
    stops_after = find_asking_hours(None, here)
    stops = (
        provider.settings.stops_unanswered
        and stops_after is not None
        and find_asking_evening(workspace, stops_after * HOUR_SECONDS, now, zone) is not None
        and workspace.stop_at is None
        and not is_over
    )
    body = {
        "workspace": workspace.id,
        "connection": workspace.connection,
        "since": left[0],
        "is_unused": left[1],
        "evening": None if is_over else evening,
        "stop_at": evening if stops else None,
        "next_stop": next_stop,
        "planned": workspace.stop_at,
    }
    if stops:
        timers.plan_stop(tx, workspace.id, PlannedStop(evening, mode, warns=True, because="needed"))
    add_notices(tx, [NewNotice(workspace.id, NoticeKind.IDLE_PROMPT, day, principal, body)])


IDLE_PROMPT_WORK: Final = ScheduledWork(
    name="needed",
    claim=lambda tx, _: stored.claim_running(tx, CLAIM_BATCH_SIZE, IDLE_CHECK_SECONDS),
    carry_out=_ask_if_needed,
)
