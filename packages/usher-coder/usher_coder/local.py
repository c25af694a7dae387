"""A strict local Coder, based on Coder's documentation. It refuses unknown fields, headers and ids.

A workspace's state is that of its latest build. Builds take time, and only one is active at a time. A build
fails if the quota is exhausted when it starts. Until an app's agent is ready, Coder answers the app's
requests with 502.
"""

from __future__ import annotations

import json
import re
import secrets
import string
import uuid
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from aiohttp import web

from playground.faults import Refusal
from playground.harness import Clock, Harness, refusals, run_server
from usher_coder.local_builds import AUTOSTOP, BUILDS, DOING, PREBUILDS_ID, Build, Made, check_values

USER: web.RequestKey[str] = web.RequestKey("user", str)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAME = re.compile(r"[a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)*")
_SIGNED_OUT = "You are signed out or your session has expired. Please sign in again to continue."
_ABSENT = "Resource not found or you do not have access to this resource"
_BUILD_FIELDS = frozenset(
    {
        *("transition", "template_version_id", "rich_parameter_values", "dry_run", "state", "orphan"),
        *("log_level", "template_version_preset_id", "reason"),
    }
)
_CREATE_FIELDS = frozenset(
    {
        *("name", "template_id", "template_version_id", "rich_parameter_values", "autostart_schedule"),
        *("ttl_ms", "automatic_updates", "template_version_preset_id"),
    }
)

SEED: Mapping[str, Any] = {
    "users": [
        {"name": "alice", "token": "aLiCe12345-0123456789abcdefABCDEF"},
        {"name": "bob", "token": "bObbB12345-0123456789abcdefABCDEF"},
        {"name": "root", "token": "rOoTt12345-0123456789abcdefABCDEF", "owner": True},
    ],
    "templates": [
        {
            "name": "docker",
            "title": "Docker",
            "parameters": [
                {
                    "name": "cpu",
                    "display_name": "CPUs",
                    "type": "number",
                    "default_value": "2",
                    "validation_min": 1,
                    "validation_max": 8,
                },
                {
                    "name": "ide",
                    "display_name": "IDE",
                    "default_value": "code",
                    "description_plaintext": "What opens.",
                    "options": [{"name": "VS Code", "value": "code"}, {"name": "Jupyter", "value": "lab"}],
                },
                {
                    "name": "repo",
                    "display_name": "Repository",
                    "validation_regex": "^https://",
                    "validation_error": "Needs https.",
                },
                {"name": "gpu", "display_name": "GPU", "type": "bool", "default_value": "false"},
                {
                    "name": "tools",
                    "display_name": "Tools",
                    "type": "list(string)",
                    "default_value": '["git"]',
                },
                {"name": "wipe", "type": "bool", "default_value": "false", "ephemeral": True},
            ],
        },
        {"name": "plain"},
    ],
    "workspaces": [
        {"owner": "alice", "name": "training", "template": "docker"},
        {
            "owner": "alice",
            "name": "broken",
            "template": "docker",
            "fails": [
                "terraform apply: exit status 1",
                "Error: no such image: images.example.org/gone:latest",
            ],
        },
        {"owner": "bob", "name": "secret", "template": "docker"},
    ],
}


