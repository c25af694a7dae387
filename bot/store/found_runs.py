"""Lists of runs merged into the store: new ones are followed silently; for known ones a list is a read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from bot.domain.people import TaskKind
from bot.domain.runs import FoundRun, Run
from bot.domain.workspaces import Call
from bot.store import cards, observations, runs
from bot.store.found_workspaces import PIECE, listing_start
from bot.store.tables import ACCOUNTS, RUNS, principal_of
from bot.store.transaction import Engine, Priority, Row, Transaction

#: Ended runs beyond this age or number aren't taken from a list: the sweep would delete them again.
KEPT_SECONDS = 30 * 86_400.0
KEPT_NEWEST = 50


async def merge(engine: Engine, account_id: str, found: Sequence[FoundRun]) -> int:
    """Merge a list of runs, in pieces; return how many were new. An unlink between two pieces ends it.

    New ones are written without card or notices and aren't watched; open ones are still followed to their
    end. For known open ones the list counts as a read; a step ends them. Ended ones are added only if the
    sweep would keep them. The listing's start is the claim of the account's LIST_JOBS task.
    """
    start = await engine.read(lambda tx: listing_start(tx, TaskKind.LIST_JOBS, account_id), Priority.STEADY)
    unknown: list[FoundRun] = []
    for piece in _pieces(found):
        left = await engine.write(
            partial(_read_known, account_id=account_id, piece=piece, start=start), rows=len(piece)
        )
        if left is None:
            return 0
        unknown += left
    new = 0
    for piece in _pieces(_worth_keeping(unknown, engine.now())):
        new += await engine.write(
            partial(_add, account_id=account_id, piece=piece, start=start), rows=len(piece)
        )
    return new


def _read_known(
    tx: Transaction, account_id: str, piece: Sequence[FoundRun], start: float
) -> list[FoundRun] | None:
    """Write what a piece of a list says about known runs; return the others, or None if unlinked."""
    pair = _pair(tx, account_id)
    if pair is None:
        return None
    unknown = []
    for one in piece:
        row = RUNS.row(tx, **pair, remote_id=one.remote_id, is_orphan=False)
        if row is None:
            unknown.append(one)
        elif row["outcome"] is None and start >= (row["observed_at"] or 0.0):
            _read(tx, row, one, start, tx.now())
    return unknown


def _worth_keeping(unknown: Sequence[FoundRun], now: float) -> list[FoundRun]:
    """Return the unknown runs of a list that are taken: open ones, and recently ended ones."""
    newest = sorted(unknown, key=lambda one: _began(one, now), reverse=True)
    over = [one for one in newest if one.observed.state.is_over]
    kept = [one for one in over[:KEPT_NEWEST] if _ended(one, now) >= now - KEPT_SECONDS]
    return [*(one for one in newest if not one.observed.state.is_over), *kept]


def _add(tx: Transaction, account_id: str, piece: Sequence[FoundRun], start: float) -> int:
    """Write a piece of the taken runs; return how many were new."""
    pair, now = _pair(tx, account_id), tx.now()
    if pair is None:
        return 0
    return sum(runs.insert(tx, _run(tx.ids.new("job"), one, pair, start, now)) is not None for one in piece)


def _pair(tx: Transaction, account_id: str) -> Row | None:
    """Return the account's principal and connection; None once it is unlinked, which ends the merge."""
    account = ACCOUNTS.row(tx, id=account_id)
    if account is None or account["state"] == "revoking":
        return None
    return {"principal": account["principal"], "connection": account["connection"]}


def _read(tx: Transaction, row: Row, one: FoundRun, start: float, now: float) -> None:
    """Write what a list says about an open run; a step then ends it, so that its person is told."""
    after = {**row, **observations.run_after(row, one.observed, start), "name": one.observed.name or one.name}
    RUNS.change(tx, {"id": row["id"]}, **{column: after[column] for column in observations.OF_RUNS})
    changed = after["state"] != row["state"]
    if changed:
        tx.run("wake_run", id=row["id"], now=now)
    if observations.runs_differ(row, after):
        cards.owe(tx, row["id"], changed=changed)


def _run(run_id: str, one: FoundRun, pair: Row, start: float, now: float) -> Run:
    seen, is_over = one.observed, one.observed.state.is_over
    return Run(
        id=run_id,
        principal=principal_of(pair["principal"]),
        connection=pair["connection"],
        name=seen.name or one.name,
        spec=None,
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
        outcome="ended" if is_over else None,
        ended_at=_ended(one, now) if is_over else None,
        is_watched=False,
    )


def _began(one: FoundRun, now: float) -> float:
    """Return when a run began as far as it is known, never later than now."""
    return min(now, one.observed.started_at or one.observed.ended_at or now)


def _ended(one: FoundRun, now: float) -> float:
    return min(now, one.observed.ended_at or one.observed.started_at or now)


def _pieces(found: Sequence[FoundRun]) -> Iterator[Sequence[FoundRun]]:
    """Return a list in pieces, each for a transaction of its own."""
    return (found[at : at + PIECE] for at in range(0, len(found), PIECE))
