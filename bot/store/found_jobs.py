"""Lists of runs merged into what is known: new ones are followed in silence, known ones are read by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import Call, TaskKind
from bot.store import cards, job_rows
from bot.store.text import as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import FoundJob
    from bot.store.transaction import Row, Transaction

#: Ended runs that the sweep would delete again are not taken from a list: older ones, and more.
KEPT_SECONDS = 30 * 86_400.0
KEPT_NEWEST = 50


def merge(tx: Transaction, account_id: str, found: Sequence[FoundJob]) -> int:
    """Merge a list of runs into an account's; return how many were new."""
    account = tx.one("account_by_id", id=account_id)
    if account is None or account["state"] == "revoking":
        # Unlinked while the list was on its way: nothing of it is kept.
        return 0
    now = tx.now()
    task = tx.one("listing_start", kind=TaskKind.LIST_JOBS, account_id=account_id)
    start = now if task is None or task["claimed_at"] is None else task["claimed_at"]
    pair = {"principal": account["principal"], "connection": account["connection"]}
    known = {row["remote_id"]: row for row in tx.all("jobs_of_account", **pair)}
    unknown = {}
    for one in found:
        row = known.get(one.remote_id)
        if row is None:
            unknown[one.remote_id] = one
        elif row["outcome"] is None and start >= (row["observed_at"] or 0.0):
            _read(tx, row, one, start, now)
    newest = sorted(unknown.values(), key=lambda one: _began(one, now), reverse=True)
    over = [one for one in newest if one.observed.state.is_over]
    kept = [one for one in over[:KEPT_NEWEST] if _ended(one, now) >= now - KEPT_SECONDS]
    running = [one for one in newest if not one.observed.state.is_over]
    return sum(_insert(tx, one, pair, start, now) for one in (*running, *kept))


def _read(tx: Transaction, row: Row, one: FoundJob, start: float, now: float) -> None:
    """Write what a list says of an open run; a step ends it, so that its person is told."""
    after = {**row, **job_rows.seen(row, one.observed, start), "name": one.observed.name or one.name}
    tx.run("observe_job", id=row["id"], **{column: after[column] for column in job_rows.OBSERVED})
    changed = after["state"] != row["state"]
    if changed:
        tx.run("wake_job", id=row["id"], now=now)
    if job_rows.differ(row, after):
        cards.owe(tx, row["id"], changed=changed)


def _insert(tx: Transaction, one: FoundJob, pair: Row, start: float, now: float) -> int:
    seen = one.observed
    is_over = seen.state.is_over
    row = tx.one(
        "add_job",
        id=tx.ids.new("job"),
        **pair,
        name=seen.name or one.name,
        spec=as_json({}),
        created_at=_began(one, now),
        reference="",
        remote_id=one.remote_id,
        state=seen.state,
        exit_code=seen.exit_code,
        detail=seen.detail,
        started_at=seen.started_at,
        finished_at=seen.ended_at,
        observed_at=start,
        launch_call=Call.ACCEPTED,
        now=now,
        outcome="ended" if is_over else None,
        ended_at=_ended(one, now) if is_over else None,
        channel_id=None,
        is_watched=False,
    )
    return 0 if row is None else 1


def _began(one: FoundJob, now: float) -> float:
    """Return when a run began as far as it is known, never later than now."""
    return min(now, one.observed.started_at or one.observed.ended_at or now)


def _ended(one: FoundJob, now: float) -> float:
    return min(now, one.observed.ended_at or one.observed.started_at or now)
