"""What people do with workspaces: view, operate, name, forget, time; nothing here waits for a provider."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from bot.domain.accounts import Account
from bot.domain.feasibility import find_access_obstacle, find_stop_obstacle
from bot.domain.forms import Spec
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import CHECKED, Operation, OperationVerb, Remark
from bot.domain.people import Principal
from bot.domain.plan import FRESH
from bot.domain.policy import Target
from bot.domain.steps import Update
from bot.domain.stops import Consent, Effects, End, StopMode, costs_more, is_final, planned_mode, restart_mode
from bot.domain.timeouts import has_settled
from bot.domain.timers import MORE_SECONDS
from bot.domain.undoable_actions import NO_CHANGE, way_back
from bot.domain.work_items import Call
from bot.domain.workspaces import DOWN, DOWN_OR_FAILED, NOT_UP, PROVISIONAL, UP, Action, State, Workspace
from bot.messages.texts import problems
from bot.providers import base
from bot.services.accounts import acting
from bot.services.caller import Caller, usable
from bot.services.context import Context
from bot.services.creation import check_offered
from bot.services.hooks import UseCaseHooks
from bot.store import (
    accounts,
    creations,
    gates,
    inbox,
    operations,
    outages,
    refusals,
    timers,
    work_items,
    workspaces,
)
from bot.store.notices import add_card, await_results
from bot.store.operations import Accepted
from bot.store.tables import OPERATIONS
from bot.store.transaction import Transaction, clean
from bot.store.undoable_actions import changed
from bot.support.clock import Ids
from bot.support.errors import Refused, StoreError

#: What a workspace must allow for an operation, and the states in which that doesn't matter because the
#: operation is already fulfilled or under way. A stop needs nothing: it is sent as soon as that is possible.
_NEEDS: dict[OperationVerb, tuple[Action, frozenset[State]]] = {
    OperationVerb.START: ("start", UP),
    OperationVerb.SUSPEND: ("suspend", DOWN_OR_FAILED),
    OperationVerb.FORCE: ("force", DOWN_OR_FAILED),
    OperationVerb.REMOVE: ("remove", frozenset({State.STARTING})),
}
#: They may keep the memory of a workspace, so that a stop isn't what leads back to them.
_KEEP_MEMORY: Final = frozenset({OperationVerb.SUSPEND, OperationVerb.RESTART})
_MODES: dict[OperationVerb, StopMode] = {OperationVerb.STOP: "stop", OperationVerb.FORCE: "force"}


def _unknown() -> Refused:
    """Return the refusal that doesn't reveal whether it means *none* or *not yours*."""
    return Refused("workspace.unknown", problems.sentence("not_owner"))


def owned(tx: Transaction, caller: Caller, verb: str, workspace_id: str) -> Workspace:
    """Return a workspace of this person; raises Refused, the same for *none* and *not yours*."""
    return _owned(tx, caller, verb, workspace_id)[0]


def _owned(tx: Transaction, caller: Caller, verb: str, workspace_id: str) -> tuple[Workspace, Account | None]:
    """Return a workspace of this person, and their account on its connection; raises as ``owned``."""
    workspace, account, person = workspaces.reached(tx, workspace_id, caller.principal)
    if workspace is None:
        raise _unknown()
    caller.check_as(tx, person, verb, Target("workspace", workspace.id, workspace.principal))
    caller.context.need(workspace.connection)
    return workspace, account


