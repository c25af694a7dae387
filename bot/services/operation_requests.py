"""Requests for operations. Starts, stops, restarts and creations are accepted without calling a provider."""

from contextlib import suppress
from dataclasses import replace

from bot.domain.feasibility import find_access_obstacle
from bot.domain.forms import Spec
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import CHECKED, Operation, OperationVerb, Remark
from bot.domain.people import Principal
from bot.domain.steps import Update
from bot.domain.stops import Consent, PlannedStop, choose_restart_mode, costs_more, is_final
from bot.domain.timeouts import has_settled
from bot.domain.waitlist import WaitlistEntry, WaitlistFacts, WaitlistState
from bot.domain.work_items import DEADLINE_SECONDS, Call
from bot.domain.workspaces import DOWN_STATES, NOT_UP_STATES, PROVISIONAL, State, Workspace
from bot.providers import base, facets
from bot.services.accounts import find_or_open_account
from bot.services.caller import Caller, concerns_caller, require_usable
from bot.services.context import Context
from bot.services.creation import check_offered
from bot.services.feasibility import (
    check_possible,
    choose_stop_mode,
    get_stop_effects,
    is_final_stop,
    is_recently_read,
)
from bot.services.timers import change_timer, plan_timer
from bot.services.workspaces import reach_workspace, require_operation, require_workspace
from bot.store import creations, inbox, operations, prices, refusals, timers, waitlist, work_items, workspaces
from bot.store.notices import add_card, await_results
from bot.store.operations import Accepted
from bot.store.preferences import preferences
from bot.store.tables import OPERATIONS
from bot.store.transaction import Transaction
from bot.support.clock import Ids
from bot.support.errors import Refused, StoreError


@concerns_caller
def begin_operation(
    tx: Transaction,
    caller: Caller,
    workspace_id: str,
    verb: OperationVerb,
    *,
    agreed: Consent = Consent.NONE,
    timer: PlannedStop | None = None,
    planned_for: float | None = None,
    good_until: float | None = None,
    initiator: str = "",
) -> Accepted:
    """Accept an operation. Write it, together with its first card and an entry in the audit log.

    A start joins an open creation. If a workspace that Usher created no longer exists, another is created.
    ``agreed`` is the owner's consent to a final stop. ``timer`` is a stop to plan along with the operation.
    If ``planned_for`` is given, the operation carries out a plan, and ``initiator`` says what kind of plan.
    Such an operation has no card, and its start may be sent until ``good_until``. Raises NotLinked if the
    account can't be used, and Refused (``policy.…``, ``workspace.…``) if the operation isn't allowed or
    possible. ``workspace.ends`` means that the person must confirm it.
    """
    context = caller.context
    workspace, reached, _, waits = reach_workspace(tx, caller, verb, workspace_id)
    provider = context.need(workspace.connection)
    account = require_usable(provider, reached)
    check_possible(context, workspace, verb)
    mode = choose_stop_mode(context, workspace, verb)
    is_unknown = not agreed or costs_more(workspace.stakes, agreed, is_planned=planned_for is not None)
    if mode is not None and is_unknown and is_final(get_stop_effects(context, workspace), mode):
        raise Refused("workspace.ends", cause="not_agreed", title=provider.settings.title)
    is_starting = workspace.spec is not None and verb is OperationVerb.START
    creation = _find_open_creation(tx, workspace) if is_starting or workspace.is_provisional else None
    if is_starting and (other := _start_another(tx, caller, workspace, creation, timer, planned_for)):
        return other
    if workspace.hidden and not workspace.is_provisional:
        # Someone pressed a button in an old message. The workspace isn't read any more, so the operation
        # would never end.
        raise Refused("workspace.forgotten", cause="forgotten", title=provider.settings.title)
    fresh = tx.ids.new("operation")
    # Request these rows now, so that they arrive in the same round trip as the inbox row.
    operations.ask_for_accept(tx, workspace, verb)
    level = _find_assistant_level(tx, workspace, verb, timer) if caller.via else ""
    if not caller.is_first_delivery(tx, level, fresh):
        first = _find_first_result(tx, caller, workspace.id)
        return first._replace(remark=_choose_note(first, context, workspace, verb))
    # Cancelling a creation that is still open loses nothing, even if the workspace has been created by now.
    # But if the creation has ended, or its outcome has been unknown for a long time, the workspace may be in
    # use.
    is_called_off = creation is not None and (
        creation.start_call is Call.NONE or not has_settled(creation, tx.now())
    )
    ends = Consent.NONE if mode is None else Consent.KNOWING if is_called_off else agreed
    detail = {"agreed": "yes"} if ends else {}
    if waits and planned_for is None:
        _keep_place(tx, caller, workspace, verb)
    if planned_for is not None:
        if verb.brings_down:
            timers.end_timer(tx, workspace.id, planned_for)
        detail["because"] = initiator
    is_special = workspace.has_ends or workspace.spec is not None
    if is_special and not verb.brings_down and workspace.is_down:
        _begin_run(tx, provider, workspace)
    if account.is_held:
        refusals.try_at_once(tx, account)
    accepted = operations.accept(
        tx,
        workspace,
        verb,
        DEADLINE_SECONDS,
        caller.reference,
        caller.channel_id,
        agreed=ends,
        reads_first=not (workspace.is_provisional or is_recently_read(context, workspace)),
        planned_for=planned_for,
        good_until=good_until,
        id=fresh,
    )
    if timer is not None:
        start = "" if caller.has_assistant_level(tx, "stop") else accepted.operation.id
        timers.plan_stop(tx, workspace.id, replace(timer, via=caller.via, start=start))
        detail["until"] = f"{timer.at:.0f}"
    if planned_for is None and not verb.brings_down and workspace.has_ends:
        _drop_answered_stops(tx, caller, accepted)
    # If a person sets a timer on a start that is already in progress, their request didn't begin that start.
    began = "" if timer is not None and accepted.joined else accepted.operation.id
    by = {"began": began, "initiator": initiator, "reference": caller.reference}
    caller.record(tx, f"workspace.{verb}", workspace, **by, **detail)
    accepted = accepted._replace(
        obstacle=find_access_obstacle(account, tx.now()),
        remark=_choose_note(accepted, context, workspace, verb),
    )
    return _show_operation(tx, caller, workspace, accepted)


