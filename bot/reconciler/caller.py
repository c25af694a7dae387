"""The one call of a step: committed before it is sent, verified after silence, never blindly repeated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, Final, Generic

from bot.domain.notices import NoticeKind
from bot.domain.people import AuditEntry
from bot.domain.plan import Step
from bot.domain.runs import Update
from bot.domain.settling import Verdict, judge, look_in
from bot.domain.workspaces import Call, Created, Traces
from bot.providers.base import Access
from bot.reconciler import outcomes
from bot.reconciler.ask import Done, Later, NotDone, Refused, Unknown
from bot.reconciler.context import EngineContext, EnginePart
from bot.reconciler.runtimes import Runtime
from bot.reconciler.updates import S, Updates
from bot.support.errors import Conflict
from bot.support.http import freely

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
            lambda access: self.look(claimed, runtime, access),
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
        verdict: Created | Verdict = Verdict.LOOK
        if traces is not None:
            verdict = judge(
                traces.ours,
                traces.others,
                is_proof=traces.is_proof,
                has_settled=await self.has_settled(claimed, now),
                is_wanted=self.is_wanted(claimed),
            )
        match verdict:
            case Verdict.LOOK:
                return claimed.update(look_in(runtime.pace, None, now))
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
        wait = look_in(runtime.pace, subject.asked_at, now)
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
    async def look(self, claimed: S, runtime: Runtime, access: Access) -> Traces | None:
        """Return what the provider lists that no record explains; None to look again."""

    @abstractmethod
    async def has_settled(self, claimed: S, now: float) -> bool:
        """Return whether the call's result would have shown up by now."""

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
        case Step.START | Step.CREATE:
            return replace(update, start_call=known)
        case Step.LAUNCH:
            return replace(update, launch_call=known)
        case _:
            return replace(update, stop_call=known)


def went_well(claimed: S, next_in: float, entry: AuditEntry) -> Update:
    """Return the update after an accepted call, or after a look that found what a call made."""
    return replace(claimed.update(next_in), attempts=0, hold="", card_dirty=True, audit=[entry])
