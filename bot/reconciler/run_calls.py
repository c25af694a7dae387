"""The calls of a run: launched once, looked for after silence, stopped as often as necessary."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import structlog

from bot.domain.forms import Spec
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.plan import MAX_ATTEMPTS, Step
from bot.domain.runs import ClaimedRun, Run, Update
from bot.domain.settling import Verdict, has_settled
from bot.domain.workspaces import Call, Created, Traces
from bot.providers import base
from bot.providers.base import Access
from bot.reconciler import outcomes
from bot.reconciler.ask import REFUSED_WAIT, NotDone, Refused, Unknown
from bot.reconciler.caller import CONFLICTS, Caller, knowing, went_well
from bot.reconciler.runtimes import Runtime
from bot.support.errors import Conflict, NotFound

log = structlog.get_logger(__name__)

#: Seconds until the first read after a call: a short run may be over by then.
FIRST_READ: Final = 2.0


class RunCalls(Caller[ClaimedRun]):
    """Make calls to providers for runs."""

    making = Step.LAUNCH
    question = NoticeKind.JOB_ASKED
    keeps_call = True

    async def calling(self, claimed: ClaimedRun, _runtime: Runtime, step: Step, _access: Access) -> Update:
        """Commit to the call. A repeated stop keeps the time of its first call."""
        is_first = step is Step.LAUNCH or claimed.run.stop_call is Call.NONE
        return knowing(replace(claimed.update(self._numbers.lease), called=is_first), step, Call.CALLING)

    async def send(self, claimed: ClaimedRun, runtime: Runtime, step: Step, access: Access) -> Created | None:
        """Send the call; return what was launched."""
        run, provider = claimed.run, runtime.provider.need(base.Runs)
        if step is Step.LAUNCH:
            return await provider.launch_job(access, run.spec or Spec(run.name), run.id)
        assert run.remote_id is not None, "only what was launched is stopped"
        await provider.stop_job(access, run.remote_id, force=run.stop_wanted == "force")
        return None

    async def accepted(
        self, claimed: ClaimedRun, runtime: Runtime, step: Step, _access: Access, created: Created | None
    ) -> Update | None:
        """Record a launched run; read a stopped one soon."""
        if created is not None:
            await self._launched(claimed, runtime, step, created)
            return None
        entry = outcomes.audit(claimed.run, "call.stop", "accepted", how=claimed.run.stop_wanted)
        return replace(went_well(claimed, _first_read(runtime), entry), stop_call=Call.ACCEPTED)

    async def _launched(self, claimed: ClaimedRun, runtime: Runtime, step: Step, created: Created) -> None:
        run, remote_id = claimed.run, created.remote_id
        entry = outcomes.audit(run, f"call.{step}", "accepted", remote_id=remote_id)
        launched = replace(
            went_well(claimed, _first_read(runtime), entry), remote_id=remote_id, launch_call=Call.ACCEPTED
        )
        if not await self._updates.save(launched):
            # Unlinked while the call was in flight: the run continues there, but Usher can't follow it.
            log.warning("launched after its account was unlinked", run=run.id, connection=run.connection)

    def again(
        self, claimed: ClaimedRun, runtime: Runtime, step: Step, answer: NotDone, known: Call | None
    ) -> Update:
        """Look soon after an unknown outcome, as a requested pause doesn't apply to looks."""
        run, wait, attempts = claimed.run, REFUSED_WAIT, None
        if not isinstance(answer, Refused):
            wait, attempts = answer.wait, answer.attempts
        if isinstance(answer, Unknown) and step is not Step.FIND:
            wait = _first_read(runtime)
        notices: list[NewNotice] = []
        if step is Step.STOP and run.attempts < MAX_ATTEMPTS == attempts:
            notices = [_not_stopped(run)]
        again = replace(claimed.update(wait), attempts=attempts, hold=answer.sentence, notices=notices)
        return knowing(again, step, known)

    def refused(self, claimed: ClaimedRun, runtime: Runtime, step: Step, answer: Refused) -> Update:
        """End a refused launch, which certainly didn't happen; give up a refused stop and keep reading."""
        run = claimed.run
        if step is Step.LAUNCH:
            ended = outcomes.ended_run(run, "failed", answer.cause, claimed.claim)
            return replace(ended, launch_call=Call.NONE)
        wait = _first_read(runtime)
        if isinstance(answer.error, (NotFound, Conflict)):
            # The run may just have ended, as the next reads will show; otherwise the stop is retried.
            gone = isinstance(answer.error, NotFound) or run.attempts + 1 >= CONFLICTS
            known, attempts = (Call.ACCEPTED, 0) if gone else (Call.NONE, run.attempts + 1)
            return replace(claimed.update(wait), stop_call=known, attempts=attempts)
        return replace(
            claimed.update(wait),
            stop_call=Call.ACCEPTED,
            attempts=0,
            card_dirty=True,
            notices=[_not_stopped(run, cause=answer.cause)],
            audit=[outcomes.audit(run, "call.stop", "refused", cause=answer.cause)],
        )

    async def look(self, claimed: ClaimedRun, runtime: Runtime, access: Access) -> Traces:
        """Look for what the launch made."""
        run = claimed.run
        spec, since = run.spec or Spec(run.name), run.sent_at or run.created_at
        traces = await runtime.provider.need(base.Runs).find_job(access, spec, run.id, since)
        if not traces.others:
            return traces
        by_id = {one.remote_id: one for one in traces.others}
        left = await self._store.unexplained_runs(run, list(by_id))
        return replace(traces, others=tuple(by_id[remote_id] for remote_id in left))

    async def has_settled(self, claimed: ClaimedRun, now: float) -> bool:
        """Return whether the launch's result would have shown up by now."""
        run = claimed.run
        return has_settled(run.launch_call, run.called_at, run.unknown_since, now)

    def is_wanted(self, claimed: ClaimedRun) -> bool:
        """Return whether it should still be launched."""
        return not claimed.run.stop_wanted

    def unwanted(self, claimed: ClaimedRun, verdict: Verdict) -> Update:
        """Step again at once to end it if nothing was launched."""
        if verdict is Verdict.NOTHING:
            return self.absent(claimed, 0.0)
        return outcomes.ended_run(claimed.run, "failed", "untold", claimed.claim)

    async def found(self, claimed: ClaimedRun, runtime: Runtime, created: Created) -> None:
        """Record its id."""
        await self._launched(claimed, runtime, Step.FIND, created)


def _first_read(runtime: Runtime) -> float:
    return max(FIRST_READ, runtime.pace.min_poll_interval)


def _not_stopped(run: Run, **cause: str) -> NewNotice:
    """Return the notice for one failed stop request; without a cause, it was given up."""
    occasion = f"stop:{run.stop_wanted}:{run.called_at}"
    return outcomes.notice(run, NoticeKind.JOB_NOT_STOPPED, occasion, cause)
