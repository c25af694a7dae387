"""Job runs: requested by people or found in lists, claimed, advanced step by step, and ended exactly once."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from bot.domain.accounts import Account
from bot.domain.notices import END, NewNotice, NoticeKind
from bot.domain.people import Principal
from bot.domain.plan import MAX_ATTEMPTS
from bot.domain.prices import MachineKind
from bot.domain.runs import DiscoveredRun, ObservedRun, Run, RunState, StopKind, recognize_stop
from bot.domain.steps import ClaimedRun, Update
from bot.domain.tasks import TaskKind
from bot.domain.work_items import Call, Outcome
from bot.store import cards, gates, homes, usage, waitlist, work_items
from bot.store.discovered import find_listing_start
from bot.store.engine import Engine
from bot.store.notices import add_card, add_notices, release_card
from bot.store.queues import ALWAYS, Queue, build_claim, declare_queue
from bot.store.tables import ACCOUNTS, RUNS, make_parser, parse_principal, unconfirmed_columns
from bot.store.transaction import Priority, Row, Transaction, prioritize
from bot.store.work_items import WakeReason

#: Minimum time, in seconds, between an accepted stop and the next one, so that a double click counts only
#: once.
STOP_AGAIN_SECONDS = 10.0


def insert(tx: Transaction, new: Run) -> bool:
    """Add a run that is due now. Return False if its owner already has one with the same remote id."""
    made = replace(new, next_step_at=tx.now(), deadline_number=0 if new.deadline_at is None else 1)
    return RUNS.add_new(tx, made, **({"spec": {}} if made.spec is None else {}))


def show(tx: Transaction, run: Run, channel_id: str | None, *, is_answered: bool = False) -> None:
    """Create a card for a run if it has none.

    ``channel_id`` is another place where the owner can be reached. ``is_answered`` means that an answer has
    already announced the run, so the card is sent only if the run takes long.
    """
    if cards.find_card(tx, run.id) is None:
        cards.add(tx, NoticeKind.JOB_CARD, run.id, run.principal.key)
        card = NewNotice(run.id, NoticeKind.JOB_CARD, "1", run.principal, {"channel_id": channel_id})
        add_card(tx, card, is_announced=is_answered)


def request_stop(tx: Transaction, run: Run, wanted: StopKind) -> None:
    """Request that an open run be stopped. After an ordinary stop, a forced one can still be requested.

    A new request sets ``stop_call`` to NONE and makes the run due. If an ordinary stop is still in flight,
    its result is then ignored. If the previous stop was abandoned or had no effect, requesting the same stop
    again sends it again.
    """
    now = tx.now()
    is_weaker = run.requested_stop == "force" and wanted != "force"
    if is_weaker or (run.requested_stop == wanted and not _has_stop_failed(run, now)):
        return
    strength = WakeReason.OTHER_STOP if run.requested_stop else WakeReason.AT_ONCE
    tx.one("want_run_stop", id=run.id, wanted=wanted, strength=strength, now=now)
    cards.queue_updates(tx, run.id, changed=True)


def _has_stop_failed(run: Run, now: float) -> bool:
    """Return whether a stop was abandoned, or was accepted a while ago but has had no effect."""
    if run.remote_id is None:
        return False
    if run.stop_call is not Call.ACCEPTED:
        return run.attempts >= MAX_ATTEMPTS
    return run.called_at is not None and now - run.called_at >= STOP_AGAIN_SECONDS


def find_unexplained_ids(tx: Transaction, run: Run, remote_ids: Sequence[str]) -> list[str]:
    """Return those of the given ids that don't belong to another run.

    Return none at all if another launch with the same name has an unknown outcome, because the ids may belong
    to it. A row without a reference was added from a list, so it may be this run.
    """
    pair = {"principal": run.principal.key, "connection": run.connection}
    if tx.one("nameless_launch", id=run.id, name=run.name, **pair) is not None:
        return []
    known = {remote_id: _find_by_remote_id(tx, pair, remote_id) for remote_id in remote_ids}
    return [one for one, row in known.items() if row is None or row["id"] == run.id or not row["reference"]]


def watch(tx: Transaction, run_id: str, channel_id: str | None = None) -> Run | None:
    """Start following a run's output (``is_watched``). If the run has no card, create one.

    Return None if there is no such run or its account was unlinked.
    """
    row = RUNS.change_returning(tx, {"id": run_id, "is_orphan": False}, is_watched=True)
    if row is None:
        return None
    watched = RUNS.parse(row)
    show(tx, watched, channel_id)
    release_card(tx, run_id)
    cards.queue_updates(tx, run_id, changed=True)
    return watched


def find_run(tx: Transaction, run_id: str) -> Run | None:
    """Return a run by its id."""
    return RUNS.one(tx, id=run_id)


def list_runs(tx: Transaction, principal: Principal, *, limit: int = 50) -> list[Run]:
    """Return a person's runs, newest first. Runs of unlinked accounts and of suspended links are left out."""
    return RUNS.query(tx, "runs", principal=principal.key, limit=limit)