def begin(
    tx: Transaction,
    caller: Caller,
    workspace_id: str,
    verb: OperationVerb,
    *,
    agreed: Consent = Consent.NONE,
    timer: End | None = None,
    planned_for: float | None = None,
    good_until: float | None = None,
    asker: str = "",
) -> Accepted:
    """Accept an operation with its first card and its audit row.

    A start joins a creation that is under way; for a workspace that is gone and was made here, another is
    made. ``agreed``: what its person knows of the end, if it ends the workspace for good. ``timer`` is set
    along with it. ``planned_for``: ``asker`` carries out what was planned for that time, without a card of
    its own; ``good_until`` is until when a start may be sent. Raises NotLinked and Refused (``policy.…``,
    ``workspace.…``); ``workspace.ends`` asks them to confirm.
    """
    context = caller.context
    workspace, reached = _owned(tx, caller, verb, workspace_id)
    provider = context.need(workspace.connection)
    account = usable(provider, reached)
    check_possible(context, workspace, verb)
    mode = _mode(context, workspace, verb)
    is_unknown = not agreed or costs_more(workspace.stakes, agreed, is_planned=planned_for is not None)
    if mode is not None and is_unknown and is_final(effects_now(context, workspace), mode):
        raise Refused("workspace.ends", problems.sentence("not_agreed", provider.settings.title))
    is_starting = workspace.spec is not None and verb is OperationVerb.START
    creation = _creation(tx, workspace) if is_starting or workspace.is_provisional else None
    if is_starting and creation is not None:
        if timer is not None:
            _changed(tx, caller, workspace, timer)
        return Accepted(operations.wanted_again(tx, creation, context.deadline_seconds), joined=True)
    if is_starting and (workspace.is_provisional or workspace.state is State.GONE):
        return again(tx, caller, workspace.id, timer=timer, planned_for=planned_for)
    if workspace.hidden and not workspace.is_provisional:
        # It is never read again, so the operation could never end. An old message's button was pressed.
        raise Refused("workspace.forgotten", problems.sentence("forgotten", provider.settings.title))
    if not caller.is_first_delivery(tx, _level(tx, caller, workspace, verb, timer)):
        return _remarked(_repeated(tx, caller, workspace.id), context, workspace, verb)
    # Cancelling a creation that is under way loses nothing, even if something was made in the meantime.
    # After it has ended, or when its outcome has long been unknown, what it made may be in use.
    is_called_off = creation is not None and not _is_long_unknown(creation, tx.now())
    ends = Consent.NONE if mode is None else Consent.KNOWING if is_called_off else agreed
    detail = {"agreed": "yes"} if ends else {}
    _before(tx, caller, workspace, verb, planned_for)
    if planned_for is not None:
        if verb.brings_down:
            timers.end_timer(tx, workspace.id, planned_for)
        detail["because"] = asker
    refusals.try_at_once(tx, account)
    accepted = operations.accept(
        tx,
        workspace,
        verb,
        context.deadline_seconds,
        caller.reference,
        caller.channel_id,
        agreed=ends,
        reads_first=not (workspace.is_provisional or _is_news(context, workspace)),
        planned_for=planned_for,
        good_until=good_until,
    )
    if timer is not None:
        start = "" if caller.has_assistant_level(tx, "stop") else accepted.operation.id
        timers.put(tx, workspace.id, replace(timer, via=caller.via, start=start))
        detail["until"] = f"{timer.at:.0f}"
    if verb is OperationVerb.START and planned_for is None and not (caller.via or accepted.joined):
        # Who starts it by hand during a lesson says that it goes on.
        timers.drop(tx, workspace.id, "lesson")
    change = NO_CHANGE if timer is None else changed((workspace, workspaces.workspace(tx, workspace.id)))
    if timer is None or not accepted.joined:
        back = _choose_opposite(context, workspace, accepted)
        ends = clean(workspace.ends)
        change = change.begun(accepted.operation, accepted.replaced, asker, back, ends)
    caller.record(tx, f"workspace.{verb}", workspace, change, reference=caller.reference, **detail)
    accepted = replace(accepted, obstacle=find_access_obstacle(account, tx.now(), is_connected=True))
    return _shown(tx, caller, _remarked(accepted, context, workspace, verb))


