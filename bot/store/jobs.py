"""Runs of jobs: accepted from people, found in lists, claimed and advanced by steps, ended once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.errors import StoreError
from bot.models import Call, JobStep, NewNotice, NoticeKind
from bot.store import audit, cards, job_rows, notices, people, rows
from bot.store.text import as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import AuditEntry, Job, JobUpdate, NewJob, Principal
    from bot.store.transaction import Row, Transaction

#: Runs of one account that are due so soon are read together with one that is due.
_TOGETHER = 2.0
#: A stop of another kind than the one that may be under way: what that one brings does not count for it.
_OTHER_STOP = 2
#: A run ends once, so its end is one occasion.
_END = "end"


def accept(
    tx: Transaction,
    new: NewJob,
    interaction: str,
    following: Sequence[NewNotice],
    entries: Sequence[AuditEntry],
) -> tuple[Job, bool]:
    """Write a run with its card; one that is known by its remote id is watched instead."""
    if not people.first_sight(tx, interaction):
        row = tx.one("job", id=people.result_of(tx, interaction))
        if row is None or row["principal"] != new.principal.key:
            raise StoreError("this interaction was something else before")
        return job_rows.job(row), True
    row = _known(tx, new)
    if row is None:
        row = _add(tx, new)
    elif new.is_watched:
        row = tx.one("watch_job", id=row["id"]) or row
    people.keep_result(tx, interaction, row["id"])
    _show(tx, row, following)
    audit.append(tx, entries)
    return job_rows.job(row), False


def _known(tx: Transaction, new: NewJob) -> Row | None:
    if new.remote_id is None:
        return None
    pair = {"principal": new.principal.key, "connection": new.connection}
    return tx.one("job_by_remote", **pair, remote_id=new.remote_id)


def _add(tx: Transaction, new: NewJob) -> Row:
    now = tx.now()
    row = tx.one(
        "add_job",
        id=tx.ids.new("job"),
        principal=new.principal.key,
        connection=new.connection,
        name=new.name,
        spec=as_json(new.spec),
        created_at=now,
        reference=new.reference,
        remote_id=new.remote_id,
        state=new.state,
        exit_code=None,
        detail=None,
        started_at=None,
        finished_at=None,
        observed_at=None,
        launch_call=Call.NONE if new.remote_id is None else Call.ACCEPTED,
        now=now,
        outcome=None,
        ended_at=None,
        channel_id=new.channel_id,
        is_watched=new.is_watched,
    )
    if row is None:
        raise StoreError("another row for this run came first")
    return row


def _show(tx: Transaction, row: Row, following: Sequence[NewNotice]) -> None:
    """Give a run its card, where it has none, and write its notices."""
    is_new = tx.run("add_card", wish_id=row["id"], principal=row["principal"], now=tx.now()) == 1
    kept = [one for one in following if is_new or one.kind is not NoticeKind.JOB_CARD or one.subject]
    notices.add(tx, kept, row["id"])


def want_stop(
    tx: Transaction, job_id: str, interaction: str, entries: Sequence[AuditEntry], *, force: bool
) -> Job | None:
    """Ask for the end of an open run, or for a forced one after a plain one; None when it is over."""
    is_first = people.first_sight(tx, interaction)
    row = tx.one("job", id=job_id)
    if row is None or row["outcome"] is not None:
        return None
    if not is_first:
        return job_rows.job(row)
    audit.append(tx, entries)
    wanted = "force" if force else "stop"
    if row["stop_wanted"] in {"force", wanted}:
        return job_rows.job(row)
    strength = _OTHER_STOP if row["stop_wanted"] else 1
    row = tx.one("want_job_stop", id=job_id, wanted=wanted, strength=strength, now=tx.now())
    cards.owe(tx, job_id, changed=True)
    return None if row is None else job_rows.job(row)


def watch(
    tx: Transaction,
    job_id: str,
    interaction: str,
    following: Sequence[NewNotice],
    entries: Sequence[AuditEntry],
) -> Job | None:
    """Show a run's output from now on, in the thread of a card that it gets where it has none."""
    if not people.first_sight(tx, interaction):
        return job(tx, job_id)
    row = tx.one("watch_job", id=job_id)
    if row is None:
        return None
    _show(tx, row, following)
    cards.owe(tx, job_id, changed=True)
    audit.append(tx, entries)
    return job_rows.job(row)


def job(tx: Transaction, job_id: str) -> Job | None:
    """Return one run."""
    row = tx.one("job", id=job_id)
    return job_rows.job(row) if row else None


def all_of(tx: Transaction, principal: Principal, limit: int) -> list[Job]:
    """Return a person's runs, newest first; those of accounts that were unlinked are left out."""
    return [job_rows.job(row) for row in tx.all("jobs", principal=principal.key, limit=limit)]


def by_remote(tx: Transaction, principal: Principal, connection: str, remote_id: str) -> Job | None:
    """Return a person's run by its id at the provider."""
    row = tx.one("job_by_remote", principal=principal.key, connection=connection, remote_id=remote_id)
    return job_rows.job(row) if row else None


def watched(tx: Transaction) -> list[Job]:
    """Return launched runs whose output is to be shown, oldest first."""
    return [job_rows.job(row) for row in tx.all("watched_jobs")]


def place_output(tx: Transaction, job_id: str, message_ts: str) -> None:
    """Write where the message stands that shows a run's output."""
    tx.run("place_output", id=job_id, message_ts=message_ts)


def output_done(tx: Transaction, job_id: str) -> None:
    """Note that the whole output was sent."""
    tx.run("output_done", id=job_id)


def claim(tx: Transaction, limit: int, lease: float) -> list[JobStep]:
    """Lease due open runs, oldest first, each with all that a step needs."""
    now = tx.now()
    name = tx.ids.new("claim")
    found = tx.all("claim_jobs", now=now, until=now + lease, limit=limit, claim=name)
    return _steps(tx, found, name)


