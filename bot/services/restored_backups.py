"""Restored backups: putting the plans in a restored database on hold until their owners have been asked.

A plan may have been carried out or cancelled since the backup was made.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Final

from bot.domain.accounts import Account
from bot.domain.audit import AuditEntry
from bot.domain.causes import StaleReason, make_stale_cause
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import Operation
from bot.domain.runs import Run
from bot.domain.steps import Update
from bot.domain.work_items import Outcome
from bot.store import accounts, cards, hours, maintenance, operations, runs, timers, waitlist
from bot.store.audit import append_audit
from bot.store.fan_out import FAN_OUT_BATCH_SIZE, take_batch
from bot.store.notices import add_notices
from bot.store.store import Store
from bot.store.tables import (
    DATABASE_TIMELINE,
    OPERATIONS,
    RULES,
    RUNS,
    WAITLIST_ENTRIES,
    WORKSPACES,
    parse_principal,
)
from bot.store.transaction import Transaction

#: The cause shown for plans that are on hold or weren't carried out because a backup was restored.
RESTORED_CAUSE: Final = "restored"


async def pause_restored(
    store: Store, administrators: Collection[str] = (), apart: Collection[str] = ()
) -> tuple[float, Mapping[str, int], int]:
    """Put every plan on hold, and notify the people who made the plans.

    ``administrators`` (``U…`` or ``T…:U…``) are told, if they are known. People with a link on a connection
    in ``apart`` are told that a link which they had removed may be back. Returns when the backup was made,
    how many plans of each kind were put on hold, and how many links there are on these connections. After
    this, a process may serve from the database. The work is done in batches. If a crash interrupts it, the
    next call continues it.
    """
    while not await store.carry_out(_pause_batch):
        pass
    links = [one for one in await store.perform(accounts.list_active_accounts) if one.connection in apart]
    for first in range(0, len(links), FAN_OUT_BATCH_SIZE):
        await store.carry_out(partial(_notify_linked, links=links[first : first + FAN_OUT_BATCH_SIZE]))
    backup_at, held = await store.carry_out(
        partial(_finish_restore, administrators=administrators, links=len(links))
    )
    return backup_at, held, len(links)


def _notify_linked(tx: Transaction, links: Sequence[Account]) -> None:
    """Tell the owners of these links that a link which they had ended may be back."""
    occasion = f"{RESTORED_CAUSE}:{maintenance.find_backup_time(tx):.3f}"
    for one in links:
        body = {"connection": one.connection}
        add_notices(tx, [NewNotice(one.id, NoticeKind.BACKUP_RESTORED, occasion, one.principal, body)])


def _finish_restore(
    tx: Transaction, administrators: Collection[str], links: int
) -> tuple[float, Mapping[str, int]]:
    backup_at, _, held = maintenance.read_restore_state(tx)
    occasion = f"{RESTORED_CAUSE}:{tx.now():.0f}"
    what = RESTORED_CAUSE if any(held.values()) else "restored_whole"
    body = {"what": what, "since": backup_at, "place": format_counts(held)}
    for name in administrators:
        for row in tx.all("people_named", ending=f"%:{name}"):
            who = parse_principal(row["principal"])
            add_notices(
                tx, [NewNotice(f"{RESTORED_CAUSE}:{who.key}", NoticeKind.OUTAGE, occasion, who, body)]
            )
    detail = {"accounts": links, "backup_at": backup_at, **held}
    append_audit(tx, [AuditEntry("operator", "store.restored", "database", "ok", detail)])
    # Do all daily work at the next start: since the backup was made, people may have left Slack, and the
    # backups that it records may have been lost along with their disk.
    tx.run("delete_upkeep")
    # At its next start, Usher records which server holds the rows.
    DATABASE_TIMELINE.delete(tx, id=1)
    return backup_at, held


def format_counts(held: Mapping[str, int]) -> str:
    """Format how many plans of each kind were put on hold."""
    return ", ".join(f"{kind}: {number}" for kind, number in held.items() if number) or "nothing"


def _pause_batch(tx: Transaction) -> bool:
    """Put a batch of plans on hold. Return whether all plans are on hold now."""
    backup_at, began, held = maintenance.read_restore_state(tx)
    before, given = tx.changes, {"limit": FAN_OUT_BATCH_SIZE // 2, "now": tx.now()}
    tx.run("seek_notices", since=backup_at, began=began, **given)
    for operation in take_batch(tx, OPERATIONS.query(tx, "open_operations_left", **given), before):
        held["requests"] += operations.save_step(tx, _build_end(tx, operation, backup_at)) is not None
    for run in take_batch(tx, RUNS.query(tx, "unseen_runs_left", **given), before):
        held["runs"] += runs.save_run_step(tx, _build_end(tx, run, backup_at)) is not None
    for workspace in take_batch(tx, WORKSPACES.query(tx, "timers_left", **given), before):
        assert workspace.stop_at is not None, "it is found by that"
        body = {"workspace": workspace.id, "connection": workspace.connection, "stop_at": workspace.stop_at}
        body |= {"cause": RESTORED_CAUSE, "mode": workspace.stop_mode, "backup_at": backup_at}
        occasion = f"{RESTORED_CAUSE}:{workspace.stop_at:.0f}"
        asked = NewNotice(workspace.id, NoticeKind.PLANNED_STOP_FAILED, occasion, workspace.principal, body)
        held["stops"] += timers.end_timer(tx, workspace.id, workspace.stop_at, [asked])
    for rule in take_batch(tx, RULES.query(tx, "rules_left", **given), before):
        hours.pause(tx, rule, RESTORED_CAUSE)
        held["hours"] += 1
    for wait in take_batch(tx, WAITLIST_ENTRIES.query(tx, "open_entries", **given), before):
        waitlist.close(tx, wait, RESTORED_CAUSE)
        held["waits"] += 1
    for row in tx.all("hold_classes", **given):
        cards.queue_updates(tx, row["id"], changed=True)
        held["classes"] += 1
    is_all = tx.changes == before
    maintenance.note_held(tx, backup_at, began, held)
    return is_all


def _build_end(tx: Transaction, work_item: Operation | Run, backup_at: float) -> Update:
    """Return the update that ends a work item. If its call was sent, the outcome is unknown."""
    cause = make_stale_cause(StaleReason.RESTORED, backup_at)
    body = {"connection": work_item.connection, "cause": cause}
    outcome, hides = Outcome.FAILED, False
    if isinstance(work_item, Operation):
        workspace = WORKSPACES.one(tx, id=work_item.workspace_id)
        hides = workspace is not None and workspace.is_provisional
        outcome = Outcome.UNKNOWN if work_item.has_called else outcome
        kind = NoticeKind.FAILED
        body = body | {"operation": work_item.id, "workspace": work_item.workspace_id}
    else:
        kind, body = NoticeKind.JOB_FAILED, body | {"job": work_item.id}
    return Update(
        work_item.id,
        0.0,
        outcome=outcome,
        cause=cause,
        card_dirty=True,
        hides=hides,
        notices=[NewNotice(work_item.id, kind, "end", work_item.principal, body)],
        question_since=work_item.question_since,
    )
