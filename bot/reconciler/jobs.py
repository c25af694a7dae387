"""One step of a run: who is it for, what is to be done, do it, write down what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import structlog

from bot.errors import StoreError
from bot.models import Call, Outcome
from bot.plan import Operation, Plan
from bot.plan_jobs import plan_job
from bot.policy import Target
from bot.pool import Pool, pool_room, run_all
from bot.reconciler import job_endings
from bot.reconciler.job_calls import JobCalls
from bot.reconciler.job_reads import TOGETHER, JobReads
from bot.reconciler.lines import PERSONS_SHARE
from bot.reconciler.preconditions import PATIENCE, PROBE_WAIT, Hold, Lost, told_late
from bot.words import problems

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.clock import Ids
    from bot.models import Account, JobStep
    from bot.reconciler.lines import Line
    from bot.reconciler.ports import Numbers
    from bot.reconciler.preconditions import Preconditions
    from bot.store.store import Store

log = structlog.get_logger(__name__)


class Runs:
    """Step due runs of jobs; those of one account that are only to be read are read together."""

    def __init__(
        self,
        store: Store,
        lines: Mapping[str, Line],
        preconditions: Preconditions,
        calls: JobCalls,
        reads: JobReads,
        ids: Ids,
        numbers: Numbers,
    ) -> None:
        self._store = store
        self._lines = lines
        self._preconditions = preconditions
        self._calls = calls
        self._reads = reads
        self._ids = ids
        self._numbers = numbers
        #: Runs that this process is at, in case a step outlives its lease.
        self._under_way: set[str] = set()

    async def step(self, pool: Pool | None) -> int:
        """Claim what is due and step all of it beside one another; return how many there were."""
        most = pool_room(pool, self._numbers.batch)
        if most <= 0:
            return 0
        claimed = await self._store.claim_jobs(most, self._numbers.lease)
        steps = [step for step in claimed if step.job.id not in self._under_way]
        now = await self._store.now()
        groups: dict[str, list[JobStep]] = {}
        others: list[JobStep] = []
        for step in steps:
            account = step.account
            if account is not None and self._is_read(step, now):
                groups.setdefault(account.id, []).append(step)
            else:
                others.append(step)
        works = [self._guarded(step) for step in others]
        works += [self._guarded_group(group) for group in groups.values()]
        await run_all(works, pool)
        return len(claimed)

    def _is_read(self, step: JobStep, now: float) -> bool:
        account = step.account
        is_fit = account is not None and account.state == "active" and step.job.connection in self._lines
        return is_fit and plan_job(step.job, now).operation is Operation.READ

    async def _guarded(self, step: JobStep) -> None:
        """Keep one run's trouble from the others: it is logged, and the run is tried again later."""
        self._under_way.add(step.job.id)
        try:
            await self._one(step)
        except StoreError as error:
            log.warning("step not written", job=step.job.id, problem=type(error).__name__)
        except Exception:  # docs/rules.md, "Where errors end"
            reference = self._ids.reference()
            log.exception("step failed", job=step.job.id, reference=reference)
            await self._put_off([step])
        finally:
            self._under_way.discard(step.job.id)

    async def _guarded_group(self, steps: list[JobStep]) -> None:
        account = steps[0].account
        assert account is not None, "only runs with an account are read"
        mine = list(steps)
        self._under_way.update(step.job.id for step in mine)
        try:
            await self._group(account, mine)
        except StoreError as error:
            log.warning("runs not written", account=account.id, problem=type(error).__name__)
        except Exception:
            reference = self._ids.reference()
            log.exception("runs not stepped", account=account.id, reference=reference)
            await self._put_off(mine)
        finally:
            self._under_way.difference_update(step.job.id for step in mine)

    async def _put_off(self, steps: Sequence[JobStep]) -> None:
        try:
            await self._all_later(steps, PATIENCE, problems.sentence("internal"))
        except StoreError as error:
            log.warning("step not written", problem=type(error).__name__)

    # -- reads -----------------------------------------------------------------------------------------------

    async def _group(self, account: Account, steps: list[JobStep]) -> None:
        """Read runs of one account; what is due in a moment is read with them (``steps`` grows by it)."""
        line = self._lines[account.connection]
        wait = max(line.health.pause, self._reads.wait(account, line))
        if wait > 0:
            await self._all_later(steps, wait, line.health.hold)
        elif line.is_probed:
            await self._all_later(steps, PROBE_WAIT, line.health.sentence())
        elif line.slots.free_for_reads < 1 or not line.slots.take():
            await self._all_later(steps, 1.0, None)
        else:
            try:
                others = await self._joined(account, steps)
                await self._reads.read(account, line, steps[:TOGETHER])
            finally:
                line.slots.give()
            # What did not fit into one request waits for the next one.
            await self._all_later(steps[TOGETHER:], self._reads.wait(account, line), None)
            for step in others:
                await self._one(step)

    async def _joined(self, account: Account, steps: list[JobStep]) -> list[JobStep]:
        """Claim more runs of the account into ``steps``; return those that need something else."""
        room = TOGETHER - len(steps)
        if room <= 0:
            return []
        now = await self._store.now()
        others = []
        for step in await self._store.claim_jobs_of(account.id, room, self._numbers.lease):
            if step.job.id in self._under_way:
                continue
            if self._is_read(step, now):
                self._under_way.add(step.job.id)
                steps.append(step)
            else:
                others.append(step)
        return others

    # -- everything else -------------------------------------------------------------------------------------

    async def _one(self, step: JobStep) -> None:
        job, account = step.job, step.account
        if not job.is_open:
            return
        now = await self._store.now()
        line = self._preconditions.line_of(job, account, now)
        if isinstance(line, Lost):
            await self._lost(step, line)
            return
        if isinstance(line, Hold):
            await self._held(step, line)
            return
        assert account is not None, "without one there is no connection"
        decided = plan_job(job, now)
        refusal = self._preconditions.refusal_of(account, line)
        if refusal is not None and decided.operation is not Operation.END:
            await self._held(step, refusal)
            return
        match decided.operation:
            case Operation.WATCH:
                return
            case Operation.END:
                await self._end(step, decided)
            case Operation.WAIT:
                await self._later(step, max((decided.at or now) - now, 0.1))
            case Operation.READ:
                await self._group(account, [step])
            case call:
                await self._call(step, line, call)

    async def _lost(self, step: JobStep, lost: Lost) -> None:
        """End what can't go on: cancelled, or of unknown outcome where something was sent."""
        job = step.job
        is_known = lost.cause == "unlinked" or job.launch_call is Call.NONE
        outcome: Literal["failed", "cancelled"] = "cancelled" if is_known else "failed"
        tells = await self._reads.tells(job)
        await self._store.save_job_step(job_endings.ended(job, outcome, lost.cause, step.claim, tells=tells))

    async def _end(self, step: JobStep, decided: Plan) -> None:
        assert decided.outcome is not None, "a plan that ends says how"
        assert not isinstance(decided.outcome, Outcome), "a run's end has words of its own"
        if decided.outcome == "ended":
            update = await self._reads.over(step)
        else:
            update = job_endings.ended(step.job, decided.outcome, decided.cause, step.claim)
        await self._store.save_job_step(update)

    async def _call(self, step: JobStep, line: Line, operation: Operation) -> None:
        job = step.job
        if not await self._may_go_on(step, operation):
            return
        if (closed := self._preconditions.closed(line)) is not None:
            await self._held(step, closed)
        elif not line.slots.take_for(job.principal.key, PERSONS_SHARE):
            await self._later(step, 1.0)
        else:
            try:
                update = await self._calls.make(step, line, operation)
            finally:
                line.slots.give_from(job.principal.key)
            if update is not None:
                now = await self._store.now()
                await self._store.save_job_step(told_late(job, update, now, job_endings.late(job)))

    async def _may_go_on(self, step: JobStep, operation: Operation) -> bool:
        """Ask the policy about whose run it is."""
        job = step.job
        verb = "stop" if operation is Operation.STOP else "run"
        decision = await self._preconditions.may(job, step.person, verb, Target("job", job.id, job.principal))
        if isinstance(decision, Hold):
            await self._held(step, decision)
            return False
        if decision.allowed or operation is Operation.FIND:
            # What was launched already is found whoever asks: it goes on there.
            return True
        if operation is Operation.LAUNCH:
            await self._store.save_job_step(job_endings.ended(job, "failed", decision.rule, step.claim))
        else:
            await self._later(step, PATIENCE, problems.sentence(decision.rule))
        return False

    async def _all_later(self, steps: Sequence[JobStep], next_in: float, hold: str | None) -> None:
        for step in steps:
            await self._later(step, next_in, hold)

    async def _held(self, step: JobStep, held: Hold) -> None:
        await self._later(step, held.seconds, held.said)

    async def _later(self, step: JobStep, next_in: float, hold: str | None = None) -> None:
        """Write that the run goes on later; what is held up can't be looked at, and has a deadline."""
        now = await self._store.now()
        deadline = self._numbers.deadline_seconds if hold else None
        tells = await self._reads.tells(step.job)
        await self._store.save_job_step(job_endings.held(step, next_in, hold, now, deadline, tells=tells))
