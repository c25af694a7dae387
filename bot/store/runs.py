"""Job runs: what people request, and what happens to runs when their account changes."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Principal
from bot.domain.plan import MAX_ATTEMPTS
from bot.domain.runs import Run, StopKind
from bot.domain.workspaces import Call
from bot.store import cards
from bot.store.notices import add_notices
from bot.store.tables import RUNS, principal_of
from bot.store.text import as_json
from bot.store.transaction import Row, Transaction

#: ``woken``: a stop of another kind than the one possibly in flight was requested.
OTHER_STOP = 2
#: An accepted stop isn't sent again within this many seconds: a second click isn't a second request.
STOP_AGAIN_SECONDS = 10.0
#: A run ends once, so its end is one occasion.
_END = "end"


def insert(tx: Transaction, new: Run) -> Row | None:
    """Write a row, due at once, unless its person has one with the same remote id; return it."""
    spec = {} if new.spec is None else new.spec.as_json()
    return tx.one("add_run", **RUNS.columns(new) | {"spec": as_json(spec)}, now=tx.now())


def show(tx: Transaction, run: Run, channel_id: str | None) -> None:
    """Give a run its card, if it has none; ``channel_id`` is where its person can be told otherwise."""
    if cards.add(tx, NoticeKind.JOB_CARD, run.id, run.principal.key):
        card = NewNotice(run.id, NoticeKind.JOB_CARD, "1", run.principal, {"channel_id": channel_id})
        add_notices(tx, [card])


def want_stop(tx: Transaction, run: Run, wanted: StopKind) -> None:
    """Request the stop of an open run, or a forced stop after a plain one.

    A new request sets ``stop_call`` to NONE and makes the run due; the result of a plain stop in flight then
    doesn't count for the forced one. A stop that failed (given up, or refused) is sent again on request.
    """
    now = tx.now()
    is_weaker = run.stop_wanted == "force" and wanted != "force"
    if is_weaker or (run.stop_wanted == wanted and not _came_to_nothing(run, now)):
        return
    strength = OTHER_STOP if run.stop_wanted else 1
    tx.one("want_run_stop", id=run.id, wanted=wanted, strength=strength, now=now)
    cards.owe(tx, run.id, changed=True)


def _came_to_nothing(run: Run, now: float) -> bool:
    """Return whether a stop was given up, or was answered a while ago without effect."""
    if run.remote_id is None:
        return False
    if run.stop_call is not Call.ACCEPTED:
        return run.attempts >= MAX_ATTEMPTS
    return run.called_at is not None and now - run.called_at >= STOP_AGAIN_SECONDS


def keep_waiting(tx: Transaction, run_id: str, deadline_seconds: float) -> None:
    """Set a new deadline (number + 1) for an open run."""
    now = tx.now()
    tx.one("keep_run_waiting", id=run_id, deadline_at=now + deadline_seconds, now=now)
    cards.owe(tx, run_id, changed=True)


def launch_another(tx: Transaction, run_id: str) -> bool:
    """Relaunch a run that its person is being asked about; return False if they aren't being asked."""
    if tx.one("launch_another", id=run_id, now=tx.now()) is None:
        return False
    cards.owe(tx, run_id, changed=True)
    return True


def unexplained(tx: Transaction, run: Run, remote_ids: Sequence[str]) -> list[str]:
    """Return the ids that no other run has; none while another launch of unknown outcome may have them.

    A row that a list added has no reference: it may be this one.
    """
    pair = {"principal": run.principal.key, "connection": run.connection}
    if tx.one("nameless_launch", id=run.id, name=run.name, **pair) is not None:
        return []
    known = {remote_id: tx.one("run_by_remote", **pair, remote_id=remote_id) for remote_id in remote_ids}
    return [one for one, row in known.items() if row is None or row["id"] == run.id or not row["reference"]]


def watch(tx: Transaction, run_id: str, channel_id: str | None = None) -> Run | None:
    """Show a run's output from now on (``is_watched``). This gives a run found by a list its card.

    Return None if there is no such run or its account was unlinked.
    """
    row = tx.one("watch_run", id=run_id)
    if row is None:
        return None
    watched = RUNS.of(row)
    show(tx, watched, channel_id)
    cards.owe(tx, run_id, changed=True)
    return watched


def run(tx: Transaction, run_id: str) -> Run | None:
    """Return one run."""
    row = tx.one("run", id=run_id)
    return RUNS.of(row) if row else None


def all_of(tx: Transaction, principal: Principal, *, limit: int = 50) -> list[Run]:
    """Return a person's runs, newest first, without those of unlinked accounts."""
    return [RUNS.of(row) for row in tx.all("runs", principal=principal.key, limit=limit)]


def by_remote(tx: Transaction, principal: Principal, connection: str, remote_id: str) -> Run | None:
    """Return a person's run by its id on the provider."""
    row = tx.one("run_by_remote", principal=principal.key, connection=connection, remote_id=remote_id)
    return RUNS.of(row) if row else None


def watched(tx: Transaction, owner: str = "") -> list[Run]:
    """Return launched runs whose output is watched and whose file wasn't sent yet, oldest first.

    Those that another process follows are left out.
    """
    return [RUNS.of(row) for row in tx.all("watched_runs", owner=owner, now=tx.now())]


def output_done(tx: Transaction, run_id: str) -> None:
    """Note that the whole output was sent; it is no longer watched."""
    tx.run("output_done", id=run_id)


def end_all(tx: Transaction, pair: Row, cause: str, *, tell: bool) -> None:
    """End the runs of an unlinked account: nobody may follow them any more.

    ``tell``: send a notice for each open run that has a card.
    """
    now = tx.now()
    for row in tx.all("open_runs_at", **pair):
        tx.run("cancel_run", id=row["id"], cause=cause, now=now)
        cards.owe(tx, row["id"], changed=True)
        if tell and tx.one("card", id=row["id"]) is not None:
            add_notices(tx, [_cancelled(row, cause)])
    tx.run("orphan_runs", **pair)


def _cancelled(row: Row, cause: str) -> NewNotice:
    body = {"job": row["id"], "connection": row["connection"], "cause": cause}
    if row["channel_id"] is not None:
        body["channel_id"] = row["channel_id"]
    principal = principal_of(row["principal"])
    return NewNotice(row["id"], NoticeKind.JOB_FAILED, _END, principal, body)


def hold_all(tx: Transaction, pair: Row, hold: str) -> None:
    """Hold the open runs of an account that its provider refuses."""
    for row in tx.all("open_runs_at", **pair):
        tx.run("hold_run", id=row["id"], hold=hold)
        cards.owe(tx, row["id"], changed=True)


def resume_all(tx: Transaction, pair: Row) -> None:
    """Resume the open runs of an account that was linked again at once."""
    for row in tx.all("open_runs_at", **pair):
        tx.run("resume_run", id=row["id"], now=tx.now())
        if row["hold"]:
            cards.owe(tx, row["id"], changed=True)
