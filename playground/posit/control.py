"""Routes for tests: change switches, people and tokens, and plan errors and faults of output streams."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from playground.posit.calls import STATE
from playground.posit.environments import Environments
from playground.posit.plans import PlannedError, StreamFault
from playground.posit.seed import ACCESSES, KINDS, PersonSeed
from playground.values import SeedError, checked, loads, record

Values = dict[str, Any]

STREAM_FAULTS = ("cut", "close", "pause", "error", "broken_utf8")


async def show_switches(request: web.Request) -> web.Response:
    """Show all switches."""
    return web.json_response(request.app[STATE].settings.as_values())


async def set_switches(request: web.Request) -> web.Response:
    """Set switches. ``{"dialect": "live"}`` or ``"reference"`` sets those in which the dialects differ."""
    state = request.app[STATE]
    state.settings.change(loads(await request.read()))
    state.wake()
    return web.json_response(state.settings.as_values())


async def plan_error(request: web.Request) -> web.Response:
    """Make calls of ``method`` fail with an error (see PlannedError)."""
    planned = record(PlannedError, await object_of(request))
    request.app[STATE].plans.errors.append(planned)
    return web.json_response({"errors": len(request.app[STATE].plans.errors)})


async def clear_errors(request: web.Request) -> web.Response:
    """Remove all errors that are planned for future calls."""
    request.app[STATE].plans.errors.clear()
    return web.json_response({"errors": 0})


async def plan_stream_fault(request: web.Request) -> web.Response:
    """Make output streams break off, close, pause, or contain errors (see StreamFault)."""
    fault = record(StreamFault, await object_of(request))
    if fault.kind not in STREAM_FAULTS:
        raise SeedError(f"kind is one of {STREAM_FAULTS}")
    state = request.app[STATE]
    state.plans.streams.append(fault)
    state.wake()
    return web.json_response({"streams": len(state.plans.streams)})


async def clear_stream_faults(request: web.Request) -> web.Response:
    """Remove all planned faults of output streams."""
    request.app[STATE].plans.streams.clear()
    return web.json_response({"streams": 0})


async def set_tokens(request: web.Request) -> web.Response:
    """Revoke the tokens with a ``name``, or create one: ``mint`` {name, kind, user, access}."""
    accounts, values = request.app[STATE].accounts, await object_of(request)
    if values.get("revoked") is True:
        return web.json_response({"tokens": accounts.revoke(str(values.get("name")))})
    mint = values.get("mint")
    if not isinstance(mint, dict) or mint.get("user") not in accounts.people:
        raise SeedError("name and revoked, or mint {name, kind, user, access} with a known user, are needed")
    kind, access = mint.get("kind", "user"), mint.get("access", "read-write")
    if kind not in KINDS or access not in ACCESSES:
        raise SeedError(f"kind is one of {KINDS}, access one of {ACCESSES}")
    person = accounts.people[mint["user"]]
    return web.json_response(
        {"token": accounts.mint(mint.get("name") or person.name, kind, access, person).value}
    )


async def set_user(request: web.Request) -> web.Response:
    """Add a person, or change a person's ``active``, ``admin``, ``super_admin`` or ``maximums``."""
    accounts, values = request.app[STATE].accounts, await object_of(request)
    seed = record(PersonSeed, values)
    person = accounts.people.get(seed.name)
    if person is None:
        person = accounts.add(seed)
    for name in ("active", "admin", "super_admin", "maximums"):
        if name in values:
            setattr(person, name, values[name])
    return web.json_response({"name": person.name, "active": person.active})


async def set_environments(request: web.Request) -> web.Response:
    """Replace ``clusters`` or ``workbenches``, in the format of the seed."""
    state, values = request.app[STATE], await object_of(request)
    if not checked(values, ("clusters", "workbenches")):
        raise SeedError("clusters or workbenches are needed")
    old = state.environments
    clusters = values.get("clusters", list(old.clusters.values()))
    workbenches = values.get("workbenches", old.workbenches)
    state.environments = Environments(clusters, workbenches, state.settings)
    return web.json_response({"clusters": list(state.environments.clusters)})


async def object_of(request: web.Request) -> Values:
    """Return the object in the body of a control request; raise SeedError if there is none."""
    values = loads(await request.read())
    if not isinstance(values, dict):
        raise SeedError("an object is needed")
    return values


def routes() -> list[web.RouteDef]:
    """Return the routes of this module."""
    return [
        web.get("/_playground/control", show_switches),
        web.post("/_playground/control", set_switches),
        web.post("/_playground/errors", plan_error),
        web.delete("/_playground/errors", clear_errors),
        web.post("/_playground/streams", plan_stream_fault),
        web.delete("/_playground/streams", clear_stream_faults),
        web.post("/_playground/tokens", set_tokens),
        web.post("/_playground/users", set_user),
        web.post("/_playground/compute_envs", set_environments),
    ]
