"""The one call of a step: committed before it leaves, looked for after silence, never blindly repeated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic

from bot.domain.models import Call, Traces
from bot.domain.plan import Step
from bot.domain.settling import Verdict, judge, look_in
from bot.providers.base import Access
from bot.reconciler import outcomes
from bot.reconciler.ask import Done, Later, Refused, Unknown
from bot.reconciler.updates import S
from bot.support.errors import Conflict

if TYPE_CHECKING:
    from bot.domain.models import AuditEntry, Created, NoticeKind, Update
    from bot.reconciler.ask import NotDone
    from bot.reconciler.context import EngineContext
    from bot.reconciler.runtimes import Runtime
    from bot.reconciler.updates import Updates

#: A call that the present state does not allow is tried so often: the state may just be changing.
CONFLICTS: Final = 4
#: The steps that bring a workspace up: their calls take turns, and may have a limit of their own.
UP: Final = frozenset({Step.START, Step.CREATE})
#: After these, what was made is looked for before they are sent again.
_MAKES: Final = frozenset({Step.CREATE, Step.LAUNCH})


class Caller(ABC, Generic[S]):
    """Make the calls of one kind of step; *calling* is committed before each one leaves (ADR 15).

    What is special to that kind is in the abstract methods.
    """

    #: The step that makes it, which is looked for when its outcome is unknown, and what asks about it.
    making: ClassVar[Step]
    question: ClassVar[NoticeKind]

    def __init__(self, engine: EngineContext, updates: Updates[S]) -> None:
        self._store = engine.store
        self._asker = engine.asker
        self._updates: Updates[S] = updates
        self._numbers = engine.numbers

    async def make(self, claimed: S, runtime: Runtime, step: Step) -> Update | None:
        """Commit ``calling``, send the call, return what is still to be written; None when nothing is."""
        subject, account = claimed.subject, claimed.account
        assert account is not None, "what has no account ends before it calls"
        if step is Step.FIND:
            return await self._find(claimed, runtime)
        starts = step in UP
        access = self._asker.admit(runtime, account, subject.attempts, starts=starts)
        if not isinstance(access, Access):
            # What may not leave yet changes nothing of what is known of the call before it.
            return self.again(claimed, runtime, step, access, None)
        calling = self.calling(claimed, runtime, step, access)
        if calling.outcome is not None:
            return calling
        if not await self._updates.save(calling):
            return None  # Ended, replaced, unlinked or forgotten since it was claimed: nothing may leave.
        answer = await self._asker.ask(
            runtime,
            account,
            str(step),
            lambda access: self.send(claimed, runtime, step, access),
            attempts=subject.attempts,
            starts=starts,
        )
        match answer:
            case Done(created):
                return await self.accepted(claimed, runtime, step, access, created)
            case Later() | Refused(needs_credential=True):
                return self.again(claimed, runtime, step, answer, Call.NONE)
            case Unknown():
                return self.again(claimed, runtime, step, answer, Call.UNKNOWN)
            case Refused(error=Conflict()) if step in _MAKES and 0 < subject.attempts < CONFLICTS:
                # The name may be taken by what an earlier try made after all: look for it.
                return self.again(claimed, runtime, step, self._retry(claimed), Call.UNKNOWN)
            case Refused():
                return self.refused(claimed, runtime, step, answer)

    def _retry(self, claimed: S) -> Later:
        attempts = claimed.subject.attempts + 1
        return Later(self._asker.backoff(attempts), None, attempts)

    # -- after an unknown outcome ----------------------------------------------------------------------------

    async def _find(self, claimed: S, runtime: Runtime) -> Update | None:
        """Ask what was made. It has no effect, so nothing is committed first."""
        account = claimed.account
        assert account is not None, "what has no account ends before it calls"
        current = await self._store.account_by_id(account.id)
        if current is None or current.state != account.state:
            return None
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
            case _:  # It tells nothing of what it looked for, however often it is made.
                return await self._judged(claimed, runtime, Traces())

    async def _judged(self, claimed: S, runtime: Runtime, traces: Traces | None) -> Update | None:
        """Return what a look comes to: found, another look, another try, a question, or the end."""
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
        """Go on where nothing was made: the next plan makes it, unless it was called off."""
        return claimed.update(
            wait,
            attempts=claimed.subject.attempts + 1,
            hold="",
            asked=False,
            card_dirty=True,
            audit=[outcomes.audit(claimed.subject, "call.find", "absent")],
            **known_as(self.making, Call.NONE),
        )

    def _asked(self, claimed: S, runtime: Runtime, now: float) -> Update:
        """Ask whether to make another one, once, and go on looking."""
        subject = claimed.subject
        wait = look_in(runtime.pace, subject.asked_at, now)
        if subject.asked_at is not None:
            return claimed.update(wait, hold="", asked=True)
        asked = outcomes.notice(subject, self.question, f"{subject.called_at or 0.0:.3f}")
        unclear = outcomes.audit(subject, "call.find", "unclear")
        return claimed.update(wait, hold="", asked=True, notices=[asked], audit=[unclear])

    # -- what is special to one kind -------------------------------------------------------------------------

    @abstractmethod
    def calling(self, claimed: S, runtime: Runtime, step: Step, access: Access) -> Update:
        """Return what is committed before a call leaves; with an outcome, it doesn't."""

    @abstractmethod
    async def send(self, claimed: S, runtime: Runtime, step: Step, access: Access) -> Created | None:
        """Send the call; return what was made where it makes something."""

    @abstractmethod
    async def accepted(
        self, claimed: S, runtime: Runtime, step: Step, access: Access, created: Created | None
    ) -> Update | None:
        """Write what was taken, or return what is still to be written."""

    @abstractmethod
    def again(self, claimed: S, runtime: Runtime, step: Step, answer: NotDone, known: Call | None) -> Update:
        """Return the update after which it is tried again, or looked for; Refused waits for a credential."""

    @abstractmethod
    def refused(self, claimed: S, runtime: Runtime, step: Step, answer: Refused) -> Update:
        """Return what a call comes to that is refused for good."""

    @abstractmethod
    async def look(self, claimed: S, runtime: Runtime, access: Access) -> Traces | None:
        """Return what its provider shows that nobody's record explains; None for *look again*."""

    @abstractmethod
    async def has_settled(self, claimed: S, now: float) -> bool:
        """Say whether what the call may have made would have shown by now."""

    @abstractmethod
    def is_wanted(self, claimed: S) -> bool:
        """Say whether it is still to be made."""

    @abstractmethod
    def unwanted(self, claimed: S, verdict: Verdict) -> Update:
        """Return how it goes on where nothing was made, or nobody can tell, and nobody wants it any more."""

    @abstractmethod
    async def found(self, claimed: S, runtime: Runtime, created: Created) -> Update | None:
        """Write down the id of what was found, or return what is still to be written."""


def known_as(step: Step, known: Call | None) -> dict[str, Call | None]:
    """Return what is known of a step's call as a field of its update; a look says nothing of any."""
    match step:
        case Step.FIND:
            return {}
        case Step.START | Step.CREATE:
            return {"start_call": known}
        case Step.LAUNCH:
            return {"launch_call": known}
        case _:
            return {"stop_call": known}


def went_well(claimed: S, next_in: float, entry: AuditEntry, **fields: Any) -> Update:
    """Return the update of a call that was taken, or of a look that found what one made."""
    return claimed.update(next_in, attempts=0, hold="", card_dirty=True, audit=[entry], **fields)