def describe_entry(tx: Transaction, caller: Caller, wait: WaitlistEntry) -> WaitlistFacts:
    """Return the facts about an entry of the waitlist, including its place in line."""
    allowed = caller.context.need(wait.connection).settings.failures_allowed
    return waitlist.describe(tx, wait, caller.context.title(wait.connection), allowed)


class AlreadyWaiting(Refused):
    """Raised on a start if the workspace is already on the waitlist. The reply gives its place in line."""

    def __init__(self, place: WaitlistFacts) -> None:
        super().__init__("wait.already", cause="wait_already", title=place.title)
        self.place = place


def _keep_place(tx: Transaction, caller: Caller, workspace: Workspace, verb: OperationVerb) -> None:
    """Refuse to start a workspace that is on the waitlist (AlreadyWaiting). Before a stop, end its wait."""
    known = waitlist.find_entry_of_workspace(tx, workspace.id)
    if known is None or known.state is WaitlistState.GRANTED:
        return
    if not verb.brings_down:
        raise AlreadyWaiting(describe_entry(tx, caller, known))
    waitlist.end(tx, known)


def _start_another(
    tx: Transaction,
    caller: Caller,
    workspace: Workspace,
    creation: Operation | None,
    timer: PlannedStop | None,
    planned_for: float | None,
) -> Accepted | None:
    """Join a creation that is already in progress, or recreate the workspace.

    Return None if the workspace still exists.
    """
    if creation is not None:
        return _join_creation(tx, caller, workspace, creation, timer)
    if workspace.is_provisional or workspace.state is State.GONE:
        return replace_workspace(tx, caller, workspace.id, timer=timer, planned_for=planned_for)
    return None


