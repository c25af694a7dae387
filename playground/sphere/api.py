"""The API under ``/api/v1``: test, projects and workspaces."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from aiohttp import web

from playground.faults import Refusal, act
from playground.harness import base_url
from playground.sphere.asking import fields_of, flag, now_of, number, state_of
from playground.sphere.seed import CODES
from playground.sphere.shapes import shape
from playground.sphere.workspaces import Options, Workspace

#: Default and maximum number of workspaces per page: "limit of workspaces to get; min: 1, max: 30" (API
#: reference, "GET /workspaces").
USUAL_LIMIT, HIGHEST_LIMIT = 10, 30

One = TypeVar("One")


async def test(_request: web.Request) -> web.Response:
    """Answer that the token is valid (API reference, "GET /test")."""
    return web.json_response({"message": "You can use Sphere Engine Containers API"})


async def projects(request: web.Request) -> web.Response:
    """Answer a page of projects."""
    state = state_of(request)
    page, following = _page(request, list(state.projects.values()), state.page_size, lambda one: one.id)
    items = [{"id": project.id, "name": project.name} for project in page]
    return web.json_response({"items": items, "paging": {"next_page_token": following}})


async def workspaces(request: web.Request) -> web.Response:
    """Return a page of workspaces, newest first. They can be filtered by project and state."""
    state, now = state_of(request), now_of(request)
    project_id = request.query.get("project_id")
    wanted = {_code(word) for word in request.query.getall("states[]", [])}
    limit = number(dict(request.query), "limit", USUAL_LIMIT, 1, HIGHEST_LIMIT)
    for workspace in state.workspaces.values():
        workspace.settle(now)
    matching = [
        workspace
        for workspace in reversed(state.workspaces.values())
        if project_id in {None, "", workspace.project.id} and (not wanted or workspace.code() in wanted)
    ]
    page, following = _page(request, matching, limit, lambda one: one.id)
    items = [shape(one, now, state.switches, base_url(request), listed=True) for one in page]
    return web.json_response({"items": items, "paging": {"next_page_token": following}})


async def create(request: web.Request) -> web.Response:
    """Create a workspace. If the same request is made twice, two are created."""
    fields = await fields_of(request)
    project_id = fields.get("project_id")
    if not isinstance(project_id, str) or not project_id:
        raise Refusal(400, "project_id: is required")
    usual = Options()
    options = Options(
        auto_resume=flag(fields, "auto_resume", default=usual.auto_resume),
        workspace_token_required=flag(
            fields, "workspace_token_required", default=usual.workspace_token_required
        ),
        inactivity_timeout=number(fields, "inactivity_timeout", usual.inactivity_timeout, 1),
        retention_time_stopped=number(fields, "retention_time_stopped", usual.retention_time_stopped),
        retention_time_total=number(fields, "retention_time_total", usual.retention_time_total),
    )
    _check_times(options, fields)
    state = state_of(request)
    workspace = state.created(project_id, options)
    act(request, lambda at: state.take(workspace, at))
    return _done(request, workspace, "Workspace has been created", 201)


async def read(request: web.Request) -> web.Response:
    """Return one workspace, either bare or under the key ``workspace``."""
    state = state_of(request)
    workspace = state.find(request.match_info["id"])
    shown = shape(workspace, now_of(request), state.switches, base_url(request))
    return web.json_response(shown if state.switches.single == "bare" else {"workspace": shown})


async def stop(request: web.Request) -> web.Response:
    """Stop a workspace, if its permissions allow that."""
    workspace = state_of(request).find(request.match_info["id"])
    workspace.check("stop", now_of(request))
    act(request, workspace.stop)
    return _done(request, workspace, "Workspace has been stopped")


async def resume(request: web.Request) -> web.Response:
    """Start a stopped workspace again. While it is still being stopped, that is refused."""
    state = state_of(request)
    workspace = state.find(request.match_info["id"])
    workspace.check_resume(now_of(request))
    state.check_quota()
    act(request, workspace.resume)
    return _done(request, workspace, "Workspace has been resumed")


async def remove(request: web.Request) -> web.Response:
    """Remove a workspace for good."""
    workspace = state_of(request).find(request.match_info["id"])
    workspace.check("remove", now_of(request))
    act(request, workspace.remove)
    return _done(request, workspace, "Workspace has been removed")


async def stream(request: web.Request) -> web.Response:
    """Return the output of a scenario, to which the event contains a link."""
    text = state_of(request).streams.get(request.match_info["event"])
    if text is None:
        raise Refusal(404, "Stream not found")
    return web.Response(text=text, content_type="text/plain")


def _check_times(options: Options, fields: dict[str, Any]) -> None:
    """Refuse a lifespan that ends before another requested timeout can take effect.

    "The configuration of the workspace lifespan should not conflict with the configuration of the stop/resume
    mechanism" (documentation, "Stopping and resuming"). The status of such a refusal isn't documented.
    """
    total = options.retention_time_total
    for name in ("inactivity_timeout", "retention_time_stopped"):
        if name in fields and 0 < total < getattr(options, name):
            raise Refusal(400, f"retention_time_total: is shorter than {name}")


def _done(request: web.Request, workspace: Workspace, message: str, status: int = 200) -> web.Response:
    shown = shape(workspace, now_of(request), state_of(request).switches, base_url(request))
    return web.json_response({"message": message, "workspace": shown}, status=status)


def _code(word: str) -> int:
    known = {str(code): code for code in CODES.values()}
    if word not in known:
        raise Refusal(400, "states: must be workspace states")
    return known[word]


def _page(
    request: web.Request, whole: Sequence[One], size: int, key: Callable[[One], Any]
) -> tuple[list[One], str | None]:
    """Return the page after the token, and the next token. New workspaces don't shift the pages."""
    token, begin = request.query.get("page_token"), 0
    if token:
        keys = [key(one) for one in whole]
        try:
            begin = keys.index(base64.urlsafe_b64decode(token.encode()).decode()) + 1
        except (binascii.Error, ValueError):
            raise Refusal(400, "page_token: is not one of ours") from None
    page = list(whole[begin : begin + size])
    if begin + size >= len(whole):
        return page, None
    return page, base64.urlsafe_b64encode(str(key(page[-1])).encode()).decode()


def routes() -> list[web.RouteDef]:
    """Return the routes of this module."""
    return [
        web.get("/api/v1/test", test),
        web.get("/api/v1/projects", projects),
        web.get("/api/v1/workspaces", workspaces),
        web.post("/api/v1/workspaces", create),
        web.get("/api/v1/workspaces/{id}", read),
        web.put("/api/v1/workspaces/{id}/stop", stop),
        web.put("/api/v1/workspaces/{id}/resume", resume),
        web.put("/api/v1/workspaces/{id}/remove", remove),
        web.get("/api/v1/webhooks/streams/{type}/{event}/stage_run_output", stream),
    ]