@prioritize(Priority.STEADY)
def list_watched_runs(tx: Transaction, owner: str = "") -> list[Run]:
    """Return launched runs whose output is being followed, oldest first.

    Runs that another process is following are left out.
    """
    return RUNS.query(tx, "watched_runs", owner=owner, now=tx.now())


def queue_grown_outputs(tx: Transaction, run_ids: Sequence[str]) -> None:
    """Queue an update of these runs' cards, because the runs have produced more output."""
    for run_id in run_ids:
        cards.queue_updates(tx, run_id, changed=False)


def note_output_sent(tx: Transaction, run_id: str, notices: Sequence[NewNotice] = ()) -> None:
    """Record that all of a run's output was sent, stop following it, and write the notices."""
    if RUNS.count_changed(tx, {"id": run_id, "is_watched": True}, is_watched=False):
        add_notices(tx, notices)


def end_orphaned(tx: Transaction, row: Row, said: Row) -> None:
    """End a run whose account was unlinked.

    If ``said["notify"]`` is true and the run has a card, tell the owner.
    """
    ended = save_run_step(tx, Update(row["id"], 0.0, outcome=Outcome.CANCELLED, cause="unlinked"), row)
    if ended is not None:
        release_card(tx, row["id"])
    if ended is not None and said["notify"] and cards.find_card(tx, row["id"]) is not None:
        body = {"job": row["id"], "connection": row["connection"], "cause": "unlinked"}
        if row["channel_id"] is not None:
            body["channel_id"] = row["channel_id"]
        principal = parse_principal(row["principal"])
        add_notices(tx, [NewNotice(row["id"], NoticeKind.JOB_FAILED, END, principal, body)])
    RUNS.change(tx, {"id": row["id"]}, is_orphan=True, is_watched=False)


RUN_QUEUE: Final = declare_queue(
    Queue(
        name="runs",
        kind="jobs",
        table="runs",
        due="next_step_at",
        where="outcome IS NULL",
        only="leased_until <= :now AND {settled} AND {output_here}",
        changes="{claimed}",
    )
)
#: The queue of runs whose output is being followed. Its runs are always due, and never claimed.
WATCHED_RUN_QUEUE: Final = declare_queue(
    Queue(
        name="watched_runs",
        kind="streams",
        table="runs",
        due=ALWAYS,
        where="is_watched = 1 AND remote_id IS NOT NULL AND is_orphan = 0",
    )
)
ACCOUNT_CLAIM: Final = build_claim(
    table="runs",
    where="principal = :principal AND connection = :connection AND outcome IS NULL AND remote_id IS NOT NULL"
    " AND next_step_at <= :soon AND leased_until <= :now AND {output_here}",
    changes="{claimed}",
    order="next_step_at",
)
#: Runs of the same account that come due within this many seconds are read together.
_COMBINE_WITHIN_SECONDS = 2.0