class LocalCoder:
    """A local Coder server, set up from a seed, with a clock that tests can advance."""

    def __init__(self, clock: Clock, seed: Mapping[str, Any] = SEED) -> None:
        self.clock, self.seed = clock, seed
        self.harness = Harness(clock, words=lambda _: {"message": "injected fault"})
        #: Reports reads of the same workspace that are less than ten seconds apart.
        self.harness.watch(re.compile(r"/api/v2/workspaces/([0-9a-f-]{36})$"), 10.0, "read_too_early")
        self.users = {one["token"]: one["name"] for one in seed["users"]}
        self.ids = {name: _id(name) for name in self.users.values()}
        self.owners = {one["name"] for one in seed["users"] if one.get("owner")}
        self.templates = {_id(one["name"]): one for one in seed["templates"]}
        #: The number of each template's active version, by template id; and the ids of archived versions.
        self.active = dict.fromkeys(self.templates, 1)
        self.archived: set[str] = set()
        #: Workspaces that were built in advance and that nobody has claimed yet.
        self.prebuilt: list[Made] = []
        #: The daily cost of each build. It is 0 for templates without a cost.
        self.daily_cost = 0
        self.workspaces: dict[str, Made] = {}
        for one in seed["workspaces"]:
            made = self.add(one["owner"], one["name"], one["template"], transition="stop", seconds=0)
            made.fails, made.stop_fails = one.get("fails"), one.get("stop_fails")
            made.cancels = one.get("cancels", ())
            made.is_dormant, made.is_outdated = one.get("dormant", False), one.get("outdated", False)
            made.users, made.groups = one.get("users", ()), one.get("groups", ())
            made.role = one.get("role", "use")
        app = self.app = web.Application(
            middlewares=[refusals(lambda _, message: {"message": message}), self._signed_in]
        )
        for method, path, handler in (
            ("GET", "/api/v2/buildinfo", self.buildinfo),
            ("GET", "/api/v2/users/me", self.me),
            ("GET", "/api/v2/users/me/keys/{key}", self.key),
            ("GET", "/api/v2/groups", self.all_groups),
            ("GET", "/api/v2/organizations/{id}/members/{user}/workspace-quota", self.quota),
            ("GET", "/api/v2/workspaces", self.listed),
            ("GET", "/api/v2/workspaces/{id}", self.read),
            ("POST", "/api/v2/workspaces/{id}/builds", self.build),
            ("PUT", "/api/v2/workspaces/{id}/dormant", self.dormant),
            ("PUT", "/api/v2/workspaces/{id}/extend", self.extend),
            ("GET", "/api/v2/workspacebuilds/{id}/logs", self.logs),
            ("GET", "/api/v2/templates", self.all_templates),
            ("GET", "/api/v2/templateversions/{id}", self.version),
            ("GET", "/api/v2/templateversions/{id}/rich-parameters", self.parameters),
            ("POST", "/api/v2/users/me/workspaces", self.create),
            ("GET", "/api/v2/users/me/workspace/{name}", self.by_name),
            ("GET", "/api/v2/users/me/workspace/{name}/builds/{number}", self.build_by_number),
            ("GET", "/@{owner}/{name}.{agent}/apps/{slug}/", self.app_page),
            ("GET", "/login", self.login_page),
            ("POST", "/login", self.log_in),
        ):
            app.router.add_route(method, path, handler)
        self.harness.install(app)

    @property
    def credentials(self) -> dict[str, Any]:
        """Return everyone's tokens."""
        return {"users": {name: {"token": token} for token, name in self.users.items()}}

    @web.middleware
    async def _signed_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith("/api/v2/") or request.path == "/api/v2/buildinfo":
            return await handler(request)
        if "Authorization" in request.headers:
            self.harness.violation("header", "Coder's header is Coder-Session-Token")
        name = self.users.get(request.headers.get("Coder-Session-Token", ""))
        if name is None:
            raise Refusal(401, _SIGNED_OUT)
        request[USER] = name
        asked = request.match_info.get("id")
        if asked is not None and not _UUID.fullmatch(asked):
            raise Refusal(400, f'Invalid UUID "{asked}".')
        return await handler(request)

    # -- contents -------------------------------------------------------------------------------------------

    def add(self, owner: str, name: str, template: str, *, transition: str, seconds: float) -> Made:
        """Create a workspace and its first build."""
        made = Made(_id(f"{owner}/{name}/{len(self.workspaces)}"), owner, name, template, self.clock.now())
        self.workspaces[made.id] = made
        self.begin(made, transition, seconds)
        return made

    def prebuild(self, template: str) -> None:
        """Build a workspace in advance. The next creation from the template claims it."""
        unclaimed = f"prebuild-{len(self.prebuilt)}"
        made = self.add("prebuilds", unclaimed, template, transition="start", seconds=0)
        self.prebuilt.append(self.workspaces.pop(made.id))

    def _claim(self, owner: str, name: str, template: str) -> Made | None:
        """Give a new owner a prebuilt workspace, whose next build is the claim."""
        made = next((one for one in self.prebuilt if one.template == template), None)
        if made is not None:
            self.prebuilt.remove(made)
            made.owner, made.name = owner, name
            self.workspaces[made.id] = made
            self.begin(made, "start", BUILDS)
        return made

    def begin(self, made: Made, transition: str, seconds: float) -> Build:
        """Begin a build, which will fail if it starts a workspace and the owner's quota is exhausted."""
        number, fails = len(made.builds) + 1, made.stop_fails if transition == "stop" else None
        if transition == "start":
            most = self.seed.get("quota", 99)
            used = self._count_up(made.owner, besides=made)
            fails = ["insufficient quota", "Insufficient quota"] if used >= most else made.fails
        build = Build(_id(f"{made.id}/{number}"), number, transition, self.clock.now(), seconds, fails)
        build.is_canceled = transition in made.cancels
        build.initiator = self.ids.get(made.owner, PREBUILDS_ID)
        made.builds.append(build)
        return build

    def _count_up(self, owner: str, besides: Made | None = None) -> int:
        theirs = (one for one in self.workspaces.values() if one.owner == owner and one is not besides)
        return sum(self.status(one) in {"pending", "starting", "running"} for one in theirs)

    def status(self, made: Made) -> str:
        """Return a workspace's status."""
        return made.builds[-1].status(self.clock.now())

    def rename(self, former: str, name: str) -> None:
        """Rename a user, whose id and tokens remain the same."""
        self.ids[name] = self.ids.pop(former)
        self.users = {token: name if one == former else one for token, one in self.users.items()}
        for made in self.workspaces.values():
            made.owner = name if made.owner == former else made.owner

    def update_template(self, name: str, *, archives: bool = False) -> None:
        """Add a version of a template and make it the active one. Archive the former one if so desired."""
        if archives:
            self.archived.add(_version(name, self.active[_id(name)]))
        self.active[_id(name)] += 1

    def _requires_active_version(self, made: Made) -> bool:
        return bool(self.templates.get(_id(made.template), {}).get("require_active_version"))

    def _is_outdated(self, made: Made) -> bool:
        return made.is_outdated or made.version != self.active.get(_id(made.template), made.version)

    def _find_version(self, version_id: Any) -> tuple[str, int]:
        """Return the template id and the number of a version; raise LookupError if it doesn't exist."""
        for key, one in self.templates.items():
            for number in range(1, self.active[key] + 1):
                if _version(one["name"], number) == version_id:
                    return key, number
        raise LookupError

    def _theirs(self, owner: str) -> Iterator[Made]:
        return (
            one for one in self.workspaces.values() if one.owner == owner and self.status(one) != "deleted"
        )

    def _named(self, request: web.Request) -> Made:
        made = self.workspaces.get(request.match_info["id"])
        if made is None or not self._may_see(made, request[USER]):
            raise Refusal(404, _ABSENT)
        if self.status(made) == "deleted":
            raise Refusal(410, f'Workspace "{made.id}" was deleted.')
        return made

    def _may_see(self, made: Made, user: str) -> bool:
        # A dormant workspace isn't shared (RBACObject in coderd/database/modelmethods.go).
        is_shared = not made.is_dormant and self._is_shared_with(made, user)
        return user in {made.owner, *self.owners} or is_shared

    def _may_update(self, made: Made, user: str) -> bool:
        """Return whether a user may do more than open, start and stop (WorkspaceRoleActions in db2sdk.go)."""
        is_admin = made.role == "admin" and self._is_shared_with(made, user)
        return user in {made.owner, *self.owners} or is_admin

    def _is_shared_with(self, made: Made, user: str) -> bool:
        groups = {"everyone": [*self.ids], **self.seed.get("groups", {})}
        return user in made.users or any(user in groups.get(one, ()) for one in made.groups)

    def _list_actors(self, made: Made) -> list[dict[str, Any]]:
        users = [{"id": self.ids[one], "actor_type": "user", "name": one} for one in made.users]
        groups = [{"id": _id(one), "actor_type": "group", "name": one} for one in made.groups]
        return [{**one, "roles": [made.role]} for one in (*users, *groups)]

    # -- responses ------------------------------------------------------------------------------------------

    def shown(self, made: Made) -> dict[str, Any]:
        """Return a workspace as the API shows it."""
        build, now = made.builds[-1], self.clock.now()
        return {
            "id": made.id,
            "name": made.name,
            "owner_id": self.ids[made.owner],
            "owner_name": made.owner,
            "template_id": _id(made.template),
            "template_name": made.template,
            "created_at": _stamp(made.at),
            "updated_at": _stamp(build.at),
            "last_used_at": _stamp(made.at),
            "outdated": self._is_outdated(made),
            "template_require_active_version": self._requires_active_version(made),
            "ttl_ms": int(AUTOSTOP * 1000),
            "health": {"healthy": True, "failing_agents": []},
            "organization_id": _id("everyone"),
            "shared_with": self._list_actors(made),
            "latest_build": self._shown_build(made, build, now),
            **({"dormant_at": _stamp(made.at)} if made.is_dormant else {}),
        }

    def _shown_build(self, made: Made, build: Build, now: float) -> dict[str, Any]:
        job: dict[str, Any] = {
            "id": build.id,
            "created_at": _stamp(build.at),
            "status": build.job(now),
            "queue_position": 2 if build.job(now) == "pending" else 0,
            "queue_size": 2,
            "tags": {},
            "type": "workspace_build",
        }
        if build.fails and build.job(now) == "failed":
            job["error"] = build.fails[0]
        if build.job(now) == "canceled":
            job["canceled_at"] = _stamp(build.at + build.seconds)
        if build.job(now) in {"failed", "canceled", "succeeded"}:
            job["completed_at"] = _stamp(build.at + build.seconds)
        is_up = build.transition == "start" and build.status(now) == "running"
        shown = {
            "id": build.id,
            "build_number": build.number,
            "created_at": _stamp(build.at),
            "updated_at": _stamp(build.at),
            "workspace_id": made.id,
            "workspace_name": made.name,
            "workspace_owner_name": made.owner,
            "template_version_id": _version(made.template, made.version),
            "initiator_id": build.initiator,
            "transition": build.transition,
            "status": build.status(now),
            "daily_cost": self.daily_cost,
            "reason": "initiator",
            "job": job,
            "resources": self._resources(made, build, now) if is_up else [],
        }
        if is_up:
            last_at = self._last_deadline(made)
            ends_at = build.deadline if last_at is None else min(build.deadline, last_at)
            shown["deadline"] = _stamp(ends_at)
            shown |= {} if last_at is None else {"max_deadline": _stamp(last_at)}
        return shown

    def _last_deadline(self, made: Made) -> float | None:
        template = next(one for one in self.templates.values() if one["name"] == made.template)
        hours = template.get("autostop_requirement")
        return None if hours is None else made.builds[-1].at + hours * 3600.0

    def _resources(self, made: Made, build: Build, now: float) -> list[dict[str, Any]]:
        is_ready = build.is_ready(now)
        app = {
            "id": _id(f"{build.id}/app"),
            "slug": "code-server",
            "display_name": "code-server",
            "external": False,
            "hidden": False,
            "subdomain": self.seed.get("subdomain", False),
            "subdomain_name": f"code-server--main--{made.name}--{made.owner}",
            "sharing_level": "owner",
            "health": "healthy" if is_ready else "initializing",
            "open_in": "tab",
            "statuses": [],
        }
        desktop = {**app, "slug": "vscode", "external": True, "url": "vscode://coder.coder-remote/open"}
        agent = {
            "id": _id(f"{build.id}/agent"),
            "name": "main",
            "status": "connected" if is_ready else "connecting",
            "lifecycle_state": "ready" if is_ready else "starting",
            "apps": [desktop, app],
        }
        home = {"id": _id(f"{build.id}/home"), "type": "docker_volume", "name": "home", "agents": []}
        pod = {"id": _id(f"{build.id}/dev"), "type": "docker_container", "name": "dev", "agents": [agent]}
        return [home, pod]

    # -- the API ---------------------------------------------------------------------------------------------

    async def buildinfo(self, _request: web.Request) -> web.Response:
        """Return Coder's version, which is public."""
        return web.json_response({"version": "v2.30.0+0123456", "external_url": "", "dashboard_url": ""})

    async def me(self, request: web.Request) -> web.Response:
        """Return the token's owner."""
        name = request[USER]
        user = {"id": self.ids[name], "username": name, "email": f"{name}@example.com", "status": "active"}
        more = {"created_at": _stamp(self.clock.now()), "organization_ids": [_id("everyone")]}
        return web.json_response(user | more)

    async def quota(self, request: web.Request) -> web.Response:
        """Return a user's quota. Without a licence, the budget is -1."""
        user = request[USER]
        if request.match_info["id"] != _id("everyone") or request.match_info["user"] != self.ids[user]:
            raise Refusal(404, _ABSENT)
        used = self._count_up(user)
        return web.json_response({"budget": self.seed.get("quota", -1), "credits_consumed": used})

    async def key(self, request: web.Request) -> web.Response:
        """Return when a token expires: in 30 days."""
        now = self.clock.now()
        times = {name: _stamp(now) for name in ("created_at", "updated_at", "last_used")}
        token = {"id": request.match_info["key"], "user_id": self.ids[request[USER]], "token_name": "usher"}
        ends = {"expires_at": _stamp(now + 2_592_000), "lifetime_seconds": 2_592_000, "login_type": "token"}
        return web.json_response({**times, **token, **ends})

    async def listed(self, request: web.Request) -> web.Response:
        """List workspaces, page by page."""
        if not set(request.query) <= {"q", "limit", "offset"}:
            raise Refusal(400, "Query parameters have invalid values.")
        user, which = request[USER], request.query.get("q", "")
        every = [one for owner in dict.fromkeys(self.users.values()) for one in self._theirs(owner)]
        found = [one for one in every if self._may_see(one, user)]
        if which == "owner:me":
            found = [one for one in every if one.owner == user]
        elif which == "shared:true":
            found = [one for one in found if one.users or one.groups]
        begin = int(request.query.get("offset", 0))
        size = int(request.query.get("limit", 0)) or len(found)
        page = [self.shown(one) for one in found[begin : begin + size]]
        return web.json_response({"workspaces": page, "count": len(found)})

    async def all_groups(self, request: web.Request) -> web.Response:
        """List the groups of a given user. Without a licence, answer 404, as Coder does."""
        if "groups" not in self.seed:
            raise Refusal(404, "Groups is an Enterprise feature. Contact sales!")
        names = [name for name, one in self.ids.items() if one == request.query.get("has_member")]
        found = [name for name, members in self.seed["groups"].items() if {*names} & {*members}]
        return web.json_response([{"id": _id(name), "name": name} for name in found])

    async def read(self, request: web.Request) -> web.Response:
        """Show a workspace."""
        return web.json_response(self.shown(self._named(request)))

    async def by_name(self, request: web.Request) -> web.Response:
        """Show one of the user's own workspaces, looked up by name."""
        return web.json_response(self.shown(self._own(request)))

    async def build_by_number(self, request: web.Request) -> web.Response:
        """Show one build of one of the user's own workspaces."""
        made = self._own(request)
        for one in made.builds:
            if str(one.number) == request.match_info["number"]:
                return web.json_response(self._shown_build(made, one, self.clock.now()))
        raise Refusal(404, _ABSENT)

    def _own(self, request: web.Request) -> Made:
        name = request.match_info["name"].lower()
        for one in self._theirs(request[USER]):
            if one.name.lower() == name:
                return one
        raise Refusal(404, _ABSENT)

    async def build(self, request: web.Request) -> web.Response:
        """Begin a build unless another one is active."""
        made, body = self._named(request), await _body(request, _BUILD_FIELDS)
        if body.get("transition") not in DOING:
            raise Refusal(400, "Validation failed.")
        if body["transition"] == "delete" and request[USER] not in {made.owner, *self.owners}:
            raise Refusal(404, _ABSENT)
        if made.builds[-1].job(self.clock.now()) in {"pending", "running"}:
            raise Refusal(409, "A workspace build is already active.")
        is_held = made.is_dormant or (
            self._is_outdated(made)
            and self._requires_active_version(made)
            and "template_version_id" not in body
        )
        if body["transition"] == "start" and is_held:
            raise Refusal(403, "Forbidden.")
        build = self.begin(made, body["transition"], BUILDS)
        build.initiator = self.ids[request[USER]]
        return web.json_response(self._shown_build(made, build, self.clock.now()), status=201)

    async def dormant(self, request: web.Request) -> web.Response:
        """Make a workspace dormant, or wake it."""
        made, body = self._named(request), await _body(request, frozenset({"dormant"}))
        if not isinstance(body.get("dormant"), bool):
            raise Refusal(400, "Validation failed.")
        if made.is_dormant == body["dormant"]:
            return web.Response(status=304)
        made.is_dormant = body["dormant"]
        return web.json_response(self.shown(made))

    async def extend(self, request: web.Request) -> web.Response:
        """Change the deadline of a workspace's build."""
        made, body = self._named(request), await _body(request, frozenset({"deadline"}))
        build, now, last_at = made.builds[-1], self.clock.now(), self._last_deadline(made)
        if build.transition != "start" or build.status(now) != "running":
            raise Refusal(409, "Workspace must be started.")
        at = datetime.fromisoformat(str(body.get("deadline"))).timestamp()
        # Coder's own message says 30 minutes (validWorkspaceDeadline in coderd/workspaces.go).
        if at < now + 29 * 60.0:
            words = "new deadline must be at least 30 minutes in the future"
            raise Refusal(400, f"Cannot extend workspace: {words}")
        if last_at is not None and at > last_at:
            raise Refusal(400, "Cannot extend workspace beyond max deadline.")
        if not self._may_update(made, request[USER]):
            raise Refusal(500, "Failed to extend workspace deadline.")
        build.extended = at
        return web.json_response({"message": "Deadline updated."})

    async def logs(self, request: web.Request) -> web.Response:
        """Show the log of a build."""
        for made in self.workspaces.values():
            for build in made.builds:
                if build.id == request.match_info["id"] and made.owner == request[USER]:
                    return web.json_response(self._lines(build))
        raise Refusal(404, _ABSENT)

    def _lines(self, build: Build) -> list[dict[str, Any]]:
        lines = [("info", "Terraform 1.9.2"), ("info", "docker_container.dev: Creating...")]
        if build.fails and build.job(self.clock.now()) == "failed":
            lines += [("error", build.fails[1]), ("error", "")]
        return [
            {
                "id": number,
                "created_at": _stamp(build.at),
                "log_source": "provisioner",
                "log_level": level,
                "stage": "Starting workspace",
                "output": text,
            }
            for number, (level, text) in enumerate(lines)
        ]

    async def all_templates(self, _request: web.Request) -> web.Response:
        """List the templates."""
        shown = [
            {
                "id": key,
                "name": one["name"],
                "display_name": one.get("title", ""),
                "deprecated": one.get("deprecated", False),
                "active_version_id": _version(one["name"], self.active[key]),
                "organization_name": "default",
            }
            for key, one in self.templates.items()
        ]
        return web.json_response(shown)

    async def version(self, request: web.Request) -> web.Response:
        """Show a version of a template, which may be archived."""
        version_id = request.match_info["id"]
        template_id, number = self._named_version(request)
        shown = {"id": version_id, "template_id": template_id, "name": f"v{number}", "readme": ""}
        return web.json_response({**shown, "message": "", "archived": version_id in self.archived})

    def _named_version(self, request: web.Request) -> tuple[str, int]:
        try:
            return self._find_version(request.match_info["id"])
        except LookupError:
            raise Refusal(404, _ABSENT) from None

    async def parameters(self, request: web.Request) -> web.Response:
        """List the rich parameters of a template's version."""
        one = self.templates[self._named_version(request)[0]]
        usual = {"type": "string", "default_value": "", "required": False, "options": []}
        known = {"mutable": True, "description_plaintext": "", "ephemeral": False}
        return web.json_response([{**usual, **known, **told} for told in one.get("parameters", [])])

    async def create(self, request: web.Request) -> web.Response:
        """Create a workspace and start it."""
        body, owner = await _body(request, _CREATE_FIELDS), request[USER]
        name = str(body.get("name"))
        if (
            not _NAME.fullmatch(name)
            or len(name) > 32
            or ("template_id" in body) == ("template_version_id" in body)
        ):
            raise Refusal(400, "Validation failed.")
        if any(one.name.lower() == name.lower() for one in self._theirs(owner)):
            raise Refusal(409, f'Workspace "{name}" already exists.')
        template_id, number = self._find_source(body)
        template = self.templates[template_id]
        check_values(template, body.get("rich_parameter_values", []))
        is_bound = template.get("require_active_version") and owner not in self.owners
        if is_bound and number != self.active[template_id]:
            raise Refusal(403, "insert workspace build")
        made = self._claim(owner, name, template["name"])
        made = made or self.add(owner, name, template["name"], transition="start", seconds=BUILDS)
        made.version = number
        return web.json_response(self.shown(made), status=201)

    def _find_source(self, body: Mapping[str, Any]) -> tuple[str, int]:
        """Return the template and the number of the version that a creation asks for, or refuse them.

        The refusals are those of requestTemplate in coderd/workspaces.go.
        """
        template_id, version_id = body.get("template_id"), body.get("template_version_id")
        if version_id is None:
            if template_id not in self.templates:
                raise Refusal(400, f'Template "{template_id}" doesn\'t exist.')
            return str(template_id), self.active[str(template_id)]
        try:
            found = self._find_version(version_id)
        except LookupError:
            raise Refusal(400, f'Template version "{version_id}" doesn\'t exist.') from None
        if version_id in self.archived:
            raise Refusal(500, "Archived template versions cannot be used to make a workspace.")
        return found

    async def app_page(self, request: web.Request) -> web.Response:
        """Serve the IDE, but only to its owner and only once the workspace's agent is ready.

        By default, Coder doesn't share apps without a subdomain, whoever the workspace is shared with
        (authorizeRequest in coderd/workspaceapps/db.go).
        """
        owner, name, now = request.match_info["owner"], request.match_info["name"], self.clock.now()
        ready = {one.name for one in self._theirs(owner) if one.builds[-1].is_ready(now)}
        if name not in ready:
            return web.Response(status=502, text="Bad Gateway")
        signed_in = self.users.get(request.cookies.get("coder_session_token", ""))
        if signed_in is None:
            raise web.HTTPSeeOther(f"/login?redirect={quote(request.path)}")
        if signed_in != owner:
            return web.Response(status=404, text="Not Found")
        return _page("code-server", f"<p>code-server of {owner} is running</p>")

    async def login_page(self, _request: web.Request) -> web.Response:
        """Ask who is signing in. On this local server, the token is the password."""
        fields = '<input name="username"><input name="password" type="password"><button>Sign in</button>'
        return _page("Sign in", f'<form method="post" action="/login">{fields}</form>')

    async def log_in(self, request: web.Request) -> web.Response:
        """Log a browser in as a user."""
        form = await request.post()
        token = str(form.get("password"))
        if self.users.get(token) != form.get("username"):
            return web.Response(status=401, text="Incorrect email or password.")
        answer = _page("Workspaces", "<p>Signed in</p>")
        answer.set_cookie("coder_session_token", token, httponly=True, samesite="Lax")
        return answer


