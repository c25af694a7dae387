"""The store over any engine: workspaces, wishes, creations and the poll gate."""
# ruff: noqa: D102 - the Protocol describes the methods

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from bot.store import accounts, creations, gates, snapshots, wishes, workspaces
from bot.store.domain_trade import Trade
from bot.store.transaction import Lane

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.models import (
        Account,
        AuditEntry,
        Created,
        NewNotice,
        Principal,
        ReadClaim,
        ReadResult,
        Snapshot,
        Wish,
        Workspace,
    )
    from bot.store.records import Accepted, FoundWorkspace, NewWish, WishStep, WishUpdate
    from bot.store.transaction import Transaction

#: Results of reads per transaction: about ten milliseconds.
_RECORDS_AT_ONCE = 100


class WorkspacesTrade(Trade):
    """Keep workspaces, what people wish for them, how they are made, and who reads them when."""

    async def workspaces(
        self, principal: Principal, *, connection: str | None = None, hidden: bool = False
    ) -> list[Workspace]:
        return await self.engine.read(lambda tx: workspaces.all_of(tx, principal, connection, hidden=hidden))

    async def workspace(self, workspace_id: str) -> Workspace | None:
        return await self.engine.read(lambda tx: workspaces.workspace(tx, workspace_id))

    async def workspace_and_account(self, workspace_id: str) -> tuple[Workspace, Account | None] | None:
        def both(tx: Transaction) -> tuple[Workspace, Account | None] | None:
            workspace = workspaces.workspace(tx, workspace_id)
            if workspace is None:
                return None
            return workspace, accounts.account(tx, workspace.principal, workspace.connection)

        return await self.engine.read(both)

    async def merge_discovered(
        self,
        account_id: str,
        found: Sequence[FoundWorkspace],
        audit: Sequence[AuditEntry] = (),
        *,
        is_whole: bool = True,
    ) -> int:
        listed = frozenset(one.remote_id for one in found)
        merge = workspaces.Merge(account_id, found, listed, is_whole, audit)
        while not merge.is_over:
            work = partial(workspaces.merge, merge=merge)
            merge = await self.engine.write(work, rows=workspaces.PIECE)
        return merge.new

    async def add_workspace(
        self, workspace: Workspace, audit: Sequence[AuditEntry] = (), interaction: str = ""
    ) -> Workspace:
        return await self.engine.write(
            lambda tx: workspaces.add(tx, workspace, audit, interaction), Lane.URGENT
        )

    async def name_workspace(
        self,
        workspace_id: str,
        alias: str | None,
        audit: Sequence[AuditEntry] = (),
        interaction: str = "",
    ) -> None:
        await self.engine.write(
            lambda tx: workspaces.name(tx, workspace_id, alias, audit, interaction), Lane.URGENT
        )

    async def hide_workspace(
        self, workspace_id: str, audit: Sequence[AuditEntry] = (), interaction: str = ""
    ) -> None:
        await self.engine.write(lambda tx: workspaces.hide(tx, workspace_id, audit, interaction), Lane.URGENT)

    async def usual_seconds(self, workspace_id: str) -> float | None:
        return await self.engine.read(lambda tx: workspaces.usual_seconds(tx, workspace_id))

    async def accept_wish(
        self,
        new: NewWish,
        *,
        interaction: str,
        notices: Sequence[NewNotice] = (),
        audit: Sequence[AuditEntry] = (),
    ) -> Accepted:
        return await self.engine.write(
            lambda tx: wishes.accept(tx, new, interaction, notices, audit), Lane.URGENT
        )

    async def keep_waiting(self, wish_id: str, deadline_seconds: float, interaction: str) -> Wish | None:
        return await self.engine.write(
            lambda tx: wishes.keep_waiting(tx, wish_id, deadline_seconds, interaction), Lane.URGENT
        )

    async def make_another(self, wish_id: str, interaction: str, audit: Sequence[AuditEntry] = ()) -> bool:
        return await self.engine.write(
            lambda tx: wishes.make_another(tx, wish_id, interaction, audit), Lane.URGENT
        )

    async def wish(self, wish_id: str) -> Wish | None:
        return await self.engine.read(lambda tx: wishes.wish(tx, wish_id))

    async def latest_wish(self, workspace_id: str) -> Wish | None:
        return await self.engine.read(lambda tx: wishes.latest(tx, workspace_id))

    async def creation_of(self, workspace_id: str) -> Wish | None:
        return await self.engine.read(lambda tx: wishes.creation_of(tx, workspace_id))

    async def open_wishes(self, principal: Principal) -> list[Wish]:
        return await self.engine.read(lambda tx: wishes.open_ones(tx, principal))

    async def claim_wishes(self, limit: int, lease: float) -> list[WishStep]:
        return await self.engine.write(lambda tx: wishes.claim(tx, limit, lease))

    async def save_step(self, update: WishUpdate) -> bool:
        return await self.engine.write(lambda tx: wishes.save(tx, update))

    async def want_read(self, workspace_id: str) -> None:
        await self.engine.write(lambda tx: gates.want(tx, workspace_id), Lane.URGENT)

    async def claim_reads(
        self, connection: str, limit: int, interval: float, margin: float, together: int = 1
    ) -> list[ReadClaim]:
        return await self.engine.write(
            lambda tx: gates.claim(tx, connection, limit, interval, margin, together)
        )

    async def record_reads(self, results: Sequence[ReadResult]) -> bool:
        is_news = False
        for first in range(0, len(results), _RECORDS_AT_ONCE):
            some = results[first : first + _RECORDS_AT_ONCE]
            work = partial(gates.record, results=some)
            is_news |= await self.engine.write(work, Lane.RECORDS, rows=len(some))
        return is_news

    async def accept_creation(
        self,
        workspace: Workspace,
        new: NewWish,
        *,
        interaction: str,
        notices: Sequence[NewNotice] = (),
        audit: Sequence[AuditEntry] = (),
        instead_of: str = "",
    ) -> Accepted:
        return await self.engine.write(
            lambda tx: creations.accept(tx, workspace, new, interaction, notices, audit, instead_of),
            Lane.URGENT,
        )

    async def renew(
        self, wish_id: str, claim: str, fresh: Workspace, audit: Sequence[AuditEntry] = ()
    ) -> bool:
        return await self.engine.write(lambda tx: creations.renew(tx, wish_id, claim, fresh, audit))

    async def name_created(
        self, wish_id: str, created: Created, gate_key: str, claim: str = ""
    ) -> Workspace | None:
        return await self.engine.write(lambda tx: creations.name(tx, wish_id, created, gate_key, claim))

    async def unexplained(
        self, wish_id: str, connection: str, gate_keys: Sequence[str], since: float
    ) -> list[str]:
        return await self.engine.read(
            lambda tx: creations.unexplained(tx, wish_id, connection, gate_keys, since), Lane.STEADY
        )

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        await self.engine.write(lambda tx: snapshots.save(tx, snapshot))

    async def snapshot(self, connection: str, owner: str, kind: str) -> Snapshot | None:
        return await self.engine.read(lambda tx: snapshots.snapshot(tx, connection, owner, kind))

    async def remember(
        self, principal: Principal, connection: str, purpose: str, values: Mapping[str, Any]
    ) -> None:
        await self.engine.write(
            lambda tx: snapshots.remember(tx, principal, connection, purpose, values), Lane.URGENT
        )

    async def remembered(self, principal: Principal, connection: str, purpose: str) -> dict[str, Any]:
        return await self.engine.read(lambda tx: snapshots.remembered(tx, principal, connection, purpose))