def _choose_opposite(context: Context, workspace: Workspace, accepted: Accepted) -> str:
    """Return the request that leads back from an operation; "" where nothing changes, or that loses work."""
    verb = accepted.operation.verb
    # A stop would lose the memory that a suspension has kept, or keeps when it is done.
    kept = {State.RUNNING, State.SUSPENDED, State.STOPPING}
    is_so = workspace.is_down if verb.brings_down else workspace.state in kept
    if accepted.joined or workspace.is_provisional or (is_so and accepted.replaced is None):
        return ""
    if not verb.brings_down and accepted.replaced is not None and accepted.replaced.verb in _KEEP_MEMORY:
        return ""
    return way_back(accepted.operation, effects(context, workspace))


def _before(
    tx: Transaction, caller: Caller, one: Workspace, verb: OperationVerb, planned_for: float | None
) -> None:
    for hooks in UseCaseHooks.list_subscribers() if planned_for is None else ():
        hooks.on_operation_requested(tx, caller, one, verb)


def _level(tx: Transaction, caller: Caller, one: Workspace, verb: OperationVerb, timer: End | None) -> str:
    """Return which level an operation needs by its effect, where something asks for the person.

    Only what starts something is *start*: what is up, under way or planned is changed with *stop* alone. What
    forces or removes it is for its person themself.
    """
    under_way = OPERATIONS.one(tx, workspace_id=one.id, outcome=None) if caller.via else None
    is_down = one.state in NOT_UP and one.stop_at is None and under_way is None
    joins = timer is None and (under_way is None or under_way.verb is verb)
    level = "" if verb in {OperationVerb.FORCE, OperationVerb.REMOVE} else "stop"
    return "start" if verb is OperationVerb.START and (is_down or joins) else level


def _remarked(accepted: Accepted, context: Context, workspace: Workspace, verb: OperationVerb) -> Accepted:
    """Add what to say if something else happens than the verb alone suggests."""
    return replace(accepted, remark=_remark(accepted, effects_now(context, workspace), workspace, verb))


def _remark(accepted: Accepted, effects: Effects, workspace: Workspace, verb: OperationVerb) -> Remark:
    is_down = workspace.current_state in DOWN
    if verb.brings_down and workspace.is_provisional:
        return "calling_off"
    if verb is OperationVerb.START and accepted.operation.prior_call is not Call.NONE:
        return "starting_after_stop"
    if verb is OperationVerb.START and workspace.state is State.RUNNING:
        return "starting_running"
    if verb is OperationVerb.SUSPEND and is_down and accepted.operation.prior_call is Call.NONE:
        return "suspended_already"
    if verb is OperationVerb.RESTART and (accepted.operation.agreed or restart_mode(effects) is None):
        return "renewing"
    if verb is OperationVerb.RESTART and restart_mode(effects) == "suspend":
        return "resuming" if workspace.state is State.SUSPENDED else "restarting_keeps"
    if verb is not OperationVerb.STOP or ends_for_good(accepted.operation, effects):
        return ""
    if accepted.operation.prior_call is not Call.NONE:
        return "stopping_started"
    if accepted.replaced is not None and not accepted.replaced.verb.brings_down:
        return "stopping_pending"
    return "stopping_stopped" if is_down else ""


def ends_for_good(operation: Operation, effects: Effects) -> bool:
    """Return whether a stop that its person consented to ends the workspace for good."""
    if operation.verb not in {OperationVerb.STOP, OperationVerb.FORCE} or not operation.agreed:
        return False
    return is_final(effects, "force" if operation.verb is OperationVerb.FORCE else "stop")


def create(tx: Transaction, caller: Caller, connection: str, spec: Spec) -> Accepted:
    """Ask for a workspace to be made from its provider's ``spec`` and started.

    Raises NotLinked and Refused (``policy.…``, ``connection_gone``, ``workspace.no_create``,
    ``workspace.withheld``).
    """
    caller.check(tx, "create")
    fresh = unmade(caller.context.ids, caller.context.need(connection), caller.principal, spec)
    return _create(tx, caller, fresh)


