"""Takes one step of an operation or a job run: checks, plans, calls the provider, and saves the result.

The operation or run ends if its account isn't linked, and usually also if the policy refuses the person. If
the connection is missing or Slack can't identify the person, the step is delayed, and the card says why.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Final, Generic, TypeVar

import structlog

from bot.domain import causes
from bot.domain.audit import AuditEntry
from bot.domain.holds import (
    NOTHING,
    Hold,
    HoldCode,
    find_server_words,
    hold_by_cause,
    is_failure_of_server,
    is_hold,
    make_hold,
)
from bot.domain.notices import NoticeKind
from bot.domain.observations import Created, OutcomeSearch
from bot.domain.operations import Operation
from bot.domain.plan import Plan, Step, may_repeat
from bot.domain.policy import Target
from bot.domain.runs import Run
from bot.domain.steps import ClaimedOperation, ClaimedRun, Update
from bot.domain.timeouts import (
    ANSWER_SECONDS,
    MAX_CONFLICT_SECONDS,
    Verdict,
    has_settled,
    judge,
    search_in,
)
from bot.domain.work_items import UNAUTHORIZED, Call, Outcome
from bot.providers.base import Access
from bot.reconciler import outcomes
from bot.reconciler.call_results import (
    CallFailure,
    OutcomeUnknown,
    ProviderBusy,
    Rejected,
    RetryLater,
    Succeeded,
)
from bot.reconciler.context import EngineContext, EnginePart
from bot.reconciler.provider_calls import KEYS_CAUSE, KEYS_WAIT_SECONDS, ProviderCall
from bot.reconciler.runtimes import PERSONS_SHARE, Runtime
from bot.services.caller import decide_installed
from bot.services.owners import STARTS_PREFIX
from bot.store.transaction import Row
from bot.support.errors import Conflict, Outdated, SlackFailed, SlackLimited, TooLate
from bot.support.pool import Pool, contain_errors, count_free_slots, run_all

log = structlog.get_logger(__name__)
S = TypeVar("S", ClaimedOperation, ClaimedRun)


#: How long, in seconds, a start is postponed if another process makes the connection's starts.
OTHER_PROCESS_POLL_SECONDS: Final = 0.25
#: Seconds to wait before retrying a step that depends on Slack, an operator or the person.
EXTERNAL_WAIT_SECONDS: Final = 60.0
#: How long, in seconds, a call is postponed while another request tests the connection.
PROBE_WAIT_SECONDS: Final = 2.0
#: Maximum number of attempts at a call that conflicts with the workspace's state or with an existing name.
MAX_CONFLICT_ATTEMPTS: Final = 4
#: Steps that start a workspace. Their calls wait in the connection's start queue, which may limit their rate.
START_STEPS: Final = frozenset({Step.START, Step.CREATE})
#: Block reason shown on a card after a bug in Usher made a step fail.
_BROKEN: Final = hold_by_cause("internal")
#: Steps that create something. Before retrying one, Usher searches for what an earlier attempt may have
#: created.
_CREATING_STEPS: Final = frozenset({Step.CREATE, Step.LAUNCH})


class Stepper(EnginePart, ABC, Generic[S]):
    """Carries out the steps of due operations or runs. Commits the state *calling* before each call (ADR 54).

    An *item* is an operation or a run. Subclasses implement the methods at the end, which differ between
    operations and runs. If an item is replaced or its account is unlinked during a step, that change wins,
    because an item that has ended can't be updated.
    """

    #: Outcome of an item that has to end while the effect of its call is unknown.
    lost_outcome: ClassVar[Outcome]
    #: The kind of notice that asks whether to create another workspace or run.
    question_kind: ClassVar[NoticeKind]
    #: The kind of notice sent when an item reaches its deadline.
    late_kind: ClassVar[NoticeKind]
    #: Whether an item keeps the state of its last call and the number of attempts if the next call can't be
    #: sent yet. If not, they are reset to *none* and 0.
    keeps_call: ClassVar[bool]
    #: How long an item may be blocked, in seconds, or None if a block sets no deadline.
    held_seconds: float | None = None

    def __init__(self, engine: EngineContext) -> None:
        super().__init__(engine)
        self._people = engine.people
        #: Ids of the items being processed, so that an item whose lease has expired isn't processed twice.
        self._under_way: set[str] = set()

    async def step(self, pool: Pool | None = None) -> int:
        """Claim due operations or runs, and carry out a step of each concurrently. Return their number."""
        limit = count_free_slots(pool, self._numbers.batch)
        if limit <= 0:
            return 0
        batches = await self.claim(limit, self._numbers.lease)
        fresh = [[each for each in batch if each.subject.id not in self._under_way] for batch in batches]
        claimed = sum(map(len, batches))
        works = [self._isolate_errors(batch) for batch in fresh if batch]
        await run_all(works, pool, is_full=claimed >= limit)
        return claimed

    async def _isolate_errors(self, batch: list[S]) -> None:
        """Process a batch. If this fails, log the error and retry later. At shutdown, hand the batch back."""
        ids = [claimed.subject.id for claimed in batch]
        self._under_way.update(ids)
        # Handing the batch back is safe even during a call: the next step sees the state *calling*, and first
        # finds out what the call did.
        back = partial(self.postpone_all, batch, 0.0, None)
        failed = partial(self.postpone_all, batch, EXTERNAL_WAIT_SECONDS, _BROKEN)
        try:
            async with contain_errors("step", self._ids, back=back, failed=failed, subjects=ids):
                for claimed in await self.process_batch(batch):
                    await self._process(claimed)
        finally:
            # `process_batch` may have added items to the batch.
            self._under_way.difference_update(claimed.subject.id for claimed in batch)

    async def _process(self, claimed: S) -> None:
        subject, account = claimed.subject, claimed.account
        if not subject.is_open:
            return
        if (cause := self._find_end_cause(claimed, await self._store.now())) is not None:
            # If the account was unlinked or no call was sent, the item counts as cancelled. Otherwise, the
            # call may have had an effect, so the outcome is unknown.
            is_known = cause == "unlinked" or not subject.has_called
            outcome, notify = (
                Outcome.CANCELLED if is_known else self.lost_outcome,
                await self.has_recipient(claimed),
            )
            await self.save(
                claimed, outcomes.make_end_update(subject, outcome, cause, claimed.claim, notify=notify)
            )
            return
        if (runtime := self._runtimes.get(subject.connection)) is None:
            # If another process has this connection in its settings, this process's settings are out of date.
            # Only the operator can fix that.
            is_elsewhere = subject.connection in self._owners.lacking_connections
            hold = hold_by_cause(KEYS_CAUSE) if is_elsewhere else make_hold(HoldCode.NO_CONNECTION)
            await self.postpone(claimed, KEYS_WAIT_SECONDS if is_elsewhere else EXTERNAL_WAIT_SECONDS, hold)
            return
        assert account is not None, "without one it is lost"
        decided = await self.plan(claimed, runtime)
        if account.state == "refused" and not self.ends_while_refused(claimed, decided):
            # Items that are waiting for a refused account are woken when the account is linked again.
            await self.postpone(claimed, EXTERNAL_WAIT_SECONDS, hold_by_cause(account.refusal))
        elif await self._check_permission(claimed, decided.step):
            await self._take_step(claimed, runtime, decided)

    def _find_end_cause(self, claimed: S, now: float) -> str | None:
        """Return the key of the message that says why an item can't continue, or None if it can."""
        subject, account = claimed.subject, claimed.account
        if account is None or account.state == "revoking":
            return "unlinked"
        if (runtime := self._runtimes.get(subject.connection)) is not None:
            return None if runtime.provider.is_available_to(subject.principal) else "not_here"
        is_missing = is_hold(subject.block_reason, HoldCode.NO_CONNECTION)
        since = subject.blocked_since if is_missing else None
        # A connection that has been missing from the settings for this long counts as removed.
        return "connection_gone" if since is not None and now >= since + ANSWER_SECONDS else None

    async def _check_permission(self, claimed: S, step: Step) -> bool:
        """Return whether the policy allows the step. Postpone the step if Slack can't identify the person."""
        asked = self.find_required_permission(claimed, step)
        if asked is None:
            return True
        subject, person = claimed.subject, claimed.person
        if person is None:
            try:
                person = await self._people.look_up(subject.principal)
            except SlackFailed as error:
                log.info("person not looked up", subject=subject.id, problem=str(error))
                known = (
                    await self._store.person(subject.principal)
                    if self.can_use_cached_person(claimed)
                    else None
                )
                if known is None:
                    wait = error.retry_after if isinstance(error, SlackLimited) else EXTERNAL_WAIT_SECONDS / 2
                    await self.postpone(claimed, wait, make_hold(HoldCode.PERSON_UNKNOWN))
                    return False
                person = known
        verb, target = asked
        decision = await decide_installed(self._context, subject.principal, verb, target, person)
        return decision.allowed or await self.resolve_forbidden(claimed, step, decision.rule)

    async def _take_step(self, claimed: S, runtime: Runtime, decided: Plan) -> None:
        match decided.step:
            case Step.WATCH:
                return
            case Step.END:
                await self.save(claimed, await self.end(claimed, decided))
            case Step.WAIT if decided.at is not None:
                await self.postpone(claimed, max(decided.at - await self._store.now(), 0.1))
            case Step.READ | Step.WAIT | Step.RENEW:
                await self.advance(claimed, runtime, decided)
            case call:
                await self._call(claimed, runtime, call)

    async def _call(self, claimed: S, runtime: Runtime, step: Step) -> None:
        subject, starts = claimed.subject, step in START_STEPS
        if subject.retry_at is not None and (pause := subject.retry_at - await self._store.now()) > 0:
            # Make the call only after the pause. If a read shows a change before that, wake the item, because
            # it may no longer need the call.
            paused = claimed.update(pause, waits_for="change")
            await self.save_blocked(claimed, paused, find_block_reason(runtime, subject))
        elif runtime.health.pause > 0:
            await self.postpone(claimed, runtime.health.pause, find_block_reason(runtime, subject))
        elif runtime.is_probed:
            await self.postpone(claimed, PROBE_WAIT_SECONDS, runtime.health.describe_silence())
        elif starts and (turn := await self._claim_start_turn(subject, runtime)) > 0:
            await self.postpone(claimed, turn)
        elif not runtime.slots.take_share(subject.principal.key, PERSONS_SHARE):
            if starts:
                runtime.start_queue.return_turn(subject, 1.0)
            await self.postpone(claimed, 1.0)
        else:
            try:
                queue, thing = runtime.start_queue, STARTS_PREFIX + runtime.name
                is_granted = partial(self._owners.owns, thing, queue.owned_since)
                may_leave = is_granted if starts and queue.per_second is not None else None
                update = await self._send_call(claimed, runtime, step, may_leave)
            finally:
                runtime.slots.give_share(subject.principal.key)
            if update is not None:
                update = _keep_silence(claimed, update)
                # The next step may be due after the deadline, but the person must be told at the deadline.
                await self.save(claimed, await self.after_deadline(claimed, update))

    async def _claim_start_turn(self, subject: Operation | Run, runtime: Runtime) -> float:
        """Return how many seconds to wait before trying this start again, or 0 if it may be made now."""
        owned_since = await self._owners.own(STARTS_PREFIX + runtime.name)
        return (
            OTHER_PROCESS_POLL_SECONDS
            if owned_since is None
            else runtime.start_queue.request_turn(subject, owned_since)
        )

    # -- a call ----------------------------------------------------------------------------------------------

    async def _send_call(
        self, claimed: S, runtime: Runtime, step: Step, may_leave: Callable[[], bool] | None
    ) -> Update | None:
        """Commit the state *calling*, then make the call. Return the update to save, or None.

        ``may_leave`` is called just before each request. If it returns False, the request isn't sent.
        """
        subject, account = claimed.subject, claimed.account
        assert account is not None, "what has no account ends before it calls"
        if step is Step.FIND:
            return await self._find(claimed, runtime)
        starts = step in START_STEPS
        attempts = subject.attempts if self.keeps_call else 0
        access = await self._provider_caller.admit(runtime, account, attempts, starts=starts)
        if not isinstance(access, Access):
            return self.build_retry(claimed, runtime, step, access, None if self.keeps_call else Call.NONE)
        calling = await self.prepare_call(claimed, runtime, step, access)
        if not calling.is_calling:
            return calling
        began = self._clock.monotonic()
        try:
            if (row := await self.save(claimed, calling)) is None:
                return None  # Ended, replaced, unlinked or forgotten since the claim: nothing may be sent.
        except TooLate:
            too_late = Plan(Step.END, Outcome.FAILED, outcomes.make_stale_cause(subject))
            return await self.end(claimed, too_late)
        except Outdated:
            return claimed.update(0.0)
        self._context.recent_commits.add(subject, await self._store.now())
        claimed = replace(claimed, row=row)
        if calling.name is not None:
            claimed = await self.reload_name(claimed)
        answer = await self._provider_caller.call(
            ProviderCall(
                runtime,
                account,
                str(step),
                attempts=subject.attempts,
                starts=starts,
                repeats=may_repeat(subject, step),
                is_checked=True,
                began=began,
                may_leave=may_leave,
                was_unauthorized=subject.was_unauthorized,
            ),
            partial(self.send, claimed, runtime, step),
        )
        match answer:
            case Succeeded(created):
                return await self.record_accepted(claimed, runtime, step, access, created)
            case RetryLater() | Rejected(needs_credential=True):
                again = await self._defer_call(claimed, runtime, step, answer)
                return again._replace(cause=UNAUTHORIZED if answer.is_unauthorized else None)
            case OutcomeUnknown():
                return self.build_retry(claimed, runtime, step, answer, Call.UNKNOWN)
            case Rejected():
                return await self._resolve_rejected(claimed, runtime, step, answer)

    async def _resolve_rejected(self, claimed: S, runtime: Runtime, step: Step, answer: Rejected) -> Update:
        """Return the update to save after a refused call: search for an earlier result, retry, or give up."""
        if isinstance(answer.error, Conflict) and self._may_be_own(claimed, step):
            # An earlier attempt may have created the workspace or run with this name, so search for it.
            return self.build_retry(claimed, runtime, step, self._make_retry(claimed), Call.UNKNOWN)
        if isinstance(answer.error, Conflict) and passes(step, answer.error):
            return await self._repeat_later(claimed, runtime, step, answer.error)
        return self.record_rejected(claimed, runtime, step, answer)

    async def _defer_call(
        self, claimed: S, runtime: Runtime, step: Step, answer: RetryLater | Rejected
    ) -> Update:
        """Return the update that retries a call that was refused or couldn't be sent.

        If the provider is busy, the pauses between retries grow. A provider may carry out a call even though
        it answers that it is busy, so a read must first show that the call is still needed.
        """
        if not isinstance(answer, ProviderBusy):
            return self.build_retry(claimed, runtime, step, answer, Call.NONE)
        now = await self._store.now()
        since = claimed.subject.busy_since or now
        wait = max(self._provider_caller.compute_busy_pause(max(now - since, 0.0)), answer.wait)
        words = find_server_words(hold_by_cause(answer.cause))
        hold = (
            answer.hold if answer.is_own_limit else find_busy_reason(runtime, claimed.subject, since, words)
        )
        answer = replace(answer, wait=wait, hold=hold)
        again = self.build_retry(claimed, runtime, step, answer, Call.NONE)
        return again._replace(busy_since=since, retry_at=now + wait)

    async def _repeat_later(self, claimed: S, runtime: Runtime, step: Step, error: Conflict) -> Update:
        """Return the update that retries a call that was refused because something else is in progress.

        The pauses between retries grow, and a read must first confirm that the call is still needed.
        """
        now = await self._store.now()
        since = claimed.subject.busy_since or now
        wait = self._provider_caller.compute_busy_pause(max(now - since, 0.0), MAX_CONFLICT_SECONDS)
        cause = causes.to_cause(error)
        answer = ProviderBusy(wait, hold_by_conflict(cause), 0, cause)
        again = self.build_retry(claimed, runtime, step, answer, Call.NONE)
        return again._replace(busy_since=since, retry_at=now + wait, cause=cause)

    def _may_be_own(self, claimed: S, step: Step) -> bool:
        """Return whether an earlier attempt may have created the workspace or run that uses the name."""
        subject = claimed.subject
        return (
            step in _CREATING_STEPS
            and subject.called_at is not None
            and 0 < subject.attempts < MAX_CONFLICT_ATTEMPTS
        )

    def _make_retry(self, claimed: S) -> RetryLater:
        attempts = claimed.subject.attempts + 1
        return RetryLater(self._provider_caller.compute_backoff(attempts), None, attempts)

    # -- after an unknown outcome ----------------------------------------------------------------------------

    async def _find(self, claimed: S, runtime: Runtime) -> Update | None:
        """Search the provider for the call's result. This changes nothing, so nothing is committed first."""
        account = claimed.account
        assert account is not None, "what has no account ends before it calls"
        answer = await self._provider_caller.call(
            ProviderCall(runtime, account, "find", claimed.subject.attempts),
            lambda access: self.search(claimed, runtime, access),
        )
        match answer:
            case Succeeded(traces):
                return await self._judge_traces(claimed, runtime, traces)
            case OutcomeUnknown(is_unreadable=False) | RetryLater() | Rejected(needs_credential=True):
                return self.build_retry(claimed, runtime, Step.FIND, answer, None)
            case _:  # Searching again wouldn't find out more.
                return await self._judge_traces(claimed, runtime, OutcomeSearch())

    async def _judge_traces(
        self, claimed: S, runtime: Runtime, traces: OutcomeSearch | None
    ) -> Update | None:
        """Act on what a search found: save the id, search or call again, ask the person, or give up."""
        now = await self._store.now()
        verdict: Created | Verdict = Verdict.SEARCH
        if traces is not None:
            verdict = judge(
                traces.match,
                traces.candidates,
                is_proof=traces.is_conclusive,
                has_settled=has_settled(await self.find_creation(claimed), now),
                is_wanted=self.is_still_needed(claimed),
            )
        match verdict:
            case Verdict.SEARCH:
                return claimed.update(search_in(runtime.pace, None, now))
            case Verdict.REPEAT:
                return self.record_absence(claimed, self._make_retry(claimed).wait)
            case Verdict.NOTHING | Verdict.UNTOLD:
                return self.abandon(claimed, verdict)
            case Verdict.ASK:
                return self._ask_person(claimed, runtime, now)
            case created:
                return await self.record_found(claimed, runtime, created)

    def record_absence(self, claimed: S, wait: float) -> Update:
        """Return the update to save if a search found nothing.

        The call is repeated unless it was cancelled.
        """
        return claimed.update(
            wait,
            attempts=claimed.subject.attempts + 1,
            block_reason=NOTHING,
            asked=False,
            card_dirty=True,
            audit=[outcomes.build_audit_entry(claimed.subject, "call.find", "absent")],
            start_call=Call.NONE,
        )

    def _ask_person(self, claimed: S, runtime: Runtime, now: float) -> Update:
        """Ask the person once whether to repeat the call, and keep searching in the meantime."""
        subject = claimed.subject
        wait = search_in(runtime.pace, subject.question_since, now)
        if subject.question_since is not None:
            return claimed.update(wait, block_reason=NOTHING, asked=True)
        asked = outcomes.build_notice(subject, self.question_kind, f"{subject.called_at or 0.0:.3f}")
        unclear = outcomes.build_audit_entry(subject, "call.find", "unclear")
        return claimed.update(wait, block_reason=NOTHING, asked=True, notices=[asked], audit=[unclear])

    # -- saving ----------------------------------------------------------------------------------------------

    async def postpone(
        self, claimed: S, next_in: float, hold: Hold | None = None, *, deadline_in: float | None = None
    ) -> None:
        """Postpone an operation or run. ``hold`` is the block reason (see ``add_block_reason``)."""
        await self.save_blocked(claimed, claimed.update(next_in, deadline_in=deadline_in), hold)

    async def postpone_all(
        self, batch: Sequence[S], next_in: float, hold: Hold | None, *, deadline_in: float | None = None
    ) -> None:
        """Postpone several operations or runs. ``hold`` is the block reason (see ``add_block_reason``)."""
        for claimed in batch:
            await self.postpone(claimed, next_in, hold, deadline_in=deadline_in)

    async def save_blocked(self, claimed: S, update: Update, hold: Hold | None) -> None:
        """Save the update of an operation or run that has to wait. ``hold`` is the reason for waiting."""
        if hold and update.deadline_in is None:
            update = update._replace(deadline_in=self.held_seconds)
        await self.save(claimed, await self.add_block_reason(claimed, update, hold))

    async def add_block_reason(self, claimed: S, update: Update, hold: Hold | None) -> Update:
        """Return the update with ``hold`` as the block reason of the operation or run.

        A hold of "" clears the reason, and None leaves it unchanged.
        """
        if hold is not None and hold != (claimed.subject.block_reason or ""):
            update = _keep_silence(claimed, update._replace(block_reason=hold, card_dirty=True))
        return await self.after_deadline(claimed, update)

    async def after_deadline(self, claimed: S, update: Update, *, is_blocked: bool = False) -> Update:
        """Return the update with the changes that the item's deadline requires.

        The next step is planned for the deadline at the latest. Once the deadline has passed, a notice tells
        the person that the item is late. If ``is_blocked`` is true, because nothing can be sent for the item,
        a notice says so at once, even before the deadline. A person who has already been asked what to do
        gets neither notice.
        """
        subject = claimed.subject
        if update.outcome is not None or subject.deadline_at is None:
            return update
        now = await self._store.now()
        is_late = now >= subject.deadline_at
        if not is_late:
            update = update._replace(next_in=min(update.next_in, subject.deadline_at - now))
        if subject.question_since is not None or not (is_late or is_blocked):
            return update
        if is_late:
            update = update._replace(deadline_passed=True, card_dirty=True)
        if not await self.has_recipient(claimed):
            return update
        # Delay the notice that an item is late, because the item may end right after its deadline.
        occasion = str(subject.deadline_number)
        occasion = f"blocked:{occasion}" if is_blocked else occasion
        delay = 0.0 if is_blocked else outcomes.LATE_NOTICE_DELAY_SECONDS
        due = outcomes.build_notice(subject, self.late_kind, occasion, delay=delay)
        return update._replace(notices=(*update.notices, due))

    # -- what differs between operations and runs --------------------------------------------------------

    @abstractmethod
    async def claim(self, limit: int, lease: float) -> Sequence[Sequence[S]]:
        """Claim due items, oldest first, and return them in batches, which are processed concurrently.

        Items that share a call are in the same batch.
        """

    async def process_batch(self, batch: list[S]) -> Sequence[S]:
        """Do the work that a batch's items share. Return the items that still need a step of their own."""
        return batch

    @abstractmethod
    async def plan(self, claimed: S, runtime: Runtime) -> Plan:
        """Return the plan for the next step of an operation or run."""

    @abstractmethod
    def find_required_permission(self, claimed: S, step: Step) -> tuple[str, Target] | None:
        """Return the verb and target that the policy must allow before a step.

        None means that the step needs no permission.
        """

    @abstractmethod
    def ends_while_refused(self, claimed: S, decided: Plan) -> bool:
        """Return whether the plan may end an item even though its account's credential is refused."""

    def can_use_cached_person(self, claimed: S) -> bool:  # noqa: ARG002 - overridden for operations
        """Return whether the person's stored details may be used while Slack isn't responding."""
        return False

    @abstractmethod
    async def resolve_forbidden(self, claimed: S, step: Step, rule: str) -> bool:
        """End or postpone an item whose step the policy forbids, and return False.

        Return True instead if the step must be taken anyway, for example to stop the workspace of someone who
        has left.
        """

    @abstractmethod
    async def end(self, claimed: S, decided: Plan) -> Update:
        """Return the update that ends an operation or run according to its plan."""

    @abstractmethod
    async def advance(self, claimed: S, runtime: Runtime, decided: Plan) -> None:
        """Carry out a step that isn't a call: read, wait, or create a replacement."""

    @abstractmethod
    async def save(self, claimed: S, update: Update) -> Row | None:
        """Save an update. Return the new row, or None if the item has ended or another process claimed it."""

    async def has_recipient(self, claimed: S) -> bool:  # noqa: ARG002 - overridden for runs
        """Return whether anyone should receive notices about the item."""
        return True

    @abstractmethod
    async def prepare_call(self, claimed: S, runtime: Runtime, step: Step, access: Access) -> Update:
        """Return the update to commit before a call. The call is made only if the update says *calling*.

        A *calling* update includes the account and the person, and is saved only if neither has changed.
        """

    async def reload_name(self, claimed: S) -> S:
        """Return the item with its workspace's name reloaded. The name may have been chosen just now."""
        return claimed

    @abstractmethod
    async def send(self, claimed: S, runtime: Runtime, step: Step, access: Access) -> Created | str | None:
        """Make the call. Return what it created, or the provider's message if there was nothing to change."""

    @abstractmethod
    async def record_accepted(
        self, claimed: S, runtime: Runtime, step: Step, access: Access, created: Created | str | None
    ) -> Update | None:
        """Handle a call that the provider accepted. Return the update to save, or None if all is saved."""

    @abstractmethod
    def build_retry(
        self, claimed: S, runtime: Runtime, step: Step, answer: CallFailure, known: Call | None
    ) -> Update:
        """Return the update that schedules a retry of the call, or a search for its result.

        If ``answer`` is Rejected, the retry waits for a new credential.
        """

    @abstractmethod
    def record_rejected(self, claimed: S, runtime: Runtime, step: Step, answer: Rejected) -> Update:
        """Return the update for a refused call: retry the call, end the item, or read its state."""

    @abstractmethod
    async def search(self, claimed: S, runtime: Runtime, access: Access) -> OutcomeSearch | None:
        """Return the workspaces or runs that the call may have created, or None to search again.

        Results that belong to other items are left out.
        """

    async def find_creation(self, claimed: S) -> Operation | Run:
        """Return the item that creates the workspace or run.

        This is the claimed item itself or, if it cancels a creation, that creation.
        """
        return claimed.subject

    @abstractmethod
    def is_still_needed(self, claimed: S) -> bool:
        """Return whether anyone still needs the call's result."""

    @abstractmethod
    def abandon(self, claimed: S, verdict: Verdict) -> Update:
        """Return the update that abandons a search for something that is no longer needed."""

    @abstractmethod
    async def record_found(self, claimed: S, runtime: Runtime, created: Created) -> Update | None:
        """Handle an id that a search found. Return the update to save, or None if all is saved."""