def _drop_answered_stops(tx: Transaction, caller: Caller, accepted: Accepted) -> None:
    """Cancel the planned stops that a person overrides by starting the workspace."""
    timers.drop_stops(tx, accepted.operation.workspace_id, "needed", "room")
    if accepted.operation.verb is OperationVerb.START and not (caller.via or accepted.joined):
        # A person who starts a workspace during a lesson wants it to keep running.
        timers.drop_stops(tx, accepted.operation.workspace_id, "lesson")


def _find_assistant_level(
    tx: Transaction, workspace: Workspace, verb: OperationVerb, timer: PlannedStop | None
) -> str:
    """Return the level that an assistant needs for an operation. It depends on the operation's effects.

    A start requires *start*, unless it changes something that is up, open or planned. Then it requires
    *stop*, like all other operations. A forced stop and a removal require the owner ("").
    """
    under_way = OPERATIONS.one(tx, workspace_id=workspace.id, outcome=None)
    is_down = workspace.state in NOT_UP_STATES and workspace.stop_at is None and under_way is None
    joins = timer is None and (under_way is None or under_way.verb is verb)
    level = "" if verb in {OperationVerb.FORCE, OperationVerb.REMOVE} else "stop"
    return "start" if verb is OperationVerb.START and (is_down or joins) else level


def _choose_note(accepted: Accepted, context: Context, workspace: Workspace, verb: OperationVerb) -> Remark:
    """Return a remark if the operation does something that its verb doesn't suggest, otherwise ""."""
    if verb is OperationVerb.START:
        is_after_stop = accepted.operation.prior_call is not Call.NONE
        is_running = workspace.state is State.RUNNING
        return "starting_after_stop" if is_after_stop else "starting_running" if is_running else ""
    if verb.brings_down and workspace.is_provisional:
        return "calling_off"
    is_down, effects = workspace.current_state in DOWN_STATES, get_stop_effects(context, workspace)
    if verb is OperationVerb.SUSPEND and is_down and accepted.operation.prior_call is Call.NONE:
        return "suspended_already"
    if verb is OperationVerb.RESTART and (accepted.operation.agreed or choose_restart_mode(effects) is None):
        return "renewing"
    if verb is OperationVerb.RESTART and choose_restart_mode(effects) == "suspend":
        return "resuming" if workspace.state is State.SUSPENDED else "restarting_keeps"
    ends = accepted.operation.agreed and is_final_stop(context, workspace, accepted.operation)
    if verb is not OperationVerb.STOP or ends:
        return ""
    if accepted.operation.prior_call is not Call.NONE:
        return "stopping_started"
    if accepted.replaced is not None and not accepted.replaced.verb.brings_down:
        return "stopping_pending"
    return "stopping_stopped" if is_down else ""


@concerns_caller
def create_workspace(tx: Transaction, caller: Caller, connection: str, spec: Spec) -> Accepted:
    """Request a workspace, to be created from its provider's ``spec`` and then started.

    Raises NotLinked if the account can't be used, and Refused (``policy.…``, ``connection_gone``,
    ``workspace.no_create``, ``workspace.withheld``) if the creation isn't allowed or possible.
    """
    caller.check(tx, "create")
    fresh = build_provisional(caller.context.ids, caller.context.need(connection), caller.principal, spec)
    return _create(tx, caller, fresh)


@concerns_caller
def replace_workspace(
    tx: Transaction,
    caller: Caller,
    workspace_id: str,
    *,
    timer: PlannedStop | None = None,
    planned_for: float | None = None,
) -> Accepted:
    """Request a replacement for a workspace that no longer exists or was never created.

    The new row replaces the old one. A workspace is replaced only once, however often that is requested.
    Raises the same errors as ``create_workspace``, and Refused (``workspace.unknown``, ``workspace.no_spec``,
    ``workspace.still_there``, ``workspace.unmade``).
    """
    former = require_workspace(tx, caller, "create", workspace_id)
    provider = caller.context.need(former.connection)
    title = provider.settings.title
    if former.spec is None:
        raise Refused("workspace.no_spec", cause="no_spec", title=title)
    if former.is_provisional:
        latest = operations.find_latest_operation(tx, former.id)
        if latest is not None and latest.is_open and latest.verb is OperationVerb.CREATE:
            return _join_creation(tx, caller, former, latest, timer)
        if latest is not None and latest.is_open:
            raise Refused("workspace.unmade", cause="unmade", title=title)
    elif former.state is not State.GONE:
        raise Refused("workspace.still_there", cause="still_there", title=title)
    if not caller.is_first_delivery(tx) and inbox.find_result(tx, caller.interaction):
        # The first delivery of this request joined a creation that has since ended.
        return _find_first_result(tx, caller, former.id)
    once = replace(caller, interaction=f"again:{former.id}")
    fresh = build_replacement(caller.context.ids, provider, former)
    return _create(tx, once, fresh, former, timer, planned_for)


