"""The calls for a run: launched once, looked for after silence, stopped as often as it takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog

from bot.errors import Conflict, NotFound
from bot.models import Call, NoticeKind, Traces, Update
from bot.plan import MAX_ATTEMPTS, Operation
from bot.providers import facets
from bot.reconciler import job_endings
from bot.reconciler.ask import REFUSED_WAIT, Done, Later, Refused, Unknown
from bot.reconciler.calls import CONFLICTS
from bot.reconciler.preconditions import is_linked
from bot.settling import Verdict, has_settled, judge, look_in
from bot.words import outputs

if TYPE_CHECKING:
    from bot.models import Account, Created, Job, JobStep, NewNotice
    from bot.providers.base import Access
    from bot.reconciler.ask import Asker
    from bot.reconciler.lines import Line
    from bot.reconciler.ports import Numbers
    from bot.store.store import Store

log = structlog.get_logger(__name__)

#: The first read after a call: what is short may be over by then.
FIRST_READ: Final = 2.0


class JobCalls:
    """Make calls to providers for runs; *calling* is committed before each one leaves (ADR 15)."""

    def __init__(self, store: Store, asker: Asker, numbers: Numbers) -> None:
        self._store = store
        self._asker = asker
        self._numbers = numbers

    async def make(self, step: JobStep, line: Line, operation: Operation) -> Update | None:
        """Make a launch, a search or a stop; return what is still to be written, None when nothing is.

        What has an effect is committed before it leaves.
        """
        job, account = step.job, step.account
        assert account is not None, "a run without an account ends before it calls"
        access = self._asker.admit(line, account)
        if isinstance(access, Refused):
            return self._known(step, operation, None, REFUSED_WAIT, hold=access.sentence)
        if isinstance(access, Later):
            return self._known(step, operation, None, access.wait, hold=access.sentence)
        if not await self._committed(step, account, operation):
            return None  # Ended or unlinked since it was claimed: nothing may leave.
        answer = await self._asker.ask(
            line,
            account,
            str(operation),
            lambda access: self._send(step, line, operation, access),
            attempts=job.attempts,
        )
        match answer:
            case Done(value):
                if isinstance(value, Traces):
                    return await self._judged(step, line, value)
                return await self._accepted(step, line, operation, value)
            case Later():
                return self._again(step, line, operation, answer, Call.NONE)
            case Unknown(is_unreadable=True) if operation is Operation.FIND:
                # It tells nothing of what it looked for, however often it is made; as one that is refused.
                return await self._judged(step, line, Traces())
            case Unknown():
                # What came of it is looked for soon: a pause that was asked for is none between looks.
                update = self._again(step, line, operation, answer, Call.UNKNOWN)
                is_look = operation is Operation.FIND
                wait = update.next_in if is_look else max(FIRST_READ, line.pace.min_poll_interval)
                return replace(update, next_in=wait)
            case Refused(needs_credential=True):
                return self._known(step, operation, Call.NONE, REFUSED_WAIT, hold=answer.sentence)
            case Refused() if operation is Operation.FIND:
                return await self._judged(step, line, Traces())
            case Refused():
                return self._refused(step, line, operation, answer)

    async def _accepted(
        self, step: JobStep, line: Line, operation: Operation, created: Created | None
    ) -> Update | None:
        job = step.job
        if created is None:
            return self._stopped(step, line)
        launched = Update(
            job.id,
            max(FIRST_READ, line.pace.min_poll_interval),
            remote_id=created.remote_id,
            launch_call=Call.ACCEPTED,
            attempts=0,
            hold="",
            card_dirty=True,
            audit=(job_endings.audit(job, f"call.{operation}", "accepted", remote_id=created.remote_id),),
            claim=step.claim,
        )
        if not await self._store.save_job_step(launched):
            # Unlinked while the call was under way: it goes on there, and nobody may look after it any more.
            log.warning("launched after its account was unlinked", job=job.id, connection=job.connection)
        return None

    async def _committed(self, step: JobStep, account: Account, operation: Operation) -> bool:
        if operation is Operation.FIND:
            return await is_linked(self._store, account)
        # A stop that is asked for once more has been called since its first call.
        is_first = operation is Operation.LAUNCH or step.job.stop_call is Call.NONE
        return await self._store.save_job_step(
            Update(
                step.job.id,
                self._numbers.lease,
                launch_call=Call.CALLING if operation is Operation.LAUNCH else None,
                stop_call=Call.CALLING if operation is Operation.STOP else None,
                called=is_first,
                claim=step.claim,
            )
        )

    async def _send(
        self, step: JobStep, line: Line, operation: Operation, access: Access
    ) -> Created | Traces | None:
        job, provider = step.job, line.provider
        match operation:
            case Operation.LAUNCH:
                return await provider.need(facets.Runs).launch_job(access, job.spec, job.id)
            case Operation.FIND:
                return await provider.need(facets.Runs).find_job(
                    access, job.spec, job.id, job.called_at or job.created_at
                )
            case _:
                assert job.remote_id is not None, "only what was launched is stopped"
                await provider.need(facets.Runs).stop_job(
                    access, job.remote_id, force=job.stop_wanted == "force"
                )
                return None

    async def _judged(self, step: JobStep, line: Line, traces: Traces) -> Update | None:
        """Return what a look comes to: found, another look, another launch, a question, or the end."""
        job, now = step.job, await self._store.now()
        by_id = {one.remote_id: one for one in traces.others}
        left = await self._store.unexplained_runs(job, list(by_id)) if by_id else []
        verdict = judge(
            traces.ours,
            [by_id[remote_id] for remote_id in left],
            is_proof=traces.is_proof,
            has_settled=has_settled(job.launch_call, job.called_at, job.unknown_since, now),
            is_wanted=not job.stop_wanted,
        )
        match verdict:
            case Verdict.REPEAT | Verdict.NOTHING:
                return self._absent(step)
            case Verdict.UNTOLD:
                return job_endings.ended(job, "failed", "untold", step.claim)
            case Verdict.LOOK:
                return Update(job.id, look_in(line.pace, None, now), claim=step.claim)
            case Verdict.ASK:
                return self._asked(step, line, now)
            case created:
                return await self._accepted(step, line, Operation.FIND, created)

    @staticmethod
    def _asked(step: JobStep, line: Line, now: float) -> Update:
        """Ask whether to launch another one, once, and go on looking."""
        job = step.job
        is_new = job.asked_at is None
        asked = job_endings.notice(job, NoticeKind.JOB_ASKED, f"{job.called_at or 0.0:.3f}")
        return Update(
            job.id,
            look_in(line.pace, job.asked_at, now),
            hold="",
            asked=True,
            notices=(asked,) if is_new else (),
            audit=(job_endings.audit(job, "call.find", "unclear"),) if is_new else (),
            claim=step.claim,
        )

    def _stopped(self, step: JobStep, line: Line) -> Update:
        job = step.job
        return Update(
            job.id,
            max(FIRST_READ, line.pace.min_poll_interval),
            stop_call=Call.ACCEPTED,
            attempts=0,
            hold="",
            card_dirty=True,
            audit=(job_endings.audit(job, "call.stop", "accepted", how=job.stop_wanted),),
            claim=step.claim,
        )

    def _absent(self, step: JobStep) -> Update:
        """Go on where nothing was launched: the next plan launches, unless it was called off."""
        attempts = step.job.attempts + 1
        return Update(
            step.job.id,
            0.0 if step.job.stop_wanted else self._asker.backoff(attempts),
            launch_call=Call.NONE,
            attempts=attempts,
            hold="",
            asked=False,
            audit=(job_endings.audit(step.job, "call.find", "absent"),),
            claim=step.claim,
        )

    def _refused(self, step: JobStep, line: Line, operation: Operation, answer: Refused) -> Update:
        job, attempts = step.job, step.job.attempts + 1
        if operation is Operation.STOP:
            return self._not_stopped(step, line, answer)
        if isinstance(answer.error, Conflict) and 0 < job.attempts < CONFLICTS:
            # Its name may be taken by what an earlier try launched after all: look for it again.
            wait = self._asker.backoff(attempts)
            return self._known(step, operation, Call.UNKNOWN, wait, attempts=attempts)
        # A launch that is refused is known not to have been.
        ended = job_endings.ended(job, "failed", answer.cause, step.claim)
        return replace(ended, launch_call=Call.NONE)

    def _not_stopped(self, step: JobStep, line: Line, answer: Refused) -> Update:
        """Leave a stop that is refused at that: its person is told why, and reads go on."""
        job = step.job
        wait = max(FIRST_READ, line.pace.min_poll_interval)
        if isinstance(answer.error, (NotFound, Conflict)):
            # It may just have ended, which the next reads say; otherwise it is asked for again.
            gone = isinstance(answer.error, NotFound) or job.attempts + 1 >= CONFLICTS
            known = Call.ACCEPTED if gone else Call.NONE
            return self._known(step, Operation.STOP, known, wait, attempts=0 if gone else job.attempts + 1)
        told = job_endings.message(job, _occasion(job), outputs.STOP_REFUSED, because=answer.sentence)
        return Update(
            job.id,
            wait,
            stop_call=Call.ACCEPTED,
            attempts=0,
            card_dirty=True,
            notices=(told,),
            audit=(job_endings.audit(job, "call.stop", "refused", cause=answer.cause),),
            claim=step.claim,
        )

    def _again(
        self, step: JobStep, line: Line, operation: Operation, answer: Later | Unknown, known: Call
    ) -> Update:
        job = step.job
        notices: tuple[NewNotice, ...] = ()
        if operation is Operation.STOP and job.attempts < MAX_ATTEMPTS == answer.attempts:
            notices = (job_endings.message(job, _occasion(job), outputs.STOP_GIVEN_UP, title=line.title),)
        return self._known(
            step,
            operation,
            known,
            answer.wait,
            attempts=answer.attempts,
            hold=answer.sentence,
            notices=notices,
        )

    def _known(
        self,
        step: JobStep,
        operation: Operation,
        known: Call | None,
        wait: float,
        *,
        attempts: int | None = None,
        hold: str | None = None,
        notices: tuple[NewNotice, ...] = (),
    ) -> Update:
        """Return the update that keeps what is known of a call; a search says nothing of the launch."""
        return Update(
            step.job.id,
            wait,
            launch_call=known if operation is Operation.LAUNCH else None,
            stop_call=known if operation is Operation.STOP else None,
            attempts=attempts,
            hold=hold,
            notices=notices,
            claim=step.claim,
        )


def _occasion(job: Job) -> str:
    """Name one asking for a stop: each that comes to nothing is told."""
    return f"stop:{job.stop_wanted}:{job.called_at}"
