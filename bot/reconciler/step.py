"""One step of a wish or a run: who is it for, what is to be done, do it, write down what came of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Generic

import structlog

from bot.domain.plan import Operation, Plan
from bot.messages.texts import problems
from bot.reconciler.caller import UP
from bot.reconciler.lines import PERSONS_SHARE
from bot.reconciler.preconditions import PATIENCE, Hold, Lost
from bot.reconciler.updates import S
from bot.support.errors import StoreError
from bot.support.pool import Pool, pool_room, run_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.models import Update
    from bot.domain.policy import Target
    from bot.reconciler.caller import Caller
    from bot.reconciler.lines import Line
    from bot.reconciler.ports import Numbers
    from bot.reconciler.preconditions import Preconditions
    from bot.reconciler.updates import Updates
    from bot.store.store import Store
    from bot.support.clock import Ids

log = structlog.get_logger(__name__)


class Stepper(ABC, Generic[S]):
    """Step what is due of one kind; what is special to that kind is in the methods at the end.

    What others do meanwhile (replace, unlink) wins: what has ended takes no update.
    """

    #: Whether what its plan ends does end while its account waits for a new link.
    ends_while_refused: ClassVar[bool]

    def __init__(
        self,
        store: Store,
        updates: Updates[S],
        preconditions: Preconditions,
        caller: Caller[S],
        ids: Ids,
        numbers: Numbers,
    ) -> None:
        self._store = store
        self._updates: Updates[S] = updates
        self._preconditions = preconditions
        self._caller: Caller[S] = caller
        self._ids = ids
        self._numbers = numbers
        #: What this process is at, in case a step outlives its lease.
        self._under_way: set[str] = set()

    async def step(self, pool: Pool | None) -> int:
        """Claim what is due and step all of it beside one another; return how many there were."""
        most = pool_room(pool, self._numbers.batch)
        if most <= 0:
            return 0
        claimed = await self.claim(most, self._numbers.lease)
        fresh = [step for step in claimed if step.subject.id not in self._under_way]
        await run_all([self._guarded(steps) for steps in await self.batches(fresh)], pool)
        return len(claimed)

    async def _guarded(self, steps: list[S]) -> None:
        """Keep the trouble of some from the others: it is logged, and they are tried again later."""
        self._under_way.update(step.subject.id for step in steps)
        try:
            for step in await self.together(steps):
                await self._one(step)
        except StoreError as error:
            log.warning("step not written", subjects=_ids(steps), problem=type(error).__name__)
        except Exception:  # docs/rules.md, "Where errors end"
            reference = self._ids.reference()
            log.exception("step failed", subjects=_ids(steps), reference=reference)
            try:
                await self._updates.all_later(steps, PATIENCE, problems.sentence("internal"))
            except StoreError:
                log.warning("step not written", subjects=_ids(steps), reference=reference)
        finally:
            self._under_way.difference_update(_ids(steps))

    async def _one(self, step: S) -> None:
        subject, account = step.subject, step.account
        if not subject.is_open:
            return
        line = self._preconditions.line_of(subject, account, await self._store.now())
        lost = await self.lost(step, line.cause if isinstance(line, Lost) else None)
        if lost is not None:
            await self._updates.save(lost)
            return
        if isinstance(line, Hold):
            await self._held(step, line)
            return
        assert account is not None, "without one there is no connection"
        assert not isinstance(line, Lost), "what is lost has ended"
        decided = await self.plan(step, line)
        refusal = self._preconditions.refusal_of(account, line)
        if refusal is not None and not (self.ends_while_refused and decided.operation is Operation.END):
            await self._held(step, refusal)
        elif await self._may_go_on(step, decided.operation):
            await self._do(step, line, decided)

    async def _may_go_on(self, step: S, operation: Operation) -> bool:
        """Ask the policy about whose it is."""
        asked = self.asks(step, operation)
        if asked is None:
            return True
        decision = await self._preconditions.may(step.subject, step.person, *asked)
        if isinstance(decision, Hold):
            await self._held(step, decision)
            return False
        return decision.allowed or await self.goes_on_forbidden(step, operation, decision.rule)

    async def _do(self, step: S, line: Line, decided: Plan) -> None:
        match decided.operation:
            case Operation.WATCH:
                return
            case Operation.END:
                await self._updates.save(await self.end(step, decided))
            case Operation.WAIT if decided.at is not None:
                await self._updates.later(step, max(decided.at - await self._store.now(), 0.1))
            case Operation.READ | Operation.WAIT | Operation.RENEW:
                await self.advance(step, line, decided)
            case call:
                await self._call(step, line, call)

    async def _call(self, step: S, line: Line, operation: Operation) -> None:
        subject, starts = step.subject, operation in UP
        if (closed := self._preconditions.closed(line)) is not None:
            await self._held(step, closed)
        elif starts and (turn := line.turns.wait(subject)) > 0:
            await self._updates.later(step, turn)
        elif not line.slots.take_for(subject.principal.key, PERSONS_SHARE):
            if starts:
                line.turns.missed(subject, 1.0)
            await self._updates.later(step, 1.0)
        else:
            try:
                update = await self._caller.make(step, line, operation)
            finally:
                line.slots.give_from(subject.principal.key)
            if update is not None:
                # However often it is called, and for how long it is to wait: it is told at the deadline.
                await self._updates.save(await self._updates.told(step, update))

    async def _held(self, step: S, held: Hold) -> None:
        await self._updates.later(step, held.seconds, held.said)

    # -- what is special to one kind -------------------------------------------------------------------------

    @abstractmethod
    async def claim(self, limit: int, lease: float) -> Sequence[S]:
        """Lease what is due, oldest first."""

    async def batches(self, steps: Sequence[S]) -> list[list[S]]:
        """Return what is stepped together; the lists are stepped beside one another."""
        return [[step] for step in steps]

    async def together(self, steps: list[S]) -> Sequence[S]:
        """Do for a batch what is done at once; return what is to be stepped by itself.

        ``steps`` grows by what is claimed for it besides.
        """
        return steps

    @abstractmethod
    async def lost(self, step: S, cause: str | None) -> Update | None:
        """Return how it ends that its account or connection is gone (``cause``), or it itself; else None."""

    @abstractmethod
    async def plan(self, step: S, line: Line) -> Plan:
        """Return what to do next."""

    @abstractmethod
    def asks(self, step: S, operation: Operation) -> tuple[str, Target] | None:
        """Return what the policy is asked before an operation; None where it isn't."""

    @abstractmethod
    async def goes_on_forbidden(self, step: S, operation: Operation, rule: str) -> bool:
        """Write what follows from the policy's refusal; True where the operation is done all the same."""

    @abstractmethod
    async def end(self, step: S, decided: Plan) -> Update:
        """Return the update that ends it as planned."""

    @abstractmethod
    async def advance(self, step: S, line: Line, decided: Plan) -> None:
        """Read, wait or renew as planned."""


def _ids(steps: Sequence[S]) -> list[str]:
    return [step.subject.id for step in steps]
