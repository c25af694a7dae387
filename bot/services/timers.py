"""Timers: people say when a workspace of theirs is to be stopped, change that, or take it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from bot.domain.models import Effects, Principal, State, StopMode, Timer, Workspace
from bot.domain.models.stopping import MORE_SECONDS, is_final, planned_mode
from bot.domain.models.workspaces import NOT_UP
from bot.messages.texts import problems
from bot.services.context import Context, Part
from bot.services.making import check_account, entry, unknown
from bot.services.workspaces import Workspaces
from bot.support.errors import Refused


class Timers(Part):
    """Write people's timers into the store; the reconciler carries them out."""

    def __init__(self, context: Context, workspaces: Workspaces) -> None:
        super().__init__(context)
        self._workspaces = workspaces

    def made(
        self, workspace: Workspace, at: float, mode: StopMode | None = None, *, agreed: bool = False
    ) -> Timer:
        """Return a timer for a workspace; without a mode it is stopped so that it can be started again.

        Raises Refused (``workspace.ends``) if that would end it for good and its person hasn't agreed.
        """
        provider, effects = self._provider(workspace.connection), self.effects(workspace)
        mode = mode or planned_mode(effects)
        title = provider.settings.title
        if mode == "suspend" and "suspend" not in provider.stop_modes:
            raise Refused("workspace.no_suspend", problems.sentence("no_suspend", title))
        ends = is_final(effects, mode)
        if ends and not agreed:
            raise Refused("workspace.ends", problems.sentence("not_agreed", title))
        return Timer(at, mode, ends)

    def effects(self, workspace: Workspace) -> Effects:
        """Return what stopping a workspace will do once it is up, also if there is none to stop yet."""
        is_there = not workspace.is_provisional and workspace.state is not State.GONE
        up = workspace if is_there else replace(workspace, remote_id="", state=State.RUNNING, actions=None)
        return self._provider(workspace.connection).stops(up)

    async def set(
        self, principal: Principal, workspace_id: str, timer: Timer, *, interaction: str
    ) -> Workspace:
        """Set when a workspace is stopped; raises Refused (``workspace.not_up``) if it is down."""
        workspace = await self._workspaces.owned(principal, "stop", workspace_id)
        check_account(
            self._provider(workspace.connection), await self._store.account(principal, workspace.connection)
        )
        if workspace.state in NOT_UP and not await self._is_coming_up(workspace):
            raise Refused("workspace.not_up", problems.sentence("not_up"))
        return await self._change(principal, workspace, timer, interaction=interaction)

    async def keep(
        self,
        principal: Principal,
        workspace_id: str,
        *,
        interaction: str,
        instead_of: float | None = None,
    ) -> Workspace:
        """Take a timer back, or only the one for ``instead_of``; return the workspace as it is then."""
        workspace = await self._workspaces.owned(principal, "start", workspace_id)
        return await self._change(principal, workspace, None, interaction=interaction, instead_of=instead_of)

    async def add_an_hour(
        self, principal: Principal, workspace_id: str, instead_of: float, *, interaction: str
    ) -> Workspace:
        """Move the timer for exactly ``instead_of`` by an hour; return the workspace as it is then."""
        workspace = await self._workspaces.owned(principal, "start", workspace_id)
        if workspace.stop_mode is None:
            return workspace
        timer = Timer(instead_of + MORE_SECONDS, workspace.stop_mode, workspace.stop_agreed)
        return await self._change(principal, workspace, timer, interaction=interaction, instead_of=instead_of)

    async def _change(
        self,
        principal: Principal,
        workspace: Workspace,
        timer: Timer | None,
        *,
        interaction: str,
        instead_of: float | None = None,
    ) -> Workspace:
        changed = await self._store.change_timer(
            principal,
            workspace.id,
            timer,
            instead_of=instead_of,
            audit=[entry(principal, "workspace.timer", workspace, **said(timer))],
            interaction=interaction,
        )
        self._wake()
        if changed is None:
            raise unknown()
        return changed

    async def _is_coming_up(self, workspace: Workspace) -> bool:
        latest = await self._store.latest_operation(workspace.id)
        return latest is not None and latest.is_open and not latest.verb.brings_down


def said(timer: Timer | None) -> dict[str, str]:
    """Return what the audit says about a timer."""
    if timer is None:
        return {"stops": "never"}
    agreed = {"agreed": "yes"} if timer.agreed else {}
    at = datetime.fromtimestamp(timer.at, UTC).isoformat(timespec="seconds")
    return {"stops": at, "mode": timer.mode, **agreed}
