"""Routes for tests: change workspaces from outside, and choose the format of the server's answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from aiohttp import web

from playground.faults import Refusal
from playground.harness import base_url
from playground.sphere.asking import WEBHOOKS, json_of, now_of, state_of
from playground.sphere.running import run, tell
from playground.sphere.scenarios import Outcome
from playground.sphere.seed import CODES
from playground.sphere.shapes import shape
from playground.sphere.workspaces import Workspace
from playground.values import checked

_PLAIN = {
    "start_seconds": float,
    "stop_seconds": float,
    "init_failed": bool,
    "init_output": str,
    "init_error": str,
    "fail": str,
}
_CHOICES: dict[str, tuple[Any, ...]] = {
    "single": ("bare", "workspace"),
    "code": ("documents", "number", "string"),
    "stopping_code": (2, 3),
    "quota_status": (402, 403),
}


async def set_workspace(request: web.Request) -> web.Response:
    """Change a workspace.

    ``state`` (a name; with ``error``, also ``error_reason``), ``code`` (any code to show instead, with a
    ``name``), ``permissions`` (these override the real ones), ``rotate_token``, ``forgotten`` (404 from now
    on), ``init_failed``, ``init_output``, ``init_error``, ``fail`` (the reason for which the next start
    fails), ``start_seconds``, ``stop_seconds``.
    """
    state, values = state_of(request), await json_of(request)
    workspace = state.find(request.match_info["id"])
    others = {"state", "error_reason", "code", "name", "permissions", "rotate_token", "forgotten"}
    checked(values, set(_PLAIN) | others)
    for key, kind in _PLAIN.items():
        if key in values:
            setattr(workspace, key, None if values[key] is None else kind(values[key]))
    if "state" in values:
        if values["state"] not in CODES:
            raise Refusal(400, f"state: one of {tuple(CODES)}")
        workspace.force(values["state"], now_of(request), values.get("error_reason"))
    if "code" in values:
        workspace.shown = (values["code"], str(values.get("name", "unheard of")))
    if "permissions" in values:
        workspace.overridden = {key: bool(value) for key, value in (values["permissions"] or {}).items()}
    if values.get("rotate_token"):
        workspace.rotate()
    if values.get("forgotten"):
        del state.workspaces[workspace.id]
    return _shown(request, workspace)


async def count_workspaces(request: web.Request) -> web.Response:
    """Return the number of workspaces in each state."""
    state, now = state_of(request), now_of(request)
    for workspace in state.workspaces.values():
        workspace.settle(now)
    return web.json_response({"phases": Counter(one.phase for one in state.workspaces.values())})


async def finish_scenario(request: web.Request) -> web.Response:
    """Finish a scenario or, if ``custom`` is given, send a custom event; ``times`` says how often."""
    workspace = state_of(request).find(request.match_info["id"])
    values = await json_of(request)
    checked(values, {"scenario", "passed", "score", "seconds", "output", "custom", "times"})
    times = int(values.pop("times", 1))
    if "custom" in values:
        events = tell(request, workspace, values["custom"], times)
    else:
        events = run(request, workspace, Outcome(**values), times)
    await request.app[WEBHOOKS].deliver()
    return web.json_response({"events": [event["id"] for event in events]})


async def switch(request: web.Request) -> web.Response:
    """Set the switches: ``single``, ``code``, ``stopping_code``, ``quota``, ``quota_status``."""
    values, switches = await json_of(request), state_of(request).switches
    checked(values, set(asdict(switches)))
    for key, value in values.items():
        if key in _CHOICES and value not in _CHOICES[key]:
            raise Refusal(400, f"{key}: one of {_CHOICES[key]}")
        setattr(switches, key, value)
    return web.json_response(asdict(switches))


async def busy(request: web.Request) -> web.Response:
    """Answer every API call with 429 and Retry-After for the given ``seconds``."""
    state = state_of(request)
    state.busy_until = now_of(request) + float((await json_of(request)).get("seconds", 30))
    state.busy_answered_at = None
    return web.json_response({"busy_until": state.busy_until})


async def set_access_token(request: web.Request) -> web.Response:
    """Replace the account's access token."""
    state = state_of(request)
    state.access_token = str((await json_of(request)).get("access_token", ""))
    return web.json_response({"access_token": state.access_token})


async def set_webhook(request: web.Request) -> web.Response:
    """Set ``url`` or ``secret``; resend a delivered event (``again``); or send what is due (``deliver``)."""
    state, values, webhooks = state_of(request), await json_of(request), request.app[WEBHOOKS]
    checked(values, {"url", "secret", "again", "deliver"})
    if "url" in values:
        state.webhook_url = values["url"]
    if "secret" in values:
        state.webhook_secret = str(values["secret"])
    if "again" in values and not webhooks.again(str(values["again"])):
        raise Refusal(404, "no such event was delivered")
    if "again" in values or values.get("deliver"):
        await webhooks.deliver()
    return await show_webhook(request)


async def show_webhook(request: web.Request) -> web.Response:
    """Return the webhook's URL, the requests sent so far, and the events that are waiting."""
    state, webhooks = state_of(request), request.app[WEBHOOKS]
    waiting = [
        {"id": one.event["id"], "due_at": one.due_at, "attempts": one.attempts} for one in webhooks.pending
    ]
    return web.json_response(
        {
            "url": state.webhook_url,
            "secret": state.webhook_secret,
            "deliveries": webhooks.deliveries,
            "waiting": waiting,
        }
    )


def _shown(request: web.Request, workspace: Workspace) -> web.Response:
    return web.json_response(shape(workspace, now_of(request), state_of(request).switches, base_url(request)))


def routes() -> list[web.RouteDef]:
    """Return the routes of this module."""
    return [
        web.get("/_playground/workspaces", count_workspaces),
        web.post("/_playground/workspaces/{id}", set_workspace),
        web.post("/_playground/workspaces/{id}/scenario", finish_scenario),
        web.post("/_playground/switches", switch),
        web.post("/_playground/busy", busy),
        web.post("/_playground/access_token", set_access_token),
        web.post("/_playground/webhooks", set_webhook),
        web.get("/_playground/webhooks", show_webhook),
    ]
