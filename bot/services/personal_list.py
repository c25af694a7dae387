"""What a person keeps on their list of workspaces, and under which names; the provider learns none of it."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.people import Principal
from bot.domain.workspaces import Workspace
from bot.messages.texts import problems
from bot.services.authority import Authority
from bot.services.context import Context, Part
from bot.services.making import check_account, entry
from bot.services.workspaces import Workspaces
from bot.support.errors import Refused


class PersonalList(Part):
    """Add workspaces to a person's list, name and remove them."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._authority = Authority(context)
        self._owned = Workspaces(context).owned

    async def add(
        self, principal: Principal, connection: str, remote_id: str, name: str | None, *, interaction: str
    ) -> Workspace:
        """Add a workspace to a person's list by its id at the provider."""
        await self._authority.check(principal, "add")
        if name is not None:
            await self._check_alias(principal, name, besides=None)
        provider = self._provider(connection)
        if provider.links_by("none"):
            # One shared secret opens everybody's, so people may only see what they made here.
            raise Refused("add.not_here", problems.sentence("only_made_here", provider.settings.title))
        workspace = Workspace(
            id=self._ids.new("workspace"),
            principal=principal,
            connection=connection,
            remote_id=remote_id,
            gate_key=provider.gate_key(remote_id),
            name=remote_id,
            alias=name,
            origin="added",
        )
        account = await self._store.account(principal, connection)
        check_account(provider, account)
        audit = [entry(principal, "workspace.add", workspace)]
        added = await self._store.add_workspace(workspace, audit, interaction)
        self._wake()
        return added

    async def bring_back(self, principal: Principal, workspace_id: str, *, interaction: str) -> Workspace:
        """Put a forgotten workspace back on the list."""
        workspace = await self._owned(principal, "add", workspace_id)
        audit = [entry(principal, "workspace.add", workspace)]
        added = await self._store.add_workspace(replace(workspace, hidden=False), audit, interaction)
        self._wake()
        return added

    async def alias(
        self, principal: Principal, workspace_id: str, alias: str | None, *, interaction: str
    ) -> Workspace:
        """Set or clear a person's own name for a workspace; raises Refused when they use it already."""
        workspace = await self._owned(principal, "alias", workspace_id)
        if alias is not None:
            await self._check_alias(principal, alias, besides=workspace.id)
        audit = [entry(principal, "workspace.alias", workspace)]
        await self._store.name_workspace(workspace.id, alias, audit, interaction)
        return replace(workspace, alias=alias)

    async def forget(self, principal: Principal, workspace_id: str, *, interaction: str) -> Workspace:
        """Remove a workspace from a person's list; nothing changes at the provider."""
        workspace = await self._owned(principal, "forget", workspace_id)
        audit = [entry(principal, "workspace.forget", workspace)]
        await self._store.hide_workspace(workspace.id, audit, interaction)
        self._wake()
        return workspace

    async def _check_alias(self, principal: Principal, alias: str, besides: str | None) -> None:
        for other in await self._store.workspaces(principal):
            taken = {other.title.casefold(), other.name.casefold()}
            if other.id != besides and alias.casefold() in taken:
                raise Refused("alias.taken", problems.sentence("alias_taken"))
