"""Views for browsers: the SDK, the frame of a workspace with its stand-in IDE, and the WebSockets of both."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from playground.faults import Refusal
from playground.sphere.asking import form_of, json_of, now_of, state_of
from playground.sphere.errors import error_body
from playground.sphere.running import run
from playground.sphere.scenarios import Outcome, result
from playground.sphere.workspaces import Workspace
from playground.values import loads

STATIC = Path(__file__).parent / "static"
SOCKETS: web.AppKey[set[web.WebSocketResponse]] = web.AppKey("sphere_sockets", set)

#: Headers for the SDK, which contacts this server from customers' pages and doesn't send cookies.
_FOR_ALL = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
#: This policy lets any customer's page show the workspace in a frame.
_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'"


async def sdk(_request: web.Request) -> web.StreamResponse:
    """Serve the SDK."""
    return web.FileResponse(STATIC / "sdk.js", headers={"Cache-Control": "no-cache"})


async def asset(request: web.Request) -> web.StreamResponse:
    """Serve the IDE's script or stylesheet."""
    return web.FileResponse(STATIC / f"ide.{request.match_info['ending']}")


async def enter(request: web.Request) -> web.Response:
    """Let the SDK's visitor in, checking the workspace token if required; return a ticket for the frame."""
    form = await form_of(request)
    state = state_of(request)
    try:
        workspace = state.find(str(form.get("workspace", "")))
        ticket = state.enter(workspace, str(form["token"]) if "token" in form else None)
    except Refusal as refusal:
        return web.json_response(
            error_body(refusal.status, refusal.message), status=refusal.status, headers=_FOR_ALL
        )
    return web.json_response({"ticket": ticket}, headers=_FOR_ALL)


async def live(request: web.Request) -> web.WebSocketResponse:
    """Answer each ``{"ticket"}`` with the workspace's state. This doesn't count as usage."""
    socket = web.WebSocketResponse(heartbeat=30)
    await socket.prepare(request)
    sockets = request.app[SOCKETS]
    sockets.add(socket)
    try:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_json(_seen(request, message.data))
    finally:
        sockets.discard(socket)
    return socket


async def frame(request: web.Request) -> web.Response:
    """Show the workspace to visitors with a ticket, and to others if it doesn't require a token."""
    state = state_of(request)
    workspace = state.workspaces.get(request.match_info["id"])
    if workspace is None:
        return _page("There is no such workspace", 404)
    workspace.settle(now_of(request))
    ticket = request.query.get("ticket")
    if workspace.phase in {"removed", "error"}:
        return _page(_ended(workspace), 410)
    if ticket not in workspace.tickets:
        try:
            ticket = state.enter(workspace, None)
        except Refusal as refusal:
            return _page(refusal.message, refusal.status)
    if ticket is None:
        return _page("This workspace is stopped", 403)
    return _page("", 200, workspace=workspace, ticket=ticket)


async def run_scenario(request: web.Request) -> web.Response:
    """Run the scenario chosen with a button of the IDE. All scenarios but ``run`` fail."""
    workspace = state_of(request).find(request.match_info["id"])
    values = await json_of(request)
    if values.get("ticket") not in workspace.tickets:
        raise Refusal(403, "Access denied")
    name, source = str(values.get("scenario", "run")), str(values.get("source", ""))
    passed = name == "run"
    outcome = Outcome(name, passed, 100.0 if passed else 0.0, output=f"{len(source)} characters were run\n")
    run(request, workspace, outcome)
    return web.json_response({"scenario": name, "output": outcome.output, "result": result(outcome)})


def _seen(request: web.Request, text: str) -> dict[str, Any]:
    try:
        values = loads(text)
        workspace = state_of(request).find(request.match_info["id"])
    except (ValueError, Refusal):
        return {"state": "removed"}
    ticket = values.get("ticket") if isinstance(values, dict) else None
    if workspace.phase == "removed":
        return {"state": "removed"}
    if ticket not in workspace.tickets:
        return {"state": "denied"}
    return {
        "state": workspace.phase,
        "reason": workspace.error_reason,
        "init_failed": workspace.init_failed,
    }


def _ended(workspace: Workspace) -> str:
    if workspace.phase == "error":
        return f"This workspace has failed: {workspace.error_reason}"
    return "This workspace has been removed"


def _page(text: str, status: int, workspace: Workspace | None = None, ticket: str = "") -> web.Response:
    about = ide = ""
    if workspace is not None:
        about = f' data-workspace="{escape(workspace.id)}" data-ticket="{escape(ticket)}"'
        text = "Loading the workspace…"
        ide = (
            f"<main id='ide' hidden><h1>{escape(workspace.project.name)}</h1>"
            "<label for='file'>main.py</label>"
            "<textarea id='file' spellcheck='false'>print('Hello')\n</textarea>"
            "<p><button id='run'>Run scenario</button> <button id='test'>Run tests</button>"
            " <button id='save'>Save</button> <button id='uses'>Try the browser</button>"
            " <button id='whole'>Full screen</button></p>"
            "<pre id='output' aria-live='polite'></pre></main>"
            "<script src='/static/ide/ide.js'></script>"
        )
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Workspace (local)</title>'
        f'<link rel="stylesheet" href="/static/ide/ide.css"><body{about}>'
        f'<p id="notice" role="status">{escape(text)}</p>{ide}</body></html>'
    )
    headers = {
        "Content-Security-Policy": _POLICY,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }
    return web.Response(text=page, status=status, content_type="text/html", headers=headers)


async def close_sockets(app: web.Application) -> None:
    """Close browsers' WebSockets, so that the server can shut down."""
    sockets = app[SOCKETS]
    for socket in tuple(sockets):
        await socket.close()


def routes() -> list[web.RouteDef]:
    """Return the routes of this module."""
    return [
        web.get("/static/sdk/sdk.min.js", sdk),
        web.get("/static/ide/ide.{ending:js|css}", asset),
        web.post("/sdk/enter", enter),
        web.get("/sdk/live/{id}", live),
        web.get("/workspace/{id}", frame),
        web.post("/workspace/{id}/run", run_scenario),
    ]
