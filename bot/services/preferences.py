"""What people want to hear, and what they mean when they don't say: shown, changed, and looked up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.facts import PreferenceFacts
from bot.domain.moments import zone_of
from bot.domain.people import AuditEntry, Preferences, Principal
from bot.domain.workspaces import Workspace
from bot.services.authority import Authority
from bot.services.context import Context, Part
from bot.services.making import entry
from bot.services.workspaces import Workspaces


class PersonalPreferences(Part):
    """Keep people's preferences; a workspace's or connection's that is gone counts as none."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._authority = Authority(context)
        self._owned = Workspaces(context).owned

    async def of(self, principal: Principal) -> Preferences:
        """Return a person's preferences."""
        return await self._store.preferences(principal)

    async def facts(self, principal: Principal, rows: Sequence[Workspace]) -> PreferenceFacts:
        """Return what is shown of a person's preferences, by their workspaces; in Home and on request."""
        wanted = await self.of(principal)
        person = await self._store.person(principal)
        provider = self._connections.get(wanted.connection)
        title = provider.settings.title if provider is not None else ""
        return PreferenceFacts(
            wanted=wanted,
            now=await self._store.now(),
            time_zone=str(zone_of(person.time_zone if person is not None else None)),
            workspace=next((one for one in rows if one.id == wanted.workspace_id), None),
            connection_title=title,
            own=tuple(one for one in rows if (one.tells_ready, one.tells_stopped) != (None, None)),
        )

    async def save(self, principal: Principal, wanted: Preferences, *, interaction: str) -> None:
        """Set a person's preferences."""
        await self._authority.check(principal, "settings")
        audit = [AuditEntry(principal.key, "settings.save", principal.key, "accepted")]
        await self._store.save_preferences(principal, wanted, audit, interaction)

    async def choose(
        self,
        principal: Principal,
        workspace_id: str,
        *,
        ready: bool | None,
        stopped: bool | None,
        interaction: str,
    ) -> Workspace:
        """Set what is sent about one workspace; None: by the person's general settings."""
        workspace = await self._owned(principal, "notify", workspace_id)
        said = {None: "usual", True: "on", False: "off"}
        audit = [entry(principal, "workspace.notify", workspace, ready=said[ready], stopped=said[stopped])]
        await self._store.choose_for_workspace(
            workspace.id, ready=ready, stopped=stopped, audit=audit, interaction=interaction
        )
        return replace(workspace, tells_ready=ready, tells_stopped=stopped)