def claim_of(tx: Transaction, account_id: str, limit: int, lease: float) -> list[JobStep]:
    """Lease open, launched runs of one account that are due within a moment."""
    account = tx.one("account_by_id", id=account_id)
    if account is None or account["state"] != "active":
        return []
    now = tx.now()
    name = tx.ids.new("claim")
    found = tx.all(
        "claim_jobs_of",
        principal=account["principal"],
        connection=account["connection"],
        now=now,
        soon=now + _TOGETHER,
        until=now + lease,
        limit=limit,
        claim=name,
    )
    return _steps(tx, found, name)


def _steps(tx: Transaction, found: Sequence[Row], name: str) -> list[JobStep]:
    return [_step(tx, row, name) for row in sorted(found, key=lambda row: (row["created_at"], row["id"]))]


def _step(tx: Transaction, row: Row, name: str) -> JobStep:
    account = tx.one("account", principal=row["principal"], connection=row["connection"])
    person = tx.one("person", principal=row["principal"])
    return JobStep(
        job=job_rows.job(row),
        account=rows.account(account) if account and account["state"] != "revoking" else None,
        claim=name,
        person=rows.person(person) if person else None,
    )


def save(tx: Transaction, update: JobUpdate) -> bool:
    """Write a step's result; False when the run ended meanwhile or another step holds it."""
    audit.append(tx, update.audit)
    row = tx.one("job", id=update.job_id)
    if row is None or row["outcome"] is not None or (update.claim and row["claim"] != update.claim):
        return False
    after = _changes(row, update, tx.now())
    if after["remote_id"] != row["remote_id"]:
        after |= _take_over(tx, row, after["remote_id"])
    tx.run("save_job", id=update.job_id, **after)
    notices.add(tx, update.notices, update.job_id)
    weighty = ("state", "outcome", "launch_call", "stop_call", "hold")
    changed = any(after[column] != row[column] for column in weighty)
    if changed or job_rows.differ(row, after) or update.card_dirty:
        cards.owe(tx, update.job_id, changed=changed)
    return True


def _changes(row: Row, update: JobUpdate, now: float) -> dict[str, Any]:
    ends = update.outcome is not None
    is_calling = Call.CALLING in {update.launch_call, update.stop_call}
    # Meanwhile another kind of stop was asked for: what is known of this one says nothing of that.
    other_stop = bool(update.claim) and row["woken"] == _OTHER_STOP
    return {
        **job_rows.seen(row, update.observed, now),
        "now": now,
        "next_step_at": now + update.next_in,
        "is_beside": not update.claim and row["leased_until"] > now and not ends,
        "keeps_lease": is_calling and not ends,
        "remote_id": update.remote_id or row["remote_id"],
        "launch_call": update.launch_call or row["launch_call"],
        "stop_wanted": row["stop_wanted"],
        "stop_call": row["stop_call"] if other_stop else update.stop_call or row["stop_call"],
        "called_at": now if update.called else row["called_at"],
        "attempts": row["attempts"] if update.attempts is None else update.attempts,
        "hold": None if ends else row["hold"] if update.hold is None else update.hold or None,
        "outcome": update.outcome,
        "cause": row["cause"] if update.cause is None else update.cause,
        "ended_at": now if ends else None,
        "is_watched": row["is_watched"],
    }


def _take_over(tx: Transaction, row: Row, remote_id: str) -> dict[str, Any]:
    """Make one row of this run and of the one that a list brought in for it, with what was asked there."""
    listed = tx.one(
        "job_by_remote", principal=row["principal"], connection=row["connection"], remote_id=remote_id
    )
    if listed is None or listed["id"] == row["id"]:
        return {}
    tx.run("delete_card", wish_id=listed["id"])
    tx.run("delete_job", id=listed["id"])
    asked = {column: listed[column] for column in ("stop_wanted", "stop_call")}
    watched = {"is_watched": 1 if row["is_watched"] or listed["is_watched"] else 0}
    return {**watched, **asked} if listed["stop_wanted"] and row["stop_wanted"] != "force" else watched


def end_all(tx: Transaction, pair: Row, cause: str, *, tell: bool) -> None:
    """End the runs of an account that is unlinked: nobody may follow them any more.

    ``tell``: the person of each open one that has a card gets a notice.
    """
    now = tx.now()
    for row in tx.all("open_jobs_at", **pair):
        tx.run("cancel_job", id=row["id"], cause=cause, now=now)
        cards.owe(tx, row["id"], changed=True)
        if tell and tx.one("card", wish_id=row["id"]) is not None:
            notices.add(tx, [_cancelled(row, cause)])
    tx.run("orphan_jobs", **pair)


def _cancelled(row: Row, cause: str) -> NewNotice:
    body = {"job": row["id"], "connection": row["connection"], "cause": cause}
    if row["channel_id"] is not None:
        body["channel_id"] = row["channel_id"]
    principal = rows.principal_of(row["principal"])
    return NewNotice(row["id"], NoticeKind.JOB_FAILED, _END, principal, body)


def hold_all(tx: Transaction, pair: Row, hold: str) -> None:
    """Hold the open runs of an account that its provider refuses."""
    for row in tx.all("open_jobs_at", **pair):
        tx.run("hold_job", id=row["id"], hold=hold)
        cards.owe(tx, row["id"], changed=True)


def resume_all(tx: Transaction, pair: Row) -> None:
    """Let the open runs of an account that was linked again go on at once."""
    for row in tx.all("open_jobs_at", **pair):
        tx.run("resume_job", id=row["id"], now=tx.now())
        if row["hold"]:
            cards.owe(tx, row["id"], changed=True)
