"""One step of an operation or a run: check who it is for, plan, call, verify, write the result.

The account is linked, the connection is set up, the person is known and allowed to do it. Anything missing
delays it and is shown on the card.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Final, Generic

import structlog

from bot.domain.notices import NoticeKind
from bot.domain.people import Account, AuditEntry, Person
from bot.domain.plan import Plan, Step
from bot.domain.policy import Decision, Target
from bot.domain.runs import Run, Update
from bot.domain.settling import ANSWER_SECONDS, Verdict, has_settled, judge, search_in
from bot.domain.workspaces import Call, Created, Operation, Outcome, Traces
from bot.messages.texts import cards, problems
from bot.providers.base import Access
from bot.reconciler import outcomes
from bot.reconciler.ask import Done, EngineContext, EnginePart, Later, NotDone, Refused, Unknown
from bot.reconciler.outcomes import S, Updates
from bot.reconciler.runtimes import PERSONS_SHARE, Runtime
from bot.services.context import STARTS, decided
from bot.support.errors import Conflict, SlackFailed, SlackLimited
from bot.support.http import freely
from bot.support.pool import Pool, contained, pool_room, run_all

log = structlog.get_logger(__name__)


#: When a start is looked at again that another process has to send; that one claims it then.
ELSEWHERE: Final = 0.25


class Stepper(EnginePart, ABC, Generic[S]):
    """Step the due operations or runs; the methods at the end hold what differs between the two.

    Concurrent changes (replace, unlink) win: an ended subject takes no update.
    """

    #: Whether a plan to end it is carried out while its account waits for a new link.
    ends_while_refused: ClassVar[bool]
    #: How it ends if nobody can tell any more what its call has done.
    lost_as: ClassVar[Outcome]

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
        if isinstance(runtime, Lost):
            await self._lost(claimed, runtime.cause)
            return
        if self.is_forgotten(claimed):
            await self._updates.save(outcomes.ended(subject, Outcome.CANCELLED, "forgotten", claimed.claim))
            return
        if isinstance(runtime, Hold):
            await self._held(claimed, runtime)
            return
        assert account is not None, "without one there is no connection"
        decided = await self.plan(claimed, runtime)
        refusal = self._preconditions.refusal_of(account, runtime)
        if refusal is not None and not (self.ends_while_refused and decided.step is Step.END):
            await self._held(claimed, refusal)
        elif await self._may_go_on(claimed, decided.step):
            await self._do(claimed, runtime, decided)

    async def _lost(self, claimed: S, cause: str) -> None:
        """End what can't continue: cancelled, or as nobody knows how if a call was sent."""
        subject = claimed.subject
        is_known = cause == "unlinked" or not subject.has_called
        outcome = Outcome.CANCELLED if is_known else self.lost_as
        tells = await self._updates.tells(claimed)
        await self._updates.save(outcomes.ended(subject, outcome, cause, claimed.claim, tells=tells))

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

    def is_forgotten(self, claimed: S) -> bool:  # noqa: ARG002 - for what is removed while it is under way
        """Return whether it was removed from the list just as it was requested: it isn't read any more."""
        return False

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


#: How often to try a call that the current state doesn't allow: the state may just be changing.
CONFLICTS: Final = 4
#: The steps that bring a workspace up: their calls are queued and may have a rate limit of their own.
UP: Final = frozenset({Step.START, Step.CREATE})
#: Steps that create something: it is looked for before the call is sent again.
_MAKES: Final = frozenset({Step.CREATE, Step.LAUNCH})