def claim_runs(tx: Transaction, limit: int, lease: float, owner: str = "") -> list[ClaimedRun]:
    """Claim due open runs, oldest first, each with everything needed for a step.

    Runs whose output another process is following are left out.
    """
    return _make_steps(
        tx, work_items.claim(tx, RUN_QUEUE.claim, "claimed_runs", lease, limit=limit, owner=owner)
    )


def claim_runs_of(
    tx: Transaction, account: Account, limit: int, lease: float, owner: str = ""
) -> list[ClaimedRun] | None:
    """Claim an active account's launched runs, so that one read covers all of them.

    These are the open runs that are due within two seconds. Return None if the account isn't active, or if
    another process has read the account's runs since the account was loaded.
    """
    now = tx.now()
    if not tx.count("read_runs_of", id=account.id, last=account.runs_read_at or 0.0, now=now):
        return None
    found = work_items.claim(
        tx,
        ACCOUNT_CLAIM,
        "claimed_runs",
        lease,
        principal=account.principal.key,
        connection=account.connection,
        soon=now + _COMBINE_WITHIN_SECONDS,
        limit=limit,
        owner=owner,
    )
    return _make_steps(tx, found)


def _make_steps(tx: Transaction, found: Sequence[tuple[Row, Row]]) -> list[ClaimedRun]:
    return [
        ClaimedRun(
            subject=RUNS.parse(row), **work_items.make_actor_fields(tx, row, *make_parser("a p")(beside))
        )
        for row, beside in found
    ]


def save_run_step(tx: Transaction, update: Update, was: Row | None = None) -> Row | None:
    """Write a step's result and release the lease. Return the row as written.

    Return None if the run has ended in the meantime or another step has claimed it. ``was`` is the row that
    the step worked with. While a call is in flight (CALLING), the lease is kept for ``next_in`` seconds. If
    the step observed the state UNKNOWN, the last known state is kept. A final state never changes. If a list
    has added a row with the same ``remote_id``, that row is merged into this one.
    """
    saved = work_items.save(tx, RUNS, update, _choose_changes, None if update.remote_id else was)
    if saved is None:
        return None
    row, _ = saved
    if update.outcome is not None:
        homes.show_end(tx, update.id)
    usage.note_run(tx, was, row)
    if row["outcome"] is not None and row["remote_id"] is not None and row["cause"] != "unlinked":
        waitlist.offer_capacity(tx, row["connection"], waitlist.RUN_PAUSE_SECONDS)
    return row


def _choose_changes(tx: Transaction, row: Row, update: Update, shared: Row) -> Row:
    now = shared["now"]
    # If another kind of stop was requested in the meantime, the result of this stop doesn't apply to it.
    other_stop = bool(update.claim) and row["wake_reason"] == WakeReason.OTHER_STOP
    after = {
        **({} if update.observed is None else gates.run_after(row, update.observed, now)),
        **_choose_unread_columns(row, update, now),
        **shared,
        **({column: row[column] for column in ("stop_call", "attempts")} if other_stop else {}),
        "question_since": None if update.remote_id else shared["question_since"],
        "remote_id": update.remote_id or row["remote_id"],
    }
    is_named = after["remote_id"] != row["remote_id"]
    return after | (_merge_same_id(tx, row, after["remote_id"]) if is_named else {})


def _choose_unread_columns(row: Row, update: Update, now: float) -> Row:
    """Return the columns to change for failing reads, the deadline, and unconfirmed reports.

    A run whose state was read has no deadline. A deadline that has already been set or reported is kept.
    """
    changes: Row = {} if update.unconfirmed is None else unconfirmed_columns(update.unconfirmed)
    if update.observed is not None:
        changes |= {"unconfirmed": None}
    if update.observed is not None and update.observed.state is not RunState.UNKNOWN:
        changes |= {"blocked_since": None, "deadline_at": None}
    elif update.deadline_in is not None and row["blocked_since"] is None:
        number = row["deadline_number"] + 1
        changes |= {"blocked_since": now, "deadline_at": now + update.deadline_in, "deadline_number": number}
    elif (
        row["blocked_since"] is not None
        and update.block_reason
        and update.block_reason != row["block_reason"]
    ):
        # Each cause is timed separately, so the time without a connection doesn't count as time with a
        # refused credential.
        changes |= {"blocked_since": now}
    return changes | ({"deadline_at": None} if update.deadline_passed else {})