def _join_creation(
    tx: Transaction, caller: Caller, workspace: Workspace, creation: Operation, timer: PlannedStop | None
) -> Accepted:
    """Join an open creation. If the request was redelivered, return the result of its first delivery."""
    if timer is not None:
        change_timer(tx, caller, workspace, timer)
        inbox.save_result(tx, caller.interaction, creation.id)
    elif not caller.is_first_delivery(tx, "start", creation.id):
        return _find_first_result(tx, caller, workspace.id)
    return Accepted(operations.repeat_request(tx, creation, DEADLINE_SECONDS), joined=True)


def _create(
    tx: Transaction,
    caller: Caller,
    fresh: Workspace,
    former: Workspace | None = None,
    timer: PlannedStop | None = None,
    planned_for: float | None = None,
) -> Accepted:
    provider = caller.context.need(fresh.connection)
    if not isinstance(provider, facets.Creation):
        raise Refused("workspace.no_create", cause="no_create", title=provider.settings.title)
    check_offered(provider, fresh.spec, caller.principal)
    account = require_usable(provider, find_or_open_account(tx, caller, fresh.connection))
    operation_id = tx.ids.new("operation")
    if not caller.is_first_delivery(tx, result=operation_id):
        return _find_first_result(tx, caller, fresh.id)
    if former is not None:
        if planned_for is None:
            _keep_place(tx, caller, former, OperationVerb.START)
        operations.put_away(tx, former.id)
    if account.is_held:
        refusals.try_at_once(tx, account)
    creations.insert_provisional(tx, fresh)
    verb, seconds = OperationVerb.CREATE, DEADLINE_SECONDS
    where = caller.reference, caller.channel_id
    creation = operations.add(tx, fresh, verb, seconds, *where, planned_for=planned_for, id=operation_id)
    if timer is not None:
        timers.plan_stop(tx, fresh.id, timer)
    caller.record(tx, "workspace.create", fresh, began=creation.id, reference=caller.reference)
    return _show_operation(tx, caller, fresh, Accepted(creation))


def _show_operation(tx: Transaction, caller: Caller, workspace: Workspace, accepted: Accepted) -> Accepted:
    """Enqueue the first card of a new operation.

    If the request joined an existing operation, only save that operation as the interaction's result.
    """
    operation = accepted.operation
    if accepted.joined:
        inbox.save_result(tx, caller.interaction, operation.id)
    if not accepted.joined and caller.is_about_several:
        await_results(tx, operation.id, caller.reference)
    elif not accepted.joined and operation.planned_for is None:
        body = {"channel_id": caller.channel_id}
        if accepted.remark in CHECKED:
            body["promise"] = caller.interaction
        card = NewNotice(operation.id, NoticeKind.CARD, "1", caller.principal, body)
        is_announced = bool(caller.is_answered or accepted.remark)
        if is_announced and not operation.verb.brings_down:
            # The end is reported in a separate message only if the person wants that.
            chosen = workspace.notify_ready
            is_announced = preferences(tx, caller.principal).ready if chosen is None else chosen
        add_card(tx, card, is_announced=is_announced, slow_seconds=operation.slow_seconds)
    return accepted


def _begin_run(tx: Transaction, provider: base.Provider, workspace: Workspace) -> None:
    """Drop the stops planned for earlier runs. Update the machine kind of a workspace that Usher created."""
    timers.begin_run(tx, workspace)
    machine = provider.describe_machine(workspace.spec or Spec(""))
    if workspace.spec is not None and workspace.with_machine(machine) != workspace:
        prices.note_machine(tx, workspace.id, machine)


