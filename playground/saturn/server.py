"""The local Saturn Cloud as one application."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from playground.harness import Clock, Handler, Harness, refusals
from playground.saturn import (
    api_accounts,
    api_document,
    api_pods,
    api_recipes,
    api_resources,
    control,
    pages,
)
from playground.saturn.asking import STATE
from playground.saturn.seed import Seed, load, parse
from playground.saturn.state import State

#: Saturn Cloud's limit on status reads of a workspace (``docs/internals/providers/saturn.md``, "Workspaces").
MINIMUM_SECONDS = 10.0
RULE = "workspace status at most once per 10 s"
_STATUS_READ = re.compile(r"/api/workspaces/([^/]+)(?:/history)?/?$")
_START = re.compile(r"^POST /api/(?:workspaces|jobs)/[^/]+/start/?$")

GUIDE_APIS = (api_accounts, api_resources, api_recipes, api_pods)
#: The endpoints in the published guides. All others under /api are known only from the vendor's client.
_SEED_ENDPOINTS = re.compile(
    r"GET /api/user/token|POST /api/resource_recipes/clone|GET /api/workspaces/[^/]+"
    r"|POST /api/workspaces/[^/]+/(start|stop)|POST /api/jobs/[^/]+/start"
)


class SaturnServer:
    """The application, harness and state of one local Saturn Cloud."""

    def __init__(self, clock: Clock | None = None, seed: Seed | None = None) -> None:
        self.harness = Harness(clock)
        self.state = State(self.harness.clock, seed or load())
        self.app = web.Application(
            middlewares=[_only_seeds, refusals(lambda _, message: {"message": message})]
        )
        self.app[STATE] = self.state
        apis = GUIDE_APIS if self.state.dialect == "guide" else (api_document,)
        for module in (*apis, pages, control):
            self.app.add_routes(module.routes())
        self.app.middlewares.append(self._count_pods)
        self.harness.install(self.app)
        self.harness.watch(_STATUS_READ, MINIMUM_SECONDS, RULE, _START)

    @web.middleware
    async def _count_pods(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Count reads of a workspace's pods as status reads, because they show its state, too."""
        if request.path == "/api/active/pods" and request.query.get("workload_type") == "workspace":
            self.harness.read_of(request.query.get("workload_id", ""), MINIMUM_SECONDS, RULE)
        return await handler(request)

    @property
    def credentials(self) -> dict[str, Any]:
        """Return the initial tokens, passwords and ids, for the ready line."""
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


def build(clock: Clock | None = None, seed: Seed | Mapping[str, Any] | None = None) -> SaturnServer:
    """Build a server from JSON values as in a seed file or, without any, from the default seed."""
    ready = seed if seed is None or isinstance(seed, Seed) else parse(dict(seed))
    return SaturnServer(clock, ready)


@web.middleware
async def _only_seeds(request: web.Request, handler: Handler) -> web.StreamResponse:
    """If the server is set to ``seeds_only``, answer 404 for endpoints not in the published guides."""
    if request.app[STATE].seeds_only and request.path.startswith("/api/"):
        method = "GET" if request.method == "HEAD" else request.method
        if not _SEED_ENDPOINTS.fullmatch(f"{method} {request.path}"):
            return web.json_response({"message": "Not found"}, status=404)
    return await handler(request)
