"""The store over any engine: every method of the Protocol as one transaction of the domain's logic."""
# ruff: noqa: D102 - the Protocol describes the methods

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from bot.store import (
    accounts,
    audit,
    cards,
    gates,
    links,
    notices,
    outages,
    people,
    tasks,
    upkeep,
    wishes,
    workspaces,
)
from bot.store.base import HOLD_REFUSED
from bot.store.known import KnownPeople
from bot.store.transaction import Lane

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.models import (
        Account,
        AuditEntry,
        Card,
        Link,
        NewNotice,
        Notice,
        Person,
        Principal,
        ReadClaim,
        ReadResult,
        Task,
        Wish,
        Workspace,
    )
    from bot.store.records import (
        Accepted,
        Activation,
        FoundWorkspace,
        NewTask,
        NewWish,
        WishStep,
        WishUpdate,
    )
    from bot.store.transaction import Engine, Transaction

#: Results of reads per transaction: about ten milliseconds.
_RECORDS_AT_ONCE = 100


class DomainStore:
    """Keep everything that must outlive the process, in the database of an engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._known = KnownPeople(engine.now)

    # -- itself --------------------------------------------------------------------------------------------

    async def migrate(self) -> list[str]:
        return await self.engine.migrate()

    async def now(self) -> float:
        return self.engine.now()

    async def close(self) -> None:
        await self.engine.close()

    async def statistics(self) -> Mapping[str, int]:
        return await self.engine.read(upkeep.statistics, Lane.STEADY)

    async def sweep(self) -> None:
        for query in upkeep.SWEEPS:
            while await self.engine.write(partial(upkeep.sweep_aged, query=query)):
                pass
        for sweep in (upkeep.sweep_wishes, upkeep.sweep_gates):
            after: str | None = ""
            while after is not None:
                after = await self.engine.write(partial(sweep, after=after))

    # -- inbox, people, audit --------------------------------------------------------------------------------

    async def first_sight(self, interaction: str) -> bool:
        return await self.engine.write(lambda tx: people.first_sight(tx, interaction), Lane.URGENT)

    async def person(self, principal: Principal) -> Person | None:
        known = self._known.find(principal)
        if known is None:
            mark = self._known.mark
            known = await self.engine.read(lambda tx: people.person(tx, principal))
            self._known.keep(known, mark)
        return known

    async def save_people(self, people_: Sequence[Person]) -> None:
        try:
            await self.engine.write(lambda tx: people.save(tx, people_))
        finally:
            self._known.forget()

    async def append_audit(self, entries: Sequence[AuditEntry]) -> None:
        await self.engine.write(lambda tx: audit.append(tx, entries), Lane.URGENT)

    async def audit_entries(self, after: int = 0, limit: int = 1000) -> list[Mapping[str, Any]]:
        return await self.engine.read(lambda tx: audit.entries(tx, after, limit), Lane.STEADY)

    async def audit_head(self) -> tuple[int, str]:
        return await self.engine.read(audit.head, Lane.STEADY)

    # -- outages ---------------------------------------------------------------------------------------------

    async def outages(self) -> Mapping[str, float]:
        return await self.engine.read(outages.standing, Lane.STEADY)

    async def begin_outage(self, connection: str, since: float, notices: Sequence[NewNotice] = ()) -> float:
        return await self.engine.write(lambda tx: outages.begin(tx, connection, since, notices))

    async def end_outage(self, connection: str, notices: Sequence[NewNotice] = ()) -> bool:
        return await self.engine.write(lambda tx: outages.end(tx, connection, notices))

    # -- links and accounts ---------------------------------------------------------------------------------

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

    async def save_secret(self, account_id: str, old: str, new: str) -> bool:
        return await self.engine.write(lambda tx: accounts.save_secret(tx, account_id, old, new))

    # -- workspaces ------------------------------------------------------------------------------------------

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
        self, account_id: str, found: Sequence[FoundWorkspace], audit: Sequence[AuditEntry] = ()
    ) -> int:
        return await self.engine.write(lambda tx: workspaces.merge(tx, account_id, found, audit))

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

    # -- wishes ----------------------------------------------------------------------------------------------

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

    async def wish(self, wish_id: str) -> Wish | None:
        return await self.engine.read(lambda tx: wishes.wish(tx, wish_id))

    async def latest_wish(self, workspace_id: str) -> Wish | None:
        return await self.engine.read(lambda tx: wishes.latest(tx, workspace_id))

    async def open_wishes(self, principal: Principal) -> list[Wish]:
        return await self.engine.read(lambda tx: wishes.open_ones(tx, principal))

    async def claim_wishes(self, limit: int, lease: float) -> list[WishStep]:
        return await self.engine.write(lambda tx: wishes.claim(tx, limit, lease))

    async def save_step(self, update: WishUpdate) -> bool:
        return await self.engine.write(lambda tx: wishes.save(tx, update))

    # -- the poll gate ---------------------------------------------------------------------------------------

    async def want_read(self, workspace_id: str) -> None:
        await self.engine.write(lambda tx: gates.want(tx, workspace_id), Lane.URGENT)

    async def claim_reads(
        self, connection: str, limit: int, interval: float, margin: float
    ) -> list[ReadClaim]:
        return await self.engine.write(lambda tx: gates.claim(tx, connection, limit, interval, margin))

    async def record_reads(self, results: Sequence[ReadResult]) -> None:
        for first in range(0, len(results), _RECORDS_AT_ONCE):
            some = results[first : first + _RECORDS_AT_ONCE]
            await self.engine.write(partial(gates.record, results=some), Lane.RECORDS, rows=len(some))

    # -- notices and cards -----------------------------------------------------------------------------------

    async def add_notices(self, notices_: Sequence[NewNotice]) -> None:
        await self.engine.write(lambda tx: notices.add(tx, notices_), Lane.URGENT)

    async def claim_notices(
        self, limit: int, lease: float, classes: Sequence[int] = (0, 1, 2, 3)
    ) -> list[Notice]:
        return await self.engine.write(lambda tx: notices.claim(tx, limit, lease, classes))

    async def notice_sent(self, notice_id: str, channel_id: str, message_ts: str) -> None:
        await self.engine.write(lambda tx: notices.sent(tx, notice_id, channel_id, message_ts))

    async def notice_retry(
        self, notice_id: str, due_in: float, *, error: str, unknown_since: float | None = None
    ) -> None:
        await self.engine.write(
            lambda tx: notices.retry(tx, notice_id, due_in, error=error, unknown_since=unknown_since)
        )

    async def notice_dead(self, notice_id: str, error: str) -> None:
        await self.engine.write(lambda tx: notices.dead(tx, notice_id, error))

    async def dead_notices(self, limit: int = 50) -> list[Notice]:
        return await self.engine.read(lambda tx: notices.dead_ones(tx, limit), Lane.STEADY)

    async def claim_cards(self, limit: int, min_interval: float, lease: float) -> list[Card]:
        return await self.engine.write(lambda tx: cards.claim(tx, limit, min_interval, lease))

    async def card_updated(self, wish_id: str, claimed: Card) -> None:
        await self.engine.write(lambda tx: cards.updated(tx, wish_id, claimed))

    async def card_retry(self, wish_id: str, due_in: float) -> None:
        await self.engine.write(lambda tx: cards.retry(tx, wish_id, due_in))

    async def card_lost(self, wish_id: str) -> None:
        await self.engine.write(lambda tx: cards.lost(tx, wish_id))

    async def card(self, wish_id: str) -> Card | None:
        return await self.engine.read(lambda tx: cards.card(tx, wish_id))

    async def known_channel(self, principal: Principal) -> str | None:
        return await self.engine.read(lambda tx: notices.known_channel(tx, principal))

    # -- tasks -----------------------------------------------------------------------------------------------

    async def add_tasks(self, tasks_: Sequence[NewTask], interaction: str = "") -> None:
        await self.engine.write(lambda tx: tasks.add(tx, tasks_, interaction), Lane.URGENT)

    async def claim_tasks(self, limit: int, lease: float) -> list[Task]:
        return await self.engine.write(lambda tx: tasks.claim(tx, limit, lease))

    async def task_done(
        self, task_id: str, *, then: Sequence[NewTask] = (), notices: Sequence[NewNotice] = ()
    ) -> None:
        await self.engine.write(lambda tx: tasks.done(tx, task_id, then, notices))

    async def task_retry(self, task_id: str, due_in: float) -> None:
        await self.engine.write(lambda tx: tasks.retry(tx, task_id, due_in))