def again(
    tx: Transaction,
    caller: Caller,
    workspace_id: str,
    *,
    timer: End | None = None,
    planned_for: float | None = None,
) -> Accepted:
    """Ask for another workspace like one that is gone or was never made; its row replaces the old one.

    Each workspace is replaced once, whoever asks for it how often. Raises Refused as ``create`` does, and
    ``workspace.unknown``, ``workspace.no_spec``, ``workspace.still_there``, ``workspace.unmade``.
    """
    former = owned(tx, caller, "create", workspace_id)
    provider = caller.context.need(former.connection)
    title = provider.settings.title
    if former.spec is None:
        raise Refused("workspace.no_spec", problems.sentence("no_spec", title))
    if former.is_provisional:
        latest = operations.latest_operation(tx, former.id)
        if latest is not None and latest.is_open and latest.verb is OperationVerb.CREATE:
            seconds = caller.context.deadline_seconds
            return Accepted(operations.wanted_again(tx, latest, seconds), joined=True)
        if latest is not None and latest.is_open:
            raise Refused("workspace.unmade", problems.sentence("unmade", title))
    elif former.state is not State.GONE:
        raise Refused("workspace.still_there", problems.sentence("still_there", title))
    once = replace(caller, interaction=f"again:{former.id}")
    fresh = another(caller.context.ids, provider, former)
    return _create(tx, once, fresh, former, timer, planned_for)


def _create(
    tx: Transaction,
    caller: Caller,
    fresh: Workspace,
    former: Workspace | None = None,
    timer: End | None = None,
    planned_for: float | None = None,
) -> Accepted:
    provider, context = caller.context.need(fresh.connection), caller.context
    if not isinstance(provider, base.Making):
        raise Refused("workspace.no_create", problems.sentence("no_create", provider.settings.title))
    check_offered(provider, fresh.spec, caller.principal)
    account = usable(provider, acting(tx, caller, fresh.connection))
    if not caller.is_first_delivery(tx):
        return _repeated(tx, caller, fresh.id)
    if former is not None:
        _before(tx, caller, former, OperationVerb.START, planned_for)
        operations.put_away(tx, former.id)
    refusals.try_at_once(tx, account)
    creations.insert_provisional(tx, fresh)
    verb, seconds = OperationVerb.CREATE, context.deadline_seconds
    where = caller.reference, caller.channel_id
    made = operations.add(tx, fresh, verb, seconds, *where, planned_for=planned_for)
    if timer is not None:
        timers.put(tx, fresh.id, timer)
    caller.record(tx, "workspace.create", fresh, NO_CHANGE.begun(made), reference=caller.reference)
    return _shown(tx, caller, Accepted(made))


def _shown(tx: Transaction, caller: Caller, accepted: Accepted) -> Accepted:
    """Have a new operation's card sent, and keep it as what the interaction led to."""
    operation = accepted.operation
    inbox.keep_result(tx, caller.interaction, operation.id)
    if not accepted.joined and caller.is_about_several:
        await_results(tx, operation.id, caller.reference)
    elif not accepted.joined and operation.planned_for is None:
        body = {"channel_id": caller.channel_id}
        if accepted.remark in CHECKED:
            body["promise"] = caller.interaction
        card = NewNotice(operation.id, NoticeKind.CARD, "1", caller.principal, body)
        end = NoticeKind.STOPPED if operation.verb.brings_down else NoticeKind.READY
        add_card(tx, card, end if caller.is_answered or accepted.remark else None)
    return accepted


def _repeated(tx: Transaction, caller: Caller, workspace_id: str) -> Accepted:
    """Return the operation that an interaction led to when it was first seen."""
    first = operations.operation(tx, inbox.result_of(tx, caller.interaction))
    first = first or operations.latest_operation(tx, workspace_id)
    if first is None or first.principal != caller.principal:
        raise StoreError("this interaction was something else before")
    return Accepted(first, repeated=True)


