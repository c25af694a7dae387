"""What the store keeps for making things: creations, snapshots, approvals, what people filled in last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

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
        Wish,
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
        instead_of: str = "",
    ) -> Accepted:
        """Write a provisional workspace and the wish to create it, with card, notices, audit and inbox row.

        ``workspace.remote_id`` is ``PROVISIONAL`` and its own id; ``workspace.spec`` says what is to be made.
        Nothing is read for it until it exists. Seen before (``interaction``): the first wish, ``repeated``.
        ``instead_of`` is the id of a workspace of the same person that is forgotten with it, as by
        ``hide_workspace`` (one that is gone, made anew). Raises StoreError when wish and workspace do not
        belong together.
        """

    async def name_created(
        self, wish_id: str, created: Created, gate_key: str, claim: str = ""
    ) -> Workspace | None:
        """Write the id that the provider gave, before anything else can fail; return the workspace.

        In the same transaction: ``start_call`` becomes ACCEPTED, ``read_since`` now, the gate due. One that
        is not ``is_started`` is wished to start from then on, with ``start_call`` NONE. It counts
        also when the wish ended or the workspace was hidden meanwhile: what exists is shown. None when its
        person unlinked meanwhile: then there is no row any more. A row that a list brought in for the same
        remote id becomes this one: its wishes with their cards come along, and of two open wishes the younger
        stays (a start gives way to the creation, which does the same). A second id for one wish gets a row of
        its own, and that one is returned. The step keeps its lease.
        """

    async def renew(
        self, wish_id: str, claim: str, fresh: Workspace, audit: Sequence[AuditEntry] = ()
    ) -> bool:
        """Put a provisional workspace in the place of the one that an open restart has ended.

        In one transaction the old row leaves the list, and the wish becomes one to create the new one, with
        the same card. False, nothing written, when the wish ended meanwhile or another step holds it.
        """

    async def unexplained(
        self, wish_id: str, connection: str, gate_keys: Sequence[str], since: float
    ) -> list[str]:
        """Return which of these gates nobody's record explains, so that only this creation can have made it.

        Empty as soon as any other creation at the connection that was called since then (epoch seconds) has
        no id yet: what is there might be its own. A gate stays for a day after its last watcher, so what
        somebody unlinked is known, too.
        """

    async def creation_of(self, workspace_id: str) -> Wish | None:
        """Return the newest wish to make a workspace, open or ended; None when Usher did not make it."""

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """Write what a provider told; the newer one wins.

        One whose ``owner`` is no account, or one that is being revoked, is dropped.
        """

    async def snapshot(self, connection: str, owner: str, kind: str) -> Snapshot | None:
        """Return what a provider told last."""

    async def remember(
        self, principal: Principal, connection: str, purpose: str, values: Mapping[str, Any]
    ) -> None:
        """Keep what a person filled in, for the next time; an unlink deletes it."""

    async def remembered(self, principal: Principal, connection: str, purpose: str) -> dict[str, Any]:
        """Return what a person filled in last; empty when nothing."""

    async def ask_approval(
        self,
        approval: Approval,
        notices: Sequence[NewNotice] = (),
        audit: Sequence[AuditEntry] = (),
        interaction: str = "",
    ) -> Approval:
        """Write a request (state ``asked``) and return the one that stands.

        One that is still ``asked``, of the same person and connection: with the same username it stays, takes
        ``waiting``, and ``notices`` are not written again; with another username the new one takes its place
        under the new id, so that nobody approves other words than they were shown. A notice's subject of ""
        becomes the id.
        """

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

        Returns None when it stands elsewhere already. ``username`` may be another than the asked one. Who
        decided first stays in ``decided_by``. Raises ValueError for another state.
        """

    async def activate_directly(
        self, activation: Activation, approval_id: str = ""
    ) -> Literal["ok", "gone", "taken"]:
        """Write an account without a link page (approval, import, connections without people).

        Returns ``ok``, or ``taken`` when the username belongs to somebody else there. An account of the same
        pair is replaced as by ``activate``. With ``approval_id`` that request becomes ``linked`` in the same
        transaction; ``gone``, nothing written, when it is not ``approved`` any more.
        """

    async def accounts_of(self, connection: str, username: str) -> list[Account]:
        """Return the accounts that act as a username at a connection; none for ""."""
