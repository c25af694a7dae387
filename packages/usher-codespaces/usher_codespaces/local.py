"""A local GitHub for the kit and the demo: its codespaces API, token page and editors.

It responds as described in GitHub's OpenAPI document (``tests/github_api.json``). Codespaces change state as
the local server's clock advances, and each token has an hourly request limit.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from playground.faults import Refusal
from playground.harness import Clock, Harness, refusals, run_server

HOURLY_REQUESTS = 5000
SECONDS_PER_HOUR = 3600
SECONDS_PER_MINUTE = 60
#: GitHub's maximum and default retention, in minutes.
DEFAULT_RETENTION_MINUTES = 43200
DEFAULT_IDLE_MINUTES = 30
MAX_PAGE_SIZE = 100
DEFAULT_PAGE_SIZE = 30
MAX_DISPLAY_NAME_LENGTH = 48
API_VERSIONS = ["2022-11-28"]
DOCUMENTATION = "https://docs.github.com/rest"
SPENDING_LIMIT = "You have reached your spending limit for Codespaces."
#: GitHub's document doesn't have this answer. The words are from github.com/cli/cli, pull request 5319.
OPERATION_PENDING = (
    "your codespace has an operation pending: {reason}; please wait until this operation is complete"
)
#: The initial data: tokens, repositories, codespaces, and the duration of each state in seconds.
SEED: dict[str, Any] = {
    "tokens": {"alice": f"github_pat_{'a11ce' * 8}", "bob": f"github_pat_{'0b0b0' * 8}"},
    "repositories": {"acme/reef": ["main", "next"], "acme/tide": ["trunk"]},
    "codespaces": {
        "fuzzy-train-g4wpq6h95q": {"owner": "alice", "display_name": "training"},
        "broken-space-x7vr5pj2p": {"owner": "alice", "display_name": "broken"},
        "secret-rotary-5v7wq9r4": {"owner": "bob", "display_name": "secret"},
    },
    "pace_seconds": {"queue": 2, "provision": 8, "boot": 12, "stop": 4},
}
MACHINES = [
    {
        "name": name,
        "display_name": f"{cpus} cores, {cpus * 4} GB RAM, 32 GB storage",
        "operating_system": "linux",
        "storage_in_bytes": 32 << 30,
        "memory_in_bytes": cpus * 4 << 30,
        "cpus": cpus,
        "prebuild_availability": None,
    }
    for name, cpus in (("basicLinux32gb", 2), ("standardLinux32gb", 4))
]
USER_LINKS = (
    "events",
    "followers",
    "following",
    "gists",
    "organizations",
    "received_events",
    "repos",
    "starred",
    "subscriptions",
    "avatar",
    "html",
)
REPOSITORY_LINKS = (
    "archive",
    "assignees",
    "blobs",
    "branches",
    "collaborators",
    "comments",
    "commits",
    "compare",
    "contents",
    "contributors",
    "deployments",
    "downloads",
    "events",
    "forks",
    "git_commits",
    "git_refs",
    "git_tags",
    "hooks",
    "html",
    "issue_comment",
    "issue_events",
    "issues",
    "keys",
    "labels",
    "languages",
    "merges",
    "milestones",
    "notifications",
    "pulls",
    "releases",
    "stargazers",
    "statuses",
    "subscribers",
    "subscription",
    "tags",
    "teams",
    "trees",
    "clone",
    "git",
    "svn",
)
REPOSITORY_COUNTS = (
    "forks",
    "forks_count",
    "open_issues",
    "open_issues_count",
    "size",
    "stargazers_count",
    "watchers",
    "watchers_count",
)
LOGIN = (
    '<form method="post">Name <input name="username"> Token <input name="password"><button>Sign in</button>'
)
DECISION = '<form method="post">{repository} asks for more permissions. <button>Allow</button></form>'
#: The permissions that a fine-grained token needs, one for each request.
PERMISSIONS = (
    (re.compile(r"POST /user/codespaces/[^/]+/(start|stop)"), "codespaces_lifecycle_admin=write"),
    (re.compile(r"(POST|DELETE) .*/codespaces.*"), "codespaces=write"),
    (re.compile(r"GET /repos/.*/machines"), "codespaces_metadata=read"),
    (re.compile(r"GET /repos/.*/branches"), "contents=read"),
    (re.compile(r"GET /user/codespaces.*"), "codespaces=read"),
)


def refused(status: int, message: str = "injected fault") -> dict[str, str]:
    """Return the body of an error, in the document's schema `basic-error`."""
    return {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)}