def unmade(ids: Ids, provider: base.Provider, principal: Principal, spec: Spec) -> Workspace:
    """Return the row of a workspace to be made from a spec."""
    fresh = ids.new("workspace")
    return Workspace(
        id=fresh,
        principal=principal,
        connection=provider.settings.name,
        remote_id=f"{PROVISIONAL}{fresh}",
        gate_key=f"{provider.settings.base_url}#{PROVISIONAL}{fresh}",
        name=spec.label or "workspace",
        origin="added",
        spec=spec,
    )


def another(ids: Ids, provider: base.Provider, former: Workspace) -> Workspace:
    """Return the row of a replacement for a workspace that has ended, with the same name.

    If Usher named one that was never made, a free name is looked for again.
    """
    spec = former.spec or Spec(former.name)
    if former.is_provisional and spec.stem:
        return replace(unmade(ids, provider, former.principal, replace(spec, name="")), alias=former.alias)
    fresh = unmade(ids, provider, former.principal, spec)
    return replace(fresh, name=former.name, alias=former.alias)


def _creation(tx: Transaction, workspace: Workspace) -> Operation | None:
    latest = operations.latest_operation(tx, workspace.id)
    is_open = latest is not None and latest.is_open and latest.verb is OperationVerb.CREATE
    return latest if is_open else None


def _is_long_unknown(creation: Operation, now: float) -> bool:
    return creation.start_call is not Call.NONE and has_settled(creation, now)


def _mode(context: Context, workspace: Workspace, verb: OperationVerb) -> StopMode | None:
    """Return how an operation stops a workspace, unless it can be started again after that anyway."""
    return "stop" if _is_renewed(context, workspace, verb) else _MODES.get(verb)


def final_mode(context: Context, workspace: Workspace, verb: OperationVerb) -> StopMode | None:
    """Return how an operation ends a workspace for good; None if it doesn't, or can't be done at all."""
    try:
        mode = _mode(context, workspace, verb)
    except Refused:
        return None
    return mode if mode is not None and is_final(effects_now(context, workspace), mode) else None


def effects_now(context: Context, workspace: Workspace) -> Effects:
    """Return what stopping a workspace means, as its provider declares; nothing for a lost connection."""
    provider = context.connections.get(workspace.connection)
    return {} if provider is None or workspace.is_provisional else provider.stops(workspace)


def _is_renewed(context: Context, workspace: Workspace, verb: OperationVerb) -> bool:
    """Return whether a restart ends the workspace for good and makes another from its spec.

    Raises Refused (``workspace.no_restart``, ``workspace.withheld``) where that can't be done either.
    """
    if verb is not OperationVerb.RESTART or restart_mode(effects_now(context, workspace)) is not None:
        return False
    provider = context.need(workspace.connection)
    title = provider.settings.title
    if workspace.spec is None or not isinstance(provider, base.Making):
        raise Refused("workspace.no_restart", problems.sentence("no_restart", title))
    check_offered(provider, workspace.spec, workspace.principal)
    return True


def check_possible(context: Context, workspace: Workspace, verb: OperationVerb) -> None:
    """Raise Refused for what the provider can't do at all, or not with this workspace as last read."""
    provider = context.need(workspace.connection)
    title = provider.settings.title
    if verb is OperationVerb.CREATE:
        raise Refused("workspace.no_create", problems.sentence("no_create", title))
    is_able = {
        OperationVerb.SUSPEND: "suspend" in provider.stop_modes,
        OperationVerb.FORCE: "force" in provider.stop_modes,
        OperationVerb.REMOVE: isinstance(provider, base.Removal),
    }
    if not is_able.get(verb, True):
        raise Refused(f"workspace.no_{verb}", problems.sentence(f"no_{verb}", title))
    if workspace.is_provisional and verb in (OperationVerb.SUSPEND, OperationVerb.RESTART):
        raise Refused("workspace.unmade", problems.sentence("unmade", title))
    if verb not in _NEEDS:
        return
    action, needless = _NEEDS[verb]
    # An outdated state forbids nothing: then the provider decides.
    if _is_news(context, workspace) and not workspace.allows(action) and workspace.state not in needless:
        raise Refused("workspace.not_allowed", problems.sentence("not_allowed_now", title))


