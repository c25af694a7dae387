"""A provider that runs jobs. Their states change with the clock, and a test writes their output."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar

from bot.domain.forms import Spec
from bot.domain.observations import Created, OutcomeSearch
from bot.domain.runs import DiscoveredRun, ObservedRun, OutputChunk, RunState
from bot.providers import facets
from bot.providers.answers import Listing
from bot.providers.base import MAX_CLOCK_SKEW_SECONDS, Access, Pace
from tests.rigs.providers import FakeProvider


@dataclass
class RemoteRun:
    """A run that is queued until ``starts_at``, and runs until ``ends_at`` (if None, until it is stopped)."""

    name: str
    key: str
    starts_at: float
    ends_at: float | None
    exit_code: int = 0
    is_cancelled: bool = False
    is_forgotten: bool = False
    #: Whether reads report a state that Usher doesn't know.
    is_unclear: bool = False


@dataclass
class Output:
    """A run's output. Each stream reads it from the beginning."""

    chunks: list[OutputChunk] = field(default_factory=list)
    #: Whether streams end once they have read everything. Otherwise, they wait for more output.
    is_closed: bool = True
    #: After how many chunks a stream is cut off, and with which error. Each entry is used once.
    cuts: list[tuple[int, Exception]] = field(default_factory=list)
    begun: int = 0
    open: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class JobProvider(FakeProvider, facets.Runs[Any]):
    """A provider whose jobs are queued for ``queued_for`` seconds, and then run for ``job_takes``.

    The runs' ids are ``run1``, ``run2``, …
    """

    pace: ClassVar[Pace] = Pace(
        min_poll_interval=2.0,
        pending_interval=2.0,
        running_interval=60.0,
        unused_interval=1800.0,
        batch_size=50,
        concurrency=20,
    )

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        super().__init__(*arguments, **keys)
        self.runs: dict[str, RemoteRun] = {}
        self._run_ids = 0
        self.outputs: defaultdict[str, Output] = defaultdict(Output)
        self.queued_for = 0.0
        self.job_takes: float | None = 30.0
        self.exit_code = 0
        #: How many consecutive searches miss a launched run.
        self.overlooks_runs = 0
        #: The id of the run that every search finds, as on a server that doesn't show Usher's keys.
        self.finds = ""
        self.stopped_runs: list[tuple[str, bool]] = []
        #: Whether a run only stops if it is forced to.
        self.is_stubborn = False
        self.reads: list[tuple[float, str, int]] = []

    # -- what tests do to it -------------------------------------------------------------------------------

    def writes(self, remote_id: str, text: str, stream: Any = "stdout") -> None:
        self.outputs[remote_id].chunks.append(OutputChunk(stream, text))
        self._changed(remote_id)

    def opens(self, remote_id: str) -> None:
        """Keep the output's streams open until ``closes``."""
        self.outputs[remote_id].is_closed = False

    def closes(self, remote_id: str) -> None:
        """Close the output: open streams end, and later ones end once they have read everything."""
        self.outputs[remote_id].is_closed = True
        self._changed(remote_id)

    def cut(self, remote_id: str, after: int, error: Exception) -> None:
        self.outputs[remote_id].cuts.append((after, error))
        self._changed(remote_id)

    def ends(self, remote_id: str, exit_code: int = 0) -> None:
        run = self.runs[remote_id]
        run.exit_code, run.ends_at = exit_code, self.clock.now()

    def launched(self, key: str) -> list[str]:
        return [remote_id for remote_id, run in self.runs.items() if run.key == key]

    def read_gaps(self) -> list[float]:
        """Return the seconds between consecutive reads of the same account."""
        times: defaultdict[str, list[float]] = defaultdict(list)
        for at, username, _ in self.reads:
            times[username].append(at)
        return [later - earlier for each in times.values() for earlier, later in pairwise(each)]

    def _changed(self, remote_id: str) -> None:
        output = self.outputs[remote_id]
        output.changed.set()
        output.changed = asyncio.Event()

    # -- the contract --------------------------------------------------------------------------------------

    async def launch_run(self, access: Access, spec: Spec, key: str) -> Created:
        async with self._called("launch_run", access, key) as call:
            self._run_ids += 1
            remote_id = f"run{self._run_ids}"
            call.act(lambda: self._launch(remote_id, spec.name, key))
            return Created(remote_id, spec.name)

    async def find_run(self, access: Access, spec: Spec, key: str, since: float) -> OutcomeSearch:
        async with self._called("find_run", access, key):
            found = [self.finds] if self.finds else self.launched(key)
            if not found or self.overlooks_runs > 0:
                self.overlooks_runs -= 1
                found = []
            if not self.shows_marks:
                found = [one for one in found if self.runs[one].starts_at >= since - MAX_CLOCK_SKEW_SECONDS]
            named = tuple(Created(one, spec.name) for one in found)
            if self.finds or not self.shows_marks:
                return OutcomeSearch(candidates=named)
            return OutcomeSearch(named[0] if named else None, is_conclusive=True)

    async def list_runs(self, access: Access) -> Listing[DiscoveredRun]:
        async with self._called("list_runs", access, ""):
            return Listing(
                DiscoveredRun(remote_id, run.name, self._look_at(run))
                for remote_id, run in self.runs.items()
                if not run.is_forgotten
            )

    async def run_status(self, access: Access, remote_ids: Sequence[str]) -> Mapping[str, ObservedRun]:
        self.reads.append((self.clock.monotonic(), access.username, len(remote_ids)))
        async with self._called("run_status", access, *remote_ids):
            return {
                remote_id: ObservedRun(RunState.UNKNOWN)
                if self.runs[remote_id].is_unclear
                else self._look_at(self.runs[remote_id])
                for remote_id in remote_ids
                if remote_id in self.runs and not self.runs[remote_id].is_forgotten
            }

    async def stop_run(self, access: Access, remote_id: str, *, force: bool = False) -> None:
        async with self._called("stop_run", access, remote_id) as call:
            self.stopped_runs.append((remote_id, force))
            call.act(lambda: self._stop_run(self.runs[remote_id], force))

    async def run_output(self, access: Access, remote_id: str) -> AsyncIterator[OutputChunk]:
        output = self.outputs[remote_id]
        output.begun += 1
        output.open += 1
        self._note("run_output", access, remote_id)
        try:
            self._raise("run_output", after=False)
            number = 0
            while True:
                for at, error in list(output.cuts):
                    if number == at:
                        output.cuts.remove((at, error))
                        raise error
                if number < len(output.chunks):
                    yield output.chunks[number]
                    number += 1
                elif output.is_closed:
                    return
                else:
                    await output.changed.wait()
        finally:
            output.open -= 1

    def _launch(self, remote_id: str, name: str, key: str) -> None:
        starts = self.clock.now() + self.queued_for
        ends = None if self.job_takes is None else starts + self.job_takes
        self.runs[remote_id] = RemoteRun(name, key, starts, ends, self.exit_code)

    def _stop_run(self, run: RemoteRun, force: bool) -> None:
        if not (self.is_stubborn and not force) and self._look_at(run).state is not RunState.SUCCEEDED:
            run.is_cancelled, run.ends_at = True, self.clock.now()

    def _look_at(self, run: RemoteRun) -> ObservedRun:
        now = self.clock.now()
        if now < run.starts_at:
            return ObservedRun(RunState.QUEUED, name=run.name)
        if run.ends_at is None or now < run.ends_at:
            return ObservedRun(RunState.RUNNING, name=run.name, started_at=run.starts_at)
        state = RunState.SUCCEEDED if run.exit_code == 0 else RunState.FAILED
        state = RunState.CANCELLED if run.is_cancelled else state
        code = None if run.is_cancelled else run.exit_code
        return ObservedRun(state, code, name=run.name, started_at=run.starts_at, ended_at=run.ends_at)


class FakeRuns(facets.Runs[Any]):
    """Declares that the provider can run jobs.

    Fails if Usher calls it, since tests do everything themselves.
    """

    async def launch_run(self, access: Access, spec: Spec, key: str) -> Created:
        raise AssertionError("nothing is launched here")

    async def find_run(self, access: Access, spec: Spec, key: str, since: float) -> OutcomeSearch:
        raise AssertionError("no run is looked for here")

    async def list_runs(self, access: Access) -> Listing[DiscoveredRun]:
        raise AssertionError("no runs are listed here")

    async def run_status(self, access: Access, remote_ids: Sequence[str]) -> Mapping[str, ObservedRun]:
        raise AssertionError("no run is read here")

    async def stop_run(self, access: Access, remote_id: str, *, force: bool = False) -> None:
        raise AssertionError("no run is stopped here")

    def run_output(self, access: Access, remote_id: str) -> AsyncIterator[OutputChunk]:
        raise AssertionError("no output is read here")
