"""Starting, stopping and reading workspaces and jobs."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from playground.faults import Refusal, act
from playground.harness import base_url
from playground.saturn.asking import body_of, options_of, person_of, state_of, worker_of
from playground.saturn.resources import Resource


def _workspace(request: web.Request) -> Resource:
    return state_of(request).find(worker_of(request), "workspace", request.match_info["id"])


def _job(request: web.Request) -> Resource:
    return state_of(request).find(person_of(request), "job", request.match_info["id"])


def _resource(request: web.Request) -> Resource:
    return _job(request) if request.match_info["kind"] == "jobs" else _workspace(request)


async def workspace(request: web.Request) -> web.Response:
    """Return the ``status`` and, if the workspace is running, the ``url``."""
    resource = _workspace(request)
    state = state_of(request)
    answer: dict[str, Any] = {"status": resource.status(state.clock.now())}
    if answer["status"] == "running":
        answer["url"] = f"{base_url(request)}/ide/{resource.id}/"
    if not state.seeds_only:
        answer |= {"id": resource.id, "name": resource.name}
    return web.json_response(answer)


async def start(request: web.Request) -> web.Response:
    """Start a workspace or a new run of a job. The answer doesn't name the run."""
    resource = _resource(request)
    await options_of(request)
    state_of(request).starting(resource)
    act(request, resource.start)
    return web.json_response({})


async def stop(request: web.Request) -> web.Response:
    """Stop a workspace, or all runs of a job."""
    resource = _resource(request)
    await options_of(request)
    act(request, resource.stop)
    return web.Response(status=204)


async def restart(request: web.Request) -> web.Response:
    """End a workspace's pod, or all runs of a job, and start a new one."""
    resource = _resource(request)
    await options_of(request)
    act(request, resource.restart)
    return web.json_response({})


async def set_cron(request: web.Request) -> Resource:
    """Set the cron expression. It takes effect once ``/schedule`` is called."""
    resource = _job(request)
    values = await body_of(request)
    options = values.get("cron_schedule_options") if isinstance(values, dict) else None
    if not isinstance(options, dict) or not isinstance(options.get("schedule"), str):
        raise Refusal(400, "cron_schedule_options.schedule: is required")
    resource.set_cron(options["schedule"])
    if resource.next_fire_at is not None:
        resource.schedule(state_of(request).clock.now())
    return resource


async def change_job(request: web.Request) -> web.Response:
    """Return the cron expression that was set."""
    return web.json_response(_schedule(await set_cron(request)))


async def schedule_job(request: web.Request) -> web.Response:
    """Switch the schedule on."""
    resource = _job(request)
    await options_of(request)
    resource.schedule(state_of(request).clock.now())
    return web.json_response(_schedule(resource))


async def unschedule_job(request: web.Request) -> web.Response:
    """Switch the schedule off."""
    resource = _job(request)
    await options_of(request)
    resource.settle(state_of(request).clock.now())
    resource.next_fire_at = None
    return web.json_response(_schedule(resource))


def _schedule(resource: Resource) -> dict[str, Any]:
    return {
        "id": resource.id,
        "cron_schedule_options": {"schedule": resource.cron},
        "scheduled": resource.next_fire_at is not None,
    }


def routes() -> list[web.RouteDef]:
    """Return the routes of this module."""
    return [
        web.get("/api/workspaces/{id}", workspace),
        web.post("/api/{kind:workspaces|jobs}/{id}/start", start),
        web.post("/api/{kind:workspaces|jobs}/{id}/stop", stop),
        web.post("/api/{kind:workspaces|jobs}/{id}/restart", restart),
        web.patch("/api/jobs/{id}", change_job),
        web.post("/api/jobs/{id}/schedule", schedule_job),
        web.post("/api/jobs/{id}/unschedule", unschedule_job),
    ]
