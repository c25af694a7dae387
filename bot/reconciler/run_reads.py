"""States of runs, read for a whole account at once, at the pace that the provider allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import structlog

from bot.domain.people import Account
from bot.domain.plan import next_run_read
from bot.domain.runs import ClaimedRun, ObservedRun, Run, RunState, Update
from bot.domain.settling import (
    LEFT_OUT,
    START_SETTLES,
    UNANSWERED_SECONDS,
    doubted,
    is_certain,
    is_run_unanswered,
)
from bot.messages.texts import holds
from bot.providers import base
from bot.reconciler import outcomes
from bot.reconciler.ask import LIMITED, SUSPECTED, Done, Refused
from bot.reconciler.context import EngineContext, EnginePart
from bot.reconciler.preconditions import PATIENCE
from bot.reconciler.runtimes import Runtime
from bot.reconciler.updates import Updates
from bot.store.store import Store
from bot.support.errors import NotFound

log = structlog.get_logger(__name__)

#: How many runs are read in one request.
TOGETHER: Final = 50
#: How many seconds the end of a run waits for the last lines of its output.
LAST_LINES_WAIT: Final = 2.0


class RunReads(EnginePart):
    """Read runs. When an account's were last read is in its row."""

    def __init__(self, engine: EngineContext, updates: Updates[ClaimedRun]) -> None:
        super().__init__(engine)
        self._updates = updates
        self._board = engine.board
        self._deadline_seconds = engine.deadline_seconds

    async def wait(self, account: Account, runtime: Runtime) -> float:
        """Return the seconds until an account's runs may be read again."""
        interval = runtime.pace.min_poll_interval
        left = (account.runs_read_at or 0.0) + interval - await self._store.now()
        # The time of a clock that has since been corrected counts as now.
        return min(max(left, 0.0), interval)

    async def read(self, account: Account, runtime: Runtime, batch: Sequence[ClaimedRun]) -> None:
        """Read runs of one account in one request, record the results, and end the runs that are over."""
        runtime.observer.polled(runtime.name, len(batch))
        remote_ids = [_remote(claimed.run) for claimed in batch]
        answer = await self._asker.ask(
            runtime,
            account,
            "read runs",
            lambda access: runtime.provider.need(base.Runs).job_status(access, remote_ids),
            # Failed reads of runs aren't counted: all back off as after the third.
            attempts=2,
        )
        found: Mapping[str, ObservedRun]
        match answer:
            case Done(found):
                pass
            case Refused(error=NotFound()):
                found = {}
            case Refused(needs_credential=True, sentence=sentence):
                await self._updates.all_later(batch, PATIENCE, sentence)
                return
            case Refused():
                for claimed in batch:
                    await self._updates.save(await self._refused(claimed, runtime, answer))
                return
            case _:
                # A single failure that the next read may resolve isn't worth a line on the card.
                is_shown = runtime.health.is_doubtful or answer.cause in {LIMITED, SUSPECTED}
                wait = max(answer.wait, runtime.pace.min_poll_interval)
                hold = answer.sentence if is_shown else None
                await self._updates.all_later(batch, wait, hold, deadline_in=self._deadline_seconds)
                return
        for claimed in batch:
            await self._updates.save(await self._seen(claimed, runtime, found.get(_remote(claimed.run))))

    async def _seen(self, claimed: ClaimedRun, runtime: Runtime, observed: ObservedRun | None) -> Update:
        run, now = claimed.run, await self._store.now()
        if observed is None:
            return await self._left_out(claimed, runtime, now)
        if observed.state.is_over or observed.is_last:
            return await self.over(claimed, observed)
        began = observed.started_at or run.started_at or run.called_at or run.created_at
        wait = next_run_read(observed.state, max(now - began, 0.0), runtime.pace.min_poll_interval)
        if observed.state is RunState.UNKNOWN:
            # An answer without a known state isn't a sighting; a single one isn't worth a line on the card.
            hold = holds.UNSEEN if run.held_since is not None else None
            return await self._held(claimed, replace(claimed.update(wait), observed=observed), hold)
        return replace(
            claimed.update(wait),
            remote_id=observed.remote_id,
            observed=observed,
            hold="" if run.hold else None,
            card_dirty=_is_unanswered_now(run, now),
        )

    async def over(self, claimed: ClaimedRun, observed: ObservedRun | None = None) -> Update:
        """Return the update that ends a finished run."""
        run = claimed.run
        shown = self._board.shown(run.id)
        return outcomes.ended_run(
            run,
            "ended",
            None,
            claimed.claim,
            observed=observed,
            last_lines=shown.last_lines if shown is not None else (),
            due_in=LAST_LINES_WAIT if shown is not None and not shown.is_over else 0.0,
            tells=await self._updates.tells(claimed),
        )

    async def _left_out(self, claimed: ClaimedRun, runtime: Runtime, now: float) -> Update:
        """Count a read that lacked the run: one that was just launched may not be listed yet."""
        run = claimed.run
        wait = max(5.0, runtime.pace.min_poll_interval)
        if now - (run.called_at or run.created_at) < START_SETTLES:
            return claimed.update(wait)
        doubt = doubted(run.doubt, LEFT_OUT, now)
        if is_certain(doubt, now):
            log.info("run lost", connection=runtime.name, run=run.id)
            return outcomes.ended_run(
                run, "failed", "lost", claimed.claim, tells=await self._updates.tells(claimed)
            )
        return replace(claimed.update(wait), doubt=doubt)

    async def _refused(self, claimed: ClaimedRun, runtime: Runtime, answer: Refused) -> Update:
        """Count a refused read; the reason is shown once refusals last."""
        run, now = claimed.run, await self._store.now()
        doubt = doubted(run.doubt, answer.word, now)
        is_news = is_certain(doubt, now)
        wait = (
            PATIENCE if is_news else next_run_read(run.state, 0.0, max(10.0, runtime.pace.min_poll_interval))
        )
        refused = replace(claimed.update(wait), doubt=doubt)
        return await self._held(claimed, refused, answer.sentence if is_news else holds.UNSEEN)

    async def _held(self, claimed: ClaimedRun, update: Update, hold: str | None) -> Update:
        """Return the update of a run that can't be seen, with a deadline for that."""
        return await self._updates.held(claimed, replace(update, deadline_in=self._deadline_seconds), hold)


async def is_waited_for(store: Store, claimed: ClaimedRun) -> bool:
    """Return whether somebody waits for a run's end: they launched it here, have its card, or stopped it."""
    run = claimed.run
    return bool(run.reference or run.stop_wanted) or await store.card(run.id) is not None


def _is_unanswered_now(run: Run, now: float) -> bool:
    """Return whether a stop has, since the last read, gone unanswered long enough to be forced."""
    is_new = (run.observed_at or 0.0) < (run.called_at or now) + UNANSWERED_SECONDS
    return is_new and is_run_unanswered(run, now)


def _remote(run: Run) -> str:
    assert run.remote_id is not None, "only what was launched is read"
    return run.remote_id
