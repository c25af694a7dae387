"""One step of an operation or a run: check who it is for, plan, act, and write the result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Final, Generic

from bot.domain.plan import Plan, Step
from bot.domain.policy import Target
from bot.domain.runs import Run, Update
from bot.domain.workspaces import Operation
from bot.messages.texts import problems
from bot.reconciler.caller import UP, Caller
from bot.reconciler.context import EngineContext, EnginePart
from bot.reconciler.preconditions import PATIENCE, Hold, Lost, Preconditions
from bot.reconciler.runtimes import PERSONS_SHARE, Runtime
from bot.reconciler.updates import S, Updates
from bot.services.owners import STARTS
from bot.support.http import freely
from bot.support.pool import Pool, contained, pool_room, run_all

#: When a start is looked at again that another process has to send; that one claims it then.
ELSEWHERE: Final = 0.25


class Stepper(EnginePart, ABC, Generic[S]):
    """Step the due operations or runs; the methods at the end hold what differs between the two.

    Concurrent changes (replace, unlink) win: an ended subject takes no update.
    """

    #: Whether a plan to end it is carried out while its account waits for a new link.
    ends_while_refused: ClassVar[bool]

    def __init__(
        self, engine: EngineContext, updates: Updates[S], preconditions: Preconditions, caller: Caller[S]
    ) -> None:
        super().__init__(engine)
        self._updates: Updates[S] = updates
        self._preconditions = preconditions
        self._caller: Caller[S] = caller
        #: What this process is stepping, in case a step outlives its lease.
        self._under_way: set[str] = set()

    async def step(self, pool: Pool | None = None) -> int:
        """Claim what is due and step it all concurrently; return how many there were."""
        most = pool_room(pool, self._numbers.batch)
        if most <= 0:
            return 0
        claimed = await self.claim(most, self._numbers.lease)
        fresh = [claimed for claimed in claimed if claimed.subject.id not in self._under_way]
        await run_all([self._guarded(batch) for batch in await self.batches(fresh)], pool)
        return len(claimed)

    async def _guarded(self, batch: list[S]) -> None:
        """Contain errors to their batch: log them and retry later. A process that ends hands it back."""
        self._under_way.update(_ids(batch))
        # A call that was committed to is *calling* in its row, so its outcome is checked first.
        back = partial(self._updates.all_later, batch, 0.0, None)
        failed = partial(self._updates.all_later, batch, PATIENCE, problems.sentence("internal"))
        try:
            async with contained("step", self._ids, back=back, failed=failed, subjects=_ids(batch)):
                for claimed in await self.together(batch):
                    await self._one(claimed)
        finally:
            self._under_way.difference_update(_ids(batch))

    async def _one(self, claimed: S) -> None:
        subject, account = claimed.subject, claimed.account
        if not subject.is_open:
            return
        runtime = self._preconditions.runtime_of(subject, account, await self._store.now())
        lost = await self.lost(claimed, runtime.cause if isinstance(runtime, Lost) else None)
        if lost is not None:
            await self._updates.save(lost)
            return
        if isinstance(runtime, Hold):
            await self._held(claimed, runtime)
            return
        assert account is not None, "without one there is no connection"
        assert not isinstance(runtime, Lost), "what is lost has ended"
        decided = await self.plan(claimed, runtime)
        refusal = self._preconditions.refusal_of(account, runtime)
        if refusal is not None and not (self.ends_while_refused and decided.step is Step.END):
            await self._held(claimed, refusal)
        elif await self._may_go_on(claimed, decided.step):
            await self._do(claimed, runtime, decided)

    async def _may_go_on(self, claimed: S, step: Step) -> bool:
        """Ask the policy about its person."""
        asked = self.asks(claimed, step)
        if asked is None:
            return True
        decision = await self._preconditions.may(claimed.subject, claimed.person, *asked)
        if isinstance(decision, Hold):
            await self._held(claimed, decision)
            return False
        return decision.allowed or await self.goes_on_forbidden(claimed, step, decision.rule)

    async def _do(self, claimed: S, runtime: Runtime, decided: Plan) -> None:
        match decided.step:
            case Step.WATCH:
                return
            case Step.END:
                await self._updates.save(await self.end(claimed, decided))
            case Step.WAIT if decided.at is not None:
                await self._updates.later(claimed, max(decided.at - await self._store.now(), 0.1))
            case Step.READ | Step.WAIT | Step.RENEW:
                await self.advance(claimed, runtime, decided)
            case call:
                await self._call(claimed, runtime, call)

    async def _call(self, claimed: S, runtime: Runtime, step: Step) -> None:
        subject, starts = claimed.subject, step in UP
        if (closed := self._preconditions.closed(runtime)) is not None:
            await self._held(claimed, closed)
        elif starts and (turn := await self._turn(subject, runtime)) > 0:
            await self._updates.later(claimed, turn)
        elif not runtime.slots.take_for(subject.principal.key, PERSONS_SHARE):
            if starts:
                runtime.start_queue.missed(subject, 1.0)
            await self._updates.later(claimed, 1.0)
        else:
            try:
                may_leave = self._still_granted(runtime) if starts else freely
                update = await self._caller.make(claimed, runtime, step, may_leave)
            finally:
                runtime.slots.give_from(subject.principal.key)
            if update is not None:
                # However often it is retried, and however long it waits, the person is told at the deadline.
                await self._updates.save(await self._updates.after_deadline(claimed, update))

    async def _turn(self, subject: Operation | Run, runtime: Runtime) -> float:
        """Return 0 if this start may be sent now, or when to ask again: one process grants a connection's."""
        owned_since = await self._owners.own(STARTS + runtime.name)
        return ELSEWHERE if owned_since is None else runtime.start_queue.wait(subject, owned_since)

    def _still_granted(self, runtime: Runtime) -> Callable[[], bool]:
        """Return whether a start that was granted counts for whoever grants them at a later moment."""
        queue, thing = runtime.start_queue, STARTS + runtime.name
        if queue.per_second is None:
            return freely
        return partial(self._owners.owns, thing, queue.owned_since)

    async def _held(self, claimed: S, held: Hold) -> None:
        await self._updates.later(claimed, held.seconds, held.said)

    # -- what differs by kind --------------------------------------------------------------------------------

    @abstractmethod
    async def claim(self, limit: int, lease: float) -> Sequence[S]:
        """Lease what is due, oldest first."""

    async def batches(self, batch: Sequence[S]) -> list[list[S]]:
        """Return groups of what is stepped together; the groups are stepped concurrently."""
        return [[claimed] for claimed in batch]

    async def together(self, batch: list[S]) -> Sequence[S]:
        """Do what can be done for the whole batch; return what has to be stepped individually."""
        return batch

    @abstractmethod
    async def lost(self, claimed: S, cause: str | None) -> Update | None:
        """Return the update that ends it if its account or connection (``cause``), or it itself, is gone."""

    @abstractmethod
    async def plan(self, claimed: S, runtime: Runtime) -> Plan:
        """Return the next step."""

    @abstractmethod
    def asks(self, claimed: S, step: Step) -> tuple[str, Target] | None:
        """Return what to ask the policy before a step, or None for nothing."""

    @abstractmethod
    async def goes_on_forbidden(self, claimed: S, step: Step, rule: str) -> bool:
        """Write what follows from the policy's refusal; return True to do the step all the same."""

    @abstractmethod
    async def end(self, claimed: S, decided: Plan) -> Update:
        """Return the update that ends it as planned."""

    @abstractmethod
    async def advance(self, claimed: S, runtime: Runtime, decided: Plan) -> None:
        """Read, wait or renew as planned."""


def _ids(batch: Sequence[S]) -> list[str]:
    return [claimed.subject.id for claimed in batch]