def find_obstacle(tx: Transaction, context: Context, workspace: Workspace) -> str:
    """Return the obstacle to a workspace's planned stop as things are, "" for none."""
    connection = workspace.connection
    account = accounts.account(tx, workspace.principal, connection)
    away = outages.outages(tx)
    obstacle = find_access_obstacle(account, tx.now(), is_connected=connection in context.connections)
    if obstacle == "sign_in_refused" and f"{connection}{outages.PEOPLE}" in away:
        return "people_out"
    if obstacle or connection in away:
        return obstacle or "unreachable"
    mode = workspace.stop_mode or "stop"
    return find_stop_obstacle(workspace, effects_now(context, workspace), mode)


def _is_news(context: Context, workspace: Workspace) -> bool:
    return (workspace.observed_at or 0.0) >= context.clock.now() - FRESH


def keep_waiting(tx: Transaction, caller: Caller, operation_id: str) -> Operation:
    """Set a new deadline for an open operation; return it, or as it has ended in the meantime.

    The timer that a start was asked for with went when that lapsed: it is set again, from now on.
    """
    operation = operation_of(tx, caller, "keep_waiting", operation_id)
    if not operation.is_open or not caller.is_first_delivery(tx):
        return operation
    kept = operations.keep_waiting(tx, operation.id, caller.context.deadline_seconds)
    workspace = workspaces.workspace(tx, operation.workspace_id)
    if kept is not None and operation.lasts and workspace is not None and workspace.stop_at is None:
        with suppress(Refused):
            timers.put(tx, workspace.id, made(caller.context, workspace, tx.now() + operation.lasts))
        # For as long as was asked for, however often it is kept waiting.
        OPERATIONS.change(tx, {"id": operation.id}, lasts=operation.lasts)
    return kept or operation


def look_again(tx: Transaction, caller: Caller, operation_id: str) -> Operation:
    """Check again right away for what a creation may have made."""
    operation = operation_of(tx, caller, "look_again", operation_id)
    operations.save_step(tx, Update(operation.id, 0.0, keeps_waiting=True))
    return operation


def start_another(tx: Transaction, caller: Caller, operation_id: str) -> tuple[Operation, bool]:
    """Make another one if nobody knows what became of the first; False if that is settled by now."""
    operation = operation_of(tx, caller, "start_another", operation_id)
    workspace = owned(tx, caller, "new", operation.workspace_id)
    provider = caller.context.need(workspace.connection)
    caller.account(tx, workspace.connection)
    check_offered(provider, workspace.spec, caller.principal)
    if not operation.is_asked or not caller.is_first_delivery(tx):
        return operation, False
    is_asked = work_items.repeat(tx, OPERATIONS, operation.id, caller.context.deadline_seconds)
    if is_asked:
        caller.record(tx, "workspace.another", workspace, reference=operation.reference)
    return operation, is_asked


def operation_of(tx: Transaction, caller: Caller, verb: str, operation_id: str) -> Operation:
    """Return an operation of this person; raises Refused (``workspace.unknown``) for any other."""
    operation = operations.operation(tx, operation_id)
    if operation is None:
        raise _unknown()
    caller.check(tx, verb, Target("operation", operation.id, operation.principal))
    return operation


def usual_start(tx: Transaction, caller: Caller, workspace_id: str) -> float | None:
    """Return how many seconds a start of a workspace usually takes, if that is known; raises Refused."""
    return operations.usual_seconds(tx, owned(tx, caller, "eta", workspace_id))