def find_busy_reason(
    runtime: Runtime, subject: Operation | Run, since: float | None, words: str = ""
) -> Hold | None:
    """Return the block reason while a provider is too busy to accept calls, or None if ``since`` is None.

    ``since`` is when the provider began to refuse calls, and ``words`` is its own message. If the item
    already has such a block reason, return that one. If the provider has stopped answering, return a block
    reason that says so.
    """
    if since is None:
        return None
    if runtime.health.since is not None:
        return runtime.health.describe_silence()
    if subject.block_reason is not None and is_hold(subject.block_reason, HoldCode.OVERLOADED):
        return subject.block_reason
    return make_hold(HoldCode.OVERLOADED, f"{since} {words}".rstrip())


def passes(step: Step, error: Conflict) -> bool:
    """Return whether a conflict may go away on its own, so that it makes sense to repeat the call.

    When something is created, a conflict means that its name is already in use, which doesn't go away. Nor
    does a conflict about which Usher itself tells the person what to do.
    """
    may_stay = step in START_STEPS or step is Step.SUSPEND
    return step not in _CREATING_STEPS and not (may_stay and error.is_ours)


def hold_by_conflict(cause: str) -> Hold:
    """Return a block reason that quotes what the provider says about another change in progress."""
    return make_hold(HoldCode.UNDER_WAY, cause.partition(":")[2].lstrip(": "))


