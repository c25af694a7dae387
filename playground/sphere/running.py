"""Runs scenarios, for tests or when the button in the stand-in IDE is pressed."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from playground.faults import Refusal
from playground.harness import base_url
from playground.sphere.asking import STATE, WEBHOOKS, now_of
from playground.sphere.scenarios import Outcome, custom, finished
from playground.sphere.workspaces import Workspace


def run(request: web.Request, workspace: Workspace, outcome: Outcome, times: int = 1) -> list[dict[str, Any]]:
    """Finish a scenario once or several times, which counts as usage; return the events. Raises Refusal."""
    now = _used(request, workspace)
    events = [finished(workspace, outcome, now, base_url(request)) for _ in range(times)]
    request.app[STATE].streams |= {event["id"]: outcome.output for event in events}
    request.app[WEBHOOKS].add(events)
    return events


def tell(request: web.Request, workspace: Workspace, data: Any, times: int = 1) -> list[dict[str, Any]]:
    """Send a custom event once or several times; return the events. Raises Refusal."""
    now = _used(request, workspace)
    events = [custom(workspace, data, now) for _ in range(times)]
    request.app[WEBHOOKS].add(events)
    return events


def _used(request: web.Request, workspace: Workspace) -> float:
    now = now_of(request)
    if workspace.phase != "running":
        raise Refusal(400, f"Workspace is {workspace.phase}")
    workspace.last_usage = now
    return now