def refresh(tx: Transaction, caller: Caller, workspace_id: str) -> Workspace:
    """Ask for a read through the poll gate, and return the current row with its age."""
    workspace = owned(tx, caller, "status", workspace_id)
    gates.want(tx, workspace.id)
    return workspace


def made(
    context: Context, workspace: Workspace, at: float, mode: StopMode | None = None, *, agreed: bool = False
) -> End:
    """Return a timer for a workspace; without a mode it is stopped so that it can be started again.

    Raises Refused: ``workspace.ends`` if that would end it for good and its person hasn't agreed,
    ``workspace.no_suspend`` or ``workspace.not_allowed`` for what can't be done with it as things are.
    """
    provider, planned = context.need(workspace.connection), effects(context, workspace)
    mode = mode or planned_mode(planned)
    title = provider.settings.title
    if mode == "suspend" and "suspend" not in provider.stop_modes:
        raise Refused("workspace.no_suspend", problems.sentence("no_suspend", title))
    if find_stop_obstacle(workspace, planned, mode):
        raise Refused("workspace.not_allowed", problems.sentence("not_allowed_now", title))
    ends = is_final(planned, mode)
    if ends and not agreed:
        raise Refused("workspace.ends", problems.sentence("not_agreed", title))
    return End(at, mode, ends)


def effects(context: Context, workspace: Workspace) -> Effects:
    """Return what stopping a workspace will do once it is up, also if there is none to stop yet."""
    is_there = not workspace.is_provisional and workspace.state is not State.GONE
    up = workspace if is_there else replace(workspace, remote_id="", state=State.RUNNING, actions=None)
    return context.need(workspace.connection).stops(up)


def set(  # noqa: A001 - read with its module's name
    tx: Transaction, caller: Caller, workspace_id: str, timer: End
) -> Workspace:
    """Set when a workspace is stopped; raises Refused (``workspace.not_up``) if it is down.

    A start that is asked about before it is sent brings nothing up.
    """
    workspace = owned(tx, caller, "stop", workspace_id)
    caller.check_plan(tx, workspace.connection)
    latest = operations.latest_operation(tx, workspace.id) if workspace.is_down else None
    is_open = latest is not None and latest.is_open and not latest.has_lapsed
    is_coming_up = latest is not None and is_open and not latest.verb.brings_down
    if workspace.is_down and not is_coming_up:
        raise Refused("workspace.not_up", problems.sentence("not_up"))
    return _changed(tx, caller, workspace, timer)


def keep(tx: Transaction, caller: Caller, workspace_id: str, *, instead_of: float | None = None) -> Workspace:
    """Take a timer back, or only the one for ``instead_of``; return the workspace as it is then."""
    workspace = owned(tx, caller, "start", workspace_id)
    if workspace.stop_at is None or (instead_of is not None and not workspace.stops_at(instead_of)):
        return workspace
    return _changed(tx, caller, workspace, None)


def add_an_hour(tx: Transaction, caller: Caller, workspace_id: str, instead_of: float) -> Workspace:
    """Move the timer for exactly ``instead_of`` by an hour; return the workspace as it is then."""
    workspace = owned(tx, caller, "start", workspace_id)
    if workspace.stop_mode is None or not workspace.stops_at(instead_of):
        return workspace
    timer = End(instead_of + MORE_SECONDS, workspace.stop_mode, workspace.stop_agreed)
    return _changed(tx, caller, workspace, timer)


def _changed(tx: Transaction, caller: Caller, workspace: Workspace, timer: End | None) -> Workspace:
    if caller.is_first_delivery(tx, "stop"):
        if timer is None:
            timers.clear(tx, workspace.id)
        else:
            timers.put(tx, workspace.id, replace(timer, via=caller.via))
        caller.record(tx, "workspace.timer", workspace, **said(timer))
    return workspaces.workspace(tx, workspace.id) or workspace