class Caller(EnginePart, ABC, Generic[S]):
    """Make the calls for operations or for runs; *calling* is committed before each one is sent (ADR 15).

    The abstract methods hold what differs between the two.
    """

    #: The step that creates it, whose result is looked for after an unknown outcome, and the question's kind.
    making: ClassVar[Step]
    question: ClassVar[NoticeKind]
    #: Whether a call that may not leave yet changes nothing of what is known about the call before it.
    keeps_call: ClassVar[bool]

    def __init__(self, engine: EngineContext, updates: Updates[S]) -> None:
        super().__init__(engine)
        self._updates: Updates[S] = updates

    async def make(
        self, claimed: S, runtime: Runtime, step: Step, may_leave: Callable[[], bool] = freely
    ) -> Update | None:
        """Commit ``calling`` and send the call; return the update still to be written, or None.

        ``may_leave`` is asked right before each request of the call.
        """
        subject, account = claimed.subject, claimed.account
        assert account is not None, "what has no account ends before it calls"
        if step is Step.FIND:
            return await self._find(claimed, runtime)
        starts = step in UP
        attempts = subject.attempts if self.keeps_call else 0
        access = self._asker.admit(runtime, account, attempts, starts=starts)
        if not isinstance(access, Access):
            return self.again(claimed, runtime, step, access, None if self.keeps_call else Call.NONE)
        calling = await self.calling(claimed, runtime, step, access)
        if not calling.is_calling:
            return calling
        began = self._clock.monotonic()
        if not await self._updates.save(calling):
            return None  # Ended, replaced, unlinked or forgotten since the claim: nothing may be sent.
        claimed = await self.committed(claimed, calling)
        answer = await self._asker.ask(
            runtime,
            account,
            str(step),
            lambda access: self.send(claimed, runtime, step, access),
            attempts=subject.attempts,
            starts=starts,
            began=began,
            may_leave=may_leave,
        )
        match answer:
            case Done(created):
                return await self.accepted(claimed, runtime, step, access, created)
            case Later() | Refused(needs_credential=True):
                return self.again(claimed, runtime, step, answer, Call.NONE)
            case Unknown():
                return self.again(claimed, runtime, step, answer, Call.UNKNOWN)
            case Refused(error=Conflict()) if self._may_be_ours(claimed, step):
                # The name may be taken by what an earlier attempt made after all: look for it.
                return self.again(claimed, runtime, step, self._retry(claimed), Call.UNKNOWN)
            case Refused():
                return self.refused(claimed, runtime, step, answer)

    def _may_be_ours(self, claimed: S, step: Step) -> bool:
        """Return whether what is taken may be the work of an earlier call."""
        subject = claimed.subject
        return step in _MAKES and subject.called_at is not None and 0 < subject.attempts < CONFLICTS

    def _retry(self, claimed: S) -> Later:
        attempts = claimed.subject.attempts + 1
        return Later(self._asker.backoff(attempts), None, attempts)

    # -- after an unknown outcome ----------------------------------------------------------------------------

    async def _find(self, claimed: S, runtime: Runtime) -> Update | None:
        """Look for what was made. This has no effect, so nothing is committed first."""
        account = claimed.account
        assert account is not None, "what has no account ends before it calls"
        answer = await self._asker.ask(
            runtime,
            account,
            "find",
            lambda access: self.search(claimed, runtime, access),
            attempts=claimed.subject.attempts,
        )
        match answer:
            case Done(traces):
                return await self._judged(claimed, runtime, traces)
            case Unknown(is_unreadable=False) | Later() | Refused(needs_credential=True):
                return self.again(claimed, runtime, Step.FIND, answer, None)
            case _:  # Repeating the look wouldn't tell more.
                return await self._judged(claimed, runtime, Traces())

    async def _judged(self, claimed: S, runtime: Runtime, traces: Traces | None) -> Update | None:
        """Return what follows from a look: found, look again, try again, ask the person, or end."""
        now = await self._store.now()
        verdict: Created | Verdict = Verdict.SEARCH
        if traces is not None:
            verdict = judge(
                traces.ours,
                traces.others,
                is_proof=traces.is_proof,
                has_settled=has_settled(await self.maker(claimed), now),
                is_wanted=self.is_wanted(claimed),
            )
        match verdict:
            case Verdict.SEARCH:
                return claimed.update(search_in(runtime.pace, None, now))
            case Verdict.REPEAT:
                return self.absent(claimed, self._retry(claimed).wait)
            case Verdict.NOTHING | Verdict.UNTOLD:
                return self.unwanted(claimed, verdict)
            case Verdict.ASK:
                return self._asked(claimed, runtime, now)
            case created:
                return await self.found(claimed, runtime, created)

    def absent(self, claimed: S, wait: float) -> Update:
        """Continue after nothing was made: the next plan creates it, unless it was cancelled."""
        absent = replace(
            claimed.update(wait),
            attempts=claimed.subject.attempts + 1,
            hold="",
            asked=False,
            card_dirty=True,
            audit=[outcomes.audit(claimed.subject, "call.find", "absent")],
        )
        return knowing(absent, self.making, Call.NONE)

    def _asked(self, claimed: S, runtime: Runtime, now: float) -> Update:
        """Ask the person once whether to create another one, and keep looking."""
        subject = claimed.subject
        wait = search_in(runtime.pace, subject.asked_at, now)
        if subject.asked_at is not None:
            return replace(claimed.update(wait), hold="", asked=True)
        asked = outcomes.notice(subject, self.question, f"{subject.called_at or 0.0:.3f}")
        unclear = outcomes.audit(subject, "call.find", "unclear")
        return replace(claimed.update(wait), hold="", asked=True, notices=[asked], audit=[unclear])

    # -- what differs by kind --------------------------------------------------------------------------------

    @abstractmethod
    async def calling(self, claimed: S, runtime: Runtime, step: Step, access: Access) -> Update:
        """Return what is committed before a call is sent; the call isn't sent unless it says *calling*."""

    async def committed(self, claimed: S, calling: Update) -> S:  # noqa: ARG002 - for what chooses a name
        """Return the step as it is once ``calling`` was saved."""
        return claimed

    @abstractmethod
    async def send(self, claimed: S, runtime: Runtime, step: Step, access: Access) -> Created | None:
        """Send the call; return what was created, if the call creates something."""

    @abstractmethod
    async def accepted(
        self, claimed: S, runtime: Runtime, step: Step, access: Access, created: Created | None
    ) -> Update | None:
        """Write what follows from an accepted call, or return the update still to be written."""

    @abstractmethod
    def again(self, claimed: S, runtime: Runtime, step: Step, answer: NotDone, known: Call | None) -> Update:
        """Return the update to retry the call or look for its result; Refused waits for a credential."""

    @abstractmethod
    def refused(self, claimed: S, runtime: Runtime, step: Step, answer: Refused) -> Update:
        """Return the update after a call was refused for good."""

    @abstractmethod
    async def search(self, claimed: S, runtime: Runtime, access: Access) -> Traces | None:
        """Return what the provider lists that no record explains; None to look again."""

    async def maker(self, claimed: S) -> Operation | Run:
        """Return whose call makes it: its own, unless it cancels what another one began."""
        return claimed.subject

    @abstractmethod
    def is_wanted(self, claimed: S) -> bool:
        """Return whether it is still wanted."""

    @abstractmethod
    def unwanted(self, claimed: S, verdict: Verdict) -> Update:
        """Return the update when nothing, or nothing certain, was made and nobody wants it any more."""

    @abstractmethod
    async def found(self, claimed: S, runtime: Runtime, created: Created) -> Update | None:
        """Record the id of what was found, or return the update still to be written."""


