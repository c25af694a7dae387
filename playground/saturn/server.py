"""The local Saturn Cloud as one application."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from playground.harness import Clock, Handler, Harness
from playground.saturn import api_accounts, api_pods, api_recipes, api_resources, control, pages
from playground.saturn.asking import BASE_URL, STATE
from playground.saturn.errors import Refusal
from playground.saturn.seed import Seed, load, parse
from playground.saturn.state import State

#: Saturn Cloud's rule on status reads of one workspace (``docs/providers/saturn.md``, "Workspaces").
MINIMUM_SECONDS = 10.0
RULE = "workspace status at most once per 10 s"
_STATUS_READ = re.compile(r"/api/workspaces/([^/]+)/?$")

#: What the published guides state; everything else under /api is known from the vendor's client only.
_SEED_ENDPOINTS = re.compile(
    r"GET /api/user/token|POST /api/resource_recipes/clone|GET /api/workspaces/[^/]+"
    r"|POST /api/workspaces/[^/]+/(start|stop)|POST /api/jobs/[^/]+/start"
)


class SaturnServer:
    """Hold the application, the harness and the state of one local Saturn Cloud.

    Without a base URL its own links use the host that it was called by.
    """

    def __init__(self, clock: Clock | None = None, seed: Seed | None = None, base_url: str = "") -> None:
        self.harness = Harness(clock)
        self.state = State(self.harness.clock, seed or load())
        self.app = web.Application(middlewares=[_only_seeds, _refusals])
        self.app[STATE] = self.state
        self.app[BASE_URL] = base_url.rstrip("/")
        for module in (api_accounts, api_resources, api_recipes, api_pods, pages, control):
            self.app.add_routes(module.routes())
        self.harness.install(self.app)
        self.app.middlewares.insert(0, self._count_reads)

    @property
    def credentials(self) -> dict[str, Any]:
        """Return the tokens, passwords and ids of this start, for the ready line."""
        accounts = self.state.accounts
        users = {
            person.name: {
                "token": accounts.user_token(person),
                "refresh_token": accounts.first_refresh_tokens[person.name],
                "password": person.password,
                "workspaces": self._ids(person.name, "workspace"),
                "jobs": self._ids(person.name, "job"),
            }
            for person in accounts.people.values()
        }
        admins = [accounts.user_token(person) for person in accounts.people.values() if person.admin]
        return {
            "admin_token": admins[0] if admins else None,
            "users": users,
            "organisation": self.state.organisation,
        }

    def _ids(self, owner: str, kind: str) -> dict[str, str]:
        mine = [one for one in self.state.resources.values() if one.owner == owner and one.type == kind]
        return {resource.name: resource.id for resource in mine}

    @web.middleware
    async def _count_reads(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        # Outside of the faults: a read that got no good answer was a read all the same.
        match = _STATUS_READ.match(request.path) if request.method in {"GET", "HEAD"} else None
        if match is not None:
            self.harness.read_of(match[1], MINIMUM_SECONDS, RULE)
        return await handler(request)


def build(
    clock: Clock | None = None, seed: Seed | Mapping[str, Any] | None = None, base_url: str = ""
) -> SaturnServer:
    """Make a server; the seed is JSON values as in a seed file, or the default."""
    ready = seed if seed is None or isinstance(seed, Seed) else parse(dict(seed))
    return SaturnServer(clock, ready, base_url)


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every refusal as ``{"message": …}``."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return web.json_response({"message": refusal.message}, status=refusal.status, headers=refusal.headers)
    except web.HTTPException as answer:
        if answer.status < 400:
            raise
        headers = {"Allow": answer.headers["Allow"]} if "Allow" in answer.headers else {}
        return web.Response(
            status=answer.status,
            text=json.dumps({"message": answer.reason}),
            content_type="application/json",
            headers=headers,
        )


@web.middleware
async def _only_seeds(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 404 to what the published guides do not state, where the server is told to."""
    if request.app[STATE].seeds_only and request.path.startswith("/api/"):
        method = "GET" if request.method == "HEAD" else request.method
        if not _SEED_ENDPOINTS.fullmatch(f"{method} {request.path}"):
            return web.json_response({"message": "Not found"}, status=404)
    return await handler(request)