def said(timer: End | None) -> dict[str, str]:
    """Return what the audit says about a timer."""
    if timer is None:
        return {"stops": "never"}
    agreed = {"agreed": "yes"} if timer.agreed else {}
    at = datetime.fromtimestamp(timer.at, UTC).isoformat(timespec="seconds")
    return {"stops": at, "mode": timer.mode, **agreed}


def add(tx: Transaction, caller: Caller, connection: str, remote_id: str, name: str | None) -> Workspace:
    """Add a workspace to a person's list by its id at the provider; raises Refused."""
    caller.check(tx, "add")
    before = workspaces.by_remote(tx, caller.principal, connection, remote_id)
    if name is not None:
        _check_free(tx, caller.principal, name, besides=before)
    provider = caller.context.need(connection)
    if provider.links_by("none"):
        # One shared secret opens everybody's, so people may only see what they made here.
        raise Refused("add.not_here", problems.sentence("only_made_here", provider.settings.title))
    caller.account(tx, connection)
    workspace = Workspace(
        id=tx.ids.new("workspace"),
        principal=caller.principal,
        connection=connection,
        remote_id=remote_id,
        gate_key=provider.gate_key(remote_id),
        name=remote_id,
        alias=name,
        origin="added",
    )
    return _listed(tx, caller, workspace, before)


def bring_back(tx: Transaction, caller: Caller, workspace_id: str) -> Workspace:
    """Put a forgotten workspace back on the list."""
    workspace = owned(tx, caller, "add", workspace_id)
    return _listed(tx, caller, replace(workspace, hidden=False), workspace)


def _listed(tx: Transaction, caller: Caller, workspace: Workspace, before: Workspace | None) -> Workspace:
    if not caller.is_first_delivery(tx):
        return before or workspace
    added = workspaces.add(tx, workspace)
    former = before or replace(added, hidden=True, alias=None)
    caller.record(tx, "workspace.add", added, changed((former, added)))
    return added


def alias(tx: Transaction, caller: Caller, workspace_id: str, name: str | None) -> Workspace:
    """Set or clear a person's own name for a workspace; raises Refused when they use it already."""
    workspace = owned(tx, caller, "alias", workspace_id)
    if name is not None:
        _check_free(tx, caller.principal, name, besides=workspace)
    if caller.is_first_delivery(tx):
        workspaces.name(tx, workspace.id, name)
        caller.record(tx, "workspace.alias", workspace)
    return replace(workspace, alias=name)


def forget(tx: Transaction, caller: Caller, workspace_id: str) -> Workspace:
    """Remove a workspace from a person's list; nothing changes at the provider."""
    workspace = owned(tx, caller, "forget", workspace_id)
    if caller.is_first_delivery(tx):
        workspaces.hide(tx, workspace.id)
        caller.record(tx, "workspace.forget", workspace)
    return workspace


def notify(
    tx: Transaction, caller: Caller, workspace_id: str, *, ready: bool | None, stopped: bool | None
) -> Workspace:
    """Set what is sent about one workspace; None: by the person's general settings."""
    workspace = owned(tx, caller, "notify", workspace_id)
    if caller.is_first_delivery(tx):
        workspaces.notify(tx, workspace.id, ready=ready, stopped=stopped)
        said = {None: "usual", True: "on", False: "off"}
        caller.record(tx, "workspace.notify", workspace, ready=said[ready], stopped=said[stopped])
    return replace(workspace, tells_ready=ready, tells_stopped=stopped)


def _check_free(tx: Transaction, principal: Principal, name: str, besides: Workspace | None) -> None:
    """Raise Refused if another workspace of this person has a name already."""
    for other in workspaces.workspaces_of(tx, principal):
        is_taken = name.casefold() in {other.title.casefold(), other.name.casefold()}
        if is_taken and (besides is None or other.id != besides.id):
            raise Refused("alias.taken", problems.sentence("alias_taken"))
