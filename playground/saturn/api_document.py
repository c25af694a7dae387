"""The API in the document published in 2026, for the same people, workspaces and jobs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from aiohttp import web

from playground.faults import Refusal, act
from playground.harness import base_url
from playground.saturn import api_accounts, api_resources, documents
from playground.saturn.accounts import TOKEN_SECONDS
from playground.saturn.api_pods import find_active
from playground.saturn.asking import body_of, options_of, person_of, state_of, timestamp, worker_of
from playground.saturn.documents import AUTO_SHUTOFF, when
from playground.saturn.lines import lines_of
from playground.saturn.resources import Resource
from playground.saturn.state import DISK_SPACE, SIZES, State

_KINDS = {"workspaces": "workspace", "jobs": "job"}
#: The fields of a recipe's spec that this server knows. It refuses all others.
_SPEC = {
    *("name", "owner", "description", "tags", "image", "instance_type", "environment_variables", "status"),
    *("working_directory", "extra_packages", "config_files", "start_script", "token_scope", "dask_cluster"),
    *("git_repositories", "secrets", "shared_folders", "start_dind", "use_spot_instance"),
}
_OF_KIND = {
    "workspace": {"ide", "disk_space", "auto_shutoff", "start_ssh", "routes", "self_destruct"},
    "job": {"command", "scale", "retries", "schedule", "concurrency_policy"},
}


# -- people and tokens ---------------------------------------------------------------------------------------


async def who_am_i(request: web.Request) -> web.Response:
    """Return the user, or 204 if the token doesn't belong to a user."""
    person = person_of(request)
    if state_of(request).limits.nameless:
        return web.Response(status=204)
    return web.json_response(documents.user(person))


async def users(request: web.Request) -> web.Response:
    """List the users whose name contains a string."""
    person_of(request)
    part, people = request.query.get("username", ""), state_of(request).accounts.people.values()
    return web.json_response({"users": [documents.user(one) for one in people if part in one.name]})


async def owners(request: web.Request) -> web.Response:
    """List the owners for whom the caller may act: the caller and the caller's groups."""
    person, state = person_of(request), state_of(request)
    names = [person.name, *(group for group in state.groups if state.is_owner(person, group))]
    found = [documents.owner_of(person, one, state.organisation) for one in names]
    page, more = _page(request, found, 100, 1000)
    return web.json_response({"owners": list(page), **more})


async def user_by_id(request: web.Request) -> web.Response:
    """Return the user with this id."""
    person_of(request)
    people = state_of(request).accounts.people.values()
    found = next((one for one in people if one.id == request.match_info["user_id"]), None)
    if found is None:
        raise Refusal(404, "User not found")
    return web.json_response(documents.user(found))


async def tokens(request: web.Request) -> web.Response:
    """List the caller's own tokens, without their values."""
    person = person_of(request)
    found = [documents.token(one) for one in state_of(request).accounts.tokens(person)]
    return web.json_response({"tokens": found})


async def create_token(request: web.Request) -> web.Response:
    """Create a token. Only administrators can create one for someone else."""
    person, state, values = person_of(request), state_of(request), await body_of(request)
    if not isinstance(values, dict):
        raise Refusal(422, "The request body must be a JSON object")
    whose = values.get("identity", person.name)
    name = whose.rpartition("/")[2] if isinstance(whose, str) else str((whose or {}).get("user_id"))
    found = [one for one in state.accounts.people.values() if name in {one.name, one.id}]
    if not found:
        raise Refusal(404, f"Identity {name} not found")
    if found[0] is not person and not person.admin:
        raise Refusal(403, "An admin token is required")
    lasts = values.get("expires_in")
    if lasts is not None and (not isinstance(lasts, int) or isinstance(lasts, bool) or lasts < 1):
        raise Refusal(422, "expires_in: must be a positive integer")
    value, made = state.accounts.add_token(found[0].name, "", str(values.get("description", "")), lasts)
    return web.json_response(documents.token(made, value), status=201)


async def delete_token(request: web.Request) -> web.Response:
    """Revoke a token."""
    state_of(request).accounts.revoke(person_of(request), request.match_info["id"])
    return web.Response(status=204)


