"""The store over any engine: links, accounts and what administrators are asked."""
# ruff: noqa: D102 - the Protocol describes the methods

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bot.store import accounts, approvals, links, suspicions
from bot.store.base import HOLD_REFUSED
from bot.store.domain_trade import Trade
from bot.store.transaction import Lane

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.models import Account, Approval, AuditEntry, Link, NewNotice, Principal
    from bot.store.records import Activation, NewTask


class AccountsTrade(Trade):
    """Keep links, accounts and requests."""

    async def new_link(self, link: Link, audit: Sequence[AuditEntry] = ()) -> None:
        await self.engine.write(lambda tx: links.new(tx, link, audit), Lane.URGENT)

    async def link(self, nonce_hash: str) -> Link | None:
        return await self.engine.read(lambda tx: links.link(tx, nonce_hash))

    async def change_link(self, link: Link, expected_stage: str, expected_tries: int) -> bool:
        return await self.engine.write(
            lambda tx: links.change(tx, link, expected_stage, expected_tries), Lane.URGENT
        )

    async def open_link_of(self, principal: Principal, stage: str) -> Link | None:
        return await self.engine.read(lambda tx: links.open_of(tx, principal, stage))

    async def activate(
        self, nonce_hash: str, expected_stage: str, activation: Activation
    ) -> Literal["ok", "gone", "taken"]:
        return await self.engine.write(
            lambda tx: links.activate(tx, nonce_hash, expected_stage, activation), Lane.URGENT
        )

    async def account(self, principal: Principal, connection: str) -> Account | None:
        return await self.engine.read(lambda tx: accounts.account(tx, principal, connection))

    async def account_by_id(self, account_id: str) -> Account | None:
        return await self.engine.read(lambda tx: accounts.by_id(tx, account_id))

    async def accounts(self, principal: Principal) -> list[Account]:
        return await self.engine.read(lambda tx: accounts.all_of(tx, principal))

    async def active_accounts(self, connection: str | None = None) -> list[Account]:
        return await self.engine.read(lambda tx: accounts.active(tx, connection), Lane.STEADY)

    async def unlink(
        self,
        principal: Principal,
        connection: str | None,
        *,
        revocable: Sequence[str],
        cause: str,
        notices: Sequence[NewNotice] = (),
        audit: Sequence[AuditEntry] = (),
        interaction: str = "",
    ) -> list[Account]:
        return await self.engine.write(
            lambda tx: accounts.unlink(
                tx,
                principal,
                connection,
                revocable=revocable,
                cause=cause,
                following=notices,
                entries=audit,
                interaction=interaction,
            ),
            Lane.URGENT,
        )

    async def drop_account(self, account_id: str) -> None:
        await self.engine.write(lambda tx: accounts.drop(tx, account_id))

    async def refuse_account(
        self,
        account_id: str,
        secret: str,
        notice: NewNotice,
        audit: Sequence[AuditEntry],
        *,
        hold: str = HOLD_REFUSED,
    ) -> bool:
        return await self.engine.write(
            lambda tx: accounts.refuse(tx, account_id, secret, notice, audit, hold)
        )

    async def save_secret(self, account_id: str, old: str, new: str, *, is_fresh: bool = False) -> bool:
        return await self.engine.write(
            lambda tx: accounts.save_secret(tx, account_id, old, new, is_fresh=is_fresh)
        )

    async def suspect_account(self, account_id: str, secret: str, audit: Sequence[AuditEntry] = ()) -> bool:
        return await self.engine.write(lambda tx: suspicions.suspect(tx, account_id, secret, audit))

    async def suspects(self) -> list[Account]:
        return await self.engine.read(suspicions.suspects, Lane.STEADY)

    async def claim_look(self, account_id: str, every: float) -> float | None:
        return await self.engine.write(lambda tx: suspicions.claim_look(tx, account_id, every))

    async def count_refusal(
        self, account_id: str, secret: str, seconds: float, least: float, notice: NewNotice | None = None
    ) -> float:
        return await self.engine.write(
            lambda tx: suspicions.count(tx, account_id, secret, seconds, least, notice)
        )

    async def trust_account(self, account_id: str, secret: str) -> bool:
        return await self.engine.write(lambda tx: suspicions.accept(tx, account_id, secret))

    async def suspicion_totals(self, since: float, enough: int) -> Mapping[str, tuple[int, int]]:
        return await self.engine.read(lambda tx: suspicions.totals(tx, since, enough), Lane.STEADY)

    async def activate_directly(
        self, activation: Activation, approval_id: str = ""
    ) -> Literal["ok", "gone", "taken"]:
        return await self.engine.write(
            lambda tx: links.activate_directly(tx, activation, approval_id), Lane.URGENT
        )

    async def accounts_of(self, connection: str, username: str) -> list[Account]:
        return await self.engine.read(lambda tx: accounts.acting_as(tx, connection, username))

    async def ask_approval(
        self,
        approval: Approval,
        notices: Sequence[NewNotice] = (),
        audit: Sequence[AuditEntry] = (),
        interaction: str = "",
    ) -> Approval:
        return await self.engine.write(
            lambda tx: approvals.ask(tx, approval, notices, audit, interaction), Lane.URGENT
        )

    async def approval(self, approval_id: str) -> Approval | None:
        return await self.engine.read(lambda tx: approvals.approval(tx, approval_id))

    async def decide_approval(
        self,
        approval_id: str,
        state: str,
        decided_by: str,
        *,
        username: str | None = None,
        detail: str | None = None,
        tasks: Sequence[NewTask] = (),
        notices: Sequence[NewNotice] = (),
        audit: Sequence[AuditEntry] = (),
        interaction: str = "",
    ) -> Approval | None:
        return await self.engine.write(
            lambda tx: approvals.decide(
                tx,
                approval_id,
                state,
                decided_by,
                username=username,
                detail=detail,
                then=tasks,
                following=notices,
                entries=audit,
                interaction=interaction,
            ),
            Lane.URGENT,
        )
