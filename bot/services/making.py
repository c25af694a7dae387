"""Creating workspaces: a new one, or a replacement for one that is gone, each as an operation."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.forms import Purpose, Spec
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Account, AuditEntry, Principal
from bot.domain.policy import Target
from bot.domain.workspaces import PROVISIONAL, OperationVerb, State, Timer, Workspace
from bot.messages.texts import problems
from bot.providers import base
from bot.providers.base import Provider
from bot.services.accounts import Accounts
from bot.services.asked import Asked
from bot.services.authority import Authority
from bot.services.context import Context, Part
from bot.store import workspaces
from bot.store.records import Accepted, NewOperation
from bot.store.transaction import Transaction
from bot.support.clock import Ids
from bot.support.errors import NotLinked, Refused


class Making(Part):
    """Write creations into the store; ``wake`` tells the background work that there is something to do."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._authority = Authority(context)
        self._accounts = Accounts(context)
        self._deadline_seconds = context.deadline_seconds

    async def create(
        self,
        principal: Principal,
        connection: str,
        spec: Spec,
        *,
        interaction: str,
        reference: str,
        channel_id: str | None = None,
    ) -> Accepted:
        """Ask for a workspace to be made from its provider's ``spec`` and started.

        Raises NotLinked and Refused (``policy.…``, ``connection.gone``, ``workspace.no_create``,
        ``workspace.withheld``).
        """
        await self._authority.check(principal, "create")
        return await self._accept(
            unmade(self._ids, self._provider(connection), principal, spec),
            interaction,
            reference,
            channel_id,
        )

    async def again(
        self,
        principal: Principal,
        workspace_id: str,
        *,
        reference: str,
        channel_id: str | None = None,
        timer: Timer | None = None,
    ) -> Accepted:
        """Ask for another workspace like one that is gone or was never made; its row replaces the old one.

        Each workspace is replaced once, however often this is called. Raises Refused as ``create`` does, and
        ``workspace.unknown``, ``workspace.no_spec``, ``workspace.still_there``, ``workspace.unmade``.
        """
        former = await self._store.workspace(workspace_id)
        if former is None:
            raise unknown()
        await self._authority.check(principal, "create", Target("workspace", former.id, former.principal))
        title = self._provider(former.connection).settings.title
        if former.spec is None:
            raise Refused("workspace.no_spec", problems.sentence("no_spec", title))
        if former.is_provisional:
            operation = await self._store.latest_operation(former.id)
            if operation is not None and operation.is_open and operation.verb is OperationVerb.CREATE:
                return Accepted(operation, joined=True)
            if operation is not None and operation.is_open:
                raise Refused("workspace.unmade", problems.sentence("unmade", title))
        elif former.state is not State.GONE:
            raise Refused("workspace.still_there", problems.sentence("still_there", title))
        fresh = another(self._ids, self._provider(former.connection), former)
        return await self._accept(fresh, f"again:{former.id}", reference, channel_id, former.id, timer)

    async def _accept(
        self,
        workspace: Workspace,
        interaction: str,
        reference: str,
        channel_id: str | None,
        instead_of: str = "",
        timer: Timer | None = None,
    ) -> Accepted:
        principal, provider = workspace.principal, self._provider(workspace.connection)
        if not isinstance(provider, base.Making):
            raise Refused("workspace.no_create", problems.sentence("no_create", provider.settings.title))
        check_offered(provider, workspace.spec, principal)
        account = await self._accounts.acting(principal, workspace.connection)
        check_account(provider, account)
        new = NewOperation(
            principal=principal,
            workspace_id=workspace.id,
            connection=workspace.connection,
            verb=OperationVerb.CREATE,
            deadline_seconds=self._deadline_seconds,
            reference=reference,
            channel_id=channel_id,
            timer=timer,
        )
        accepted = await self._store.accept_creation(
            workspace,
            new,
            interaction=interaction,
            notices=[NewNotice("", NoticeKind.CARD, "1", principal, {"channel_id": channel_id})],
            audit=[entry(principal, "workspace.create", workspace, reference=reference)],
            instead_of=instead_of,
        )
        self._wake()
        return accepted


def unmade(ids: Ids, provider: Provider, principal: Principal, spec: Spec) -> Workspace:
    """Return the row of a workspace to be made from a spec."""
    fresh = ids.new("workspace")
    return Workspace(
        id=fresh,
        principal=principal,
        connection=provider.settings.name,
        remote_id=f"{PROVISIONAL}{fresh}",
        gate_key=f"{provider.settings.base_url}#{PROVISIONAL}{fresh}",
        name=spec.name or spec.stem or "workspace",
        origin="added",
        spec=spec,
    )


def another(ids: Ids, provider: Provider, former: Workspace) -> Workspace:
    """Return the row of a replacement for a workspace that has ended, with the same name.

    If Usher named one that was never made, a free name is looked for again.
    """
    spec = former.spec or Spec(former.name)
    if former.is_provisional and spec.stem:
        return replace(unmade(ids, provider, former.principal, replace(spec, name="")), alias=former.alias)
    fresh = unmade(ids, provider, former.principal, spec)
    return replace(fresh, name=former.name, alias=former.alias)


def check_account(provider: Provider, account: Account | None) -> Account:
    """Return the account; raises NotLinked unless it is usable."""
    name, title = provider.settings.name, provider.settings.title
    if account is None or account.state == "revoking":
        raise NotLinked(name, problems.sentence("unlinked", title))
    if account.state == "refused":
        raise NotLinked(name, problems.sentence(account.refusal, title), is_refused=True)
    return account


def check_offered(
    provider: Provider, spec: Spec | None, principal: Principal, purpose: Purpose = "workspace"
) -> None:
    """Raise Refused (``workspace.withheld``, ``job.withheld``) for what is by now reserved for others."""
    if spec is not None and provider.withholds(spec, principal):
        raise Refused(f"{purpose}.withheld", problems.sentence("withheld", provider.settings.title))


def unknown() -> Refused:
    """Return the refusal that doesn't reveal whether it means *none* or *not yours*."""
    return Refused("workspace.unknown", problems.sentence("not_owner"))


def owned(tx: Transaction, asked: Asked, verb: str, workspace_id: str) -> Workspace:
    """Return a workspace of this person; raises Refused, the same for *none* and *not yours*."""
    workspace = workspaces.workspace(tx, workspace_id)
    if workspace is None:
        raise unknown()
    asked.check(tx, verb, Target("workspace", workspace.id, workspace.principal))
    asked.context.provider(workspace.connection)
    return workspace


def note(tx: Transaction, asked: Asked, action: str, workspace: Workspace, **detail: str) -> None:
    """Write the audit row of what a person asks for on a workspace."""
    target = f"{workspace.connection}/{workspace.remote_id}"
    asked.note(tx, action, target, **detail, workspace=workspace.id)


def entry(principal: Principal, action: str, workspace: Workspace, **detail: str) -> AuditEntry:
    """Return the audit row for what a person asks for on a workspace."""
    detail |= {"workspace": workspace.id}
    target = f"{workspace.connection}/{workspace.remote_id}"
    return AuditEntry(actor=principal.key, action=action, target=target, result="accepted", detail=detail)