async def refresh(request: web.Request) -> web.Response:
    """Exchange a refresh token, which can be used only once."""
    answer, now = await api_accounts.refreshed(request), state_of(request).clock.now()
    ends_at = timestamp(now + TOKEN_SECONDS)
    more = {"token_type": "Bearer", "expires_at": ends_at, "expires_in": int(TOKEN_SECONDS)}
    never = {"refresh_expires_at": None, "refresh_expires_in": None}
    return web.json_response({**answer, **more, **never})


# -- recipes -------------------------------------------------------------------------------------------------


def _address(request: web.Request, resource: Resource) -> str:
    return f"{base_url(request)}/ide/{resource.id}/" if resource.type == "workspace" else ""


def _recipe(request: web.Request, resource: Resource) -> dict[str, Any]:
    as_template = request.query.get("as_template", "").casefold() in {"true", "1"}
    now = state_of(request).clock.now()
    return documents.recipe(resource, now, _address(request, resource), as_template=as_template)


def _checked(recipe: Any) -> dict[str, Any]:
    """Return a recipe after checking it against the document; raise Refusal 422."""
    if not isinstance(recipe, dict) or recipe.get("type") not in _OF_KIND:
        raise Refusal(422, "type: must be one of workspace, job")
    kind, spec = recipe["type"], recipe.get("spec")
    if not isinstance(spec, dict):
        raise Refusal(422, "spec: is required")
    needed = ("name", "image", "instance_type", *(("command",) if kind == "job" else ()))
    lacking = [key for key in needed if not spec.get(key)]
    unknown = sorted(spec.keys() - _SPEC - _OF_KIND[kind]) + sorted(
        recipe.keys() - {"type", "spec", "schema_version"}
    )
    if lacking or unknown:
        words = [f"spec.{key}: is required" for key in lacking] + [f"{key}: unknown field" for key in unknown]
        raise Refusal(422, ", ".join(words))
    if not isinstance(spec["image"], (str, dict)):
        raise Refusal(422, "spec.image: must be an image")
    if spec["instance_type"] not in SIZES:
        raise Refusal(422, f"spec.instance_type: must be one of {', '.join(SIZES)}")
    if kind == "workspace" and spec.get("auto_shutoff", "1 hour") not in AUTO_SHUTOFF:
        raise Refusal(422, f"spec.auto_shutoff: must be one of {', '.join(AUTO_SHUTOFF)}")
    return recipe


async def create_recipe(request: web.Request) -> web.Response:
    """Create the resource described by a recipe, unless its owner has one of the same type and name."""
    person, state = person_of(request), state_of(request)
    recipe = _checked(await body_of(request))
    owner = state.owner(person, recipe["spec"].get("owner"))
    if any(
        (one.type, one.name) == (recipe["type"], recipe["spec"]["name"]) for one in state.owned(owner, None)
    ):
        raise Refusal(409, f"A {recipe['type']} with this name already exists")
    resource = state.cloned(person, recipe)
    act(request, partial(_add, state, resource))
    return web.json_response(_recipe(request, resource), status=201)


def _add(state: State, resource: Resource, at: float) -> None:
    """Add a new resource, and start it if its recipe says so. Recipes that are read don't show that."""
    state.add(resource)
    if resource.spec.pop("status", None) == "running":
        state.starting(resource)
        resource.start(at)


async def apply_recipe(request: web.Request) -> web.Response:
    """Create the resource described by a recipe or, if one of its type and name exists, update that one."""
    person, state = person_of(request), state_of(request)
    recipe = _checked(await body_of(request))
    owner = state.owner(person, recipe["spec"].get("owner"))
    for resource in state.owned(owner, None):
        if (resource.type, resource.name) == (recipe["type"], recipe["spec"]["name"]):
            changed = {**resource.spec, **recipe["spec"], "owner": resource.spec["owner"]}
            act(request, partial(_rewrite, resource, changed))
            return web.json_response(_recipe(request, resource), status=201)
    resource = state.cloned(person, recipe)
    act(request, partial(_add, state, resource))
    return web.json_response(_recipe(request, resource), status=201)


def _rewrite(resource: Resource, spec: dict[str, Any], _at: float) -> None:
    resource.spec = spec


