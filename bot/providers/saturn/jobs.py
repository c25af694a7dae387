"""Runs of jobs: starting one returns no id, so runs are identified by comparing pods before and after."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from bot.domain.models import Created, FoundRun, ObservedRun, OutputChunk, RunState, Spec, Traces
from bot.domain.names import short
from bot.providers import facets
from bot.providers.base import Access, Scheduled
from bot.providers.contract import CLOCK_SKEW, Listing
from bot.providers.reading import note
from bot.providers.requests import Api, path_part, side_by_side, unless_absent
from bot.providers.saturn import lists, pods
from bot.providers.saturn.lists import Resource
from bot.providers.saturn.making import refusal
from bot.providers.saturn.offers import Offer
from bot.providers.saturn.pods import Pod, Pods
from bot.support.errors import (
    BadAnswer,
    Conflict,
    Forbidden,
    InvalidRequest,
    ProviderError,
    ServerFailed,
    Untold,
)

#: How many jobs one list covers, how many at the same time, and how many runs of each.
MOST_JOBS = 50
LIST_WIDTH = 5
RUNS_OF_A_JOB = 10
#: How many lines of a live pod are requested; beyond them the live output stops until the run's end.
LIVE_LINES = 10_000
LOG_BYTES = 20_000_000
LOG_SECONDS = 20.0


class SaturnRuns(facets.Runs[Offer], facets.Schedules[Offer]):
    """Run the jobs of one server, always with the person's own token."""

    runs_named_jobs: ClassVar[bool] = True
    _api: Api

    async def launch_job(self, access: Access, spec: Spec, key: str) -> Created:
        """Start a job and find its pod, if it is already visible."""
        job, name, credential = spec.word("job"), spec.name, access.credential
        before = await pods.of_job(self._api, credential, job)
        try:
            await self._api.call("POST", f"/api/jobs/{path_part(job)}/start", credential)
        except (Forbidden, Conflict, InvalidRequest) as error:
            raise refusal(error) from None
        if before is None:
            return Created(f"{job}/{pods.UNTOLD}{short(key)}", name)
        try:
            after = await pods.of_job(self._api, credential, job) or Pods()
        except ProviderError:
            # It has certainly been started; a later read will reveal which pod it is.
            after = Pods()
        new = [pod for pod in after.by_name.values() if pod.name not in before.by_name]
        if new and before.is_whole:
            return Created(f"{job}/{min(new, key=pods.began).name}", name)
        return Created(pods.awaited(job, key, before.by_name.values()), name)

    async def find_job(
        self,
        access: Access,
        spec: Spec,
        key: str,  # noqa: ARG002 - a start leaves no mark of ours
        since: float,
    ) -> Traces:
        """List the job's runs since then, which don't say which of them is ours."""
        job, name = spec.word("job"), spec.name
        found = await pods.of_job(self._api, access.credential, job)
        if found is None:
            raise Untold("this server shows no runs")
        if not found.is_whole:
            raise BadAnswer("an entry of the runs can't be read: it may be the one")
        young = [
            pod
            for pod in found.by_name.values()
            if (pod.is_live if pod.started_at is None else pod.started_at >= since - CLOCK_SKEW)
        ]
        return Traces(
            others=tuple(Created(f"{job}/{pod.name}", name) for pod in sorted(young, key=pods.began))
        )

    async def job_status(self, access: Access, remote_ids: Sequence[str]) -> dict[str, ObservedRun]:
        """Read runs, job by job; a run that is shown nowhere is left out."""
        by_job: dict[str, list[str]] = {}
        for remote_id in remote_ids:
            job, pod = pods.split(remote_id)
            by_job.setdefault(job, []).append(pod)
        found: dict[str, ObservedRun] = {}
        for job, wanted in by_job.items():
            for pod, observed in (await self._of_job(access, job, wanted)).items():
                found[f"{job}/{pod}"] = observed
        return {one: found[one] for one in remote_ids if one in found}

    async def _of_job(self, access: Access, job: str, wanted: Sequence[str]) -> dict[str, ObservedRun]:
        untold = {pod for pod in wanted if pod.startswith(pods.UNTOLD)}
        found = dict.fromkeys(untold, ObservedRun(RunState.UNKNOWN, is_last=True))
        named = [pod for pod in wanted if pod not in untold and not pod.startswith(pods.AWAITED)]
        waited = sorted(pod for pod in wanted if pod.startswith(pods.AWAITED))
        if not named and not waited:
            return found
        seen = await pods.live(self._api, access.credential, job) or Pods()
        if waited or any(pod not in seen.by_name for pod in named):
            seen = (await pods.ended(self._api, access.credential, job) or Pods()) | seen
        shown = seen.by_name
        if not seen.is_whole:
            # A missing run may be the one that can't be read: its last state is kept.
            found |= dict.fromkeys(wanted, ObservedRun(RunState.UNKNOWN))
        taken = set(named)
        for pod in named:
            if pod in shown:
                found[pod] = await self._observed(access, shown[pod])
        for pod in waited:
            come = pods.came(pod, shown.values(), taken)
            if come is not None:
                taken.add(come.name)
                observed = await self._observed(access, come)
                found[pod] = replace(observed, remote_id=f"{job}/{come.name}")
        return found

    async def _observed(self, access: Access, pod: Pod) -> ObservedRun:
        """Return what is known of a run, with the exit code if it has only just ended."""
        is_over = pod.state.is_over
        code = await pods.exit_code(self._api, access.credential, pod.name) if is_over else None
        return pod.observed(code)

    async def jobs(self, access: Access) -> Listing[FoundRun]:
        """List the runs of the person's jobs, newest first; raise NotFound without lists."""

        async def of_job(one: Resource) -> tuple[list[tuple[Pod, FoundRun]], bool]:
            try:
                shown = await pods.of_job(self._api, access.credential, one.id) or Pods()
            except (BadAnswer, Forbidden, ServerFailed) as error:
                # A job that can't be read doesn't affect the others.
                note(f"the runs of a job can't be read: {type(error).__name__}")
                return [], False
            youngest = sorted(shown.by_name.values(), key=pods.began, reverse=True)[:RUNS_OF_A_JOB]
            name = one.name or one.id
            runs = [(pod, FoundRun(f"{one.id}/{pod.name}", name, pod.observed())) for pod in youngest]
            return runs, shown.is_whole

        mine = await lists.resources(self._api, access, "job")
        runs: list[tuple[Pod, FoundRun]] = []
        is_whole = mine.is_whole
        for shown, is_job_whole in await side_by_side(LIST_WIDTH, of_job, mine[:MOST_JOBS]):
            runs += shown
            is_whole &= is_job_whole
        if not runs and not is_whole:
            raise BadAnswer("no run can be read")
        runs.sort(key=lambda run: pods.began(run[0]), reverse=True)
        return Listing((run for _, run in runs), is_whole=is_whole)

    async def stop_job(self, access: Access, remote_id: str, *, force: bool = False) -> None:  # noqa: ARG002
        """Stop a run; the server stops all running runs of its job, so a run that is over is left alone."""
        job, pod = pods.split(remote_id)
        shown = await pods.live(self._api, access.credential, job)
        is_named = not pod.startswith((pods.UNTOLD, pods.AWAITED))
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

    # -- output ----------------------------------------------------------------------------------------------

    async def job_output(self, access: Access, remote_id: str) -> AsyncIterator[OutputChunk]:
        """Yield what a run has written so far, from its beginning; for more, call it again."""
        job, pod = pods.split(remote_id)
        if pod.startswith(pods.UNTOLD):
            return
        if pod.startswith(pods.AWAITED):
            shown = await pods.of_job(self._api, access.credential, job) or Pods()
            come = pods.came(pod, shown.by_name.values(), ())
            if come is None:
                return
            pod = come.name
        text = await self._live_log(access, pod)
        if text is None:
            text = await self._ended_log(access, job, pod)
        if text:
            yield OutputChunk("stdout", text)

    async def _live_log(self, access: Access, pod: str) -> str | None:
        """Return a live pod's log; None if there is none, or only its most recent part."""
        query = {"page_size": str(LIVE_LINES), "container_name": "main"}
        answer = await self._log(access, f"/api/active/pods/{path_part(pod)}/logs", query)
        return answer if answer is None or answer.count("\n") + 1 < LIVE_LINES else None

    async def _ended_log(self, access: Access, job: str, pod: str) -> str | None:
        return await self._log(access, f"/api/jobs/{path_part(job)}/logs", {"pod_name": pod})

    async def _log(self, access: Access, path: str, query: Mapping[str, str]) -> str | None:
        asking = self._api.call(
            "GET", path, access.credential, query=query, total=LOG_SECONDS, max_bytes=LOG_BYTES
        )
        response = await unless_absent(asking)
        return None if response is None else _text(response.json_object().get("logs"))


def _text(logs: Any) -> str:
    """Return a log as one string without a final line end: it is a string or a list of ``{content}``."""
    if isinstance(logs, str):
        return logs.rstrip("\n")
    if not isinstance(logs, list):
        raise BadAnswer("the answer's field logs is neither a text nor a list")
    lines = [entry.get("content") if isinstance(entry, dict) else entry for entry in logs]
    texts = [line for line in lines if isinstance(line, str)]
    if len(texts) < len(lines):
        note("an entry of logs has no content")
    if lines and not texts:
        raise BadAnswer("the answer's field logs holds no texts")
    return "\n".join(line.removesuffix("\n") for line in texts).rstrip("\n")
