"""Live pods, pods that have ended, and their output."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from playground.faults import Refusal
from playground.saturn.asking import person_of, state_of, timestamp
from playground.saturn.lines import lines_of
from playground.saturn.resources import Resource, Run

_PLURALS = {"workspaces": "workspace", "jobs": "job"}


def _of_path(request: web.Request, plural: str) -> Resource:
    return state_of(request).find(person_of(request), _PLURALS[plural], request.match_info["id"])


async def job_history(request: web.Request) -> web.Response:
    """Return a job's finished runs, newest first."""
    return _history(request, _of_path(request, "jobs"))


async def workspace_history(request: web.Request) -> web.Response:
    """Return a workspace's finished runs, newest first."""
    return _history(request, _of_path(request, "workspaces"))


async def job_logs(request: web.Request) -> web.Response:
    """Return the log of a run that has ended, as a list of ``{content}``."""
    lines = _ended_log(request, _of_path(request, "jobs"))
    return web.json_response({"logs": [{"content": line} for line in lines]})


async def workspace_logs(request: web.Request) -> web.Response:
    """Return the log of a pod that has ended, as one string."""
    return web.json_response({"logs": "\n".join(_ended_log(request, _of_path(request, "workspaces")))})


async def active_pods(request: web.Request) -> web.Response:
    """Return one resource's pods that are alive or have just ended."""
    person = person_of(request)
    kind, resource_id = request.query.get("workload_type"), request.query.get("workload_id")
    if kind not in {"workspace", "job", "deployment"} or not resource_id:
        raise Refusal(400, "workload_type and workload_id are required")
    state = state_of(request)
    resource = state.find(person, kind, resource_id)
    pods = [_summary(resource, run) for run in resource.active(state.clock.now())]
    return web.json_response({"pod_summaries": pods})


async def active_pod(request: web.Request) -> web.Response:
    """Return one live pod and its containers."""
    resource, run = find_active(request)
    return web.json_response({**_summary(resource, run), "container_summaries": [_container(run)]})


async def active_logs(request: web.Request) -> web.Response:
    """Return the last lines written by a live pod's container, as one string."""
    resource, run = find_active(request)
    if request.query.get("container_name", "main") != "main":
        raise Refusal(404, "Container not found")
    size = request.query.get("page_size", "1000")
    if not size.isascii() or not size.isdigit() or int(size) < 1:
        raise Refusal(400, "page_size: must be a positive integer")
    return web.json_response({"logs": "\n".join(lines_of(resource, run)[-int(size) :])})


def _history(request: web.Request, resource: Resource) -> web.Response:
    resource.settle(state_of(request).clock.now())
    ended = [run for run in resource.runs if run.ended_at is not None]
    pods = [
        {
            "pod_name": run.name,
            "status": run.status,
            "start_time": timestamp(run.started_at or run.created_at),
            "end_time": timestamp(run.ended_at),
        }
        for run in reversed(ended)
    ]
    return web.json_response({"pods": pods})


def find_active(request: web.Request) -> tuple[Resource, Run]:
    """Return the pod that a request names, with its resource. It is alive or has just ended."""
    person, state = person_of(request), state_of(request)
    for resource in state.resources.values():
        if person.admin or resource.owner == person.name:
            for run in resource.active(state.clock.now()):
                if run.name == request.match_info["pod"]:
                    return resource, run
    raise Refusal(404, "Pod not found")


def _ended_log(request: web.Request, resource: Resource) -> list[str]:
    resource.settle(state_of(request).clock.now())
    wanted = request.query.get("pod_name")
    for run in resource.runs:
        if run.name == wanted and run.ended_at is not None:
            return lines_of(resource, run)
    raise Refusal(404, "Pod not found")


def _summary(resource: Resource, run: Run) -> dict[str, Any]:
    labels = {"saturncloud.io/resource-id": resource.id, "saturncloud.io/resource-type": resource.type}
    if resource.type == "job":
        labels["job-name"] = run.job
    return {
        "name": run.name,
        "status": run.status,
        "labels": labels,
        "started_at": timestamp(run.started_at),
        "completed_at": timestamp(run.ended_at),
    }


def _container(run: Run) -> dict[str, Any]:
    return {
        "name": "main",
        "status": "waiting" if run.status == "pending" else run.status,
        "exit_code": run.exit_code,
        "finished_at": timestamp(run.ended_at),
    }


def routes() -> list[web.RouteDef]:
    """Return the routes of this module."""
    return [
        web.get("/api/jobs/{id}/history", job_history),
        web.get("/api/workspaces/{id}/history", workspace_history),
        web.get("/api/jobs/{id}/logs", job_logs),
        web.get("/api/workspaces/{id}/logs", workspace_logs),
        web.get("/api/active/pods", active_pods),
        web.get("/api/active/pods/{pod}", active_pod),
        web.get("/api/active/pods/{pod}/logs", active_logs),
    ]
