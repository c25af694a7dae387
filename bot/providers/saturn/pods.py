"""Runs of jobs as the server shows them: live pods, and the history of ended ones.

Starting a job returns no run, so a run is its pod, and its id is ``JOB/POD``. Until the pod is
visible it is ``JOB/@…`` with the pods before the start; on a server without pods, ``JOB/~…``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from bot.domain.models import ObservedRun, RunState
from bot.domain.names import short
from bot.providers.base import Credential, unknown_word
from bot.providers.reading import entries, id_in, moment, word_in
from bot.providers.requests import Api, path_part, unless_absent
from bot.providers.saturn import lists
from bot.support.errors import BadAnswer, NotFound

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
        raise NotFound("there is no such run")
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


async def live(api: Api, credential: Credential, job: str) -> Pods | None:
    """Return the pods that are alive or have just ended; None if the server shows none."""
    query = {"workload_type": "job", "workload_id": job}
    return await _listed(api, "/api/active/pods", credential, query, "pod_summaries", _live)


async def ended(api: Api, credential: Credential, job: str) -> Pods | None:
    """Return the pods of a job's history; None if the server keeps none."""
    return await _listed(api, f"/api/jobs/{path_part(job)}/history", credential, {}, "pods", _past)


async def of_job(api: Api, credential: Credential, job: str) -> Pods | None:
    """Return all pods of a job; None if the server reports neither kind."""
    now, past = await live(api, credential, job), await ended(api, credential, job)
    return None if now is None and past is None else (past or Pods()) | (now or Pods())


async def exit_code(api: Api, credential: Credential, pod: str) -> int | None:
    """Return the exit code of a pod that is still shown; None if it isn't given."""
    try:
        path = f"/api/active/pods/{path_part(pod)}"
        answer = (await api.call("GET", path, credential, total=lists.LIST_SECONDS)).json_object()
    except (NotFound, BadAnswer):
        # It is merely useful: the run's outcome is known without it.
        return None
    live = answer.get("container_summaries")
    containers = [one for one in live if isinstance(one, dict)] if isinstance(live, list) else []
    main = next((one for one in containers if one.get("name") == "main"), containers[0] if containers else {})
    code = main.get("exit_code")
    return code if isinstance(code, int) and not isinstance(code, bool) else None


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


async def _listed(
    api: Api,
    path: str,
    credential: Credential,
    query: Mapping[str, str],
    key: str,
    read: Callable[[Any], Pod],
) -> Pods | None:
    """Return the pods of a list; None if there is no such resource, or no such endpoint."""
    found = await unless_absent(lists.paged(api, path, credential, query))
    if found is None:
        return None
    pods = entries(found, key, read)
    return Pods({pod.name: pod for pod in pods}, pods.is_whole)


def _live(live: Any) -> Pod:
    pod = _pod(live, "name", "started_at", "completed_at")
    return replace(pod, is_live=not pod.state.is_over)


def _past(live: Any) -> Pod:
    return _pod(live, "pod_name", "start_time", "end_time")


def _pod(live: Any, name: str, began: str, ended: str) -> Pod:
    found = id_in(live, name)
    return Pod(found, word_in(live, "status") or "", moment(live.get(began)), moment(live.get(ended)))
