"""Runs of jobs: starting one returns no id, so runs are identified by comparing pods before and after.

A run is its pod, and its id is ``JOB/POD``. Until the pod is visible it is ``JOB/@…`` with the pods before
the start; on a server without pods, ``JOB/~…``. The server shows live pods, and the history of ended ones.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, ClassVar

from bot.domain.forms import Spec, short
from bot.domain.runs import FoundRun, ObservedRun, OutputChunk, RunState
from bot.domain.workspaces import Created, Traces
from bot.providers.base import (
    CLOCK_SKEW,
    Access,
    Listing,
    Runs,
    Scheduled,
    Schedules,
    unknown_word,
)
from bot.providers.requests import (
    Api,
    entries,
    id_in,
    moment,
    note,
    pages,
    path_part,
    side_by_side,
    unless_absent,
    word_in,
)
from bot.providers.saturn.offers import LIST_SECONDS, Offer, Resource, paged, refusal, resources
from bot.support import errors

#: How many jobs one list covers, how many at the same time, and how many runs of each.
MOST_JOBS = 50
LIST_WIDTH = 5
RUNS_OF_A_JOB = 10
#: The most lines of a live pod that a server returns, its last ones; beyond them the live output stops until
#: the run's end.
LIVE_LINES = 5000
#: How many entries later pages of a log have: the first is of the server's own size, 100 by its document. A
#: longer log is taken to be endless.
LOG_PAGE = "1000"
LOG_PAGES = 500
LOG_BYTES = 20_000_000
LOG_SECONDS = 20.0


class SaturnRuns(Runs[Offer], Schedules[Offer]):
    """Run the jobs of one server, always with the person's own token."""

    runs_named_jobs: ClassVar[bool] = True
    _api: Api

    async def launch_job(self, access: Access, spec: Spec, key: str) -> Created:
        """Start a job and find its pod, if it is already visible."""
        job, name = spec.word("job"), spec.name
        before = await self._pods(access, job)
        try:
            await self._api.call("POST", f"/api/jobs/{path_part(job)}/start", access.credential)
        except (errors.Forbidden, errors.Conflict, errors.InvalidRequest) as error:
            raise refusal(error) from None
        if before is None:
            return Created(f"{job}/{UNTOLD}{short(key)}", name)
        try:
            after = await self._pods(access, job) or Pods()
        except errors.ProviderError:
            # It has certainly been started; a later read will reveal which pod it is.
            after = Pods()
        new = [pod for pod in after.by_name.values() if pod.name not in before.by_name]
        if new and before.is_whole:
            return Created(f"{job}/{min(new, key=began).name}", name)
        return Created(awaited(job, key, before.by_name.values()), name)

    async def find_job(self, access: Access, spec: Spec, key: str, since: float) -> Traces:
        """List the job's runs since then, which don't say which of them is ours."""
        job, name = spec.word("job"), spec.name
        found = await self._pods(access, job)
        if found is None:
            raise errors.Untold("this server shows no runs")
        if not found.is_whole:
            raise errors.BadAnswer("an entry of the runs can't be read: it may be the one")
        young = [
            pod
            for pod in found.by_name.values()
            if (pod.is_live if pod.started_at is None else pod.started_at >= since - CLOCK_SKEW)
        ]
        return Traces(others=tuple(Created(f"{job}/{pod.name}", name) for pod in sorted(young, key=began)))

    async def job_status(self, access: Access, remote_ids: Sequence[str]) -> dict[str, ObservedRun]:
        """Read runs, job by job; a run that is shown nowhere is left out."""
        by_job: dict[str, list[str]] = {}
        for remote_id in remote_ids:
            job, pod = split(remote_id)
            by_job.setdefault(job, []).append(pod)
        found: dict[str, ObservedRun] = {}
        for job, wanted in by_job.items():
            for pod, observed in (await self._of_job(access, job, wanted)).items():
                found[f"{job}/{pod}"] = observed
        return {one: found[one] for one in remote_ids if one in found}

    async def _of_job(self, access: Access, job: str, wanted: Sequence[str]) -> dict[str, ObservedRun]:
        untold = {pod for pod in wanted if pod.startswith(UNTOLD)}
        found = dict.fromkeys(untold, ObservedRun(RunState.UNKNOWN, is_last=True))
        named = [pod for pod in wanted if pod not in untold and not pod.startswith(AWAITED)]
        waited = sorted(pod for pod in wanted if pod.startswith(AWAITED))
        if not named and not waited:
            return found
        seen = await self._live(access, job) or Pods()
        if waited or any(pod not in seen.by_name for pod in named):
            seen = (await self._ended(access, job) or Pods()) | seen
        shown = seen.by_name
        if not seen.is_whole:
            # A missing run may be the one that can't be read: its last state is kept.
            found |= dict.fromkeys(wanted, ObservedRun(RunState.UNKNOWN))
        taken = set(named)
        for pod in named:
            if pod in shown:
                found[pod] = await self._observed(access, shown[pod])
        for pod in waited:
            come = came(pod, shown.values(), taken)
            if come is not None:
                taken.add(come.name)
                observed = await self._observed(access, come)
                found[pod] = replace(observed, remote_id=f"{job}/{come.name}")
        return found

    async def _observed(self, access: Access, pod: Pod) -> ObservedRun:
        """Return what is known of a run, with the exit code if it has only just ended."""
        is_over = pod.state.is_over
        code = await self._exit_code(access, pod.name) if is_over else None
        return pod.observed(code)

    async def jobs(self, access: Access) -> Listing[FoundRun]:
        """List the runs of the person's jobs, newest first; raise NotFound without lists."""

        async def of_job(one: Resource) -> tuple[list[tuple[Pod, FoundRun]], bool]:
            try:
                shown = await self._pods(access, one.id) or Pods()
            except (errors.BadAnswer, errors.Forbidden, errors.ServerFailed) as error:
                # A job that can't be read doesn't affect the others.
                note(f"the runs of a job can't be read: {type(error).__name__}")
                return [], False
            youngest = sorted(shown.by_name.values(), key=began, reverse=True)[:RUNS_OF_A_JOB]
            name = one.name or one.id
            runs = [(pod, FoundRun(f"{one.id}/{pod.name}", name, pod.observed())) for pod in youngest]
            return runs, shown.is_whole

        mine = await resources(self._api, access, "job")
        runs: list[tuple[Pod, FoundRun]] = []
        is_whole = mine.is_whole
        for shown, is_job_whole in await side_by_side(LIST_WIDTH, of_job, mine[:MOST_JOBS]):
            runs += shown
            is_whole &= is_job_whole
        if not runs and not is_whole:
            raise errors.BadAnswer("no run can be read")
        runs.sort(key=lambda run: began(run[0]), reverse=True)
        return Listing((run for _, run in runs), is_whole=is_whole)

    async def stop_job(self, access: Access, remote_id: str, *, force: bool = False) -> None:
        """Stop a run; the server stops all running runs of its job, so a run that is over is left alone."""
        job, pod = split(remote_id)
        shown = await self._live(access, job)
        is_named = not pod.startswith((UNTOLD, AWAITED))
        is_over = shown is not None and shown.is_whole and pod not in shown.by_name
        ended = shown is not None and pod in shown.by_name and not shown.by_name[pod].is_live
        if is_named and (is_over or ended):
            return
        await self._api.call("POST", f"/api/jobs/{path_part(job)}/stop", access.credential)

    async def schedule(self, access: Access, job_id: str, cron: str | None) -> None:
        """Set and enable a job's schedule; None disables it."""
        path = f"/api/jobs/{path_part(job_id)}"
        if cron is None:
            await self._api.call("POST", f"{path}/unschedule", access.credential)
            return
        body = {"cron_schedule_options": {"schedule": cron}}
        await self._api.call("PATCH", path, access.credential, json_body=body)
        await self._api.call("POST", f"{path}/schedule", access.credential)

    def schedules(self, offer: Offer) -> Sequence[Scheduled]:
        """Return the person's jobs with their schedules."""
        return offer.jobs or ()

    # -- pods ------------------------------------------------------------------------------------------------

    async def _live(self, access: Access, job: str) -> Pods | None:
        """Return the pods that are alive or have just ended; None if the server shows none."""
        query = {"workload_type": "job", "workload_id": job}
        return await self._of_list(access, "/api/active/pods", query, "pod_summaries", _live)

    async def _ended(self, access: Access, job: str) -> Pods | None:
        """Return the pods of a job's history; None if the server keeps none."""
        return await self._of_list(access, f"/api/jobs/{path_part(job)}/history", {}, "pods", _past)

    async def _pods(self, access: Access, job: str) -> Pods | None:
        """Return all pods of a job; None if the server reports neither kind."""
        now, past = await self._live(access, job), await self._ended(access, job)
        return None if now is None and past is None else (past or Pods()) | (now or Pods())

    async def _of_list(
        self, access: Access, path: str, query: Mapping[str, str], key: str, read: Callable[[Any], Pod]
    ) -> Pods | None:
        """Return the pods of a list; None if there is no such resource, or no such endpoint."""
        found = await unless_absent(paged(self._api, path, access.credential, query))
        if found is None:
            return None
        pods = entries(found, key, read)
        return Pods({pod.name: pod for pod in pods}, pods.is_whole)

    async def _exit_code(self, access: Access, pod: str) -> int | None:
        """Return the exit code of a pod that is still shown; None if it isn't given."""
        try:
            path = f"/api/active/pods/{path_part(pod)}"
            response = await self._api.call("GET", path, access.credential, total=LIST_SECONDS)
            live = response.json_object().get("container_summaries")
        except (errors.NotFound, errors.BadAnswer):
            # It is merely useful: the run's outcome is known without it.
            return None
        containers = [one for one in live if isinstance(one, dict)] if isinstance(live, list) else []
        first = containers[0] if containers else {}
        code = next((one for one in containers if one.get("name") == "main"), first).get("exit_code")
        return code if isinstance(code, int) and not isinstance(code, bool) else None

    # -- output ----------------------------------------------------------------------------------------------

    async def job_output(self, access: Access, remote_id: str) -> AsyncIterator[OutputChunk]:
        """Yield what a run has written so far, from its beginning; for more, call it again."""
        job, pod = split(remote_id)
        if pod.startswith(UNTOLD):
            return
        if pod.startswith(AWAITED):
            shown = await self._pods(access, job) or Pods()
            come = came(pod, shown.by_name.values(), ())
            if come is None:
                return
            pod = come.name
        text = await self._live_log(access, pod)
        if text:
            yield OutputChunk("stdout", text)
        if text is None:
            async for chunk in self._ended_log(access, job, pod):
                yield chunk

    async def _live_log(self, access: Access, pod: str) -> str | None:
        """Return a live pod's log; None if there is none, or only its most recent part."""
        query = {"page_size": str(LIVE_LINES), "container_name": "main"}
        answer = await unless_absent(self._log(access, f"/api/active/pods/{path_part(pod)}/logs", query))
        text = None if answer is None else _text(answer.get("logs"))
        return text if text is None or text.count("\n") + 1 < LIVE_LINES else None

    async def _ended_log(self, access: Access, job: str, pod: str) -> AsyncIterator[OutputChunk]:
        """Yield the log of a pod that has ended; raise BadAnswer if its pages don't end."""
        path, query = f"/api/jobs/{path_part(job)}/logs", {"pod_name": pod}

        async def ask(key: str | None) -> dict[str, Any]:
            more = {} if key is None else {"next_key": key, "page_size": LOG_PAGE}
            return await self._log(access, path, {**query, **more})

        found = await unless_absent(pages(ask, lambda answer: answer.get("next_key"), LOG_PAGES))
        text = "\n".join(_text(page.get("logs")) for page in found or ())
        if text:
            yield OutputChunk("stdout", text)
        if found is not None and not found.is_whole:
            raise errors.BadAnswer("the pages of the log never end")

    async def _log(self, access: Access, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        asking = self._api.call(
            "GET", path, access.credential, query=query, total=LOG_SECONDS, max_bytes=LOG_BYTES
        )
        return (await asking).json_object()


def _text(logs: Any) -> str:
    """Return a log as one string without a final line end: it is a string or a list of ``{content}``."""
    if isinstance(logs, str):
        return logs.rstrip("\n")
    if not isinstance(logs, list):
        raise errors.BadAnswer("the answer's field logs is neither a text nor a list")
    lines = [entry.get("content") if isinstance(entry, dict) else entry for entry in logs]
    texts = [line for line in lines if isinstance(line, str)]
    if len(texts) < len(lines):
        note("an entry of logs has no content")
    if lines and not texts:
        raise errors.BadAnswer("the answer's field logs holds no texts")
    return "\n".join(line.removesuffix("\n") for line in texts).rstrip("\n")


_STATES = {
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
_WAITED = re.compile(r"@(\d+(?:\.\d+)?)\.([0-9a-z]+)((?:-[0-9a-f]{8})*)")
UNTOLD = "~"
AWAITED = "@"


@dataclass(frozen=True, slots=True)
class Pod:
    """Hold one run as shown by the server; times in epoch seconds."""

    name: str
    status: str
    started_at: float | None = None
    ended_at: float | None = None
    is_live: bool = False

    @property
    def state(self) -> RunState:
        """Return the run's state."""
        return _STATES.get(self.status.casefold(), RunState.UNKNOWN)

    def observed(self, exit_code: int | None = None) -> ObservedRun:
        """Return what is known of the run."""
        state = self.state
        strange = unknown_word(self.status) if state is RunState.UNKNOWN else None
        return ObservedRun(
            state,
            exit_code=exit_code if state.is_over else None,
            detail=strange,
            started_at=self.started_at,
            ended_at=self.ended_at if state.is_over else None,
        )


def split(remote_id: str) -> tuple[str, str]:
    """Return job and pod of a run's id; raise NotFound if it isn't one."""
    job, slash, pod = remote_id.partition("/")
    if not slash or not job or not pod or "/" in pod:
        raise errors.NotFound("there is no such run")
    path_part(job)
    path_part(pod)
    return job, pod


@dataclass(frozen=True, slots=True)
class Pods:
    """Hold pods by name; not whole: some couldn't be identified, so nothing follows from a missing one."""

    by_name: Mapping[str, Pod] = field(default_factory=dict)
    is_whole: bool = True

    def __or__(self, other: Pods) -> Pods:
        return Pods({**self.by_name, **other.by_name}, self.is_whole and other.is_whole)


def awaited(job: str, key: str, before: Iterable[Pod]) -> str:
    """Return the id of a run whose pod isn't visible yet: the earlier pods tell it apart from others."""
    live = list(before)
    since = max((pod.started_at or 0.0 for pod in live), default=0.0)
    waiting = "".join(f"-{_digest(pod.name)}" for pod in live if pod.is_live and pod.started_at is None)
    return f"{job}/{AWAITED}{since:.3f}.{short(key)}{waiting}"


def came(pod: str, pods: Iterable[Pod], taken: Collection[str]) -> Pod | None:
    """Return the pod that a run waits for (``awaited``): the first that is new, and no other run's."""
    waited = _WAITED.fullmatch(pod)
    if waited is None:
        return None
    since, before = float(waited[1]), set(waited[3].split("-"))
    found = [
        one
        for one in pods
        if one.name not in taken
        and _digest(one.name) not in before
        and (one.is_live if one.started_at is None else one.started_at > since + 0.001)
    ]
    return min(found, key=began, default=None)


def began(pod: Pod) -> tuple[bool, float, str]:
    """Sort pods by when they began; those that haven't begun come last."""
    return pod.started_at is None, pod.started_at or 0.0, pod.name


def _digest(name: str) -> str:
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _live(live: Any) -> Pod:
    pod = _pod(live, "name", "started_at", "completed_at")
    return replace(pod, is_live=not pod.state.is_over)


def _past(live: Any) -> Pod:
    return _pod(live, "pod_name", "start_time", "end_time")


def _pod(live: Any, name: str, began: str, ended: str) -> Pod:
    found = id_in(live, name)
    return Pod(found, word_in(live, "status") or "", moment(live.get(began)), moment(live.get(ended)))
