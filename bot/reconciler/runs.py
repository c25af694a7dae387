"""Job runs for the stepper; runs of one account that only need a read are read together."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.people import Account
from bot.domain.plan import Plan, Step, plan_run
from bot.domain.policy import Target
from bot.domain.runs import ClaimedRun, Update
from bot.domain.workspaces import Call, Outcome
from bot.messages.texts import problems
from bot.reconciler import outcomes
from bot.reconciler.caller import Caller
from bot.reconciler.context import EngineContext
from bot.reconciler.preconditions import PATIENCE, PROBE_WAIT, Preconditions
from bot.reconciler.run_reads import TOGETHER, RunReads
from bot.reconciler.runtimes import Runtime
from bot.reconciler.step import Stepper
from bot.reconciler.updates import Updates


class Runs(Stepper[ClaimedRun]):
    """Step due runs of jobs."""

    ends_while_refused = True

    def __init__(
        self,
        engine: EngineContext,
        updates: Updates[ClaimedRun],
        preconditions: Preconditions,
        caller: Caller[ClaimedRun],
        reads: RunReads,
    ) -> None:
        super().__init__(engine, updates, preconditions, caller)
        self._runtimes = engine.runtimes
        self._reads = reads

    async def claim(self, limit: int, lease: float) -> Sequence[ClaimedRun]:
        """Lease due runs, oldest first."""
        return await self._store.claim_runs(limit, lease, self._owners.name)

    # -- reads -----------------------------------------------------------------------------------------------

    def _is_read(self, claimed: ClaimedRun, now: float) -> bool:
        account = claimed.account
        is_fit = (
            account is not None and account.state == "active" and claimed.run.connection in self._runtimes
        )
        return is_fit and plan_run(claimed.run, now).step is Step.READ

    async def batches(self, batch: Sequence[ClaimedRun]) -> list[list[ClaimedRun]]:
        """Group the runs that need a read by account."""
        now = await self._store.now()
        others: list[list[ClaimedRun]] = []
        reads: dict[str, list[ClaimedRun]] = {}
        for claimed in batch:
            if claimed.account is not None and self._is_read(claimed, now):
                reads.setdefault(claimed.account.id, []).append(claimed)
            else:
                others.append([claimed])
        return [*others, *reads.values()]

    async def together(self, batch: list[ClaimedRun]) -> Sequence[ClaimedRun]:
        """Read runs of one account, along with its runs that are due in a moment."""
        account = batch[0].account
        if account is None or not self._is_read(batch[0], await self._store.now()):
            return batch
        runtime = self._runtimes[account.connection]
        wait = max(runtime.health.pause, await self._reads.wait(account, runtime))
        if wait > 0:
            await self._updates.all_later(batch, wait, runtime.health.hold)
        elif runtime.is_probed:
            await self._updates.all_later(batch, PROBE_WAIT, runtime.health.sentence())
        elif runtime.slots.free_for_reads < 1 or not runtime.slots.take():
            await self._updates.all_later(batch, 1.0, None)
        else:
            try:
                others = await self._joined(account, batch)
                if others is not None:
                    await self._reads.read(account, runtime, batch[:TOGETHER])
            finally:
                runtime.slots.give()
            # Runs that didn't fit into one request wait for the next one, and all do if somebody else reads.
            left = batch if others is None else batch[TOGETHER:]
            await self._updates.all_later(left, runtime.pace.min_poll_interval, None)
            return others or ()
        return ()

    async def _joined(self, account: Account, batch: list[ClaimedRun]) -> list[ClaimedRun] | None:
        """Claim the read, with more runs of the account; return those that need something other than a read.

        Return None if another process has read its runs just now.
        """
        room = max(TOGETHER - len(batch), 0)
        now = await self._store.now()
        more = await self._store.claim_runs_of(account, room, self._numbers.lease, self._owners.name)
        if more is None:
            return None
        others = []
        for claimed in more:
            if claimed.run.id in self._under_way:
                continue
            if self._is_read(claimed, now):
                self._under_way.add(claimed.run.id)
                batch.append(claimed)
            else:
                others.append(claimed)
        return others

    # -- everything else -------------------------------------------------------------------------------------

    async def lost(self, claimed: ClaimedRun, cause: str | None) -> Update | None:
        """End what can't continue: cancelled, or failed if a call was sent."""
        if cause is None:
            return None
        is_known = cause == "unlinked" or claimed.run.launch_call is Call.NONE
        tells = await self._updates.tells(claimed)
        return outcomes.ended_run(
            claimed.run, "cancelled" if is_known else "failed", cause, claimed.claim, tells=tells
        )

    async def plan(self, claimed: ClaimedRun, _runtime: Runtime) -> Plan:
        """Plan from what is known about the run."""
        return plan_run(claimed.run, await self._store.now())

    def asks(self, claimed: ClaimedRun, step: Step) -> tuple[str, Target] | None:
        """Ask before each call whether the person may launch or stop it."""
        if step not in (Step.LAUNCH, Step.FIND, Step.STOP):
            return None
        verb = "stop" if step is Step.STOP else "run"
        return verb, Target("job", claimed.run.id, claimed.run.principal)

    async def goes_on_forbidden(self, claimed: ClaimedRun, step: Step, rule: str) -> bool:
        """End a run that wasn't launched; one that was launched continues there, so still look for it."""
        if step is Step.LAUNCH:
            await self._updates.save(outcomes.ended_run(claimed.run, "failed", rule, claimed.claim))
        elif step is Step.STOP:
            await self._updates.later(claimed, PATIENCE, problems.sentence(rule))
        return step is Step.FIND

    async def end(self, claimed: ClaimedRun, decided: Plan) -> Update:
        """End it, with the last lines of its output if it has finished."""
        assert decided.outcome is not None, "a plan that ends says how"
        assert not isinstance(decided.outcome, Outcome), "a run's end has words of its own"
        if decided.outcome == "ended":
            return await self._reads.over(claimed)
        return outcomes.ended_run(claimed.run, decided.outcome, decided.cause, claimed.claim)

    async def advance(self, claimed: ClaimedRun, _runtime: Runtime, _decided: Plan) -> None:
        """Leave a run that has become due for a read since its claim to the next claim."""
        await self._updates.later(claimed, 0.1)
