"""Routes for tests: change resources from outside, end tokens, and make the server older or stricter."""

from __future__ import annotations

from aiohttp import web

from playground.faults import Refusal
from playground.saturn.asking import body_of, state_of
from playground.saturn.resources import TIMINGS
from playground.values import checked


async def set_resource(request: web.Request) -> web.Response:
    """Set a resource's ``status`` or next changes (``start_seconds``, ``fail`` …), or delete it."""
    state = state_of(request)
    resource = state.resources.get(request.match_info["id"])
    values = checked(await body_of(request), (*TIMINGS, "status", "removed"))
    if resource is None:
        raise Refusal(404, "no such resource")
    for key, kind in TIMINGS.items():
        if key in values:
            setattr(resource, key, kind(values[key]))
    if "status" in values:
        resource.force(str(values["status"]), state.clock.now())
    if values.get("removed"):
        del state.resources[resource.id]
    return web.json_response({"status": resource.status(state.clock.now())})


async def end_tokens(request: web.Request) -> web.Response:
    """Mark all valid tokens of ``user`` as ``revoked`` or ``expired``."""
    values = await body_of(request)
    states = [word for word in ("revoked", "expired") if values.get(word) is True]
    if not states or values.get("user") not in state_of(request).accounts.people:
        raise Refusal(400, "a known user, and revoked or expired, are needed")
    return web.json_response({"tokens": state_of(request).accounts.mark(values["user"], states[0])})


async def change_person(request: web.Request) -> web.Response:
    """Add the ``user``, rename them to ``name``, or remove them (``"removed": true``); return the person."""
    state, values = state_of(request), checked(await body_of(request), ("user", "name", "removed", "added"))
    name = str(values.get("user", ""))
    if values.get("added"):
        return web.json_response({"id": state.accounts.add_person(name).id, "name": name})
    if name not in state.accounts.people:
        raise Refusal(400, "a known user is needed")
    person = state.accounts.people[name]
    if values.get("removed"):
        state.remove_person(name)
    elif "name" in values:
        state.rename_person(name, str(values["name"]))
    return web.json_response({"id": person.id, "name": person.name})


async def seeds_only(request: web.Request) -> web.Response:
    """Serve only the endpoints in the published guides, or all endpoints."""
    state = state_of(request)
    state.seeds_only = bool((await body_of(request))["on"])
    return web.json_response({"seeds_only": state.seeds_only})


async def admin_only(request: web.Request) -> web.Response:
    """Allow only admin tokens to control workspaces, or also those of the owners."""
    state = state_of(request)
    state.admin_only = bool((await body_of(request))["on"])
    return web.json_response({"admin_only": state.admin_only})


async def limits(request: web.Request) -> web.Response:
    """Set the switches in ``Limits``: what is refused, and where login links lead."""
    return web.json_response(state_of(request).limits.change(await body_of(request)))


def routes() -> list[web.RouteDef]:
    """Return the routes of this module."""
    return [
        web.post("/_playground/limits", limits),
        web.post("/_playground/workspaces/{id}", set_resource),
        web.post("/_playground/jobs/{id}", set_resource),
        web.post("/_playground/tokens", end_tokens),
        web.post("/_playground/people", change_person),
        web.post("/_playground/seeds_only", seeds_only),
        web.post("/_playground/admin_only", admin_only),
    ]
