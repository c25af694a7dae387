"""The local Sphere Engine Containers as one application."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from playground.harness import Clock, Handler, Harness, refusals
from playground.sphere import api, control, views
from playground.sphere.asking import STATE, WEBHOOKS, check_access
from playground.sphere.errors import error_body
from playground.sphere.seed import Seed, load, parse
from playground.sphere.state import State
from playground.sphere.webhooks import Webhooks

#: Minimum time between status reads of a workspace, in seconds. No limit is published; this is what a
#: considerate client observes.
MINIMUM_SECONDS = 5.0
RULE = "5 s between status reads of one workspace"
RETRY_RULE = "no call before Retry-After has passed"
#: Calls that were already under way when the first one got 429 aren't violations.
UNDER_WAY_SECONDS = 1.0
_STATUS_READ = re.compile(r"/api/v1/workspaces/([^/]+)/?$")
_START = re.compile(r"^POST /api/v1/workspaces/?$|^PUT /api/v1/workspaces/[^/]+/resume$")


class SphereServer:
    """The application, harness and state of one local Sphere Engine."""

    def __init__(self, clock: Clock | None = None, seed: Seed | None = None) -> None:
        self.harness = Harness(clock, lambda status: error_body(status, "injected fault"))
        self.state = State(self.harness.clock, seed or load())
        self.webhooks = Webhooks(self.state)
        self.app = web.Application(middlewares=[refusals(error_body), _access])
        self.app[STATE] = self.state
        self.app[WEBHOOKS] = self.webhooks
        self.app[views.SOCKETS] = set()
        for module in (api, views, control):
            self.app.add_routes(module.routes())
        self.app.cleanup_ctx.append(self.webhooks.life)
        self.app.on_shutdown.append(views.close_sockets)
        self.harness.install(self.app)
        self.harness.watch(_STATUS_READ, MINIMUM_SECONDS, RULE, _START)
        self.app.middlewares.insert(0, self._count_impatience)

    @property
    def credentials(self) -> dict[str, Any]:
        """Return the initial token, webhook secret and ids."""
        return {
            "access_token": self.state.access_token,
            "webhook_secret": self.state.webhook_secret,
            "projects": {project.name: project.id for project in self.state.projects.values()},
            "workspaces": {one.id: one.project.name for one in self.state.workspaces.values()},
        }

    def ready_credentials(self, url: str) -> dict[str, Any]:
        """Return the credentials for the ready line, and where pages load this server's SDK from."""
        return {**self.credentials, "sdk_base": url.partition("://")[2], "sdk_https": url.startswith("https")}

    @web.middleware
    async def _count_impatience(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        state, now = self.state, self.harness.clock.now()
        if request.path.startswith("/api/") and now < state.busy_until:
            if state.busy_answered_at is None:
                state.busy_answered_at = now
            elif now - state.busy_answered_at > UNDER_WAY_SECONDS:
                self.harness.violation(RETRY_RULE, f"{request.method} {request.path}")
        return await handler(request)


def build(clock: Clock | None = None, seed: Seed | Mapping[str, Any] | None = None) -> SphereServer:
    """Build a server from JSON values as in a seed file or, without any, from the default seed."""
    ready = seed if seed is None or isinstance(seed, Seed) else parse(dict(seed))
    return SphereServer(clock, ready)


@web.middleware
async def _access(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Check the access token of the API."""
    if request.path.startswith("/api/"):
        check_access(request)
    return await handler(request)