async def _body(request: web.Request, known: frozenset[str]) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError:
        body = None
    if not isinstance(body, dict) or not set(body) <= known:
        raise Refusal(400, "Request body must be valid JSON.")
    return body


def _page(title: str, body: str) -> web.Response:
    text = f"<!doctype html><html><head><title>{title}</title></head><body>{body}</body></html>"
    return web.Response(text=text, content_type="text/html")


def _id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


def _version(template: str, number: int) -> str:
    return _id(f"{template}/v{number}")


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def guest(people: Collection[str]) -> dict[str, Any]:
    """Return the demo's connection to this server, where everyone has an account and a workspace."""
    users = [{"name": name, "token": _token(name)} for name in people]
    workspaces = [{"owner": name, "name": "devbox", "template": "docker"} for name in people]
    return {
        "name": "coder",
        "title": "Coder",
        "module": "usher_coder.local",
        "seed": {**SEED, "users": users, "workspaces": workspaces},
        "settings": {"provider": "coder", "from": "usher-coder", "title": "Coder"},
    }


def _token(name: str) -> str:
    letters = string.ascii_letters + string.digits
    key = re.sub(r"[^0-9A-Za-z]", "", name)[:10]
    return f"{key:0<10}-" + "".join(secrets.choice(letters) for _ in range(22))


def build(seed: Mapping[str, Any]) -> tuple[web.Application, dict[str, Any]]:
    """Return the server to run, and everyone's credentials, which are printed once it's ready."""
    server = LocalCoder(Clock(), seed)
    return server.app, server.credentials


if __name__ == "__main__":
    run_server(build, SEED)
