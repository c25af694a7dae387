"""The store in domain words: one Protocol, one schema, one ``queries.sql``; engines differ, meaning does not.

Every method is one transaction, atomic and durable when it returns; only lists are merged piece by piece, in
several. All raise StoreBusy when they could not commit in time (2 s for what a person waits for, 10 s for the
rest; rolled back, nothing happened and nothing will) and StoreUnavailable when the database can't be used.
``interaction`` is the inbox key of what a person did ("" for none): the row is written in the same
transaction, and a method that finds it there already changes nothing and says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

from bot.store.base_suspicions import SuspicionStore
from bot.store.browsing import BrowsingStore
from bot.store.making import MakingStore
from bot.store.process import ProcessStore
from bot.store.records import (
    Accepted,
    Activation,
    FoundWorkspace,
    NewTask,
    NewWish,
    WishStep,
    WishUpdate,
)
from bot.store.running import JobStore
from bot.store.teaching import ClassStore
from bot.store.watching import WatchStore

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

__all__ = [
    "HOLD_REFUSED",
    "Accepted",
    "Activation",
    "FoundWorkspace",
    "NewTask",
    "NewWish",
    "Store",
    "WishStep",
    "WishUpdate",
]

#: What holds up the open wishes of an account that the provider refused, unless the caller words it itself.
HOLD_REFUSED = "Your account there is refused. It goes on as soon as you link it again."


class Store(
    ProcessStore, MakingStore, BrowsingStore, JobStore, WatchStore, ClassStore, SuspicionStore, Protocol
):
    """Keep everything that must outlive the process."""

    # -- inbox, people, audit --------------------------------------------------------------------------------

    async def first_sight(self, interaction: str) -> bool:
        """Write an inbox row; say whether it was new. For interactions that write nothing else."""

    async def person(self, principal: Principal) -> Person | None:
        """Return what is known of a person."""

    async def save_people(self, people: Sequence[Person]) -> None:
        """Write people; the newer ``seen_at`` wins."""

    async def append_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Append audit rows with their hash chain."""

    async def audit_entries(self, after: int = 0, limit: int = 1000) -> list[Mapping[str, Any]]:
        """Return audit rows in order.

        Keys: seq, at, actor, action, target, result, detail (JSON), previous_hash, hash.
        """

    async def audit_head(self) -> tuple[int, str]:
        """Return how many audit rows there are and the hash of the last ("" when there is none)."""

    # -- outages ---------------------------------------------------------------------------------------------

    async def outages(self) -> Mapping[str, float]:
        """Return since when (epoch seconds) which connections do not answer."""

    async def begin_outage(self, connection: str, since: float, notices: Sequence[NewNotice] = ()) -> float:
        """Write an outage with its notices; return since when it stands.

        When another process wrote it before, nothing is written.
        """

    async def end_outage(self, connection: str, notices: Sequence[NewNotice] = ()) -> bool:
        """End an outage and write its notices; False, nothing written, when it was over already."""

    # -- links and accounts ---------------------------------------------------------------------------------

    async def new_link(self, link: Link, audit: Sequence[AuditEntry] = ()) -> None:
        """Write a fresh link; older unused ones of the same principal and connection expire at once."""

    async def link(self, nonce_hash: str) -> Link | None:
        """Return a link, used or expired ones too (they are kept for a day, for honest answers)."""

    async def change_link(self, link: Link, expected_stage: str, expected_tries: int) -> bool:
        """Write a link's new stage when it is unexpired and still stands in ``expected_stage``.

        It must also still have ``expected_tries`` as its ``tries_left``, so of many guesses at once each
        costs a try of its own. Returns False when another was first.
        """

    async def open_link_of(self, principal: Principal, stage: str) -> Link | None:
        """Return the newest unexpired link of a principal in a stage (for the code typed back)."""

    async def activate(
        self, nonce_hash: str, expected_stage: str, activation: Activation
    ) -> Literal["ok", "gone", "taken"]:
        """Consume a link and write its account, atomically.

        ``gone`` when it was used or ran out meanwhile; ``taken`` when another principal has that username
        at that connection (empty usernames never clash). A former account of the same pair is replaced;
        open wishes and runs that waited for it continue (hold cleared, stepped at once).
        """

    async def account(self, principal: Principal, connection: str) -> Account | None:
        """Return a principal's account at a connection, in any state; a revoking one only when alone."""

    async def account_by_id(self, account_id: str) -> Account | None:
        """Return an account by its id, in any state."""

    async def accounts(self, principal: Principal) -> list[Account]:
        """Return a principal's accounts except the ones being revoked, by connection name."""

    async def active_accounts(self, connection: str | None = None) -> list[Account]:
        """Return all active accounts (rotation, nightly reconciliation, doctor)."""

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
        """End a principal's account (or all) and everything that hangs on it.

        At a connection in ``revocable`` the state becomes ``revoking`` with a REVOKE task (subject: account
        id), elsewhere the row is deleted at once. Open wishes there end as cancelled with ``cause`` and
        their cards become dirty; watches end; its workspaces, unfinished links, lists, snapshots and what was
        filled in are deleted. Open runs end as cancelled with ``cause``; where ``notices`` tell the person of
        the unlink, each that has a card is told by a JOB_FAILED notice, too. What the person asked
        administrators for is withdrawn and their browser sessions end, also without an account. Returns the
        accounts that ended, as they were; with none, nothing else is written.
        """

    async def drop_account(self, account_id: str) -> None:
        """Delete an account row that was revoking."""

    async def refuse_account(
        self,
        account_id: str,
        secret: str,
        notice: NewNotice,
        audit: Sequence[AuditEntry],
        *,
        hold: str = HOLD_REFUSED,
    ) -> bool:
        """Mark an active account whose stored secret still is ``secret`` as refused, with one notice.

        Its secret is deleted, its open wishes and runs get ``hold``, its watches pause. Returns False when it
        was refused or changed before.
        """

    async def save_secret(self, account_id: str, old: str, new: str, *, is_fresh: bool = False) -> bool:
        """Replace a stored secret when it still is ``old`` (refresh, key rotation).

        A fresh one ends the suspicion of the old one, and what waited goes on.
        """

    # -- workspaces ------------------------------------------------------------------------------------------

    async def workspaces(
        self, principal: Principal, *, connection: str | None = None, hidden: bool = False
    ) -> list[Workspace]:
        """Return a principal's workspaces by title; forgotten (``hidden``) ones only when asked for."""

    async def workspace(self, workspace_id: str) -> Workspace | None:
        """Return one workspace."""

    async def workspace_and_account(self, workspace_id: str) -> tuple[Workspace, Account | None] | None:
        """Return a workspace with its person's account there, as ``workspace`` and ``account`` would."""

    async def merge_discovered(
        self,
        account_id: str,
        found: Sequence[FoundWorkspace],
        audit: Sequence[AuditEntry] = (),
        *,
        is_whole: bool = True,
    ) -> int:
        """Merge a list into the account's workspaces, in pieces; return how many were new.

        Ones that were discovered before and are absent are put in doubt once all is merged, unless the list
        is not whole or they have an open wish, and read soon: they become ``gone`` when that read, or the
        next list, says so too. Hidden ones stay hidden.
        An unlink between two pieces ends it.
        States come from the list only where no read is younger than the listing's start (the account's
        discover task's claim), and a name of "" leaves the one that is known. The listing was made with the
        account itself, so it verifies its rows.
        """

    async def add_workspace(
        self, workspace: Workspace, audit: Sequence[AuditEntry] = (), interaction: str = ""
    ) -> Workspace:
        """Add (or unhide) a workspace by reference; make its gate due."""

    async def name_workspace(
        self,
        workspace_id: str,
        alias: str | None,
        audit: Sequence[AuditEntry] = (),
        interaction: str = "",
    ) -> None:
        """Set or clear a person's own name for a workspace."""

    async def hide_workspace(
        self, workspace_id: str, audit: Sequence[AuditEntry] = (), interaction: str = ""
    ) -> None:
        """Forget a workspace: hidden, no watch. Open wishes on it end as cancelled (cause ``forgotten``)."""

    async def usual_seconds(self, workspace_id: str) -> float | None:
        """Return the median of the last 20 starts, accepted call → fulfilled; None below 3."""

    # -- wishes ----------------------------------------------------------------------------------------------

    async def accept_wish(
        self,
        new: NewWish,
        *,
        interaction: str,
        notices: Sequence[NewNotice] = (),
        audit: Sequence[AuditEntry] = (),
    ) -> Accepted:
        """Accept a wish: join an open one of the same verb, replace one of another (outcome ``replaced``).

        Writes inbox row, wish, ``notices`` (a subject of "" becomes the wish's id), card row, audit, and
        makes the workspace's gate due. A joined wish has its card already: no second CARD notice is written
        for it. Raises StoreError when the workspace is none of the principal's.
        """

    async def keep_waiting(self, wish_id: str, deadline_seconds: float, interaction: str) -> Wish | None:
        """Set a new deadline (number + 1) on an open wish; None when it is no longer open."""

    async def make_another(self, wish_id: str, interaction: str, audit: Sequence[AuditEntry] = ()) -> bool:
        """Let a creation that its person is asked about be called once more; False when it is not asked."""

    async def wish(self, wish_id: str) -> Wish | None:
        """Return one wish."""

    async def latest_wish(self, workspace_id: str) -> Wish | None:
        """Return the newest wish of a workspace, open or ended."""

    async def open_wishes(self, principal: Principal) -> list[Wish]:
        """Return a principal's open wishes, oldest first."""

    async def claim_wishes(self, limit: int, lease: float) -> list[WishStep]:
        """Lease due open wishes, oldest first."""

    async def save_step(self, update: WishUpdate) -> bool:
        """Write a step's result and release the lease, all in one transaction.

        A wish that ended meanwhile (was replaced), or that another step holds now, takes no update and none
        of its notices is written; ``audit`` is still appended, and the answer is False.
        """

    # -- the poll gate ---------------------------------------------------------------------------------------

    async def want_read(self, workspace_id: str) -> None:
        """Make a workspace's gate due now, for a person who looks; the gate decides when the read may go."""

    async def claim_reads(
        self, connection: str, limit: int, interval: float, margin: float, together: int = 1
    ) -> list[ReadClaim]:
        """Grant due reads of a connection: ``next_check_at = now + interval + margin`` is committed first.

        With ``together``, so many reads of one account make one request: what the same readers may read now
        and is due in a moment comes along, beyond ``limit``. The reader is a watcher with an active account,
        never-tried rows first; the claim names the rows that see the result: the reader's own first, then
        every verified one. ``claimed_at`` is left 0: the caller sets it.
        """

    async def record_reads(self, results: Sequence[ReadResult]) -> bool:
        """Write what claimed reads brought: states, next due times, verified marks; wake wishes, owe cards.

        Returns whether that left work for others: a wish was woken, a card is owed.

        Cards: of each row's newest wish, where anything visible changed. A row is as old as its claim, not
        as its answer. ``gone`` holds for the reader's own row alone: to another it may only mean *not
        yours*; the others are read again through their own accounts. Atomic per result, in batches that
        give way to wishes.
        """

    # -- notices and cards -----------------------------------------------------------------------------------

    async def add_notices(self, notices: Sequence[NewNotice]) -> None:
        """Write notices; ones that exist (subject, kind, occasion) are left alone."""

    async def claim_notices(
        self, limit: int, lease: float, classes: Sequence[int] = (0, 1, 2, 3)
    ) -> list[Notice]:
        """Lease due notices by class, then age; ``attempts`` counts the one that begins with it.

        Expired leases come again, with ``unknown_since`` set to the attempt's time where it was not yet.
        """

    async def notice_sent(self, notice_id: str, channel_id: str, message_ts: str) -> None:
        """Mark as sent; for a first card, write its place into the card row in the same transaction."""

    async def notice_retry(
        self, notice_id: str, due_in: float, *, error: str, unknown_since: float | None = None
    ) -> None:
        """Put back for later; ``unknown_since`` keeps the earliest one given."""

    async def notice_dead(self, notice_id: str, error: str) -> None:
        """Give up on a notice; doctor shows it."""

    async def dead_notices(self, limit: int = 50) -> list[Notice]:
        """Return the newest dead notices."""

    async def claim_cards(self, limit: int, min_interval: float, lease: float) -> list[Card]:
        """Lease dirty, posted cards, changes of state first.

        Those with a change of state at once, others when ``min_interval`` has passed since their last update.
        """

    async def card_updated(self, wish_id: str, claimed: Card) -> None:
        """Clear dirty unless the card became dirty again since it was claimed; stamp ``updated_at``."""

    async def card_retry(self, wish_id: str, due_in: float) -> None:
        """Give a card's lease back for later; it stays dirty."""

    async def card_lost(self, wish_id: str) -> None:
        """Forget where a card stands (message deleted); it is not updated any more."""

    async def card(self, wish_id: str) -> Card | None:
        """Return a wish's card."""

    async def known_channel(self, principal: Principal) -> str | None:
        """Return the direct message's channel id that an earlier send told, if any."""

    # -- tasks -----------------------------------------------------------------------------------------------

    async def add_tasks(self, tasks: Sequence[NewTask], interaction: str = "") -> None:
        """Write tasks, joining open ones of the same kind and subject."""

    async def claim_tasks(self, limit: int, lease: float) -> list[Task]:
        """Lease due tasks, oldest first."""

    async def task_done(
        self, task_id: str, *, then: Sequence[NewTask] = (), notices: Sequence[NewNotice] = ()
    ) -> None:
        """Close a task and write what follows from it; nothing when it was closed before."""

    async def task_retry(
        self, task_id: str, due_in: float, *, counts: bool = True, then: Sequence[NewTask] = ()
    ) -> None:
        """Put a task back for later; ``counts``: one of its attempts is used up.

        ``then`` are its waiting commands, which wait no more.
        """
