"""Reading the output of runs as it arrives. Each run has one stream, which is reopened if it breaks early."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from bot.domain.accounts import Account
from bot.domain.holds import hold_by_cause
from bot.domain.runs import OutputChunk, Run, RunState
from bot.domain.transcript import CAP, LONGEST_CHARACTER, FollowedRun
from bot.providers import facets
from bot.reconciler import call_results, context, provider_calls
from bot.services.owners import OUTPUT_PREFIX
from bot.store import accounts
from bot.store import runs as run_rows
from bot.support.cleaning import Hider
from bot.support.pool import Pool, contain_errors, count_free_slots, run_all

#: Maximum number of streams that are open at the same time. Others wait their turn.
MAX_STREAMS: Final = 50
#: Seconds without new output after which the output of a finished run is considered complete.
SILENT_END_SECONDS: Final = 30.0
#: Maximum number of attempts to read the rest of the output after a run has ended.
MAX_END_ATTEMPTS: Final = 5
#: How long, in seconds, a finished run's last lines are kept for the message about its end.
ENDED_OUTPUT_SECONDS: Final = 60.0
#: Minimum delay, in seconds, before reopening a stream that ended before its run.
MIN_REOPEN_SECONDS: Final = 5.0


@dataclass(slots=True, eq=False)
class _Follower:
    """The progress of reading one run's output. Times are in monotonic seconds."""

    entry: FollowedRun
    is_reading: bool = False
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    #: The result of the last stream, or None if Usher itself closed the stream.
    answer: call_results.CallResult[None] | None = None
    has_new_output: bool = False
    was_read: bool = False
    #: Whether the run was known to be over when the last stream was opened.
    began_after_end: bool = False
    failures: int = 0
    next_at: float = 0.0
    over_since: float | None = None