def _find_first_result(tx: Transaction, caller: Caller, workspace_id: str) -> Accepted:
    first = operations.find_operation(tx, inbox.find_result(tx, caller.interaction))
    first = first or operations.find_latest_operation(tx, workspace_id)
    if first is None or first.principal != caller.principal:
        raise StoreError("this interaction was something else before")
    return Accepted(first, repeated=True)


def build_provisional(ids: Ids, provider: base.Provider, principal: Principal, spec: Spec) -> Workspace:
    """Return the row for a workspace that will be created from a spec."""
    fresh = ids.new("workspace")
    made = Workspace(
        id=fresh,
        principal=principal,
        connection=provider.settings.name,
        remote_id=f"{PROVISIONAL}{fresh}",
        gate_key=f"{provider.settings.base_url}#{PROVISIONAL}{fresh}",
        name=spec.label or "workspace",
        origin="added",
        spec=spec,
    )
    return made.with_machine(provider.describe_machine(spec))


def build_replacement(ids: Ids, provider: base.Provider, former: Workspace) -> Workspace:
    """Return the row for a workspace that replaces one that has ended and has the same name.

    If Usher chose the old name and the workspace was never created, a different unused name is chosen.
    """
    spec = former.spec or Spec(former.name)
    is_renamed = former.is_provisional and bool(spec.stem)
    spec = replace(spec, name="") if is_renamed else spec
    fresh = build_provisional(ids, provider, former.principal, spec)
    return replace(fresh, name=fresh.name if is_renamed else former.name, alias=former.alias)


def _find_open_creation(tx: Transaction, workspace: Workspace) -> Operation | None:
    latest = operations.find_latest_operation(tx, workspace.id)
    is_open = latest is not None and latest.is_open and latest.verb is OperationVerb.CREATE
    return latest if is_open else None


@concerns_caller
def extend_deadline(tx: Transaction, caller: Caller, operation_id: str) -> Operation:
    """Set a new deadline for an open operation. Return the operation, which may have ended by now.

    If a timer was requested along with a start, and ended at the start's deadline, it is set again, counting
    from now.
    """
    operation = require_operation(tx, caller, "keep_waiting", operation_id)
    if not operation.is_open or not caller.is_first_delivery(tx):
        return operation
    kept = operations.keep_waiting(tx, operation.id, DEADLINE_SECONDS)
    workspace = workspaces.find_workspace(tx, operation.workspace_id)
    if kept is not None and operation.run_seconds and workspace is not None and workspace.stop_at is None:
        with suppress(Refused):
            timers.plan_stop(
                tx, workspace.id, plan_timer(caller.context, workspace, tx.now() + operation.run_seconds)
            )
        # The workspace runs for the time that was requested, however often the deadline has been extended.
        OPERATIONS.change(tx, {"id": operation.id}, run_seconds=operation.run_seconds)
    return kept or operation


@concerns_caller
def check_creation_now(tx: Transaction, caller: Caller, operation_id: str) -> Operation:
    """Have the provider's list read now, to find out whether a creation has succeeded."""
    operation = require_operation(tx, caller, "look_again", operation_id)
    operations.save_step(tx, Update(operation.id, 0.0, keeps_waiting=True))
    return operation


@concerns_caller
def repeat_creation(tx: Transaction, caller: Caller, operation_id: str) -> tuple[Operation, bool]:
    """Repeat a creation whose outcome is unknown. Return the operation, and whether it was repeated.

    Nothing is repeated if the outcome is known by now.
    """
    operation = require_operation(tx, caller, "start_another", operation_id)
    workspace = require_workspace(tx, caller, "new", operation.workspace_id)
    provider = caller.context.need(workspace.connection)
    caller.require_account(tx, workspace.connection)
    check_offered(provider, workspace.spec, caller.principal)
    if not operation.is_asked or not caller.is_first_delivery(tx):
        return operation, False
    is_repeated = work_items.repeat(tx, OPERATIONS, operation.id, DEADLINE_SECONDS)
    if is_repeated:
        caller.record(tx, "workspace.start_another", workspace, reference=operation.reference)
    return operation, is_repeated
