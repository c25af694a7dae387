"""What the store keeps for making things: creations, snapshots, approvals, what people filled in last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.models import (
        Account,
        Approval,
        AuditEntry,
        Created,
        NewNotice,
        Principal,
        Snapshot,
        Workspace,
    )
    from bot.store.records import Accepted, Activation, NewTask, NewWish


class MakingStore(Protocol):
    """Keep what is made through Usher; a part of ``Store``."""

    async def accept_creation(
        self,
        workspace: Workspace,
        new: NewWish,
        *,
        interaction: str,
        notices: Sequence[NewNotice] = (),
        audit: Sequence[AuditEntry] = (),
    ) -> Accepted:
        """Write a provisional workspace and the wish to create it, with card, notices, audit and inbox row.

        ``workspace.remote_id`` is ``PROVISIONAL`` and its own id; ``workspace.spec`` says what is to be made.
        Nothing is read for it until it exists. Seen before (``interaction``): the first wish, ``repeated``.
        """

    async def name_created(self, wish_id: str, created: Created, gate_key: str, claim: str = "") -> Workspace:
        """Write the id that the provider gave, before anything else can fail; return the workspace.

        In the same transaction: ``start_call`` becomes ACCEPTED, ``read_since`` now, the gate due. It counts
        also when the wish ended meanwhile: what exists is shown. A row that a list brought in for the same
        remote id meanwhile becomes this one.
        """

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """Write what a provider told; the newer one wins."""

    async def snapshot(self, connection: str, owner: str, kind: str) -> Snapshot | None:
        """Return what a provider told last."""

    async def remember(
        self, principal: Principal, connection: str, purpose: str, values: Mapping[str, Any]
    ) -> None:
        """Keep what a person filled in, for the next time."""

    async def remembered(self, principal: Principal, connection: str, purpose: str) -> dict[str, Any]:
        """Return what a person filled in last; empty when nothing."""

    async def ask_approval(
        self,
        approval: Approval,
        notices: Sequence[NewNotice] = (),
        audit: Sequence[AuditEntry] = (),
        interaction: str = "",
    ) -> Approval:
        """Write a request; an open one of the same person and connection takes the new words instead."""

    async def approval(self, approval_id: str) -> Approval | None:
        """Return one request."""

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
        """Move a request on: ``asked`` → ``approved`` or ``denied``; ``approved`` → ``linked`` or ``failed``.

        Returns None when it stands elsewhere already. ``username`` may be another than the asked one.
        """

    async def activate_directly(self, activation: Activation) -> str:
        """Write an account without a link page (approval, import, connections without people).

        Returns ``ok``, or ``taken`` when the username belongs to somebody else there. An account of the same
        pair is replaced as by ``activate``.
        """

    async def accounts_of(self, connection: str, username: str) -> list[Account]:
        """Return the accounts that act as a username at a connection."""