async def recipes(request: web.Request) -> web.Response:
    """List an owner's resources, page by page. On the last page, ``next_key`` is left out."""
    person, state = person_of(request), state_of(request)
    kind, beginning = request.query.get("type"), request.query.get("name", "")
    if kind not in {None, "workspace", "deployment", "job", "image"}:
        raise Refusal(422, "type: must be one of workspace, deployment, job, image")
    found = [
        one
        for one in state.owned(person, _owner_of(request))
        if kind in {None, one.type} and one.name.startswith(beginning)
    ]
    page, more = _page(request, found, state.page_size, 1000)
    return web.json_response({"recipes": [_recipe(request, one) for one in page], **more})


async def recipe(request: web.Request) -> web.Response:
    """Return the resource with this type and name."""
    wanted = (request.match_info["type"], request.match_info["name"])
    for resource in state_of(request).owned(person_of(request), _owner_of(request)):
        if (resource.type, resource.name) == wanted:
            return web.json_response(_recipe(request, resource))
    raise Refusal(404, "Recipe not found")


def _owner_of(request: web.Request) -> str | None:
    return request.query.get("owner_name") or request.query.get("owner")


def _page(
    request: web.Request, found: Sequence[Any], usual: int, most: int
) -> tuple[Sequence[Any], dict[str, str]]:
    """Return the requested page, and the key of the next one if there is one."""
    size, key = request.query.get("page_size", str(usual)), request.query.get("next_key", "0")
    if not size.isascii() or not size.isdigit() or not 1 <= int(size) <= most:
        raise Refusal(422, f"page_size: must be from 1 to {most}")
    if not key.isascii() or not key.isdigit():
        raise Refusal(422, "next_key: is not valid")
    end = int(key) + int(size)
    return found[int(key) : end], {"next_key": str(end)} if end < len(found) else {}


# -- workspaces and jobs -------------------------------------------------------------------------------------


def _found(request: web.Request, *, drives: bool = False) -> Resource:
    kind = _KINDS[request.match_info["kind"]]
    person = worker_of(request) if drives and kind == "workspace" else person_of(request)
    return state_of(request).find(person, kind, request.match_info["id"])


def _drawn(request: web.Request, resource: Resource) -> web.Response:
    state = state_of(request)
    now = state.clock.now()
    if resource.type == "job":
        return web.json_response(documents.job(resource, state.organisation, now))
    address = _address(request, resource)
    return web.json_response(documents.workspace(resource, state.organisation, now, address))


async def resource(request: web.Request) -> web.Response:
    """Return a workspace or a job."""
    return _drawn(request, _found(request, drives=True))


async def _check_options(request: web.Request) -> None:
    """Check the optional body. The vendor's client says that it sends JSON even if the body is empty."""
    if await request.read():
        await options_of(request)


async def start(request: web.Request) -> web.Response:
    """Start a workspace or a new run of a job."""
    found = _found(request, drives=True)
    await _check_options(request)
    state_of(request).starting(found)
    act(request, found.start)
    return _drawn(request, found)


async def stop(request: web.Request) -> web.Response:
    """Stop a workspace, or all runs of a job."""
    found = _found(request, drives=True)
    act(request, found.stop)
    return _drawn(request, found)


async def stop_run(request: web.Request) -> web.Response:
    """Stop one run of a job."""
    found, name = _found(request), request.match_info["run"]
    if not any(run.job == name for run in found.active(state_of(request).clock.now())):
        raise Refusal(404, "Run not found")
    act(request, lambda at: found.stop(at, name))
    return _drawn(request, found)


async def restart(request: web.Request) -> web.Response:
    """Restart a workspace or a job."""
    found = _found(request, drives=True)
    await _check_options(request)
    act(request, found.restart)
    return _drawn(request, found)


async def change_job(request: web.Request) -> web.Response:
    """Set the cron expression."""
    await api_resources.set_cron(request)
    return _drawn(request, _found(request))


async def schedule(request: web.Request) -> web.Response:
    """Switch the schedule on or off."""
    found, now = _found(request), state_of(request).clock.now()
    await _check_options(request)
    if request.match_info["verb"] == "schedule":
        found.schedule(now)
    else:
        found.settle(now)
        found.next_fire_at = None
    return _drawn(request, found)


# -- runs, pods and logs -------------------------------------------------------------------------------------


async def runs(request: web.Request) -> web.Response:
    """Return the runs of a job that are active or have just ended."""
    found = _found(request)
    shown = {run.job for run in found.active(state_of(request).clock.now())}
    grouped = [[run for run in found.runs if run.job == name] for name in sorted(shown)]
    return web.json_response({"job_summaries": [documents.run_summary(found, pods) for pods in grouped]})