def knowing(update: Update, step: Step, known: Call | None) -> Update:
    """Return an update with what is known about a step's call; a look has no call."""
    match step:
        case Step.FIND:
            return update
        case Step.START | Step.CREATE | Step.LAUNCH:
            return replace(update, start_call=known)
        case _:
            return replace(update, stop_call=known)


def went_well(claimed: S, next_in: float, entry: AuditEntry) -> Update:
    """Return the update after an accepted call, or after a look that found what a call made."""
    return replace(claimed.update(next_in), attempts=0, hold="", card_dirty=True, audit=[entry])


#: How long to wait before the next step when it depends on somebody else (Slack, an operator, the person).
PATIENCE: Final = 60.0
#: How long a call waits while another request probes whether the connection answers again.
PROBE_WAIT: Final = 2.0


@dataclass(frozen=True, slots=True)
class Hold:
    """It continues later; says what is holding it up, if that is worth a sentence."""

    seconds: float
    said: str | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """It can't continue; ``cause`` names a text in ``bot.messages.texts``."""

    cause: str


class Preconditions(EnginePart):
    """Check what an operation or a run needs; nothing here is written."""

    def __init__(self, engine: EngineContext) -> None:
        super().__init__(engine)
        self._people = engine.people

    def runtime_of(
        self, subject: Operation | Run, account: Account | None, now: float
    ) -> Runtime | Hold | Lost:
        """Return the runtime if both account and connection exist, else why it waits or can't continue."""
        if account is None or account.state == "revoking":
            return Lost("unlinked")
        runtime = self._runtimes.get(subject.connection)
        if runtime is not None:
            is_served = runtime.provider.serves(subject.principal)
            return runtime if is_served else Lost("not_here")
        missing = Hold(PATIENCE, cards.not_configured(subject.connection))
        since = subject.held_since if subject.hold == missing.said else None
        if since is not None and now >= since + ANSWER_SECONDS:
            # Missing for too long to be a brief mistake in the settings.
            return Lost("connection_gone")
        return missing

    @staticmethod
    def refusal_of(account: Account, runtime: Runtime) -> Hold | None:
        """Return a hold if the account must be linked again; a new link wakes what waits for it."""
        if account.state != "refused":
            return None
        return Hold(PATIENCE, problems.sentence(account.refusal, runtime.title))

    async def may(
        self, subject: Operation | Run, person: Person | None, verb: str, target: Target
    ) -> Decision | Hold:
        """Ask the policy, after looking up an unknown person; if the look-up fails, that only delays it."""
        if person is None:
            try:
                person = await self._people.look_up(subject.principal)
            except SlackFailed as error:
                log.info("person not looked up", subject=subject.id, problem=str(error))
                wait = error.retry_after if isinstance(error, SlackLimited) else PATIENCE / 2
                return Hold(wait, cards.PERSON_UNKNOWN)
        return await decided(self._context, subject.principal, verb, target, person)

    @staticmethod
    def closed(runtime: Runtime) -> Hold | None:
        """Return a hold if the connection is paused, or if another request is probing it."""
        if runtime.health.pause > 0:
            return Hold(runtime.health.pause, runtime.health.hold)
        return Hold(PROBE_WAIT, runtime.health.sentence()) if runtime.is_probed else None
