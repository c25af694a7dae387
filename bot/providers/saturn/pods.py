"""Runs of jobs as the server shows them: live pods, and the history of those that ended.

The start of a job returns no run (seed 002), so a run is its pod, and its id is ``JOB/POD``. Until the pod is
seen it is ``JOB/@…`` with what was there before the start; at a server without pods, ``JOB/~…``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from bot.errors import BadAnswer, NotFound
from bot.models import JobState, ObservedJob
from bot.providers.reading import objects_in, optional_text_in, text_in
from bot.providers.requests import path_part

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from bot.http import Response
    from bot.providers.base import Credential
    from bot.providers.requests import Api

READ_SECONDS = 10.0
_STATES = {
    "pending": JobState.QUEUED,
    "waiting": JobState.QUEUED,
    "running": JobState.RUNNING,
    "stopping": JobState.RUNNING,
    "completed": JobState.SUCCEEDED,
    "succeeded": JobState.SUCCEEDED,
    "error": JobState.FAILED,
    "failed": JobState.FAILED,
    "stopped": JobState.CANCELLED,
    "cancelled": JobState.CANCELLED,
}
_WAITED = re.compile(r"@(\d+(?:\.\d+)?)\.([0-9a-z]+)((?:-[0-9a-f]{8})*)")
UNTOLD = "~"
AWAITED = "@"


@dataclass(frozen=True, slots=True)
class Pod:
    """Hold one run as it is shown; times in epoch seconds."""

    name: str
    status: str
    started_at: float | None = None
    ended_at: float | None = None
    is_live: bool = False

    @property
    def state(self) -> JobState:
        """Return the run's state."""
        return _STATES.get(self.status.casefold(), JobState.UNKNOWN)

    def observed(self, exit_code: int | None = None) -> ObservedJob:
        """Return what is known of the run."""
        state = self.state
        strange = f"unknown state {self.status[:40]!r}" if state is JobState.UNKNOWN else None
        return ObservedJob(
            state,
            exit_code=exit_code if state.is_over else None,
            detail=strange,
            started_at=self.started_at,
            ended_at=self.ended_at if state.is_over else None,
        )


def split(remote_id: str) -> tuple[str, str]:
    """Return job and pod of a run's id; raise NotFound for what is none."""
    job, slash, pod = remote_id.partition("/")
    if not slash or not job or not pod or "/" in pod:
        raise NotFound("there is no such run")
    path_part(job)
    path_part(pod)
    return job, pod


async def live(api: Api, credential: Credential, job: str) -> dict[str, Pod] | None:
    """Return the pods that are alive or have just ended, by name; None where the server shows none."""
    query = {"workload_type": "job", "workload_id": job}
    answer = await _read(api, "/api/active/pods", credential, query)
    if answer is None:
        return None
    pods = [_live(one, f"pod_summaries[{at}].") for at, one in enumerate(objects_in(answer, "pod_summaries"))]
    return {pod.name: pod for pod in pods}


async def ended(api: Api, credential: Credential, job: str) -> dict[str, Pod] | None:
    """Return the pods of a job's history, by name; None where the server keeps none."""
    answer = await _read(api, f"/api/jobs/{path_part(job)}/history", credential)
    if answer is None:
        return None
    pods = [_past(one, f"pods[{number}].") for number, one in enumerate(objects_in(answer, "pods"))]
    return {pod.name: pod for pod in pods}


async def known(api: Api, credential: Credential, job: str) -> dict[str, Pod] | None:
    """Return all pods of a job; None where the server tells of neither kind."""
    now, past = await live(api, credential, job), await ended(api, credential, job)
    return None if now is None and past is None else {**(past or {}), **(now or {})}


async def exit_code(api: Api, credential: Credential, pod: str) -> int | None:
    """Return the exit code of a pod that is still shown; None where it is not told."""
    answer = await _read(api, f"/api/active/pods/{path_part(pod)}", credential)
    if answer is None:
        return None
    told = answer.get("container_summaries")
    containers = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    main = next((one for one in containers if one.get("name") == "main"), containers[0] if containers else {})
    code = main.get("exit_code")
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def awaited(job: str, key: str, before: Iterable[Pod]) -> str:
    """Return the id of a run whose pod is not seen yet: what was there before tells it from others."""
    told = list(before)
    since = max((pod.started_at or 0.0 for pod in told), default=0.0)
    waiting = "".join(f"-{_digest(pod.name)}" for pod in told if pod.is_live and pod.started_at is None)
    return f"{job}/{AWAITED}{since:.3f}.{short(key)}{waiting}"


def came(pod: str, pods: Mapping[str, Pod], taken: Collection[str]) -> Pod | None:
    """Return the pod that a run waits for (``awaited``): the first that came since, and is nobody else's."""
    waited = _WAITED.fullmatch(pod)
    if waited is None:
        return None
    since, before = float(waited[1]), set(waited[3].split("-"))
    found = [
        one
        for one in pods.values()
        if one.name not in taken
        and _digest(one.name) not in before
        and (one.is_live if one.started_at is None else one.started_at > since + 0.001)
    ]
    return min(found, key=began, default=None)


def began(pod: Pod) -> tuple[bool, float, str]:
    """Order pods by when they began; those that have not begun come last."""
    return pod.started_at is None, pod.started_at or 0.0, pod.name


def short(key: str) -> str:
    """Return our own id of a run as it can stand in another one."""
    return re.sub(r"[^0-9a-z]", "", key.casefold())[-8:].rjust(8, "0")


def _digest(name: str) -> str:
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]


async def _read(
    api: Api, path: str, credential: Credential, query: Mapping[str, str] | None = None
) -> dict[str, Any] | None:
    """Return an answer; None where there is no such thing, or the server has no such endpoint."""
    try:
        response: Response = await api.call("GET", path, credential, query=query, total=READ_SECONDS)
    except (NotFound, BadAnswer) as error:
        if error.status not in {404, 410}:
            raise
        return None
    return response.json_object()


def _live(told: Mapping[str, Any], where: str) -> Pod:
    pod = Pod(
        text_in(told, "name", where),
        text_in(told, "status", where),
        _moment(told, "started_at", where),
        _moment(told, "completed_at", where),
        is_live=True,
    )
    return replace(pod, is_live=not pod.state.is_over)


def _past(told: Mapping[str, Any], where: str) -> Pod:
    return Pod(
        text_in(told, "pod_name", where),
        text_in(told, "status", where),
        _moment(told, "start_time", where),
        _moment(told, "end_time", where),
    )


def _moment(told: Mapping[str, Any], key: str, where: str) -> float | None:
    text = optional_text_in(told, key, where)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadAnswer(f"the answer's field {where}{key} is no time") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