def _merge_same_id(tx: Transaction, row: Row, remote_id: str) -> dict[str, Any]:
    """Return the columns to change in a run's row if another row has the same id at the provider.

    If a list added the other row, it is merged into this run's row. If the other row belongs to another
    launch, that row keeps the id.
    """
    existing = _find_by_remote_id(tx, row, remote_id)
    if existing is None or existing["id"] == row["id"]:
        return {}
    if existing["reference"]:
        # The run that the search found belongs to another launch, so the outcome of this launch is unknown
        # again.
        return {"remote_id": row["remote_id"], "start_call": Call.UNKNOWN}
    tx.run("delete_cards_of", subject=existing["id"])
    RUNS.delete(tx, id=existing["id"])
    watched = {"is_watched": 1 if row["is_watched"] or existing["is_watched"] else 0}
    asked = {column: existing[column] for column in ("requested_stop", "stop_call")}
    return watched | asked if existing["requested_stop"] and row["requested_stop"] != "force" else watched


def _find_by_remote_id(tx: Transaction, pair: Row, remote_id: str) -> Row | None:
    whose = {"principal": pair["principal"], "connection": pair["connection"]}
    return RUNS.row(tx, **whose, remote_id=remote_id, is_orphan=False)


#: Ended runs are added from a list only if they ended less than this many seconds ago, and at most
#: ``MAX_RETAINED_RUNS`` are added. Any others would soon be deleted anyway.
RETENTION_SECONDS = 30 * 86_400.0
MAX_RETAINED_RUNS = 50
_BATCH_SIZE = 40


async def merge_runs(engine: Engine, account_id: str, found: Sequence[DiscoveredRun]) -> int:
    """Merge a list of runs in batches, and return how many were new.

    If the account is unlinked meanwhile, the rest of the list is dropped. New runs get no card and no
    notices, and their output isn't followed. Open runs are read until they end. Ended runs are added only if
    they are recent enough to be kept. An open run that is already known is updated as if it had been read
    when the account's LIST_RUNS task was claimed. If the list shows that it is over, its next step ends it.
    """
    start = await engine.read(
        lambda tx: find_listing_start(tx, TaskKind.LIST_RUNS, account_id), Priority.STEADY
    )
    unknown: list[DiscoveredRun] = []
    for piece in _split_batches(found):
        left = await engine.write(partial(_update_runs, account_id=account_id, piece=piece, start=start))
        if left is None:
            return 0
        unknown += left
    new = 0
    for piece in _split_batches(_choose_new_runs(unknown, engine.now())):
        new += await engine.write(partial(_add_runs, account_id=account_id, piece=piece, start=start))
    return new


def _update_runs(
    tx: Transaction, account_id: str, piece: Sequence[DiscoveredRun], start: float
) -> list[DiscoveredRun] | None:
    """Update the runs of a batch that already have rows, and return the runs that have none.

    Return None if the account was unlinked.
    """
    pair = _find_pair(tx, account_id)
    if pair is None:
        return None
    unknown = []
    for one in piece:
        row = _find_by_remote_id(tx, pair, one.remote_id)
        if row is None:
            unknown.append(one)
        elif row["outcome"] is None and start >= (row["observed_at"] or 0.0):
            _update_run(tx, row, one, start, tx.now())
        elif row["cause"] == "lost" and start > row["ended_at"]:
            _follow_again(tx, row, one, start)
    return unknown


def _choose_new_runs(unknown: Sequence[DiscoveredRun], now: float) -> list[DiscoveredRun]:
    newest = sorted(unknown, key=lambda one: _estimate_start(one, now), reverse=True)
    over = [one for one in newest if one.observed.state.is_over]
    kept = [one for one in over[:MAX_RETAINED_RUNS] if _estimate_end(one, now) >= now - RETENTION_SECONDS]
    return [*(one for one in newest if not one.observed.state.is_over), *kept]


