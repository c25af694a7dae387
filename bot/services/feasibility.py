"""Checks whether an operation on a workspace is possible, and predicts how a stop would affect it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import cast

from bot.domain.courses import ClassCard
from bot.domain.feasibility import find_access_obstacle, find_stop_obstacle
from bot.domain.operations import Operation, OperationVerb
from bot.domain.plan import FRESH
from bot.domain.stops import NO_EFFECTS, StopEffects, StopMode, choose_restart_mode, is_final
from bot.domain.workspaces import DOWN_OR_FAILED_STATES, UP_STATES, Action, State, Workspace
from bot.providers import facets
from bot.providers.base import Provider
from bot.services.context import Context
from bot.services.creation import check_offered
from bot.store import accounts, outages
from bot.store.transaction import Transaction
from bot.support.errors import Refused

#: Maps operations to the action that the provider must currently allow, and to states in which Usher accepts
#: the operation even if the provider doesn't, because it is already complete or in progress, or can wait.
#: Plain stops and restarts aren't listed, because Usher accepts them at any time.
_NEEDS: dict[OperationVerb, tuple[Action, frozenset[State]]] = {
    OperationVerb.START: ("start", UP_STATES),
    OperationVerb.SUSPEND: ("suspend", DOWN_OR_FAILED_STATES),
    OperationVerb.FORCE: ("force", DOWN_OR_FAILED_STATES),
    OperationVerb.REMOVE: ("remove", frozenset({State.STARTING})),
}
_MODES: dict[OperationVerb, StopMode] = {OperationVerb.STOP: "stop", OperationVerb.FORCE: "force"}


def check_possible(context: Context, workspace: Workspace, verb: OperationVerb) -> None:
    """Raise Refused if the provider or the workspace's last known state doesn't allow an operation."""
    provider = context.need(workspace.connection)
    title = provider.settings.title
    if verb is OperationVerb.CREATE:
        raise Refused("workspace.no_create", cause="no_create", title=title)
    is_able = {
        OperationVerb.SUSPEND: "suspend" in provider.stop_modes,
        OperationVerb.FORCE: "force" in provider.stop_modes,
        OperationVerb.REMOVE: isinstance(provider, facets.Removal),
    }
    if not is_able.get(verb, True):
        raise Refused(f"workspace.no_{verb}", cause=f"no_{verb}", title=title)
    if workspace.is_provisional and verb in (OperationVerb.SUSPEND, OperationVerb.RESTART):
        raise Refused("workspace.unmade", cause="unmade", title=title)
    if not workspace.is_own:
        actions = ("start", "stop") if verb is OperationVerb.RESTART else (verb.value,)
        check_shared(workspace, title, cast(Iterable[Action], actions))
    if verb not in _NEEDS:
        return
    action, needless = _NEEDS[verb]
    # If the known state is out of date, let the provider decide whether the operation is possible, unless it
    # is a kind of stop that the workspace doesn't support.
    is_known = action in provider.stop_modes and workspace.current_state is workspace.state
    is_lacking = is_known and action not in get_stop_effects(context, workspace)
    is_denied = is_lacking or (is_recently_read(context, workspace) and not workspace.allows(action))
    if is_denied and workspace.state not in needless:
        raise Refused("workspace.not_allowed", cause="not_allowed_now", title=title)


def check_shared(workspace: Workspace, title: str, actions: Iterable[Action]) -> None:
    """Raise Refused if a workspace belongs to someone else and doesn't allow all of these actions."""
    if not workspace.is_own and not all(map(workspace.allows, actions)):
        raise Refused("workspace.not_shared", cause="not_shared", title=title)


def find_planned_stop_obstacle(tx: Transaction, context: Context, workspace: Workspace) -> str:
    """Return what currently prevents a workspace's planned stop, or "" if nothing does."""
    connection = workspace.connection
    account = accounts.find_account(tx, workspace.principal, connection)
    away = outages.list_outages(tx)
    obstacle = context.find_absence(connection) or find_access_obstacle(account, tx.now())
    if obstacle == "sign_in_refused" and f"{connection}{outages.PEOPLE}" in away:
        return "people_out"
    if obstacle or connection in away:
        return obstacle or "unreachable"
    mode = workspace.stop_mode or "stop"
    return find_stop_obstacle(workspace, get_stop_effects(context, workspace), mode)


def get_stop_effects(context: Context, workspace: Workspace) -> StopEffects:
    """Return the effects of each stop mode on a workspace. If its connection was removed, there are none."""
    provider = context.connections.get(workspace.connection)
    return {} if provider is None or workspace.is_provisional else provider.stop_effects(workspace)


def predict_stop_effects(context: Context, workspace: Workspace) -> StopEffects:
    """Return the effects of each stop mode on a workspace once it is up. It doesn't have to exist yet."""
    is_there = not workspace.is_provisional and workspace.state is not State.GONE
    up = workspace if is_there else replace(workspace, remote_id="", state=State.RUNNING, actions=None)
    return context.need(workspace.connection).stop_effects(up)


def choose_stop_mode(context: Context, workspace: Workspace, verb: OperationVerb) -> StopMode | None:
    """Return the mode in which an operation stops a workspace.

    Returns None if the operation doesn't stop the workspace, or if it's a restart that keeps the workspace.
    Any other restart irreversibly ends the workspace and creates another from its spec. Raises Refused
    (``workspace.no_restart``, ``workspace.withheld``) if that can't be done either.
    """
    if verb is not OperationVerb.RESTART:
        return _MODES.get(verb)
    if choose_restart_mode(get_stop_effects(context, workspace)) is not None:
        return None
    provider = context.need(workspace.connection)
    if workspace.spec is None or not isinstance(provider, facets.Creation):
        raise Refused("workspace.no_restart", cause="no_restart", title=provider.settings.title)
    check_offered(provider, workspace.spec, workspace.principal)
    return "stop"


def find_final_mode(context: Context, workspace: Workspace, verb: OperationVerb) -> StopMode | None:
    """Return the mode in which an operation irreversibly ends a workspace, or None if it doesn't."""
    try:
        mode = choose_stop_mode(context, workspace, verb)
    except Refused:
        return None
    return mode if mode is not None and is_final(get_stop_effects(context, workspace), mode) else None


def is_final_stop(context: Context, workspace: Workspace, operation: Operation) -> bool:
    """Return whether an operation is a stop that ends its workspace irreversibly."""
    mode = _MODES.get(operation.verb)
    return mode is not None and is_final(get_stop_effects(context, workspace), mode)


def is_recently_read(context: Context, workspace: Workspace) -> bool:
    """Return whether a workspace's state was read recently enough to be relied on."""
    return (workspace.observed_at or 0.0) >= context.clock.now() - FRESH


def predict_class_effects(provider: Provider | None, card: ClassCard) -> StopEffects:
    """Return the effects of stopping the workspaces of a class card. They don't have to exist yet."""
    if provider is None:
        return NO_EFFECTS
    typical = Workspace(
        id="",
        principal=card.principal,
        connection=card.connection,
        remote_id="",
        gate_key="",
        name=card.title,
        state=State.RUNNING,
        spec=card.spec,
    )
    return provider.stop_effects(typical)