@dataclass
class LocalCodespace:
    """A codespace, with its future states and the time of each change."""

    number: int
    name: str
    owner: str
    display_name: str
    repository: str
    created_at: float
    machine: str = "basicLinux32gb"
    ref: str = "main"
    idle_minutes: int = DEFAULT_IDLE_MINUTES
    retention_minutes: int = DEFAULT_RETENTION_MINUTES
    state: str = "Shutdown"
    used_at: float = 0.0
    is_broken: bool = False
    extra: dict[str, Any] = field(default_factory=dict)
    plan: list[tuple[float, str]] = field(default_factory=list)

    def enter(self, state: str, *plan: tuple[float, str]) -> None:
        """Enter a state now, and schedule further states with the times at which they begin."""
        self.state, self.plan = state, list(plan)

    def settle(self, now: float) -> None:
        """Enter the states that are due by ``now``."""
        while self.plan and self.plan[0][0] <= now:
            self.state = self.plan.pop(0)[1]


class LocalGitHub:
    """A local server with GitHub's codespaces API on 127.0.0.1."""

    def __init__(self, seed: Mapping[str, Any] = SEED, clock: Clock | None = None) -> None:
        self.seed = seed
        self.clock = clock or Clock()
        self.harness = Harness(self.clock, refused)
        self.pace: Mapping[str, float] = seed["pace_seconds"]
        self.hourly_requests = HOURLY_REQUESTS
        self.used_requests: dict[str, list[int]] = {}
        #: Maps each person to the permissions missing from their fine-grained token. ``scopes`` maps each
        #: person to the scopes of their classic token.
        self.missing_permissions: dict[str, set[str]] = {}
        self.scopes: dict[str, str] = {}
        self.token_expiry: dict[str, str] = {}
        self.over_limit: set[str] = set()
        #: The repositories whose `devcontainer.json` asks for more permissions. Each decision about them is
        #: stored as a person and a repository.
        self.asking_repositories: set[str] = set()
        self.decisions: set[tuple[str, str]] = set()
        self.codespaces: dict[str, LocalCodespace] = {}
        for name, row in seed["codespaces"].items():
            self.add(name, row["owner"], row["display_name"], row.get("repository", "acme/reef"))
        self.app = web.Application(middlewares=[self.limit, refusals(refused)])
        router = self.app.router
        router.add_get("/versions", self.list_versions)
        router.add_get("/user", self.read_user)
        router.add_get("/user/repos", self.list_repositories)
        router.add_get("/user/codespaces", self.list)
        router.add_get("/user/codespaces/{name}", self.read)
        router.add_delete("/user/codespaces/{name}", self.delete)
        router.add_post("/user/codespaces/{name}/start", self.start)
        router.add_post("/user/codespaces/{name}/stop", self.stop)
        router.add_post("/repos/{owner}/{repo}/codespaces", self.create)
        router.add_get("/repos/{owner}/{repo}/codespaces/machines", self.list_machines)
        router.add_get("/repos/{owner}/{repo}/branches", self.list_branches)
        router.add_route("*", "/login", self.sign_in)
        router.add_get("/settings/personal-access-tokens/new", self.show_token)
        router.add_get("/codespaces/{name}", self.show_page)
        router.add_get("/editor/{name}", self.show_editor)
        router.add_route("*", "/{owner}/{repo}/codespaces/allow_permissions", self.decide_permissions)
        self.harness.install(self.app)

    def add(self, name: str, owner: str, display_name: str, repository: str) -> LocalCodespace:
        """Add a codespace, which is initially shut down."""
        codespace = LocalCodespace(
            len(self.codespaces) + 1, name, owner, display_name, repository, self.clock.now()
        )
        codespace.is_broken = "broken" in name
        codespace.used_at = codespace.created_at
        self.codespaces[name] = codespace
        return codespace

    # Limits and permissions

    @web.middleware
    async def limit(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Refuse requests that are over the hourly limit or that the token doesn't permit."""
        if not request.path.startswith(("/user", "/repos/")):
            response: web.StreamResponse = await handler(request)
            return response
        headers: dict[str, str] = {}
        try:
            login = self.find_person(request)
            self.check_limit(login, headers)
            self.check_permission(login, f"{request.method} {request.path}", headers)
            if login in self.token_expiry:
                headers["GitHub-Authentication-Token-Expiration"] = self.token_expiry[login]
            response = await handler(request)
        except Refusal as refusal:
            response = web.json_response(refused(refusal.status, refusal.message), status=refusal.status)
        response.headers.update(headers)
        return response

    def check_limit(self, login: str, headers: dict[str, str]) -> None:
        """Count a request. Over the limit, refuse it with a 403 whose headers give the reason."""
        hour = int(self.clock.now()) // SECONDS_PER_HOUR
        counted = self.used_requests.setdefault(login, [hour, 0])
        if counted[0] != hour:
            counted[:] = [hour, 0]
        is_over = counted[1] >= self.hourly_requests
        counted[1] += 0 if is_over else 1
        headers["X-RateLimit-Limit"] = str(self.hourly_requests)
        headers["X-RateLimit-Remaining"] = str(self.hourly_requests - counted[1])
        headers["X-RateLimit-Reset"] = str((hour + 1) * SECONDS_PER_HOUR)
        headers["X-RateLimit-Resource"] = "core"
        if is_over:
            raise Refusal(403, f"API rate limit exceeded for {login}.")

    def check_permission(self, login: str, request: str, headers: dict[str, str]) -> None:
        """Refuse a request if the token lacks a permission or, if it is a classic token, a scope."""
        needed = next((needed for pattern, needed in PERMISSIONS if pattern.fullmatch(request)), "")
        if login in self.scopes:
            headers["X-OAuth-Scopes"] = self.scopes[login]
            headers["X-Accepted-OAuth-Scopes"] = "codespace" if needed.startswith("codespaces") else ""
            if needed.startswith("codespaces") and "codespace" not in self.scopes[login]:
                raise Refusal(404, "Not Found")
        elif needed:
            headers["X-Accepted-GitHub-Permissions"] = needed
            if needed in self.missing_permissions.get(login, ()):
                raise Refusal(403, "Resource not accessible by personal access token")

    def find_person(self, request: web.Request, token: str | None = None) -> str:
        """Return the login of a token's owner."""
        token = token or request.headers.get("Authorization", "").removeprefix("Bearer ")
        for login, known in self.seed["tokens"].items():
            if known == token:
                return str(login)
        raise Refusal(401, "Bad credentials" if token else "Requires authentication")

    def find_codespace(self, request: web.Request, login: str) -> LocalCodespace:
        """Return the codespace named in a request, which must belong to the user."""
        codespace = self.codespaces.get(request.match_info["name"])
        if codespace is None or codespace.owner != login:
            raise Refusal(404, "Not Found")
        codespace.settle(self.clock.now())
        return codespace

    def find_repository(self, request: web.Request) -> str:
        """Return the repository named in a request."""
        full_name = f"{request.match_info['owner']}/{request.match_info['repo']}"
        if full_name not in self.seed["repositories"]:
            raise Refusal(404, "Not Found")
        return full_name

    def check_pending(self, codespace: LocalCodespace) -> None:
        """Refuse to start or stop a codespace that has a pending operation."""
        if codespace.extra.get("pending_operation"):
            reason = codespace.extra.get("pending_operation_disabled_reason") or "updating"
            raise Refusal(422, OPERATION_PENDING.format(reason=reason))

    # Bodies

    def describe_user(self, root: str, login: str) -> dict[str, Any]:
        """Return a user in the format of the schema `simple-user`."""
        address = f"{root}/users/{login}"
        links = {f"{link}_url": f"{address}/{link}" for link in USER_LINKS}
        number = zlib.crc32(login.encode())
        facts = {"login": login, "id": number, "node_id": f"U_{number}", "gravatar_id": "", "url": address}
        return links | facts | {"type": "User", "site_admin": False}

    def describe_repository(self, root: str, full_name: str) -> dict[str, Any]:
        """Return a repository in the format of the schemas `repository` and `minimal-repository`."""
        address = f"{root}/repos/{full_name}"
        owner, name = full_name.split("/")
        number = sum(full_name.encode())
        return {
            **{f"{link}_url": f"{address}/{link}" for link in REPOSITORY_LINKS},
            **dict.fromkeys(REPOSITORY_COUNTS, 0),
            **dict.fromkeys(("fork", "private", "archived", "disabled"), False),
            **dict.fromkeys(("has_downloads", "has_issues", "has_projects", "has_wiki", "has_pages"), False),
            **dict.fromkeys(("description", "homepage", "language", "mirror_url", "license")),
            **dict.fromkeys(("created_at", "updated_at", "pushed_at"), format_time(self.clock.now())),
            "id": number,
            "node_id": f"R_{number}",
            "name": name,
            "full_name": full_name,
            "owner": self.describe_user(root, owner),
            "url": address,
            "ssh_url": f"git@127.0.0.1:{full_name}.git",
            "default_branch": self.seed["repositories"][full_name][0],
        }

    def describe(self, request: web.Request, codespace: LocalCodespace) -> dict[str, Any]:
        """Return a codespace in the format of the schema `codespace`."""
        codespace.settle(self.clock.now())
        root = find_root(request)
        address = f"{root}/user/codespaces/{codespace.name}"
        owner = self.describe_user(root, codespace.owner)
        is_down = codespace.state in ("Shutdown", "Archived")
        expiry = codespace.used_at + codespace.retention_minutes * SECONDS_PER_MINUTE
        return {
            "id": codespace.number,
            "name": codespace.name,
            "display_name": codespace.display_name,
            "environment_id": f"26a7c758-7299-4a73-b978-{codespace.number:012}",
            "owner": owner,
            "billable_owner": owner,
            "repository": self.describe_repository(root, codespace.repository),
            "machine": next(machine for machine in MACHINES if machine["name"] == codespace.machine),
            "devcontainer_path": None,
            "prebuild": False,
            "created_at": format_time(codespace.created_at),
            "updated_at": format_time(codespace.used_at),
            "last_used_at": format_time(codespace.used_at),
            "state": codespace.state,
            "url": address,
            "git_status": {
                "ahead": 0,
                "behind": 0,
                "has_unpushed_changes": False,
                "has_uncommitted_changes": False,
                "ref": codespace.ref,
            },
            "location": "WestEurope",
            "idle_timeout_minutes": codespace.idle_minutes,
            "retention_period_minutes": codespace.retention_minutes,
            "retention_expires_at": format_time(expiry) if is_down else None,
            "web_url": f"{root}/editor/{codespace.name}",
            "machines_url": f"{address}/machines",
            "start_url": f"{address}/start",
            "stop_url": f"{address}/stop",
            "pulls_url": None,
            "recent_folders": [],
            "pending_operation": False,
            "last_known_stop_notice": None,
            **codespace.extra,
        }

    # The API

    async def list_versions(self, _request: web.Request) -> web.Response:
        """List the versions of the API."""
        return web.json_response(API_VERSIONS)

    async def read_user(self, request: web.Request) -> web.Response:
        """Return the token's user in the format of the schema `public-user`."""
        login = self.find_person(request)
        root = find_root(request)
        counts = dict.fromkeys(("followers", "following", "public_gists", "public_repos"), 0)
        texts = dict.fromkeys(("bio", "blog", "company", "email", "hireable", "location", "name"))
        now = format_time(self.clock.now())
        times = {"created_at": now, "updated_at": now, "user_view_type": "public"}
        return web.json_response(self.describe_user(root, login) | counts | texts | times)

    async def list_repositories(self, request: web.Request) -> web.Response:
        """List the repositories, which are the same for everyone."""
        root = find_root(request)
        rows = [self.describe_repository(root, full_name) for full_name in self.seed["repositories"]]
        page, headers = cut_page(request, rows)
        return web.json_response(page, headers=headers)

    async def list_branches(self, request: web.Request) -> web.Response:
        """List a repository's branches."""
        full_name = self.find_repository(request)
        address = f"{find_root(request)}/repos/{full_name}/commits"
        rows = [
            {"name": name, "commit": {"sha": "c5b9" * 10, "url": f"{address}/{name}"}, "protected": False}
            for name in self.seed["repositories"][full_name]
        ]
        page, headers = cut_page(request, rows)
        return web.json_response(page, headers=headers)

    async def list_machines(self, request: web.Request) -> web.Response:
        """List the machine types available for a repository."""
        self.find_repository(request)
        return web.json_response({"total_count": len(MACHINES), "machines": MACHINES})

    async def list(self, request: web.Request) -> web.Response:
        """List a user's codespaces, page by page."""
        login = self.find_person(request)
        own = [codespace for codespace in self.codespaces.values() if codespace.owner == login]
        page, headers = cut_page(request, own)
        rows = [self.describe(request, codespace) for codespace in page]
        return web.json_response({"total_count": len(own), "codespaces": rows}, headers=headers)

    async def read(self, request: web.Request) -> web.Response:
        """Read a codespace."""
        return web.json_response(
            self.describe(request, self.find_codespace(request, self.find_person(request)))
        )

    async def create(self, request: web.Request) -> web.Response:
        """Create a codespace, which is then queued, provisioned and started."""
        login, full_name = self.find_person(request), self.find_repository(request)
        body = await request.json()
        if login in self.over_limit:
            raise Refusal(403, SPENDING_LIMIT)
        display_name, ref = body.get("display_name") or "", body.get("ref")
        branches = self.seed["repositories"][full_name]
        if len(display_name) > MAX_DISPLAY_NAME_LENGTH or (ref or branches[0]) not in branches:
            raise Refusal(400, "Bad Request")
        if full_name in self.asking_repositories and (login, full_name) not in self.decisions:
            return self.ask_for_permissions(request, full_name, ref or branches[0])
        number = len(self.codespaces) + 1
        stem = re.sub(r"[^a-z0-9]+", "-", display_name.lower()).strip("-")
        codespace = self.add(f"{stem}-{number:x}qv7j5rx9", login, display_name, full_name)
        codespace.machine, codespace.ref = body.get("machine", "basicLinux32gb"), ref or branches[0]
        codespace.idle_minutes = body.get("idle_timeout_minutes", DEFAULT_IDLE_MINUTES)
        codespace.retention_minutes = body.get("retention_period_minutes", DEFAULT_RETENTION_MINUTES)
        provision_at = self.clock.now() + self.pace["queue"]
        ready_at = provision_at + self.pace["provision"]
        codespace.enter("Queued", (provision_at, "Provisioning"), (ready_at, "Available"))
        return web.json_response(self.describe(request, codespace), status=201)

    def ask_for_permissions(self, request: web.Request, full_name: str, ref: str) -> web.Response:
        """Refuse a creation until the user has allowed or denied the permissions that a repository asks for.

        The status and the key are from `startCreate` in internal/codespaces/api/api.go of github.com/cli/cli,
        and the form of the URL is from its pull request 7983.
        """
        url = f"{find_root(request)}/{full_name}/codespaces/allow_permissions?ref={ref}"
        body = refused(401, "The codespace needs more permissions.") | {"allow_permissions_url": url}
        return web.json_response(body, status=401)

    async def start(self, request: web.Request) -> web.Response:
        """Start a codespace. Broken ones always fail."""
        codespace = self.find_codespace(request, self.find_person(request))
        if codespace.owner in self.over_limit:
            raise Refusal(402, SPENDING_LIMIT)
        self.check_pending(codespace)
        if codespace.state not in ("Shutdown", "Archived", "Failed"):
            raise Refusal(409, f"The codespace is {codespace.state}.")
        now = self.clock.now()
        codespace.used_at = now
        codespace.enter(
            "Starting", (now + self.pace["boot"], "Failed" if codespace.is_broken else "Available")
        )
        return web.json_response(self.describe(request, codespace))

    async def stop(self, request: web.Request) -> web.Response:
        """Stop a codespace. If it is already down, do nothing."""
        codespace = self.find_codespace(request, self.find_person(request))
        self.check_pending(codespace)
        if codespace.state not in ("Shutdown", "Archived", "Failed"):
            codespace.enter("ShuttingDown", (self.clock.now() + self.pace["stop"], "Shutdown"))
        return web.json_response(self.describe(request, codespace))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a codespace."""
        codespace = self.find_codespace(request, self.find_person(request))
        del self.codespaces[codespace.name]
        return web.json_response({}, status=202)

    # Pages

    async def sign_in(self, request: web.Request) -> web.Response:
        """Log a browser in as a user, whose token is the password."""
        token = str((await request.post()).get("password", ""))
        text = f"Signed in as {self.find_person(request, token)}." if request.method == "POST" else LOGIN
        response = web.Response(text=text, content_type="text/html")
        response.set_cookie("user_session", token, httponly=True)
        return response

    def find_visitor(self, request: web.Request) -> str:
        """Return the login of the user signed in to the browser."""
        return self.find_person(request, request.cookies.get("user_session"))

    async def show_token(self, request: web.Request) -> web.Response:
        """Show the token of the user signed in to the browser."""
        login = self.find_visitor(request)
        return web.Response(text=f"{login}'s token: {self.seed['tokens'][login]}")

    async def show_page(self, request: web.Request) -> web.Response:
        """Show a codespace's page to its owner."""
        codespace = self.find_codespace(request, self.find_visitor(request))
        return web.Response(text=f"{codespace.display_name}: {codespace.state}")

    async def show_editor(self, request: web.Request) -> web.Response:
        """Show a codespace's editor to its owner, once the codespace is running."""
        codespace = self.find_codespace(request, self.find_visitor(request))
        is_ready = codespace.state == "Available"
        return web.Response(text=f"The editor of {codespace.display_name}", status=200 if is_ready else 503)

    async def decide_permissions(self, request: web.Request) -> web.Response:
        """Show the permissions that a repository asks for; on POST, record the user's decision."""
        login, full_name = self.find_visitor(request), self.find_repository(request)
        if request.method == "POST":
            self.decisions.add((login, full_name))
        return web.Response(text=DECISION.format(repository=full_name), content_type="text/html")


def format_time(seconds: float) -> str:
    """Format a time as GitHub does."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def find_root(request: web.Request) -> str:
    """Return this server's root URL as the client addressed it in the request."""
    return f"{request.scheme}://{request.host}"


def cut_page(request: web.Request, rows: list[Any]) -> tuple[list[Any], dict[str, str]]:
    """Return the requested page of a list, and a Link header if more pages follow."""
    size = min(int(request.query.get("per_page", DEFAULT_PAGE_SIZE)), MAX_PAGE_SIZE)
    number = int(request.query.get("page", 1))
    if number * size >= len(rows):
        return rows[(number - 1) * size :], {}
    address = f"{find_root(request)}{request.path}?per_page={size}&page={number + 1}"
    return rows[(number - 1) * size : number * size], {"Link": f'<{address}>; rel="next"'}


def build(seed: Mapping[str, Any]) -> tuple[web.Application, dict[str, Any]]:
    """Return the server to run, and everyone's credentials, which are printed once it's ready."""
    users = {login: {"token": token} for login, token in seed["tokens"].items()}
    return LocalGitHub(seed).app, {"users": users}


def guest(people: Collection[str]) -> dict[str, Any]:
    """Return the demo's connection to this server, where everyone has a token and a codespace."""
    tokens = {login: f"github_pat_{number:040}" for number, login in enumerate(people, start=1)}
    codespaces = {
        f"fuzzy-reef-{number:x}wpq6h95q": {"owner": login, "display_name": f"reef-{login}"}
        for number, login in enumerate(people, start=1)
    }
    seed = SEED | {"tokens": tokens, "codespaces": codespaces}
    settings = {"provider": "codespaces", "from": "usher-codespaces", "title": "GitHub Codespaces"}
    return {
        "name": "codespaces",
        "title": "GitHub Codespaces",
        "module": "usher_codespaces.local",
        "seed": seed,
        "settings": settings,
    }


if __name__ == "__main__":
    run_server(build, SEED)
