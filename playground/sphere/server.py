"""The local Sphere Engine Containers as one application."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from playground.harness import Clock, Handler, Harness
from playground.sphere import api, control, views
from playground.sphere.asking import BASE_URL, STATE, WEBHOOKS, check_access
from playground.sphere.errors import ERROR_CODES, Refusal
from playground.sphere.seed import Seed, load, parse
from playground.sphere.state import State
from playground.sphere.webhooks import Webhooks

#: No rate is published: this is what a considerate client keeps to.
MINIMUM_SECONDS = 5.0
RULE = "5 s between status reads of one workspace"
RETRY_RULE = "no call before Retry-After has passed"
#: Calls that were under way when the first was answered 429 are nobody's fault.
UNDER_WAY_SECONDS = 1.0
_STATUS_READ = re.compile(r"/api/v1/workspaces/([^/]+)/?$")


class SphereServer:
    """Hold the application, the harness and the state of one local Sphere Engine.

    Without a base URL the addresses that it tells use the host that it was called by.
    """

    def __init__(self, clock: Clock | None = None, seed: Seed | None = None, base_url: str = "") -> None:
        self.harness = Harness(clock, lambda status: Refusal(status, "injected fault").body)
        self.state = State(self.harness.clock, seed or load())
        self.webhooks = Webhooks(self.state)
        self.app = web.Application(middlewares=[_refusals])
        self.app[STATE] = self.state
        self.app[WEBHOOKS] = self.webhooks
        self.app[BASE_URL] = base_url.rstrip("/")
        self.app[views.SOCKETS] = set()
        for module in (api, views, control):
            self.app.add_routes(module.routes())
        self.app.cleanup_ctx.append(self.webhooks.life)
        self.app.on_shutdown.append(views.close_sockets)
        self.harness.install(self.app)
        self.app.middlewares.insert(0, self._count_reads)

    @property
    def credentials(self) -> dict[str, Any]:
        """Return the token, the webhook's secret and the ids of this start."""
        return {
            "access_token": self.state.access_token,
            "webhook_secret": self.state.webhook_secret,
            "projects": {project.name: project.id for project in self.state.projects.values()},
            "workspaces": {one.id: one.project.name for one in self.state.workspaces.values()},
        }

    def told(self, url: str) -> dict[str, Any]:
        """Return the credentials for the ready line, with what pages need to load the SDK from here."""
        return {**self.credentials, "sdk_base": url.partition("://")[2], "sdk_https": url.startswith("https")}

    @web.middleware
    async def _count_reads(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        # Outside of the faults: a read that got no good answer was a read all the same.
        match = _STATUS_READ.match(request.path) if request.method in {"GET", "HEAD"} else None
        if match is not None:
            self.harness.read_of(match[1], MINIMUM_SECONDS, RULE)
        self._count_impatience(request)
        return await handler(request)

    def _count_impatience(self, request: web.Request) -> None:
        state, now = self.state, self.harness.clock.now()
        if not request.path.startswith("/api/") or now >= state.busy_until:
            return
        if state.busy_told_at is None:
            state.busy_told_at = now
        elif now - state.busy_told_at > UNDER_WAY_SECONDS:
            self.harness.violation(RETRY_RULE, f"{request.method} {request.path}")


def build(
    clock: Clock | None = None, seed: Seed | Mapping[str, Any] | None = None, base_url: str = ""
) -> SphereServer:
    """Make a server; the seed is JSON values as in a seed file, or the default."""
    ready = seed if seed is None or isinstance(seed, Seed) else parse(dict(seed))
    return SphereServer(clock, ready, base_url)


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Check the access token of the API, and answer every refusal as ``{"message", "error_code"}``."""
    try:
        if request.path.startswith("/api/"):
            check_access(request)
        return await handler(request)
    except Refusal as refusal:
        headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
        return web.json_response(refusal.body, status=refusal.status, headers=headers)
    except web.HTTPException as answer:
        if answer.status < 400:
            raise
        headers = {"Allow": answer.headers["Allow"]} if "Allow" in answer.headers else {}
        body = {"message": answer.reason, "error_code": ERROR_CODES.get(answer.status, answer.status)}
        return web.Response(
            status=answer.status, text=json.dumps(body), content_type="application/json", headers=headers
        )
