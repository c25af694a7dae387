"""One step of an operation or a run: check who it is for, plan, call, verify, write the result.

The account is linked, the connection is set up, the person is known and allowed to do it. Anything missing
delays it and is shown on the card.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar, Final, Generic, TypeVar

import structlog

from bot.domain.audit import AuditEntry
from bot.domain.message_kinds import AnyKind
from bot.domain.observations import Created, Traces
from bot.domain.operations import Operation
from bot.domain.plan import Plan, Step, may_repeat
from bot.domain.policy import Target
from bot.domain.runs import Run
from bot.domain.steps import ClaimedOperation, ClaimedRun, Update
from bot.domain.timeouts import ANSWER_SECONDS, Verdict, has_settled, judge, search_in
from bot.domain.work_items import UNAUTHORIZED, Call, Outcome
from bot.messages.texts import cards, problems
from bot.providers.base import Access
from bot.reconciler import outcomes
from bot.reconciler.context import EngineContext, EnginePart
from bot.reconciler.provider_calls import (
    CallFailure,
    OutcomeUnknown,
    ProviderBusy,
    Rejected,
    RetryLater,
    Succeeded,
)
from bot.reconciler.runtimes import PERSONS_SHARE, Runtime
from bot.services.caller import decided
from bot.services.owners import STARTS
from bot.store.transaction import Row
from bot.support.errors import Conflict, Outdated, SlackFailed, SlackLimited, TooLate
from bot.support.pool import Pool, contained, pool_room, run_all
from bot.support.windows import freely

log = structlog.get_logger(__name__)
S = TypeVar("S", ClaimedOperation, ClaimedRun)


#: When a start is looked at again that another process has to send; that one claims it then.
ELSEWHERE: Final = 0.25
#: How long to wait before the next step when it depends on somebody else (Slack, an operator, the person).
PATIENCE: Final = 60.0
#: How long a call waits while another request probes whether the connection answers again.
PROBE_WAIT: Final = 2.0
#: How often to try a call that the current state doesn't allow: the state may just be changing.
CONFLICTS: Final = 4
#: The steps that bring a workspace up: their calls are queued and may have a rate limit of their own.
UP: Final = frozenset({Step.START, Step.CREATE})
#: Steps that create something: it is looked for before the call is sent again.
_MAKES: Final = frozenset({Step.CREATE, Step.LAUNCH})


class Stepper(EnginePart, ABC, Generic[S]):
    """Step the due operations or runs, and make their calls; *calling* is committed before each (ADR 54).

    The methods at the end hold what differs between the two. Concurrent changes (replace, unlink) win: an
    ended subject takes no update.
    """

    #: Whether a plan to end it is carried out while its account waits for a new link.
    ends_while_refused: ClassVar[bool]
    #: How it ends if nobody can tell any more what its call has done.
    lost_as: ClassVar[Outcome]
    #: The step that creates it, whose result is looked for after an unknown outcome, and the question's kind.
    making: ClassVar[Step]
    question: ClassVar[AnyKind]
    #: The kind of the notice at a deadline.
    late: ClassVar[AnyKind]
    #: Whether a call that may not leave yet changes nothing of what is known about the call before it.
    keeps_call: ClassVar[bool]
    #: The deadline that starts when something is held up; None for no new one.
    held_seconds: float | None = None

    def __init__(self, engine: EngineContext) -> None:
        super().__init__(engine)
        self._people = engine.people
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
        back = partial(self.all_later, batch, 0.0, None)
        failed = partial(self.all_later, batch, PATIENCE, problems.sentence("internal"))
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
        if (cause := self._loss(claimed, await self._store.now())) is not None:
            # Cancelled, or as nobody knows how if a call was sent.
            is_known = cause == "unlinked" or not subject.has_called
            outcome, tells = Outcome.CANCELLED if is_known else self.lost_as, await self.tells(claimed)
            await self.save(claimed, outcomes.ended(subject, outcome, cause, claimed.claim, tells=tells))
            return
        if self.is_forgotten(claimed):
            forgotten = outcomes.ended(subject, Outcome.CANCELLED, "forgotten", claimed.claim)
            await self.save(claimed, forgotten)
            return
        if (runtime := self._runtimes.get(subject.connection)) is None:
            await self.later(claimed, PATIENCE, cards.not_configured(self._context.title(subject.connection)))
            return
        assert account is not None, "without one it is lost"
        decided = await self.plan(claimed, runtime)
        may_end = self.ends_while_refused or self.is_too_late(claimed, decided)
        if account.state == "refused" and not (may_end and decided.step is Step.END):
            # A new link wakes what waits for it.
            await self.later(claimed, PATIENCE, problems.sentence(account.refusal, runtime.title))
        elif await self._may_go_on(claimed, decided.step):
            await self._do(claimed, runtime, decided)

    def _loss(self, claimed: S, now: float) -> str | None:
        """Return why it can't continue, as a text in ``bot.messages.texts`` is named; None if it can."""
        subject, account = claimed.subject, claimed.account
        if account is None or account.state == "revoking":
            return "unlinked"
        if (runtime := self._runtimes.get(subject.connection)) is not None:
            return None if runtime.provider.serves(subject.principal) else "not_here"
        is_missing = subject.hold == cards.not_configured(self._context.title(subject.connection))
        since = subject.held_since if is_missing else None
        # Missing for too long to be a brief mistake in the settings.
        return "connection_gone" if since is not None and now >= since + ANSWER_SECONDS else None

    async def _may_go_on(self, claimed: S, step: Step) -> bool:
        """Ask the policy about its person; if Slack can't say who that is, it only takes longer."""
        asked = self.asks(claimed, step)
        if asked is None:
            return True
        subject, person = claimed.subject, claimed.person
        if person is None:
            try:
                person = await self._people.look_up(subject.principal)
            except SlackFailed as error:
                log.info("person not looked up", subject=subject.id, problem=str(error))
                known = await self._store.person(subject.principal) if self.goes_by_rows(claimed) else None
                if known is None:
                    wait = error.retry_after if isinstance(error, SlackLimited) else PATIENCE / 2
                    await self.later(claimed, wait, cards.PERSON_UNKNOWN)
                    return False
                person = known
        verb, target = asked
        decision = await decided(self._context, subject.principal, verb, target, person)
        return decision.allowed or await self.goes_on_forbidden(claimed, step, decision.rule)

    async def _do(self, claimed: S, runtime: Runtime, decided: Plan) -> None:
        match decided.step:
            case Step.WATCH:
                return
            case Step.END:
                await self.save(claimed, await self.end(claimed, decided))
            case Step.WAIT if decided.at is not None:
                await self.later(claimed, max(decided.at - await self._store.now(), 0.1))
            case Step.READ | Step.WAIT | Step.RENEW:
                await self.advance(claimed, runtime, decided)
            case call:
                await self._call(claimed, runtime, call)

    async def _call(self, claimed: S, runtime: Runtime, step: Step) -> None:
        subject, starts = claimed.subject, step in UP
        if subject.retry_at is not None and (left := subject.retry_at - await self._store.now()) > 0:
            # What a read finds meanwhile may end it, but sends nothing early.
            paused = replace(claimed.update(left), waits_for="change")
            await self.save_held(claimed, paused, find_hold(runtime, subject))
        elif runtime.health.pause > 0:
            await self.later(claimed, runtime.health.pause, find_hold(runtime, subject))
        elif runtime.is_probed:
            await self.later(claimed, PROBE_WAIT, runtime.health.sentence())
        elif starts and (turn := await self._turn(subject, runtime)) > 0:
            await self.later(claimed, turn)
        elif not runtime.slots.take_for(subject.principal.key, PERSONS_SHARE):
            if starts:
                runtime.start_queue.missed(subject, 1.0)
            await self.later(claimed, 1.0)
        else:
            try:
                may_leave = self._still_granted(runtime) if starts else freely
                update = await self._make(claimed, runtime, step, may_leave)
            finally:
                runtime.slots.give_from(subject.principal.key)
            if update is not None:
                # However often it is retried, and however long it waits, the person is told at the deadline.
                update = _keep_silence(claimed, update)
                await self.save(claimed, await self.after_deadline(claimed, update))

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

    # -- a call ----------------------------------------------------------------------------------------------

    async def _make(
        self, claimed: S, runtime: Runtime, step: Step, may_leave: Callable[[], bool]
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
        access = await self._provider_caller.admit(runtime, account, attempts, starts=starts)
        if not isinstance(access, Access):
            return self.again(claimed, runtime, step, access, None if self.keeps_call else Call.NONE)
        calling = await self.calling(claimed, runtime, step, access)
        if not calling.is_calling:
            return calling
        calling = replace(calling, account=account, person=claimed.person)
        began = self._clock.monotonic()
        try:
            if (row := await self.save(claimed, calling)) is None:
                return None  # Ended, replaced, unlinked or forgotten since the claim: nothing may be sent.
        except TooLate:
            late = Plan(Step.END, Outcome.FAILED, problems.asked_long_ago(subject))
            return await self.end(claimed, late)
        except Outdated:
            return claimed.update(0.0)
        self._context.memory.keep(subject, await self._store.now())
        claimed = await self.committed(replace(claimed, row=row), calling)
        answer = await self._provider_caller.call(
            runtime,
            account,
            str(step),
            lambda access: self.send(claimed, runtime, step, access),
            attempts=subject.attempts,
            starts=starts,
            repeats=may_repeat(subject, step),
            began=began,
            may_leave=may_leave,
            was_unauthorized=subject.was_unauthorized,
        )
        match answer:
            case Succeeded(created):
                return await self.accepted(claimed, runtime, step, access, created)
            case RetryLater() | Rejected(needs_credential=True):
                again = await self._defer_call(claimed, runtime, step, answer)
                return replace(again, cause=UNAUTHORIZED if answer.is_unauthorized else None)
            case OutcomeUnknown():
                return self.again(claimed, runtime, step, answer, Call.UNKNOWN)
            case Rejected(error=Conflict()) if self._may_be_ours(claimed, step):
                # The name may be taken by what an earlier attempt made after all: look for it.
                return self.again(claimed, runtime, step, self._retry(claimed), Call.UNKNOWN)
            case Rejected():
                return self.refused(claimed, runtime, step, answer)

    async def _defer_call(
        self, claimed: S, runtime: Runtime, step: Step, answer: RetryLater | Rejected
    ) -> Update:
        """Return the update to send a call again that certainly wasn't carried out.

        While the provider is busy that follows a growing pause, and a read that shows no effect.
        """
        if not isinstance(answer, ProviderBusy):
            return self.again(claimed, runtime, step, answer, Call.NONE)
        now = await self._store.now()
        since = claimed.subject.busy_since or now
        wait = max(self._provider_caller.busy_pause(max(now - since, 0.0)), answer.wait)
        answer = replace(answer, wait=wait, sentence=busy_hold(runtime, since))
        again = self.again(claimed, runtime, step, answer, Call.NONE)
        return replace(again, busy_since=since, retry_at=now + wait)

    def _may_be_ours(self, claimed: S, step: Step) -> bool:
        """Return whether what is taken may be the work of an earlier call."""
        subject = claimed.subject
        return step in _MAKES and subject.called_at is not None and 0 < subject.attempts < CONFLICTS

    def _retry(self, claimed: S) -> RetryLater:
        attempts = claimed.subject.attempts + 1
        return RetryLater(self._provider_caller.backoff(attempts), None, attempts)

    # -- after an unknown outcome ----------------------------------------------------------------------------

    async def _find(self, claimed: S, runtime: Runtime) -> Update | None:
        """Look for what was made. This has no effect, so nothing is committed first."""
        account = claimed.account
        assert account is not None, "what has no account ends before it calls"
        answer = await self._provider_caller.call(
            runtime,
            account,
            "find",
            lambda access: self.search(claimed, runtime, access),
            attempts=claimed.subject.attempts,
        )
        match answer:
            case Succeeded(traces):
                return await self._judged(claimed, runtime, traces)
            case OutcomeUnknown(is_unreadable=False) | RetryLater() | Rejected(needs_credential=True):
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

    # -- what was learned, saved -----------------------------------------------------------------------------

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
            update = replace(update, deadline_in=self.held_seconds)
        await self.save(claimed, await self.held(claimed, update, hold))

    async def held(self, claimed: S, update: Update, hold: str | None) -> Update:
        """Return an update with what is holding it up, "" for nothing, None for as before."""
        if hold is not None and hold != (claimed.subject.hold or ""):
            update = _keep_silence(claimed, replace(update, hold=hold, card_dirty=True))
        return await self.after_deadline(claimed, update)

    async def after_deadline(self, claimed: S, update: Update) -> Update:
        """Return an update whose next step is no later than the deadline, with the notice due then, if any.

        A person who has already been asked what to do isn't also told that it takes longer.
        """
        subject = claimed.subject
        if update.outcome is not None or subject.deadline_at is None:
            return update
        now = await self._store.now()
        is_late = now >= subject.deadline_at
        if not is_late:
            update = replace(update, next_in=min(update.next_in, subject.deadline_at - now))
        if subject.asked_at is not None or not (is_late or self.is_blocked(claimed, now)):
            return update
        if is_late:
            update = replace(update, deadline_passed=True, card_dirty=True)
        if not await self.tells(claimed):
            return update
        # One that is only late may fail right after its deadline. While it is blocked, that was said before.
        is_blocked, occasion = self.is_blocked(claimed, now), str(subject.deadline_number)
        occasion = f"blocked:{occasion}" if is_blocked else occasion
        delay = 0.0 if is_blocked else outcomes.LATE_SECONDS
        due = outcomes.notice(subject, self.late, occasion, due_in=delay)
        return replace(update, notices=(*update.notices, due))

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

    def is_too_late(self, claimed: S, decided: Plan) -> bool:  # noqa: ARG002 - for what a plan asks for
        """Return whether a plan ends it because its purpose is over."""
        return False

    def goes_by_rows(self, claimed: S) -> bool:  # noqa: ARG002 - for what may be done without Slack's word
        """Return whether what was last known of its person will do while Slack can't be asked."""
        return False

    @abstractmethod
    async def goes_on_forbidden(self, claimed: S, step: Step, rule: str) -> bool:
        """Write what follows from the policy's refusal; return True to do the step all the same."""

    @abstractmethod
    async def end(self, claimed: S, decided: Plan) -> Update:
        """Return the update that ends it as planned."""

    @abstractmethod
    async def advance(self, claimed: S, runtime: Runtime, decided: Plan) -> None:
        """Read, wait or renew as planned."""

    @abstractmethod
    async def save(self, claimed: S, update: Update) -> Row | None:
        """Save an update of what was claimed; return its row, None if it ended or another process has it."""

    def is_blocked(self, claimed: S, now: float) -> bool:  # noqa: ARG002 - for what nothing else tells
        """Return whether its person has to be told before the deadline that nothing can be sent for it."""
        return False

    async def tells(self, claimed: S) -> bool:  # noqa: ARG002 - for what nobody may be waiting for
        """Return whether somebody waits for it."""
        return True

    @abstractmethod
    async def calling(self, claimed: S, runtime: Runtime, step: Step, access: Access) -> Update:
        """Return what is committed before a call is sent; the call isn't sent unless it says *calling*."""

    async def committed(self, claimed: S, calling: Update) -> S:  # noqa: ARG002 - for what chooses a name
        """Return the step as it is once ``calling`` was saved."""
        return claimed

    @abstractmethod
    async def send(self, claimed: S, runtime: Runtime, step: Step, access: Access) -> Created | str | None:
        """Send the call; return what was created, or the provider's words that it is so already."""

    @abstractmethod
    async def accepted(
        self, claimed: S, runtime: Runtime, step: Step, access: Access, created: Created | str | None
    ) -> Update | None:
        """Write what follows from an accepted call, or return the update still to be written."""

    @abstractmethod
    def again(
        self, claimed: S, runtime: Runtime, step: Step, answer: CallFailure, known: Call | None
    ) -> Update:
        """Return the update to retry the call or look for its result; Rejected waits for a credential."""

    @abstractmethod
    def refused(self, claimed: S, runtime: Runtime, step: Step, answer: Rejected) -> Update:
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


def _ids(batch: Sequence[S]) -> list[str]:
    return [claimed.subject.id for claimed in batch]


def busy_hold(runtime: Runtime, since: float | None) -> str | None:
    """Return the hold of a call that a busy provider has refused ``since``, None for any other call."""
    if since is None:
        return None
    is_silent = runtime.health.since is not None
    return runtime.health.sentence() if is_silent else cards.say_busy_since(runtime.title, since)


def find_hold(runtime: Runtime, subject: Operation | Run) -> str | None:
    """Return the hold of a call: its own, or everybody's; None for nothing."""
    return busy_hold(runtime, subject.busy_since) or runtime.health.hold


def _keep_silence(claimed: ClaimedOperation | ClaimedRun, update: Update) -> Update:
    """Return an update that leaves since when there is no answer as it was while the call goes on failing.

    Reads that are answered in between are no news of it; each of its failures would begin another silence.
    """
    subject = claimed.subject
    fails = subject.is_failing and update.attempts != 0 and update.outcome is None and not update.asked
    is_no_news = update.hold is not None and (not update.hold or cards.is_silence(update.hold))
    if fails and is_no_news and cards.is_silence(subject.hold):
        return replace(update, hold=None, card_dirty=False)
    return update


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
