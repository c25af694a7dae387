"""Routes for tests: show details of sessions and jobs that the API omits, and change them from outside."""

from __future__ import annotations

from aiohttp import web

from playground.posit.calls import STATE
from playground.posit.control import object_of
from playground.posit.jobs import End
from playground.posit.scripts import build_script
from playground.values import SeedError, checked

_SESSION_FLAGS = ("stuck", "executing", "save_prompt_required")


async def show_sessions(request: web.Request) -> web.Response:
    """Show everyone's sessions, with details that the API omits."""
    state = request.app[STATE]
    state.settle()
    hidden = ("owner", "open_file", "environment", "start_hooks", "stop_hooks", "launched_by", "hex")
    rows = [
        session.shown(f"/s/{session.hex}/") | {name: getattr(session, name) for name in hidden}
        for session in state.sessions.values()
    ]
    return web.json_response({"sessions": rows})


async def set_session(request: web.Request) -> web.Response:
    """Set a session's ``state`` (any word), ``stuck`` or ``executing``; make it fail; or delete it."""
    state, values = request.app[STATE], await object_of(request)
    state.settle()
    session = state.sessions.get(request.match_info["id"])
    checked(values, ("state", "removed", "fails", "status_detail", *_SESSION_FLAGS))
    if session is None:
        raise SeedError("no such session")
    for name in _SESSION_FLAGS:
        if name in values:
            setattr(session, name, bool(values[name]))
    if "state" in values:
        session.force(str(values["state"]), state.clock.now())
    if values.get("fails") and session.plan:
        session.plan[-1] = ("failed", session.plan[-1][1])
    if "status_detail" in values:
        session.status_detail = str(values["status_detail"])
    if values.get("removed"):
        del state.sessions[session.id]
    return web.json_response({"state": session.state})


async def show_jobs(request: web.Request) -> web.Response:
    """Show everyone's jobs, with details that the API omits."""
    state = request.app[STATE]
    state.settle()
    now = state.clock.now()
    rows = [
        job.shown(now)
        | {
            "launched_by": job.launched_by,
            "apply_config_settings": job.apply_config_settings,
            "printed": job.printed(now),
        }
        for job in state.jobs.values()
    ]
    return web.json_response({"jobs": rows})


async def set_job(request: web.Request) -> web.Response:
    """Set a job's ``status`` (a final one with ``exit_code``, or any word) or ``script``; or delete it."""
    state, values = request.app[STATE], await object_of(request)
    job = state.jobs.get(request.match_info["id"])
    checked(values, ("status", "exit_code", "script", "removed"))
    if job is None:
        raise SeedError("no such job")
    now = state.clock.now()
    status = values.get("status")
    if "script" in values:
        job.script = build_script(values["script"])
    if status in {"Finished", "Failed", "Canceled", "Killed"}:
        job.ordered = End(now, status, values.get("exit_code"))
    elif status is not None:
        job.word = str(status)
    if values.get("removed"):
        del state.jobs[job.id]
    state.wake()
    return web.json_response({"status": job.status(now)})


def routes() -> list[web.RouteDef]:
    """Return the routes of this module."""
    return [
        web.get("/_playground/sessions", show_sessions),
        web.post("/_playground/sessions/{id}", set_session),
        web.get("/_playground/jobs", show_jobs),
        web.post("/_playground/jobs/{id}", set_job),
    ]
