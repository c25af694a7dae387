"""Recipes: listing them, finding one by name, cloning, and the choices for their forms."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from playground.faults import Refusal, act
from playground.saturn.asking import body_of, person_of, state_of
from playground.saturn.state import AUTO_SHUTOFF, DISK_SPACE, SIZES, TYPES

TEMPLATES: tuple[dict[str, Any], ...] = (
    {
        "id": "0c5f3a6e9d1b4c2fa7e8135799b0d2c4",
        "name": "jupyter",
        "title": "Jupyter with Python",
        "description": "A Jupyter server with the usual scientific packages.",
        "recipe": {"type": "workspace", "spec": {"name": "jupyter", "instance_type": "medium"}},
    },
    {
        "id": "5b7e21d4c8f94ab0b1f3a6d7e2904c58",
        "name": "rstudio",
        "title": "RStudio",
        "description": "An R server with the tidyverse.",
        "recipe": {"type": "workspace", "spec": {"name": "rstudio", "instance_type": "large"}},
    },
    {
        "id": "9a1d4f70e6c2483d8f5b0e1c7a36d2f9",
        "name": "gpu",
        "title": "Jupyter with a GPU",
        "description": "A Jupyter server with one GPU.",
        "recipe": {"type": "workspace", "spec": {"name": "gpu", "instance_type": "g4dnxlarge"}},
    },
)


async def clone(request: web.Request) -> web.Response:
    """Create a resource; the answer contains its ``id``."""
    person = person_of(request)
    state = state_of(request)
    resource = state.cloned(person, await body_of(request))
    act(request, lambda _at: state.add(resource))
    return web.json_response({"id": resource.id, **state.recipe(resource)})


async def recipes(request: web.Request) -> web.Response:
    """List an owner's resources, page by page. On the last page, ``next_key`` is null."""
    person = person_of(request)
    state = state_of(request)
    kind = request.query.get("type")
    if kind is not None and kind not in TYPES:
        raise Refusal(400, f"type: must be one of {', '.join(TYPES)}")
    prefix = request.query.get("name", "")
    matching = [
        resource
        for resource in state.owned(person, request.query.get("owner_name"))
        if (kind is None or resource.type == kind) and resource.name.startswith(prefix)
    ]
    begin = _after(request.query.get("next_key"), [resource.id for resource in matching])
    page = matching[begin : begin + state.page_size]
    more = begin + state.page_size < len(matching)
    template = _is_true(request.query.get("as_template"))
    return web.json_response(
        {
            "recipes": [state.recipe(resource, as_template=template) for resource in page],
            "next_key": page[-1].id if more else None,
        }
    )


async def recipe(request: web.Request) -> web.Response:
    """Return the resource with this type and name."""
    person = person_of(request)
    state = state_of(request)
    kind, name = request.match_info["type"], request.match_info["name"]
    for resource in state.owned(person, request.query.get("owner_name")):
        if resource.type == kind and resource.name == name:
            template = _is_true(request.query.get("as_template"))
            return web.json_response(state.recipe(resource, as_template=template))
    raise Refusal(404, "Recipe not found")


async def servers(request: web.Request) -> web.Response:
    """Return the sizes, disks and idle times that a recipe may name."""
    person_of(request)
    answer = {"sizes": SIZES, "disk_space": list(DISK_SPACE), "auto_shutoff": list(AUTO_SHUTOFF)}
    return web.json_response(answer)


async def templates(request: web.Request) -> web.Response:
    """Return the recipes on offer whose name or title contains ``q``."""
    person_of(request)
    wanted = request.query.get("q", "").casefold()
    found = [one for one in TEMPLATES if wanted in f"{one['name']} {one['title']}".casefold()]
    return web.json_response({"templates": found, "next_key": None})


async def status(_request: web.Request) -> web.Response:
    """Answer the version."""
    return web.json_response({"version": "2026.2.0"})


def _after(key: str | None, ids: list[str]) -> int:
    if key is None:
        return 0
    if key not in ids:
        raise Refusal(400, "next_key: is not valid")
    return ids.index(key) + 1


def _is_true(text: str | None) -> bool:
    return (text or "").casefold() in {"true", "1"}


def routes() -> list[web.RouteDef]:
    """Return the routes of this module."""
    return [
        web.post("/api/resource_recipes/clone", clone),
        web.get("/api/recipes", recipes),
        web.get("/api/recipes/{type}/{name}", recipe),
        web.get("/api/info/servers", servers),
        web.get("/api/resource_templates", templates),
        web.get("/api/status", status),
    ]
