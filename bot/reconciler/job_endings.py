"""How what becomes of a run is written: one notice, one audit row, in the step's own transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from bot.blocks import kit
from bot.blocks.limits import fill
from bot.models import AuditEntry, NewNotice, NoticeKind, Update
from bot.reconciler.preconditions import told_late

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models import Job, JobStep, ObservedJob

#: A run ends once, so its end is one occasion.
END = "end"


def ended(
    job: Job,
    outcome: Literal["ended", "failed", "cancelled"],
    cause: str | None = None,
    claim: str = "",
    *,
    observed: ObservedJob | None = None,
    last_lines: Sequence[str] = (),
    due_in: float = 0.0,
    tells: bool = True,
) -> Update:
    """Return the update that ends a run; with ``tells`` its person gets to know, in ``due_in`` seconds."""
    kind = NoticeKind.JOB_ENDED if outcome == "ended" else NoticeKind.JOB_FAILED
    body: dict[str, Any] = {"lines": list(last_lines)} if last_lines else {}
    if cause is not None:
        body["cause"] = cause
    state = observed.state if observed is not None else job.state
    return Update(
        job.id,
        0.0,
        remote_id=observed.remote_id if observed is not None else None,
        observed=observed,
        hold="",
        outcome=outcome,
        cause=cause,
        card_dirty=True,
        notices=(notice(job, kind, END, body, due_in=due_in),) if tells else (),
        audit=(audit(job, "job.end", outcome, cause=cause, state=str(state)),),
        claim=claim,
        asked_at=job.asked_at,
    )


def held(
    step: JobStep,
    seconds: float,
    hold: str | None,
    now: float,
    deadline_seconds: float | None,
    *,
    tells: bool,
) -> Update:
    """Return the update of a run that goes on later; with a deadline where it is not seen meanwhile.

    ``tells``: somebody waits for it, and gets to know at the deadline.
    """
    job = step.job
    update = Update(
        job.id,
        seconds,
        hold=hold,
        claim=step.claim,
        deadline_in=deadline_seconds,
    )
    return told_late(job, update, now, late(job) if tells else None)


def late(job: Job) -> NewNotice:
    """Return the notice that a run has not begun, or can't be looked at, for long."""
    return notice(job, NoticeKind.JOB_WAITING, str(job.deadline_number))


def notice(
    job: Job, kind: NoticeKind, occasion: str, body: dict[str, Any] | None = None, *, due_in: float = 0.0
) -> NewNotice:
    """Return a notice about a run; its body holds keys of rows, and the last lines of its output."""
    keys: dict[str, Any] = {"job": job.id, "connection": job.connection, **(body or {})}
    if job.channel_id is not None:
        keys["channel_id"] = job.channel_id
    return NewNotice(job.id, kind, occasion, job.principal, keys, due_in)


def message(job: Job, occasion: str, template: str, **words: str) -> NewNotice:
    """Return a plain message about a run, filled with its name and ``words``."""
    text = fill(template, name=job.name, **words)
    body = kit.answer(text, [kit.section(text)]).as_body()
    return NewNotice(job.id, NoticeKind.MESSAGE, occasion, job.principal, body)


def audit(job: Job, action: str, result: str, **detail: str | None) -> AuditEntry:
    """Return the row that remembers what was done for a run."""
    told = {key: value for key, value in detail.items() if value is not None}
    told |= {"job": job.id, "connection": job.connection, "reference": job.reference}
    return AuditEntry(job.principal.key, action, job.remote_id or job.id, result, told)