async def pods(request: web.Request) -> web.Response:
    """Return one resource's pods that are alive or have just ended."""
    person, state = person_of(request), state_of(request)
    kind, resource_id = request.query.get("workload_type"), request.query.get("workload_id")
    if kind not in {"workspace", "job", "deployment", "dask", "image_build"} or not resource_id:
        raise Refusal(422, "workload_type and workload_id are required")
    found = state.find(person, kind, resource_id)
    page, more = _page(request, found.active(state.clock.now()), 100, 1000)
    return web.json_response({"pod_summaries": [documents.pod(found, run) for run in page], **more})


async def pod(request: web.Request) -> web.Response:
    """Answer one live pod."""
    return web.json_response(documents.pod(*find_active(request)))


async def pod_logs(request: web.Request) -> web.Response:
    """Return the last lines written by a live pod's container."""
    found, run = find_active(request)
    if request.query.get("container_name", "main") != "main":
        raise Refusal(404, "Container not found")
    size = request.query.get("page_size", "1000")
    if not size.isascii() or not size.isdigit() or not 1 <= int(size) <= 5000:
        raise Refusal(422, "page_size: must be from 1 to 5000")
    return web.json_response({"logs": "\n".join(lines_of(found, run)[-int(size) :])})


async def history(request: web.Request) -> web.Response:
    """Return the pods that have ended, newest first."""
    found = _found(request)
    found.settle(state_of(request).clock.now())
    ended = [run for run in reversed(found.runs) if run.ended_at is not None]
    return web.json_response({"pods": [documents.past_pod(run) for run in ended]})


async def logs(request: web.Request) -> web.Response:
    """Return a page of the output of pods that have ended, one entry per line."""
    found = _found(request)
    found.settle(state_of(request).clock.now())
    name = request.query.get("pod_name")
    written = [
        {"timestamp": when(run.created_at), "content": line, "pod_name": run.name, "container_name": "main"}
        for run in found.runs
        if run.ended_at is not None and name in {None, run.name}
        for line in lines_of(found, run)
    ]
    page, more = _page(request, written, 100, 1000)
    return web.json_response({"logs": list(page), **more})


# -- the server ----------------------------------------------------------------------------------------------


async def servers(request: web.Request) -> web.Response:
    """Return the sizes, disks and idle times that a recipe may name."""
    person_of(request)
    disks = [{"value": size, "display_str": size} for size in DISK_SPACE]
    return web.json_response(
        {"sizes": documents.sizes(), "disk_space": disks, "auto_shutoff": list(AUTO_SHUTOFF)}
    )


async def status(_request: web.Request) -> web.Response:
    """Answer the version."""
    return web.json_response({"status": "ok", "version": "2026.02.01"})


def routes() -> list[web.RouteDef]:
    """Return the routes of this module."""
    kind, job = "/api/{kind:workspaces|jobs}/{id}", "/api/{kind:jobs}/{id}"
    return [
        *api_accounts.guide_routes(),
        web.get("/api/user", who_am_i),
        web.post("/api/auth/token", refresh),
        web.get("/api/user/owners", owners),
        web.get("/api/users", users),
        web.get("/api/users/{user_id}", user_by_id),
        web.get("/api/tokens", tokens),
        web.post("/api/tokens", create_token),
        web.delete("/api/tokens/{id}", delete_token),
        web.get("/api/recipes", recipes),
        web.post("/api/recipes", create_recipe),
        web.put("/api/recipes", apply_recipe),
        web.get("/api/recipes/{type}/{name}", recipe),
        web.get(kind, resource),
        web.post(f"{kind}/start", start),
        web.post(f"{kind}/stop", stop),
        web.post(f"{kind}/restart", restart),
        web.get(f"{kind}/history", history),
        web.get(f"{kind}/logs", logs),
        web.patch(job, change_job),
        web.post(f"{job}/{{verb:schedule|unschedule}}", schedule),
        web.get(f"{job}/runtimesummary", runs),
        web.post(f"{job}/stop/{{run}}", stop_run),
        web.get("/api/active/pods", pods),
        web.get("/api/active/pods/{pod}", pod),
        web.get("/api/active/pods/{pod}/logs", pod_logs),
        web.get("/api/info/servers", servers),
        web.get("/api/status", status),
    ]
