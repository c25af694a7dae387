"""What a step learned, saved: the end of an operation or run, and a notice when a deadline passes."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

import structlog

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import AuditEntry
from bot.domain.runs import ClaimedOperation, ClaimedRun, ObservedRun, Run, Update
from bot.domain.workspaces import Call, Operation, OperationVerb, Outcome
from bot.messages.texts import problems
from bot.store.store import Store

log = structlog.get_logger(__name__)

#: An operation or run ends once, so its end is one occasion.
END = "end"
#: The notices for fulfilled operations that don't result in a running workspace.
_DONE = {
    OperationVerb.STOP: NoticeKind.STOPPED,
    OperationVerb.FORCE: NoticeKind.STOPPED,
    OperationVerb.SUSPEND: NoticeKind.SUSPENDED,
    OperationVerb.REMOVE: NoticeKind.REMOVED,
}
#: What something ends as below whose message its person may read a reference.
_SHOWN = {Outcome.FAILED, Outcome.REFUSED, Outcome.UNKNOWN}


def ended(
    errand: Operation | Run,
    outcome: Outcome,
    cause: str | None = None,
    claim: str = "",
    *,
    hides: bool = False,
    observed: ObservedRun | None = None,
    last_lines: Sequence[str] = (),
    due_in: float = 0.0,
    tells: bool = True,
) -> Update:
    """Return the update that ends an operation or a run; ``claim`` is the step's own.

    ``tells`` notifies its person in ``due_in`` seconds, with the ``last_lines`` of a run's output. ``hides``
    also removes the workspace from the list, because it doesn't exist, or no longer does.
    """
    body: dict[str, Any] = {"lines": list(last_lines)} if last_lines else {}
    if cause is not None:
        body["cause"] = cause
    if isinstance(errand, Operation):
        kind, action, state = _kind(errand, outcome), f"operation.{errand.verb}", None
    else:
        kind = NoticeKind.JOB_ENDED if outcome is Outcome.ENDED else NoticeKind.JOB_FAILED
        action, state = "job.end", str((observed or errand).state)
    if outcome in _SHOWN:
        # Nothing that a provider said.
        said = {"action": action, "outcome": str(outcome), "cause": problems.word_of(cause)}
        log.info("not fulfilled", reference=errand.reference, connection=errand.connection, **said)
    ends_stop = isinstance(errand, Operation) and errand.verb.brings_down
    return Update(
        errand.id,
        0.0,
        start_call=None if ends_stop else _settled(errand.start_call, outcome),
        stop_call=_settled(errand.stop_call, outcome) if ends_stop else None,
        remote_id=observed.remote_id if observed is not None else None,
        observed=observed,
        hold="",
        outcome=outcome,
        cause=cause,
        card_dirty=True,
        notices=[notice(errand, kind, END, body, due_in=due_in)] if tells else [],
        audit=[audit(errand, action, str(outcome), cause=cause, state=state)],
        claim=claim,
        hides=hides,
        asked_at=errand.asked_at,
    )


def notice(
    subject: Operation | Run,
    kind: NoticeKind,
    occasion: str,
    body: dict[str, Any] | None = None,
    *,
    due_in: float = 0.0,
) -> NewNotice:
    """Return a notice about an operation or run; its body holds row keys and the output's last lines."""
    if isinstance(subject, Operation):
        keys = {"operation": subject.id, "workspace": subject.workspace_id}
    else:
        keys = {"job": subject.id}
    whole: dict[str, Any] = {**keys, "connection": subject.connection, **(body or {})}
    if subject.channel_id is not None:
        whole["channel_id"] = subject.channel_id
    return NewNotice(subject.id, kind, occasion, subject.principal, whole, due_in)


def audit(subject: Operation | Run, action: str, result: str, **detail: str | None) -> AuditEntry:
    """Return the audit entry for an action on an operation or run; None values are left out."""
    fields = {key: value for key, value in detail.items() if value is not None}
    rest = {"connection": subject.connection, "reference": subject.reference}
    if isinstance(subject, Operation):
        target, fields = subject.workspace_id, {"operation": subject.id, **rest, **fields}
    else:
        target, fields = subject.remote_id or subject.id, {**fields, "job": subject.id, **rest}
    return AuditEntry(subject.principal.key, action, target, result, fields)


def _kind(operation: Operation, outcome: Outcome) -> NoticeKind:
    match outcome:
        case Outcome.FULFILLED:
            return _DONE.get(operation.verb, NoticeKind.READY)
        case Outcome.REFUSED:
            return NoticeKind.REFUSED
        case _:  # A cancellation is reported as a failure: it didn't happen.
            return NoticeKind.FAILED


def _settled(call: Call, outcome: Outcome) -> Call | None:
    """Treat a call of unknown outcome as accepted if its operation was fulfilled."""
    return Call.ACCEPTED if outcome is Outcome.FULFILLED and call in (Call.CALLING, Call.UNKNOWN) else None


S = TypeVar("S", ClaimedOperation, ClaimedRun)


async def always(_step: ClaimedOperation | ClaimedRun) -> bool:
    """Return True: somebody always waits for it."""
    return True


class Updates(Generic[S]):
    """Save the updates of operations' or of runs' steps.

    ``late`` is the notice at a deadline; ``tells`` says whether somebody is waiting for it.
    ``held_seconds`` is the deadline that starts when something is held up.
    """

    def __init__(
        self,
        store: Store,
        save: Callable[[Update], Awaitable[bool]],
        late: NoticeKind,
        *,
        tells: Callable[[S], Awaitable[bool]] = always,
        held_seconds: float | None = None,
    ) -> None:
        self.save = save
        self.tells: Callable[[S], Awaitable[bool]] = tells
        self._store = store
        self._late = late
        self._held_seconds = held_seconds

    async def later(
        self, claimed: S, next_in: float, hold: str | None = None, *, deadline_in: float | None = None
    ) -> None:
        """Save that it continues later; ``hold`` as for ``held``."""
        await self.save_held(claimed, replace(claimed.update(next_in), deadline_in=deadline_in), hold)

    async def all_later(
        self, batch: Sequence[S], next_in: float, hold: str | None, *, deadline_in: float | None = None
    ) -> None:
        """Save that several continue later."""
        for claimed in batch:
            await self.later(claimed, next_in, hold, deadline_in=deadline_in)

    async def save_held(self, claimed: S, update: Update, hold: str | None) -> None:
        """Save an update of something that continues later; ``hold`` as for ``held``."""
        if hold and update.deadline_in is None:
            update = replace(update, deadline_in=self._held_seconds)
        await self.save(await self.held(claimed, update, hold))

    async def held(self, claimed: S, update: Update, hold: str | None) -> Update:
        """Return an update with what is holding it up, "" for nothing, None for as before."""
        if hold is not None and hold != (claimed.subject.hold or ""):
            update = replace(update, hold=hold, card_dirty=True)
        return await self.after_deadline(claimed, update)

    async def after_deadline(self, claimed: S, update: Update) -> Update:
        """Return an update whose next step is no later than the deadline, with the notice due then, if any.

        A person who has already been asked what to do isn't also told that it takes longer.
        """
        subject = claimed.subject
        if update.outcome is not None or subject.deadline_at is None:
            return update
        now = await self._store.now()
        if now < subject.deadline_at:
            return replace(update, next_in=min(update.next_in, subject.deadline_at - now))
        if subject.asked_at is not None:
            return update
        late = replace(update, deadline_passed=True, card_dirty=True)
        if not await self.tells(claimed):
            return late
        due = notice(subject, self._late, str(subject.deadline_number))
        return replace(late, notices=(*update.notices, due))
