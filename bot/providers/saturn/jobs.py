"""Runs of jobs. Starting a job returns no id, so Usher compares the job's runs before and after the start.

A run is a Kubernetes job with one or more pods, which run at the same time or one after another. The server
reports each live run as a whole (``runtimesummary``), and older runs as individual pods, whose labels name
the run. On an older server, each pod is a run of its own.

A run's id is ``JOB/RUN``. Until Usher knows which run it has started, it uses the id ``JOB/@…``, which
describes the runs that existed before the start, so that Usher can tell them from the new one. If the server
can't list runs, the id is ``JOB/~…``, and the run's state stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, ClassVar, TypeVar

from bot.domain import failure_causes
from bot.domain.forms import Spec, shorten_key
from bot.domain.observations import Created, OutcomeSearch
from bot.domain.runs import DiscoveredRun, ObservedRun, OutputChunk, RunState
from bot.providers import answers
from bot.providers.answers import Listing
from bot.providers.base import MAX_CLOCK_SKEW_SECONDS, Access, describe_unknown_state
from bot.providers.facets import Runs
from bot.providers.requests import encode_path_segment, map_concurrently, none_if_absent, read_pages
from bot.providers.saturn import offers
from bot.providers.saturn.offers import LIST_SECONDS, Resource, SaturnOffer, SaturnSettings
from bot.providers.words import clean_words
from bot.support import errors

T = TypeVar("T")

#: Maximum number of jobs whose runs are listed.
MAX_JOBS = 50
#: Maximum number of jobs whose runs are read concurrently.
MAX_CONCURRENT_LISTS = 5
#: Maximum number of runs listed for each job. Older runs are left out.
MAX_RUNS_PER_JOB = 10
#: Maximum number of lines that a server returns from the end of a live pod's log. If the log is longer, Usher
#: shows no more output until the run ends.
MAX_LIVE_LINES = 5000
#: Number of lines to request per page of an ended pod's log. This applies from the second page on. The first
#: page has the server's default size, which is 100 lines according to the OpenAPI document.
LOG_PAGE_SIZE = "1000"
#: Maximum number of pages to read from one log.
MAX_LOG_PAGES = 500
MAX_LOG_BYTES = 20_000_000
LOG_SECONDS = 20.0
#: Name of the container that runs the command of a job. The other containers of a pod prepare for it.
MAIN_CONTAINER = "main"
#: Errors that may affect only one job. If reading a job's runs raises one of them, Usher still reads the runs
#: of the other jobs.
_OF_ONE_JOB = (errors.BadAnswer, errors.Forbidden, errors.RefusedInFront, errors.ServerFailed)


class SaturnRuns(Runs[SaturnOffer]):
    """Run jobs on a server, always using the user's own token."""

    settings: SaturnSettings
    runs_named_jobs: ClassVar[bool] = True

    async def launch_run(self, access: Access, spec: Spec, key: str) -> Created:
        """Start a job and find its run, if it is already visible."""
        job, name = spec.text("job"), spec.name
        before = await self._list_job_runs(access, job)
        await access.api.call("POST", "/api/jobs/{}/start", job)
        if before is None:
            return Created(f"{job}/{UNLISTED_ID_PREFIX}{shorten_key(key)}", name)
        try:
            after = await self._list_job_runs(access, job) or JobRuns()
        except errors.ProviderError:
            # The job was started, even though its run can't be read yet. A later read will identify the run.
            after = JobRuns()
        new = [run for run in after.by_name.values() if run.name not in before.by_name]
        if new and before.is_whole:
            return Created(f"{job}/{min(new, key=start_order).name}", name)
        return Created(build_awaited_id(job, key, before.by_name.values()), name)

    async def find_run(self, access: Access, spec: Spec, key: str, since: float) -> OutcomeSearch:
        """Return the job's runs since the launch as candidates. Nothing shows which one Usher launched."""
        job, name = spec.text("job"), spec.name
        found = await self._list_job_runs(access, job)
        if found is None:
            raise errors.OutcomeNotReported("this server shows no runs")
        if not found.is_whole:
            raise errors.BadAnswer("an entry of the runs can't be read: it may be the one")
        young = [
            run
            for run in found.by_name.values()
            if (run.is_live if run.started_at is None else run.started_at >= since - MAX_CLOCK_SKEW_SECONDS)
        ]
        return OutcomeSearch(
            candidates=tuple(Created(f"{job}/{run.name}", name) for run in sorted(young, key=start_order))
        )

    async def run_status(self, access: Access, remote_ids: Sequence[str]) -> dict[str, ObservedRun]:
        """Read runs, one job after another. Omit any run that the server no longer shows anywhere."""
        by_job: dict[str, list[str]] = {}
        for remote_id in remote_ids:
            job, name = split_run_id(remote_id)
            by_job.setdefault(job, []).append(name)
        found: dict[str, ObservedRun] = {}
        problems: list[errors.ProviderError] = []
        for job, wanted in by_job.items():
            try:
                observed = await self._read_runs(access, job, wanted)
            except _OF_ONE_JOB as error:
                # If a job's runs can't be read, report those of the other jobs.
                problems.append(error)
                observed = dict.fromkeys(wanted, ObservedRun(RunState.UNKNOWN))
            found |= {f"{job}/{name}": one for name, one in observed.items()}
        if problems and len(problems) == len(by_job):
            raise problems[0]
        return {one: found[one] for one in remote_ids if one in found}

    async def _read_runs(self, access: Access, job: str, wanted: Sequence[str]) -> dict[str, ObservedRun]:
        untold = {name for name in wanted if name.startswith(UNLISTED_ID_PREFIX)}
        found = dict.fromkeys(untold, ObservedRun(RunState.UNKNOWN, is_last=True))
        named = [name for name in wanted if name not in untold and not name.startswith(PENDING_ID_PREFIX)]
        waited = sorted(name for name in wanted if name.startswith(PENDING_ID_PREFIX))
        if not named and not waited:
            return found
        live = await self._read_live_runs(access, job)
        seen = live or JobRuns()
        if waited or any(seen.find(name) is None for name in named):
            past = await self._read_past_runs(access, job) or JobRuns()
            seen = (past.drop_vanished(live) if seen.is_whole else past) | seen
        if seen.are_of_kubernetes and any(seen.find(name) is None for name in named):
            # Ids that were stored before the server was upgraded are ids of pods.
            pods = await self._read_live_pods(access, job) or ()
            seen |= JobRuns(run_names_by_pod={pod.name: pod.run for pod in pods})
        if not seen.is_whole:
            # If a run is missing, it may just not have been readable. Reporting it as unknown keeps its last
            # state.
            found |= dict.fromkeys(wanted, ObservedRun(RunState.UNKNOWN))
        taken = set(named)
        for name in named:
            run = seen.find(name)
            if run is not None:
                found[name] = await self._observe_run(access, job, run, seen)
        for name in waited:
            come = find_awaited(name, seen.by_name.values(), taken)
            if come is not None:
                taken.add(come.name)
                observed = await self._observe_run(access, job, come, seen)
                found[name] = replace(observed, remote_id=f"{job}/{come.name}")
        return found

    async def _observe_run(self, access: Access, job: str, run: JobRun, seen: JobRuns) -> ObservedRun:
        """Convert a run to Usher's terms, with the reason given by its pods if the server shows them.

        ``seen`` are all the job's runs. Runs from the history don't show that they are Kubernetes jobs.
        """
        if not seen.are_of_kubernetes:
            code = await self._find_exit_code(access, run.name) if run.state.is_over else None
            is_cancelled = run.state is RunState.CANCELLED
            return run.to_observed(
                code, "On this server a stop ends all runs of the job." if is_cancelled else None
            )
        if run.state is not RunState.QUEUED and not run.state.is_over:
            return run.to_observed()
        try:
            pods = await self._read_live_pods(access, job) or ()
        except (errors.BadAnswer, errors.Forbidden, errors.RefusedInFront):
            # The run's state is known even without its pods.
            pods = ()
        mine = sorted((pod for pod in pods if pod.run == run.name), key=start_order, reverse=True)
        as_it_ended = [pod for pod in mine if pod.state is run.state]
        code = next((pod.exit_code for pod in as_it_ended), None)
        return run.to_observed(code, next((pod.why for pod in as_it_ended if pod.why), None))

    async def list_runs(self, access: Access) -> Listing[DiscoveredRun]:
        """List the runs of the user's jobs, newest first; raise NotFound if the server has no lists."""

        async def of_job(one: Resource) -> tuple[list[tuple[JobRun, DiscoveredRun]], bool]:
            try:
                live = await self._read_live_runs(access, one.id)
                past = await self._read_past_runs(access, one.id) or JobRuns()
                shown = past.drop_vanished(live) | (live or JobRuns())
            except _OF_ONE_JOB as error:
                # If a job's runs can't be read, list those of the other jobs.
                answers.log_oddity(f"the runs of a job can't be read: {type(error).__name__}")
                return [], False
            youngest = sorted(shown.by_name.values(), key=start_order, reverse=True)[:MAX_RUNS_PER_JOB]
            name, machine = one.name or one.id, describe(one)
            runs = [
                (run, DiscoveredRun(f"{one.id}/{run.name}", name, run.to_observed(), machine))
                for run in youngest
            ]
            return runs, shown.is_whole

        mine = await offers.list_resources(access, "job")
        describe = await offers.price_resources(access, self.settings.currency)
        runs: list[tuple[JobRun, DiscoveredRun]] = []
        is_whole = mine.is_whole
        for shown, is_job_whole in await map_concurrently(MAX_CONCURRENT_LISTS, of_job, mine[:MAX_JOBS]):
            runs += shown
            is_whole &= is_job_whole
        if not runs and not is_whole:
            raise errors.BadAnswer("no run can be read")
        runs.sort(key=lambda run: start_order(run[0]), reverse=True)
        return Listing((run for _, run in runs), is_whole=is_whole)

    async def stop_run(self, access: Access, remote_id: str, *, force: bool = False) -> None:
        """Stop a run that hasn't ended; on an older server, this stops all runs of the job."""
        job, name = split_run_id(remote_id)
        shown = await self._read_live_runs(access, job)
        run = None if shown is None else shown.find(name)
        if shown is not None and name.startswith(PENDING_ID_PREFIX):
            run = find_awaited(name, shown.by_name.values(), ())
        elif not name.startswith(UNLISTED_ID_PREFIX) and shown is not None and shown.is_whole and run is None:
            return
        if run is not None and not run.is_live:
            return
        if shown is not None and shown.are_of_kubernetes:
            if run is None:
                raise errors.Conflict("the run can't be seen yet")
            await access.api.call("POST", "/api/jobs/{}/stop/{}", job, run.name)
        else:
            await access.api.call("POST", "/api/jobs/{}/stop", job)

    # -- runs and pods ---------------------------------------------------------------------------------------

    async def _read_live_runs(self, access: Access, job: str) -> JobRuns | None:
        """Return the live runs and those that ended recently, or None if the server can't show them."""
        path = f"/api/jobs/{encode_path_segment(job)}/runtimesummary"
        runs = await self._read_list(access, path, {}, "job_summaries", _read_summary)
        if runs is not None:
            return JobRuns({run.name: run for run in runs}, runs.is_whole, are_of_kubernetes=True)
        pods = await self._read_live_pods(access, job)
        if pods is None:
            return None
        alone = (JobRun.from_pod(pod, is_live=not pod.state.is_over) for pod in pods)
        return JobRuns({run.name: run for run in alone}, pods.is_whole)

    async def _read_live_pods(self, access: Access, job: str) -> Listing[Pod] | None:
        query = {"workload_type": "job", "workload_id": job}
        return await self._read_list(access, "/api/active/pods", query, "pod_summaries", read_live_pod)

    async def _read_past_pods(self, access: Access, job: str) -> Listing[Pod] | None:
        return await self._read_list(
            access, f"/api/jobs/{encode_path_segment(job)}/history", {}, "pods", _read_past_pod
        )

    async def _read_past_runs(self, access: Access, job: str) -> JobRuns | None:
        pods = await self._read_past_pods(access, job)
        if pods is None:
            return None
        grouped: dict[str, list[Pod]] = {}
        for pod in pods:
            grouped.setdefault(pod.run or pod.name, []).append(pod)
        # The number of pods that must succeed matters only if some have succeeded and others have failed.
        is_mixed = any(
            {RunState.SUCCEEDED, RunState.FAILED} <= {pod.state for pod in of} for of in grouped.values()
        )
        scale = await self._read_scale(access, job) if is_mixed else 1
        runs = {name: JobRun.from_pods(name, of, scale) for name, of in grouped.items()}
        return JobRuns(runs, pods.is_whole, run_names_by_pod={pod.name: pod.run for pod in pods})

    async def _read_scale(self, access: Access, job: str) -> int:
        """Return how many of a run's pods have to succeed; 1 if the server doesn't say."""
        asking = access.api.call("GET", "/api/jobs/{}", job, total=LIST_SECONDS)
        response = await none_if_absent(asking)
        scale = None if response is None else response.json_object().get("scale")
        return scale if isinstance(scale, int) and scale > 0 else 1

    async def _list_job_runs(self, access: Access, job: str) -> JobRuns | None:
        now, past = await self._read_live_runs(access, job), await self._read_past_runs(access, job)
        return None if now is None and past is None else (past or JobRuns()) | (now or JobRuns())

    async def _read_list(
        self, access: Access, path: str, query: Mapping[str, str], key: str, read: Callable[[Any], T]
    ) -> Listing[T] | None:
        found = await none_if_absent(offers.fetch_pages(access.api, path, query))
        return None if found is None else answers.read_entries(found, key, read)

    async def _find_exit_code(self, access: Access, pod: str) -> int | None:
        try:
            response = await access.api.call("GET", "/api/active/pods/{}", pod, total=LIST_SECONDS)
            return _read_exit_code(response.json_object())
        except (errors.NotFound, errors.BadAnswer, errors.Forbidden, errors.RefusedInFront):
            # The run's outcome is known even without the exit code.
            return None

    # -- output ----------------------------------------------------------------------------------------------

    async def run_output(self, access: Access, remote_id: str) -> AsyncIterator[OutputChunk]:
        """Yield a run's output so far, from the beginning. To get more, call this again later."""
        job, name = split_run_id(remote_id)
        if name.startswith(UNLISTED_ID_PREFIX):
            return
        if name.startswith(PENDING_ID_PREFIX):
            shown = await self._list_job_runs(access, job) or JobRuns()
            come = find_awaited(name, shown.by_name.values(), ())
            if come is None:
                return
            name = come.name
        for place, pod in enumerate(await self._list_pods(access, job, name)):
            if place:
                yield OutputChunk("stdout", f"\n==> {pod.name} <==\n")
            text = await self._read_live_log(access, pod.name)
            if text:
                yield OutputChunk("stdout", text)
            if text is None:
                async for chunk in self._stream_past_log(access, job, pod.name):
                    yield chunk
            if pod.is_live:
                # Stop at a pod that is still running. If it wrote more, the output of the later pods would
                # shift.
                return

    async def _list_pods(self, access: Access, job: str, name: str) -> list[Pod]:
        """Return a run's pods in the order they started. On older servers, a run is a single pod."""
        live = {pod.name: pod for pod in await self._read_live_pods(access, job) or ()}
        if name in live:
            return [live[name]]
        past = {pod.name: pod for pod in await self._read_past_pods(access, job) or ()}
        mine = [pod for pod in (past | live).values() if pod.run == name]
        return sorted(mine, key=start_order) or [Pod(name, "")]

    async def _read_live_log(self, access: Access, pod: str) -> str | None:
        """Return a live pod's log, or None if there is none or its beginning is missing."""
        query = {"page_size": str(MAX_LIVE_LINES), "container_name": MAIN_CONTAINER}
        answer = await none_if_absent(
            self._read_log_page(access, f"/api/active/pods/{encode_path_segment(pod)}/logs", query)
        )
        lines = None if answer is None else _read_lines(answer.get("logs"))
        return None if lines is None or len(lines) >= MAX_LIVE_LINES else _join_lines(lines)

    async def _stream_past_log(self, access: Access, job: str, pod: str) -> AsyncIterator[OutputChunk]:
        path, query = f"/api/jobs/{encode_path_segment(job)}/logs", {"pod_name": pod}

        async def ask(key: str | None) -> dict[str, Any]:
            more = {} if key is None else {"next_key": key, "page_size": LOG_PAGE_SIZE}
            return await self._read_log_page(access, path, {**query, **more})

        found = await none_if_absent(read_pages(ask, lambda answer: answer.get("next_key"), MAX_LOG_PAGES))
        text = _join_lines(line for page in found or () for line in _read_lines(page.get("logs")))
        if text:
            yield OutputChunk("stdout", text)
        if found is not None and not found.is_whole:
            raise errors.BadAnswer("the pages of the log never end")

    async def _read_log_page(self, access: Access, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        asking = access.api.call("GET", path, query=query, total=LOG_SECONDS, max_bytes=MAX_LOG_BYTES)
        return (await asking).json_object()


def _read_lines(logs: Any) -> list[tuple[str, str]]:
    """Return a log's lines, each with the name of its container, or "" if the server doesn't say."""
    if isinstance(logs, str):
        return [("", line) for line in logs.removesuffix("\n").split("\n")] if logs else []
    if not isinstance(logs, list):
        raise errors.BadAnswer("the answer's field logs is neither a text nor a list")
    entries = [entry if isinstance(entry, dict) else {"content": entry} for entry in logs]
    lines = [
        (answers.find_text(entry, "container_name") or "", content.removesuffix("\n"))
        for entry in entries
        if isinstance(content := entry.get("content"), str)
    ]
    if len(lines) < len(logs):
        answers.log_oddity("an entry of logs has no content")
    if logs and not lines:
        raise errors.BadAnswer("the answer's field logs holds no texts")
    return lines


def _join_lines(lines: Iterable[tuple[str, str]]) -> str:
    """Return the output of the main container, or of all containers if none has that name."""
    every = list(lines)
    own = [text for container, text in every if container in {"", MAIN_CONTAINER}]
    return "\n".join(own or [text for _, text in every]).rstrip("\n")


_RUN_STATES = {
    "pending": RunState.QUEUED,
    "waiting": RunState.QUEUED,
    "running": RunState.RUNNING,
    "stopping": RunState.RUNNING,
    "completed": RunState.SUCCEEDED,
    "succeeded": RunState.SUCCEEDED,
    "error": RunState.FAILED,
    "failed": RunState.FAILED,
    "stopped": RunState.CANCELLED,
    "cancelled": RunState.CANCELLED,
}
_PENDING_ID_PATTERN = re.compile(r"@(\d+(?:\.\d+)?)\.([0-9a-z]+)((?:-[0-9a-f]{8})*)")
UNLISTED_ID_PREFIX = "~"
PENDING_ID_PREFIX = "@"


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod as the server shows it. ``run`` is its Kubernetes job, if shown. Times are in epoch seconds."""

    name: str
    status: str
    run: str = ""
    started_at: float | None = None
    ended_at: float | None = None
    exit_code: int | None = None
    #: Why the pod failed or is waiting; "" if the server doesn't say.
    why: str = ""
    is_live: bool = False

    @property
    def state(self) -> RunState:
        """Return the state of a run that consists of this pod alone."""
        return _RUN_STATES.get(self.status.casefold(), RunState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class JobRun:
    """A run as the server shows it, with times in epoch seconds."""

    name: str
    status: str
    started_at: float | None = None
    ended_at: float | None = None
    is_live: bool = False

    @classmethod
    def from_pod(cls, pod: Pod, *, is_live: bool = False) -> JobRun:
        """Convert a single pod to a run, for servers that don't group pods."""
        return cls(pod.name, pod.status, pod.started_at, pod.ended_at, is_live)

    @classmethod
    def from_pods(cls, name: str, pods: Sequence[Pod], scale: int) -> JobRun:
        """Combine a run's past pods into a run that needs ``scale`` pods to succeed."""
        if len(pods) == 1:
            return replace(cls.from_pod(pods[0]), name=name)
        states = {pod.state: pod.status for pod in pods}
        succeeded = sum(pod.state is RunState.SUCCEEDED for pod in pods)
        order = [RunState.RUNNING, RunState.QUEUED, RunState.FAILED, RunState.CANCELLED, RunState.SUCCEEDED]
        if succeeded >= scale:
            # Enough pods have succeeded, so the failed ones must have been retried.
            order.remove(RunState.FAILED)
        status = next((states[one] for one in order if one in states), pods[0].status)
        starts = [pod.started_at for pod in pods if pod.started_at is not None]
        ends = [pod.ended_at for pod in pods if pod.ended_at is not None]
        return cls(name, status, min(starts, default=None), max(ends, default=None))

    @property
    def state(self) -> RunState:
        """Return the run's state."""
        return _RUN_STATES.get(self.status.casefold(), RunState.UNKNOWN)

    def to_observed(self, exit_code: int | None = None, why: str | None = None) -> ObservedRun:
        """Return the run as ``run_status`` reports it."""
        state = self.state
        strange = describe_unknown_state(self.status) if state is RunState.UNKNOWN else None
        return ObservedRun(
            state,
            exit_code=exit_code if state.is_over else None,
            detail=strange or why,
            started_at=self.started_at,
            ended_at=self.ended_at if state.is_over else None,
        )


def split_run_id(remote_id: str) -> tuple[str, str]:
    """Return the job and pod in a run's id; raise NotFound if it isn't a run's id."""
    job, slash, pod = remote_id.partition("/")
    if not slash or not job or not pod or "/" in pod:
        raise errors.NotFound("there is no such run")
    encode_path_segment(job)
    encode_path_segment(pod)
    return job, pod


@dataclass(frozen=True, slots=True)
class JobRuns:
    """A job's runs, keyed by name. Unless ``is_whole``, runs that couldn't be identified are missing."""

    by_name: Mapping[str, JobRun] = field(default_factory=dict)
    is_whole: bool = True
    are_of_kubernetes: bool = False
    #: Maps the names of pods to the names of their runs, where known.
    run_names_by_pod: Mapping[str, str] = field(default_factory=dict)

    def __or__(self, other: JobRuns) -> JobRuns:
        return JobRuns(
            {**self.by_name, **other.by_name},
            self.is_whole and other.is_whole,
            self.are_of_kubernetes or other.are_of_kubernetes,
            {**self.run_names_by_pod, **other.run_names_by_pod},
        )

    def drop_vanished(self, live: JobRuns | None) -> JobRuns:
        """Return the past runs, except those that never ended and are no longer among the live ones.

        The history keeps the last status of a pod that vanished, such as one on a machine that was lost.
        """
        if live is None:
            return self
        states = (RunState.QUEUED, RunState.RUNNING)
        kept = {name: run for name, run in self.by_name.items() if run.state not in states or live.find(name)}
        return replace(self, by_name=kept)

    def find(self, name: str) -> JobRun | None:
        """Return the run with this name, or the run with a pod of this name."""
        return self.by_name.get(name) or self.by_name.get(self.run_names_by_pod.get(name, ""))


def build_awaited_id(job: str, key: str, before: Iterable[JobRun]) -> str:
    """Return an id for a run that isn't visible yet. It encodes facts that later rule out earlier runs."""
    live = list(before)
    # Servers report whole seconds, so the run may get the same time as the last one before it.
    since = max([0.0, *(run.started_at - 1.0 for run in live if run.started_at is not None)])
    waiting = "".join(
        f"-{_hash_name(run.name)}"
        for run in live
        if (run.is_live if run.started_at is None else run.started_at > since)
    )
    return f"{job}/{PENDING_ID_PREFIX}{since:.3f}.{shorten_key(key)}{waiting}"


def find_awaited(name: str, runs: Iterable[JobRun], taken: Collection[str]) -> JobRun | None:
    """Return the run that an id from ``build_awaited_id`` stands for.

    This is the first new run that no other id has claimed.
    """
    waited = _PENDING_ID_PATTERN.fullmatch(name)
    if waited is None:
        return None
    since, before = float(waited[1]), set(waited[3].split("-"))
    found = [
        one
        for one in runs
        if one.name not in taken
        and _hash_name(one.name) not in before
        and (one.is_live if one.started_at is None else one.started_at > since + 0.001)
    ]
    return min(found, key=start_order, default=None)


def start_order(one: Pod | JobRun) -> tuple[bool, float, str]:
    """Return a sort key by start time. Runs and pods that haven't started come last."""
    return one.started_at is None, one.started_at or 0.0, one.name


def _hash_name(name: str) -> str:
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _read_summary(live: Any) -> JobRun:
    name = answers.require_id(live, "name")
    began_at, ended_at = (
        answers.parse_time(live.get("started_at")),
        answers.parse_time(live.get("completed_at")),
    )
    run = JobRun(name, answers.find_text(live, "status") or "", began_at, ended_at)
    return replace(run, is_live=not run.state.is_over)


def read_live_pod(live: Any) -> Pod:
    """Read a pod from the list of active ones; raise BadAnswer if it has no name."""
    pod = _read_pod(live, "name", "started_at", "completed_at")
    run = answers.find_text(answers.find_object(live, "labels"), "job-name") or ""
    return replace(
        pod,
        run=run,
        exit_code=_read_exit_code(live),
        why=_read_pod_reason(live),
        is_live=not pod.state.is_over,
    )


def _read_past_pod(live: Any) -> Pod:
    # ``last_seen`` is from the OpenAPI document, and ``end_time`` from the older client.
    pod = _read_pod(live, "pod_name", "start_time", "end_time" if "end_time" in live else "last_seen")
    return replace(pod, run=answers.find_text(live, "label_job_name") or "")


def _read_pod(live: Any, name: str, began: str, ended: str) -> Pod:
    found = answers.require_id(live, name)
    status, times = (
        answers.find_text(live, "status") or "",
        (answers.parse_time(live.get(began)), answers.parse_time(live.get(ended))),
    )
    return Pod(found, status, "", *times)


def _read_exit_code(live: Mapping[str, Any]) -> int | None:
    summaries = live.get("container_summaries")
    containers = [one for one in summaries if isinstance(one, dict)] if isinstance(summaries, list) else []
    first = containers[0] if containers else {}
    code = next((one for one in containers if one.get("name") == MAIN_CONTAINER), first).get("exit_code")
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _read_pod_reason(live: Mapping[str, Any]) -> str:
    reason, conditions = answers.find_text(live, "reason"), live.get("conditions")
    if reason is not None:
        return clean_words(reason, failure_causes.MAX_REASON_LENGTH)
    for one in conditions if isinstance(conditions, list) else ():
        # Any other condition just repeats that the pod isn't ready.
        if isinstance(one, dict) and (one.get("type"), one.get("status")) == ("PodScheduled", "False"):
            return clean_words(answers.find_text(one, "message") or "", failure_causes.MAX_REASON_LENGTH)
    return ""
