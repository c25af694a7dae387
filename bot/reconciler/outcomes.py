"""The update that ends an operation or a run, with its notice and its audit entry."""

from collections.abc import Sequence
from typing import Any, Final

import structlog

from bot.domain import causes
from bot.domain.audit import AuditEntry
from bot.domain.causes import StaleReason
from bot.domain.holds import NOTHING
from bot.domain.notices import END, NewNotice, NoticeKind, end_of
from bot.domain.operations import Operation
from bot.domain.runs import ObservedRun, Run
from bot.domain.steps import Update
from bot.domain.work_items import Call, Outcome

log = structlog.get_logger(__name__)

#: How long, in seconds, to hold back the message saying that a deadline has passed. If the operation or run
#: ends in that time, the message isn't needed.
LATE_NOTICE_DELAY_SECONDS: Final = 30.0
#: Outcomes whose message may include a reference that helps operators find the log entry.
_WITH_REFERENCE = {Outcome.FAILED, Outcome.REFUSED, Outcome.UNKNOWN}


def make_stale_cause(work_item: Operation | Run) -> str:
    """Return the cause to show if an operation or run is too old for its call to be sent.

    If the operation was planned, nobody was waiting for an answer, so the cause is whatever delayed it.
    """
    at = work_item.created_at
    if isinstance(work_item, Operation):
        if work_item.good_until is not None:
            return causes.make_missed_cause(work_item.block_reason or work_item.delayed_by)
        at = work_item.planned_for or at
    if work_item.busy_since is None:
        return causes.make_stale_cause(StaleReason.ASKED, at)
    return causes.make_stale_cause(StaleReason.TRIED, at, work_item.block_reason or "")


def make_end_update(
    work_item: Operation | Run,
    outcome: Outcome,
    cause: str | None = None,
    claim: str = "",
    *,
    hide: bool = False,
    observed: ObservedRun | None = None,
    last_lines: Sequence[str] = (),
    delay: float = 0.0,
    notify: bool = True,
) -> Update:
    """Return the update that ends an operation or run. ``claim`` identifies the step that ends it.

    If ``notify`` is true, the person receives a message after ``delay`` seconds, including the ``last_lines``
    of a run's output. If ``hide`` is true, the workspace is removed from the list, because it was never
    created or no longer exists.
    """
    body: dict[str, Any] = {"lines": list(last_lines)} if last_lines else {}
    if cause is not None:
        body["cause"] = cause
    if outcome is Outcome.FULFILLED and not work_item.has_called and work_item.busy_since is None:
        body["is_so_already"] = True
    if isinstance(work_item, Operation):
        kind, action, state = end_of(work_item, outcome), f"operation.{work_item.verb}", None
    else:
        kind = NoticeKind.JOB_ENDED if outcome is Outcome.ENDED else NoticeKind.JOB_FAILED
        action, state = "job.end", str((observed or work_item).state)
    if outcome in _WITH_REFERENCE:
        # The provider's own wording is kept out of the log.
        details = {"action": action, "outcome": str(outcome), "cause": causes.get_cause_word(cause)}
        log.info("not fulfilled", reference=work_item.reference, connection=work_item.connection, **details)
    ends_stop = isinstance(work_item, Operation) and work_item.verb.brings_down
    return Update(
        work_item.id,
        0.0,
        start_call=None if ends_stop else _correct_call(work_item, work_item.start_call, outcome, cause),
        stop_call=_correct_call(work_item, work_item.stop_call, outcome, cause) if ends_stop else None,
        remote_id=observed.remote_id if observed is not None else None,
        observed=observed,
        block_reason=NOTHING,
        outcome=outcome,
        cause=cause,
        card_dirty=True,
        notices=[build_notice(work_item, kind, END, body, delay=delay)] if notify else [],
        audit=[build_audit_entry(work_item, action, str(outcome), cause=cause, state=state)],
        claim=claim,
        hides=hide,
        question_since=work_item.question_since,
    )


def build_notice(
    subject: Operation | Run,
    kind: NoticeKind,
    occasion: str,
    body: dict[str, Any] | None = None,
    *,
    delay: float = 0.0,
) -> NewNotice:
    """Return a notice about an operation or run, with the ids of its rows added to ``body``."""
    if isinstance(subject, Operation):
        keys = {"operation": subject.id, "workspace": subject.workspace_id}
    else:
        keys = {"job": subject.id}
    whole: dict[str, Any] = {**keys, "connection": subject.connection, **(body or {})}
    if subject.channel_id is not None:
        whole["channel_id"] = subject.channel_id
    return NewNotice(subject.id, kind, occasion, subject.principal, whole, delay)


def build_audit_entry(subject: Operation | Run, action: str, result: str, **detail: str | None) -> AuditEntry:
    """Return the audit entry for an action on an operation or run. Details that are None are left out."""
    fields = {key: value for key, value in detail.items() if value is not None}
    rest = {"connection": subject.connection, "reference": subject.reference}
    if isinstance(subject, Operation):
        target, fields = subject.workspace_id, {"operation": subject.id, **rest, **fields}
    else:
        target, fields = subject.remote_id or subject.id, {**fields, "job": subject.id, **rest}
    return AuditEntry(subject.principal.key, action, target, result, fields)


def _correct_call(work_item: Operation | Run, call: Call, outcome: Outcome, cause: str | None) -> Call | None:
    """Return ACCEPTED if a call that was refused or unanswered did take effect after all, otherwise None."""
    is_busy = work_item.busy_since is not None
    is_fulfilled = outcome is Outcome.FULFILLED and (is_busy or call.is_unsure)
    # A busy provider refuses a call without trying it. So if the workspace has failed, the call must have
    # been accepted.
    has_failed = outcome is Outcome.FAILED and causes.get_cause_word(cause) == "provider_failed" and is_busy
    return Call.ACCEPTED if is_fulfilled or has_failed else None
