"""Runs of jobs as the stepper sees them; those of one account that are only to be read are read together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain.models import Call, JobStep, Outcome
from bot.domain.plan import Operation, Plan
from bot.domain.plan_jobs import plan_job
from bot.domain.policy import Target
from bot.messages.texts import problems
from bot.reconciler import endings
from bot.reconciler.job_reads import TOGETHER, JobReads
from bot.reconciler.preconditions import PATIENCE, PROBE_WAIT
from bot.reconciler.step import Stepper

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.domain.models import Account, Update
    from bot.reconciler.caller import Caller
    from bot.reconciler.lines import Line
    from bot.reconciler.ports import Numbers
    from bot.reconciler.preconditions import Preconditions
    from bot.reconciler.updates import Updates
    from bot.store.store import Store
    from bot.support.clock import Ids


class Runs(Stepper[JobStep]):
    """Step due runs of jobs."""

    ends_while_refused = True

    def __init__(
        self,
        store: Store,
        updates: Updates[JobStep],
        preconditions: Preconditions,
        caller: Caller[JobStep],
        lines: Mapping[str, Line],
        reads: JobReads,
        ids: Ids,
        numbers: Numbers,
    ) -> None:
        super().__init__(store, updates, preconditions, caller, ids, numbers)
        self._lines = lines
        self._reads = reads

    async def claim(self, limit: int, lease: float) -> Sequence[JobStep]:
        """Lease due runs, oldest first."""
        return await self._store.claim_jobs(limit, lease)

    # -- reads -----------------------------------------------------------------------------------------------

    def _is_read(self, step: JobStep, now: float) -> bool:
        account = step.account
        is_fit = account is not None and account.state == "active" and step.job.connection in self._lines
        return is_fit and plan_job(step.job, now).operation is Operation.READ

    async def batches(self, steps: Sequence[JobStep]) -> list[list[JobStep]]:
        """Put together those of each account that are to be read."""
        now = await self._store.now()
        others: list[list[JobStep]] = []
        reads: dict[str, list[JobStep]] = {}
        for step in steps:
            if step.account is not None and self._is_read(step, now):
                reads.setdefault(step.account.id, []).append(step)
            else:
                others.append([step])
        return [*others, *reads.values()]

    async def together(self, steps: list[JobStep]) -> Sequence[JobStep]:
        """Read runs of one account; what is due in a moment is read with them."""
        account = steps[0].account
        if account is None or not self._is_read(steps[0], await self._store.now()):
            return steps
        line = self._lines[account.connection]
        wait = max(line.health.pause, self._reads.wait(account, line))
        if wait > 0:
            await self._updates.all_later(steps, wait, line.health.hold)
        elif line.is_probed:
            await self._updates.all_later(steps, PROBE_WAIT, line.health.sentence())
        elif line.slots.free_for_reads < 1 or not line.slots.take():
            await self._updates.all_later(steps, 1.0, None)
        else:
            try:
                others = await self._joined(account, steps)
                await self._reads.read(account, line, steps[:TOGETHER])
            finally:
                line.slots.give()
            # What did not fit into one request waits for the next one.
            await self._updates.all_later(steps[TOGETHER:], self._reads.wait(account, line), None)
            return others
        return ()

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

    async def lost(self, step: JobStep, cause: str | None) -> Update | None:
        """End what can't go on: cancelled, or failed where something was sent."""
        if cause is None:
            return None
        is_known = cause == "unlinked" or step.job.launch_call is Call.NONE
        tells = await self._updates.tells(step)
        return endings.ended_run(
            step.job, "cancelled" if is_known else "failed", cause, step.claim, tells=tells
        )

    async def plan(self, step: JobStep, _line: Line) -> Plan:
        """Plan by what is known of the run."""
        return plan_job(step.job, await self._store.now())

    def asks(self, step: JobStep, operation: Operation) -> tuple[str, Target] | None:
        """Ask before each call whether its person may launch it, or stop it."""
        if operation not in (Operation.LAUNCH, Operation.FIND, Operation.STOP):
            return None
        verb = "stop" if operation is Operation.STOP else "run"
        return verb, Target("job", step.job.id, step.job.principal)

    async def goes_on_forbidden(self, step: JobStep, operation: Operation, rule: str) -> bool:
        """End what was not launched; what was is found whoever asks: it goes on there."""
        if operation is Operation.LAUNCH:
            await self._updates.save(endings.ended_run(step.job, "failed", rule, step.claim))
        elif operation is Operation.STOP:
            await self._updates.later(step, PATIENCE, problems.sentence(rule))
        return operation is Operation.FIND

    async def end(self, step: JobStep, decided: Plan) -> Update:
        """End it with the last lines of its output where it is over."""
        assert decided.outcome is not None, "a plan that ends says how"
        assert not isinstance(decided.outcome, Outcome), "a run's end has words of its own"
        if decided.outcome == "ended":
            return await self._reads.over(step)
        return endings.ended_run(step.job, decided.outcome, decided.cause, step.claim)

    async def advance(self, step: JobStep, _line: Line, _decided: Plan) -> None:
        """Leave what has become due for a read since it was claimed to the next claim."""
        await self._updates.later(step, 0.1)