class Streams(context.EnginePart):
    """Reads the outputs that people are watching and that this process owns.

    After a restart, they are read again.
    """

    def __init__(self, engine: context.EngineContext) -> None:
        super().__init__(engine)
        self._board = engine.board
        self._followers: dict[str, _Follower] = {}

    async def step(self, pool: Pool | None = None) -> int:
        """Open the streams that are due, and close those that are over. Return how many were opened.

        If there is no pool, return once the opened streams have ended.
        """
        began_at = self._clock.monotonic()
        runs = await self._own_outputs(
            await self._store.read(run_rows.list_watched_runs, self._owners.name),
            self._count_free_streams(pool),
        )
        if abandoned := {
            run_id for run_id in self._followers.keys() - runs.keys() if self._is_abandoned(run_id)
        }:
            for run_id in abandoned:
                self._forget(run_id)
            await self._owners.disown(*(OUTPUT_PREFIX + run_id for run_id in abandoned))
        due: list[tuple[Run, _Follower, Account]] = []
        for run in runs.values():
            async with contain_errors("output", self._ids, failed=partial(self._put_off, run), run=run.id):
                account = await self._prepare_stream(run, began_at, self._count_free_streams(pool) - len(due))
                if account is not None:
                    due.append((run, self._followers[run.id], account))
        if grown := self._board.find_grown_runs(run.id for run in runs.values() if run.is_open):
            await self._store.write(run_rows.queue_grown_outputs, grown)
        await run_all([self._follow(*each) for each in due], pool)
        return len(due)

    async def _own_outputs(self, runs: Sequence[Run], free: int) -> dict[str, Run]:
        """Return the runs whose output this process reads.

        If no process reads a run's output yet, a process with free capacity takes it on.
        """
        fresh = [run for run in runs if run.id not in self._followers][: max(free, 0)]
        known = [run for run in runs if run.id in self._followers]
        things = [OUTPUT_PREFIX + run.id for run in (*fresh, *known)]
        owned = await self._owners.own_all(things) if things else {}
        return {run.id: run for run in runs if OUTPUT_PREFIX + run.id in owned}

    async def _prepare_stream(self, run: Run, began_at: float, free: int) -> Account | None:
        """Update one output's progress. Return the account for its next stream, or None if none is due."""
        runtime = self._runtimes.get(run.connection)
        if runtime is not None and not isinstance(runtime.provider, facets.Runs):
            # The provider can't show the output of runs, so stop watching this one.
            await self._store.write(run_rows.note_output_sent, run.id)
            return None
        if (follower := self._get_follower(run, began_at)) is None:
            return None
        await self._attend(run, follower)
        if free <= 0 or not self._is_due(run, follower):
            return None
        account = await self._store.read(accounts.find_account, run.principal, run.connection)
        if account is not None and account.state == "active":
            return account
        follower.next_at = self._clock.monotonic() + 60.0
        return None

    async def _put_off(self, run: Run) -> None:
        if run.id in self._followers:
            self._followers[run.id].next_at = self._clock.monotonic() + 60.0

    def _count_free_streams(self, pool: Pool | None) -> int:
        reading = sum(follower.is_reading for follower in self._followers.values())
        return count_free_slots(pool, MAX_STREAMS - reading)

    def _get_follower(self, run: Run, began_at: float) -> _Follower | None:
        """Return the state of reading a run's output. Start afresh if the output was requested again."""
        follower = self._followers.get(run.id)
        if follower is not None and follower.entry.is_done:
            if follower.entry.done_at >= began_at:
                return None  # It has just finished; the list of watched runs may be older.
            self._forget(run.id)
            follower = None
        if follower is None:
            follower = self._followers[run.id] = _Follower(self._board.add(run.id))
            follower.entry.is_asked = run.outcome is not None
        return follower

    def _is_abandoned(self, run_id: str) -> bool:
        """Return whether output that nobody watches can be dropped. Finished output is kept for a while."""
        entry = self._followers[run_id].entry
        return not entry.is_done or self._clock.monotonic() - entry.done_at > ENDED_OUTPUT_SECONDS

    def _forget(self, run_id: str) -> None:
        follower = self._followers.pop(run_id)
        follower.stop.set()
        self._board.drop(run_id)

    # -- between two streams ---------------------------------------------------------------------------------

    async def _attend(self, run: Run, follower: _Follower) -> None:
        """React if a stream ends or falls silent, or if its run ends."""
        now = self._clock.monotonic()
        entry = follower.entry
        if run.outcome is not None and follower.over_since is None:
            follower.over_since = now
            follower.next_at = 0.0
        if follower.is_reading:
            since = max(entry.changed_at, follower.over_since or now)
            if follower.over_since is not None and now - since >= SILENT_END_SECONDS:
                follower.stop.set()
        elif follower.was_read:
            follower.was_read = False
            await self._decide_next(run, follower, now)
        elif run.outcome is not None and entry.transcript.spool.is_full and not entry.is_over:
            self._end_output(follower, "")  # The spool is full, so another stream would add nothing.

    async def _decide_next(self, run: Run, follower: _Follower, now: float) -> None:
        answer, transcript = follower.answer, follower.entry.transcript
        follower.failures, wait, cause = 0, 0.0, ""
        if isinstance(answer, (call_results.RetryLater, call_results.OutcomeUnknown)):
            follower.failures = 0 if follower.has_new_output else answer.attempts
            # Streams aren't woken when their account is accepted again. So check without waiting, which needs
            # no request.
            wait, cause = (
                0.0 if answer.cause in provider_calls.REFUSED_SIGN_IN_CAUSES else answer.wait,
                answer.cause,
            )
        elif isinstance(answer, call_results.Rejected):
            cause = answer.cause
            if answer.needs_credential:
                follower.next_at = now + provider_calls.REFUSED_WAIT_SECONDS
                return
        if run.outcome is not None and (transcript.spool.is_full or self._is_read_out(follower)):
            title = self._context.title(run.connection)
            note = self._board.explain_missing("not_read", cause, title) if cause else ""
            self._end_output(follower, note)
            return
        follower.next_at = now + (max(wait, MIN_REOPEN_SECONDS) if run.outcome is None else wait)

    @staticmethod
    def _is_read_out(follower: _Follower) -> bool:
        """Return whether a finished run's output has been read completely, or no more of it can be read."""
        if not follower.began_after_end:
            return False  # The run's last lines may have come after that stream had ended.
        if isinstance(follower.answer, (call_results.RetryLater, call_results.OutcomeUnknown)):
            return follower.failures >= MAX_END_ATTEMPTS
        return True

    def _end_output(self, follower: _Follower, note: str) -> None:
        transcript = follower.entry.transcript
        if transcript.spool.is_full:
            is_cut = transcript.spool.size > CAP - LONGEST_CHARACTER
            note = self._board.explain_missing("cut" if is_cut else "not_kept", "", "")
        transcript.end(note)
        follower.entry.is_over = True

    # -- a stream --------------------------------------------------------------------------------------------

    def _is_due(self, run: Run, follower: _Follower) -> bool:
        if follower.is_reading or follower.entry.is_over or follower.was_read:
            return False
        if run.outcome is None and (run.state is RunState.QUEUED or follower.entry.transcript.spool.is_full):
            return False  # There is nothing to read yet, or nothing more.
        runtime = self._runtimes.get(run.connection)
        if runtime is None or runtime.health.pause > 0:
            return False
        return self._clock.monotonic() >= follower.next_at

    async def _follow(self, run: Run, follower: _Follower, account: Account) -> None:
        """Read one stream to its end, or until it is stopped."""
        was_unauthorized = (
            isinstance(follower.answer, call_results.RetryLater) and follower.answer.is_unauthorized
        )
        follower.is_reading, follower.has_new_output, follower.answer = True, False, None
        follower.began_after_end = run.outcome is not None
        follower.stop.clear()
        reading = asyncio.ensure_future(self._read(run, follower, account, was_unauthorized=was_unauthorized))
        stopping = asyncio.ensure_future(follower.stop.wait())
        try:
            await asyncio.wait({reading, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                await reading
        finally:
            for task in (reading, stopping):
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(reading, stopping, return_exceptions=True)
            follower.is_reading, follower.was_read = False, True

    async def _read(self, run: Run, follower: _Follower, account: Account, *, was_unauthorized: bool) -> None:
        runtime, entry, remote_id = self._runtimes[run.connection], follower.entry, run.remote_id
        assert remote_id is not None, "only what was launched is followed"
        entry.transcript.begin()

        async def take(chunk: OutputChunk) -> None:
            if await entry.transcript.take(chunk):
                entry.changed_at = self._clock.monotonic()
                follower.has_new_output = True

        # The provider's code may raise anything. But an error of the database isn't a failure of the stream.
        retry = partial(self._retry_stream, follower)
        call = provider_calls.ProviderCall(
            runtime, account, "output", follower.failures, was_unauthorized=was_unauthorized or None
        )
        failed, unwritten = partial(retry, follower.failures + 1), partial(retry, follower.failures)
        async with contain_errors("stream", self._ids, failed=failed, unwritten=unwritten, run=run.id):
            follower.answer = await self._provider_caller.follow(
                call,
                lambda access: without_secrets(
                    runtime.provider.require_facet(facets.Runs).run_output(access, remote_id),
                    (*access.credential.secrets(), *runtime.provider.settings.secrets()),
                ),
                take,
            )

    async def _retry_stream(self, follower: _Follower, failures: int) -> None:
        wait = self._provider_caller.compute_backoff(failures)
        follower.answer = call_results.OutcomeUnknown(wait, hold_by_cause("internal"), failures, "internal")


async def without_secrets(
    stream: AsyncIterator[OutputChunk], secrets: Sequence[str]
) -> AsyncIterator[OutputChunk]:
    """Yield a stream with its secrets hidden, even those split across chunks. Close it afterwards."""
    hiders: dict[str, Hider] = {}
    try:
        async for chunk in stream:
            hider = hiders.setdefault(chunk.stream, Hider(secrets))
            # Lone surrogates can't be encoded in UTF-8, so they are passed through unchanged.
            clean = hider.feed(chunk.text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
            if clean:
                yield replace(chunk, text=clean)
        for name, hider in hiders.items():
            rest = hider.rest().decode()
            if rest:
                yield OutputChunk("stderr" if name == "stderr" else "stdout", rest)
    finally:
        close: Any = getattr(stream, "aclose", None)
        if close is not None:
            await close()
