"""Carries out job runs. Each run is launched only once, but a stop may be repeated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import structlog

from bot.domain import timeouts
from bot.domain.accounts import Account
from bot.domain.forms import Spec
from bot.domain.holds import NOTHING, Hold, HoldCode, hold_by_cause, make_hold
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.observations import Created, OutcomeSearch
from bot.domain.plan import MAX_ATTEMPTS, Plan, Step, next_run_read, plan_run
from bot.domain.policy import Target
from bot.domain.runs import ObservedRun, Run, RunState, drop_impossible_run_times, recognize_stop
from bot.domain.steps import ClaimedRun, Update
from bot.domain.tasks import TaskKind
from bot.domain.work_items import DEADLINE_SECONDS, Call, Outcome
from bot.providers import base, facets
from bot.reconciler import call_results, context, outcomes, provider_calls
from bot.reconciler.runtimes import Runtime
from bot.reconciler.step import (
    EXTERNAL_WAIT_SECONDS,
    PROBE_WAIT_SECONDS,
    Stepper,
    build_success,
    find_own_reason,
    name_call,
)
from bot.store import cards as card_rows
from bot.store import runs, tasks
from bot.store.tasks import NewTask
from bot.store.transaction import Row
from bot.support.errors import NotFound

log = structlog.get_logger(__name__)


#: Minimum time, in seconds, between launching or stopping a run and the next read of the run. A short run may
#: end in that time. The read then already shows its result.
MIN_FIRST_READ_SECONDS: Final = 2.0
#: After a run is reported as lost, Usher waits this many seconds before reading the list of runs again, in
#: case the run turns up after all.
LOOK_AGAIN_SECONDS: Final = 300.0
#: Maximum number of runs read in one request.
MAX_RUNS_PER_READ: Final = 50
#: How long, in seconds, the message about a run's end waits for the last lines of output.
MAX_LAST_LINES_WAIT_SECONDS: Final = 2.0


class RunStepper(Stepper[ClaimedRun]):
    """The stepper that advances job runs when they are due."""

    lost_outcome = Outcome.FAILED
    question_kind = NoticeKind.JOB_OUTCOME_QUESTION
    late_kind = NoticeKind.JOB_WAITING
    keeps_call = True

    def __init__(self, engine: context.EngineContext) -> None:
        super().__init__(engine)
        self._board = engine.board
        self.held_seconds = DEADLINE_SECONDS

    async def claim(self, limit: int, lease: float) -> Sequence[Sequence[ClaimedRun]]:
        """Lease due runs, oldest first. If several of an account's runs need a read, they share a batch."""
        found = await self._store.claim(runs.claim_runs, limit, lease, self._owners.name)
        now = await self._store.now()
        others: list[list[ClaimedRun]] = []
        reads: dict[str, list[ClaimedRun]] = {}
        for claimed in found:
            if claimed.account is not None and self._is_read(claimed, now):
                reads.setdefault(claimed.account.id, []).append(claimed)
            else:
                others.append([claimed])
        return [*others, *reads.values()]

    async def save(self, claimed: ClaimedRun, update: Update) -> Row | None:
        """Save a run's update. Return None if the run has ended or another process has claimed it."""
        return await self._store.write(runs.save_run_step, update, claimed.row)

    def ends_while_refused(self, _claimed: ClaimedRun, decided: Plan) -> bool:
        """Return whether the plan ends the run. If so, it ends even if the person links the account again."""
        return decided.step is Step.END

    async def has_recipient(self, claimed: ClaimedRun) -> bool:
        """Return whether a person launched or stopped the run, or has its card.

        Otherwise, nobody is notified.
        """
        run = claimed.subject
        return (
            bool(run.reference or run.requested_stop)
            or await self._store.read(card_rows.find_card, run.id) is not None
        )

    # -- reads -----------------------------------------------------------------------------------------------

    def _is_read(self, claimed: ClaimedRun, now: float) -> bool:
        account = claimed.account
        is_fit = (
            account is not None and account.state == "active" and claimed.subject.connection in self._runtimes
        )
        return is_fit and plan_run(claimed.subject, now).step is Step.READ

    async def process_batch(self, batch: list[ClaimedRun]) -> Sequence[ClaimedRun]:
        """Read an account's due and nearly due runs in one request. Return the runs that need no read."""
        account = batch[0].account
        if account is None or not self._is_read(batch[0], await self._store.now()):
            return batch
        runtime = self._runtimes[account.connection]
        wait = max(runtime.health.pause, await self._compute_read_wait(account, runtime))
        if wait > 0:
            await self.postpone_all(batch, wait, runtime.health.block_reason)
        elif runtime.is_probed:
            await self.postpone_all(batch, PROBE_WAIT_SECONDS, runtime.health.describe_silence())
        elif runtime.slots.free_for_reads < 1 or not runtime.slots.take():
            await self.postpone_all(batch, 1.0, None)
        else:
            try:
                others = await self._claim_more(account, batch)
                if others is not None:
                    await self._read_runs(account, runtime, batch[:MAX_RUNS_PER_READ])
            finally:
                runtime.slots.give()
            # Runs that didn't fit into the request have to wait. If another process has just read them, all
            # have to wait.
            remaining = batch if others is None else batch[MAX_RUNS_PER_READ:]
            await self.postpone_all(remaining, runtime.pace.min_poll_interval, None)
            return others or ()
        return ()

    async def _claim_more(self, account: Account, batch: list[ClaimedRun]) -> list[ClaimedRun] | None:
        """Claim the read, and add more of the account's runs to the batch. Return those that need no read.

        Return None if another process has just read the account's runs, or if the account was unlinked.
        """
        free = max(MAX_RUNS_PER_READ - len(batch), 0)
        now = await self._store.now()
        more = await self._store.claim(
            runs.claim_runs_of, account, free, self._numbers.lease, self._owners.name
        )
        if more is None:
            return None
        others = []
        for claimed in more:
            if claimed.subject.id in self._under_way:
                continue
            if self._is_read(claimed, now):
                self._under_way.add(claimed.subject.id)
                batch.append(claimed)
            else:
                others.append(claimed)
        return others

    # -- everything else -------------------------------------------------------------------------------------

    async def plan(self, claimed: ClaimedRun, _runtime: Runtime) -> Plan:
        """Return the next step, according to the stored state of the run."""
        return plan_run(claimed.subject, await self._store.now())

    def find_required_permission(self, claimed: ClaimedRun, step: Step) -> tuple[str, Target] | None:
        """Return the verb and target for which a launch, search or stop needs permission, otherwise None."""
        if step not in (Step.LAUNCH, Step.FIND, Step.STOP):
            return None
        verb = "stop" if step is Step.STOP else "run"
        return verb, Target("job", claimed.subject.id, claimed.subject.principal)

    async def resolve_forbidden(self, claimed: ClaimedRun, step: Step, rule: str) -> bool:
        """If a launch isn't allowed, end the run. If a stop isn't, postpone it.

        Always allow a search, because the run may exist.
        """
        if step is Step.LAUNCH:
            await self.save(
                claimed, outcomes.make_end_update(claimed.subject, Outcome.FAILED, rule, claimed.claim)
            )
        elif step is Step.STOP:
            await self.postpone(claimed, EXTERNAL_WAIT_SECONDS, hold_by_cause(rule))
        return step is Step.FIND

    async def end(self, claimed: ClaimedRun, decided: Plan) -> Update:
        """Return the update that ends the run, with the last lines of its output if it has finished."""
        assert decided.outcome is not None, "a plan that ends says how"
        if decided.outcome is Outcome.ENDED:
            return await self._end_finished(claimed)
        return outcomes.make_end_update(claimed.subject, decided.outcome, decided.cause, claimed.claim)

    async def advance(self, claimed: ClaimedRun, _runtime: Runtime, _decided: Plan) -> None:
        """Postpone a run briefly, because its read became due only after it was claimed."""
        await self.postpone(claimed, 0.1)

    # -- calls -----------------------------------------------------------------------------------------------

    async def prepare_call(
        self, claimed: ClaimedRun, _runtime: Runtime, step: Step, _access: base.Access
    ) -> Update:
        """Return the update to commit before the call. If a stop is repeated, keep the time of the first."""
        is_first = step is Step.LAUNCH or claimed.subject.stop_call is Call.NONE
        who = {"account": claimed.account, "person": claimed.person}
        call = name_call(step, Call.CALLING)
        return claimed.update(self._numbers.lease, called=is_first, cause="", **who, **call)

    async def send(
        self, claimed: ClaimedRun, runtime: Runtime, step: Step, access: base.Access
    ) -> Created | None:
        """Make the call. Return the launched run, or None for a stop."""
        run, provider = claimed.subject, runtime.provider.require_facet(facets.Runs)
        if step is Step.LAUNCH:
            return await provider.launch_run(access, run.spec or Spec(run.name), run.id)
        assert run.remote_id is not None, "only what was launched is stopped"
        await provider.stop_run(access, run.remote_id, force=run.requested_stop == "force")
        return None

    async def record_accepted(
        self,
        claimed: ClaimedRun,
        runtime: Runtime,
        step: Step,
        _access: base.Access,
        created: Created | str | None,
    ) -> Update | None:
        """Record a launched run. After a stop, return an update that requests a read soon."""
        if isinstance(created, Created):
            await self._record_launch(claimed, runtime, step, created)
            return None
        entry = outcomes.build_audit_entry(
            claimed.subject, "call.stop", "accepted", how=claimed.subject.requested_stop
        )
        return build_success(claimed, _compute_first_wait(runtime), entry, stop_call=Call.ACCEPTED)

    async def _record_launch(
        self, claimed: ClaimedRun, runtime: Runtime, step: Step, created: Created
    ) -> None:
        run, remote_id = claimed.subject, created.remote_id
        entry = outcomes.build_audit_entry(run, f"call.{step}", "accepted", remote_id=remote_id)
        launched = build_success(
            claimed,
            _compute_first_wait(runtime),
            entry,
            remote_id=remote_id,
            start_call=Call.ACCEPTED,
        )
        if not await self.save(claimed, launched):
            # The account was unlinked in the meantime. The run continues, but Usher can't follow it.
            log.warning("launched after its account was unlinked", run=run.id, connection=run.connection)

    def build_retry(
        self,
        claimed: ClaimedRun,
        runtime: Runtime,
        step: Step,
        answer: call_results.CallFailure,
        known: Call | None,
    ) -> Update:
        """Return the update for a retry. If the outcome is unknown, Usher soon searches for the run.

        A pause that the provider requested doesn't delay the search.
        """
        run, wait, attempts = claimed.subject, provider_calls.REFUSED_WAIT_SECONDS, None
        if not isinstance(answer, call_results.Rejected):
            wait, attempts = answer.wait, answer.attempts
        if (
            isinstance(answer, call_results.OutcomeUnknown | call_results.ProviderBusy)
            and step is not Step.FIND
        ):
            wait = _compute_first_wait(runtime)
        notices: list[NewNotice] = []
        if step is Step.STOP and run.attempts < MAX_ATTEMPTS == attempts:
            notices = [_build_not_stopped_notice(run)]
        changes = {"attempts": attempts, "block_reason": answer.hold, "notices": notices}
        return claimed.update(wait, **changes, **name_call(step, known))

    def record_rejected(
        self, claimed: ClaimedRun, runtime: Runtime, step: Step, answer: call_results.Rejected
    ) -> Update:
        """End the run if a launch was refused.

        If a stop was refused, abandon the stop and keep polling the run.
        """
        run = claimed.subject
        if step is Step.LAUNCH:
            ended = outcomes.make_end_update(
                run, Outcome.FAILED, answer.call_cause(makes=True), claimed.claim
            )
            return ended._replace(start_call=Call.NONE)
        wait = _compute_first_wait(runtime)
        if isinstance(answer.error, NotFound):
            # The run may have just ended, which the next reads will show.
            cause = answer.call_cause()
            return claimed.update(wait, stop_call=Call.ACCEPTED, attempts=0, cause=cause)
        return claimed.update(
            wait,
            stop_call=Call.ACCEPTED,
            attempts=0,
            card_dirty=True,
            notices=[_build_not_stopped_notice(run, cause=answer.call_cause())],
            audit=[outcomes.build_audit_entry(run, "call.stop", "refused", cause=answer.cause)],
        )

    async def search(self, claimed: ClaimedRun, runtime: Runtime, access: base.Access) -> OutcomeSearch:
        """Return the provider's runs that may be the result of this launch and belong to no other row."""
        run = claimed.subject
        spec, since = run.spec or Spec(run.name), run.sent_at or run.created_at
        traces = await runtime.provider.require_facet(facets.Runs).find_run(access, spec, run.id, since)
        if not traces.candidates:
            return traces
        by_id = {trace.remote_id: trace for trace in traces.candidates}
        remaining = await self._store.read(runs.find_unexplained_ids, run, list(by_id))
        return replace(traces, candidates=tuple(by_id[remote_id] for remote_id in remaining))

    def is_still_needed(self, claimed: ClaimedRun) -> bool:
        """Return whether the run is still wanted. It isn't if someone has asked to stop it."""
        return not claimed.subject.requested_stop

    def abandon(self, claimed: ClaimedRun, verdict: timeouts.Verdict) -> Update:
        """Abandon the search for a launch that is no longer wanted.

        If nothing was launched, record that, so that the next step ends the run. If it isn't known whether
        anything was launched, end the run as failed.
        """
        if verdict is timeouts.Verdict.NOTHING:
            return self.record_absence(claimed, 0.0)
        return outcomes.make_end_update(claimed.subject, Outcome.FAILED, "untold", claimed.claim)

    async def record_found(self, claimed: ClaimedRun, runtime: Runtime, created: Created) -> None:
        """Record the id of the run that a search found."""
        await self._record_launch(claimed, runtime, Step.FIND, created)

    # -- a read ----------------------------------------------------------------------------------------------

    async def _compute_read_wait(self, account: Account, runtime: Runtime) -> float:
        interval = runtime.pace.min_poll_interval
        remaining = (account.runs_read_at or 0.0) + interval - await self._store.now()
        # If the clock has been set back since the last read, assume that the read happened just now.
        return min(max(remaining, 0.0), interval)

    async def _read_runs(self, account: Account, runtime: Runtime, batch: Sequence[ClaimedRun]) -> None:
        runtime.observer.count_reads(runtime.name, len(batch))
        remote_ids = [_require_remote_id(claimed.subject) for claimed in batch]
        answer = await self._provider_caller.call(
            provider_calls.ProviderCall(
                runtime,
                account,
                "read runs",
                # Failed reads of runs aren't counted, so always wait as long as after a third failure.
                attempts=2,
                reports_absence=lambda observed: len(observed) < len(set(remote_ids)),
            ),
            lambda access: runtime.provider.require_facet(facets.Runs).run_status(access, remote_ids),
        )
        observed_by_id: Mapping[str, ObservedRun]
        match answer:
            case call_results.Succeeded(observed_by_id):
                pass
            case call_results.Rejected(error=NotFound()):
                observed_by_id = {}
            case call_results.Rejected(needs_credential=True, hold=refused):
                await self.postpone_all(batch, EXTERNAL_WAIT_SECONDS, refused)
                return
            case call_results.Rejected():
                for claimed in batch:
                    await self.save(claimed, await self._count_refused_read(claimed, runtime, answer))
                return
            case _:
                # Don't mention a single failure on the card, because the next read may succeed.
                is_shown = runtime.health.is_doubtful or answer.cause in {
                    provider_calls.RATE_LIMITED_CAUSE,
                    *provider_calls.REFUSED_SIGN_IN_CAUSES,
                }
                wait = max(answer.wait, runtime.pace.min_poll_interval)
                hold = answer.hold if is_shown else None
                await self.postpone_all(batch, wait, hold, deadline_in=self.held_seconds)
                return
        now = await self._store.now()
        for claimed in batch:
            seen = observed_by_id.get(_require_remote_id(claimed.subject))
            if seen is not None:
                seen = recognize_stop(claimed.subject, drop_impossible_run_times(seen, now))
            await self.save(claimed, await self._record_observation(claimed, runtime, seen))

    async def _record_observation(
        self, claimed: ClaimedRun, runtime: Runtime, observed: ObservedRun | None
    ) -> Update:
        run, now = claimed.subject, await self._store.now()
        if observed is None:
            return await self._count_missing(claimed, runtime, now)
        if observed.state.is_over or observed.is_last:
            return await self._end_finished(claimed, observed)
        began = observed.started_at or run.started_at or run.called_at or run.created_at
        wait = next_run_read(observed.state, max(now - began, 0.0), runtime.pace.min_poll_interval)
        if observed.state is RunState.UNKNOWN:
            # An unknown state doesn't prove that the run exists, so the card mentions it only if it recurs.
            hold = make_hold(HoldCode.UNSEEN) if run.blocked_since is not None else None
            return await self._block_unseen(claimed, claimed.update(wait, observed=observed), hold)
        # The run still exists, so it can't have ended before the refused stop.
        has_settled = now - (run.called_at or now) >= timeouts.START_SETTLES
        refused = [_build_not_stopped_notice(run, cause=run.refusal)] if run.refusal and has_settled else []
        hold = find_own_reason(runtime, run) or (NOTHING if run.block_reason else None)
        return claimed.update(
            wait,
            remote_id=observed.remote_id,
            observed=observed,
            block_reason=hold,
            cause="" if refused else None,
            notices=refused,
            card_dirty=_is_unanswered_now(run, now),
        )

    async def _end_finished(self, claimed: ClaimedRun, observed: ObservedRun | None = None) -> Update:
        run = claimed.subject
        output = self._board.find_tail(run.id)
        return outcomes.make_end_update(
            run,
            Outcome.ENDED,
            None,
            claimed.claim,
            observed=observed,
            last_lines=output.last_lines if output is not None else (),
            delay=MAX_LAST_LINES_WAIT_SECONDS if output is not None and not output.is_over else 0.0,
            notify=await self.has_recipient(claimed),
        )

    async def _count_missing(self, claimed: ClaimedRun, runtime: Runtime, now: float) -> Update:
        """Count a read that didn't find the run. A newly launched run may not be listed yet."""
        run = claimed.subject
        wait = max(5.0, runtime.pace.min_poll_interval)
        if now - (run.called_at or run.created_at) < timeouts.START_SETTLES:
            return claimed.update(wait)
        unconfirmed = timeouts.count_unconfirmed(run.unconfirmed, timeouts.LEFT_OUT, now)
        if timeouts.is_confirmed(unconfirmed, now):
            log.info("run lost", connection=runtime.name, run=run.id)
            if claimed.account is not None:
                again = NewTask(TaskKind.LIST_RUNS, claimed.account.id, due_in=LOOK_AGAIN_SECONDS)
                await self._store.write(tasks.add_tasks, [again])
            return outcomes.make_end_update(
                run, Outcome.FAILED, "lost", claimed.claim, notify=await self.has_recipient(claimed)
            )
        return claimed.update(wait, unconfirmed=unconfirmed)

    async def _count_refused_read(
        self, claimed: ClaimedRun, runtime: Runtime, answer: call_results.Rejected
    ) -> Update:
        """Count a refused read of a run. After several refusals, the card shows the reason."""
        run, now = claimed.subject, await self._store.now()
        unconfirmed = timeouts.count_unconfirmed(run.unconfirmed, answer.word, now)
        is_news = timeouts.is_confirmed(unconfirmed, now)
        wait = (
            EXTERNAL_WAIT_SECONDS
            if is_news
            else next_run_read(run.state, 0.0, max(10.0, runtime.pace.min_poll_interval))
        )
        refused = claimed.update(wait, unconfirmed=unconfirmed)
        return await self._block_unseen(
            claimed, refused, answer.hold if is_news else make_hold(HoldCode.UNSEEN)
        )

    async def _block_unseen(self, claimed: ClaimedRun, update: Update, hold: Hold | None) -> Update:
        """Return the update for a run that can't be read. It sets a deadline for telling the person."""
        return await self.add_block_reason(claimed, update._replace(deadline_in=self.held_seconds), hold)


def _compute_first_wait(runtime: Runtime) -> float:
    return max(MIN_FIRST_READ_SECONDS, runtime.pace.min_poll_interval)


def _build_not_stopped_notice(run: Run, **cause: str) -> NewNotice:
    """Return the notice that a stop failed.

    If no cause is given, Usher abandoned the stop after many attempts.
    """
    occasion = f"stop:{run.requested_stop}:{run.called_at}"
    return outcomes.build_notice(run, NoticeKind.JOB_PROBLEM, occasion, {"problem": "not_stopped", **cause})


def _is_unanswered_now(run: Run, now: float) -> bool:
    """Return whether a stop has by now gone unanswered for too long, but hadn't at the last read."""
    is_new = (run.observed_at or 0.0) < (run.called_at or now) + timeouts.UNANSWERED_SECONDS
    return is_new and timeouts.is_run_unanswered(run, now)


def _require_remote_id(run: Run) -> str:
    assert run.remote_id is not None, "only what was launched is read"
    return run.remote_id