def find_own_reason(runtime: Runtime, subject: Operation | Run) -> Hold | None:
    """Return the block reason if a conflict or a busy provider delays an item's calls, otherwise None."""
    if subject.conflict is not None and runtime.health.since is None:
        return hold_by_conflict(subject.conflict)
    return find_busy_reason(runtime, subject, subject.busy_since)


def find_block_reason(runtime: Runtime, subject: Operation | Run) -> Hold | None:
    """Return the reason that blocks an item's calls, or None if they aren't blocked.

    The item's own block reason takes precedence over its connection's.
    """
    if subject.busy_since is not None and is_hold(subject.block_reason, HoldCode.OWN_LIMIT):
        return subject.block_reason
    return find_own_reason(runtime, subject) or runtime.health.block_reason


def _keep_silence(claimed: ClaimedOperation | ClaimedRun, update: Update) -> Update:
    """While calls keep failing, keep a block reason that says that the provider is silent or failing.

    Otherwise, each successful read would clear it, and the next failure would set it again.
    """
    subject, said = claimed.subject, update.block_reason
    fails = subject.is_failing and update.attempts != 0 and update.outcome is None and not update.asked
    kinds = (partial(is_hold, code=HoldCode.SILENT), is_failure_of_server)
    kept = next((is_kind for is_kind in kinds if is_kind(subject.block_reason)), None)
    if fails and kept is not None and said is not None and (not said or kept(said)):
        return update._replace(block_reason=None, card_dirty=False)
    return update


def name_call(step: Step, known: Call | None) -> dict[str, Call | None]:
    """Return ``known``, the state of a step's call, as a field of an update: ``start_call`` or ``stop_call``.

    For a search, return {}, which leaves both fields as they are.
    """
    match step:
        case Step.FIND:
            return {}
        case Step.START | Step.CREATE | Step.LAUNCH:
            return {"start_call": known}
        case _:
            return {"stop_call": known}


def build_success(claimed: S, next_in: float, entry: AuditEntry, **changes: Any) -> Update:
    """Return the update for a call that worked: the provider accepted it, or a search found its result."""
    usual: dict[str, Any] = {"attempts": 0, "block_reason": NOTHING, "card_dirty": True, "audit": [entry]}
    return claimed.update(next_in, **usual, **changes)