def _add_runs(tx: Transaction, account_id: str, piece: Sequence[DiscoveredRun], start: float) -> int:
    pair, now = _find_pair(tx, account_id), tx.now()
    if pair is None:
        return 0
    made = [_make_run(tx.ids.new("job"), one, pair, start, now) for one in piece]
    written = [run for run in made if insert(tx, run)]
    for run in written:
        usage.note_run(tx, None, RUNS.columns(run))
    return len(written)


def _find_pair(tx: Transaction, account_id: str) -> Row | None:
    account = ACCOUNTS.row(tx, id=account_id)
    if account is None or account["state"] == "revoking":
        return None
    return {"principal": account["principal"], "connection": account["connection"]}


def _update_run(tx: Transaction, row: Row, one: DiscoveredRun, start: float, now: float) -> None:
    """Update an open run from a list. If the run is over, a step will end it and tell its owner."""
    observed = recognize_stop(RUNS.parse(row), one.observed)
    after = {**row, **gates.run_after(row, observed, start), "name": observed.name or one.name}
    RUNS.change(tx, {"id": row["id"]}, **{column: after[column] for column in gates.RUN_COLUMNS})
    usage.note_run(tx, row, after)
    if after["state"] != row["state"]:
        tx.run("wake_run", id=row["id"], now=now)
    if any(row[column] != after[column] for column in gates.RUN_COLUMNS if column != "observed_at"):
        cards.queue_updates(tx, row["id"], changed=False)


def _follow_again(tx: Transaction, row: Row, one: DiscoveredRun, start: float) -> None:
    """Reopen a lost run, because it is listed again.

    If its owner was told that it was lost, notify them, once, that it was found.
    """
    same, as_open = {"id": row["id"], "cause": "lost"}, dict.fromkeys(("outcome", "cause", "ended_at"))
    reopened = RUNS.change_returning(tx, same, **as_open, unconfirmed=None, next_step_at=tx.now())
    if reopened is None:
        return
    if row["reference"] or row["requested_stop"]:
        body = {"job": row["id"], "connection": row["connection"]}
        who = parse_principal(row["principal"])
        add_notices(tx, [NewNotice(row["id"], NoticeKind.JOB_FOUND, "once", who, body)])
    _update_run(tx, reopened, one, start, tx.now())


def _make_run(run_id: str, one: DiscoveredRun, pair: Row, start: float, now: float) -> Run:
    seen, is_over = one.observed, one.observed.state.is_over
    return Run(
        id=run_id,
        principal=parse_principal(pair["principal"]),
        connection=pair["connection"],
        name=seen.name or one.name,
        spec=None,
        created_at=_estimate_start(one, now),
        reference="",
        remote_id=one.remote_id,
        state=seen.state,
        exit_code=seen.exit_code,
        detail=seen.detail,
        started_at=_estimate_begin(seen),
        finished_at=seen.ended_at,
        observed_at=start,
        start_call=Call.ACCEPTED,
        outcome=Outcome.ENDED if is_over else None,
        ended_at=_estimate_end(one, now) if is_over else None,
        is_watched=False,
        **(one.machine or MachineKind()).to_columns(),
    )


def _estimate_start(one: DiscoveredRun, now: float) -> float:
    """Return when a run was submitted or began, or the best estimate. It is never in the future."""
    seen = one.observed
    return min(now, seen.submitted_at or seen.started_at or seen.ended_at or now)


def _estimate_begin(seen: ObservedRun) -> float | None:
    """Return when a new row's run began. If it's over, it may have begun as soon as it was submitted."""
    has_run = seen.state in {RunState.SUCCEEDED, RunState.FAILED}
    return seen.started_at or (seen.submitted_at if has_run else None)


def _estimate_end(one: DiscoveredRun, now: float) -> float:
    return min(now, one.observed.ended_at or one.observed.started_at or now)


def _split_batches(found: Sequence[DiscoveredRun]) -> Iterator[Sequence[DiscoveredRun]]:
    return (found[at : at + _BATCH_SIZE] for at in range(0, len(found), _BATCH_SIZE))
