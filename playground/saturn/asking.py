"""Reads a request: who makes it, and what it contains."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from playground.faults import Refusal
from playground.saturn.accounts import Person
from playground.saturn.state import State
from playground.values import loads

STATE: web.AppKey[State] = web.AppKey("saturn_state", State)
COOKIE = "saturn_session"


def state_of(request: web.Request) -> State:
    """Return the server's state."""
    return request.app[STATE]


def visitor(request: web.Request) -> Person | None:
    """Return the person signed in to this browser, or None."""
    return state_of(request).accounts.by_session(request.cookies.get(COOKIE))


def person_of(request: web.Request) -> Person:
    """Return the caller, identified by a token or, for reads, by a cookie session; raise Refusal 401."""
    header = request.headers.get("Authorization")
    if header is not None:
        return state_of(request).accounts.by_header(header).person
    person = visitor(request) if request.method in {"GET", "HEAD"} else None
    if person is None:
        raise Refusal(401, "Authentication is required")
    return person


def documented(request: web.Request) -> bool:
    """Return whether this server follows the published document."""
    return state_of(request).dialect != "guide"


def worker_of(request: web.Request) -> Person:
    """Return the caller of a workspace operation. An ``admin_only`` server requires an admin token."""
    person = person_of(request)
    if state_of(request).admin_only and not person.admin:
        raise Refusal(403, "An admin token is required")
    return person


async def body_of(request: web.Request) -> Any:
    """Return the JSON body; raise Refusal 400 if it isn't valid JSON."""
    try:
        return loads(await request.read())
    except ValueError:
        raise Refusal(400, "The request body is not valid JSON") from None


async def options_of(request: web.Request) -> dict[str, Any]:
    """Return the optional JSON body of a start or stop.

    The documents show requests without a body. An empty body whose header says JSON is refused, as it is by
    servers that parse what the header announces; an empty body of any other type is accepted.
    """
    if (
        not await request.read()
        and request.headers.get("Content-Type", "").partition(";")[0] != "application/json"
    ):
        return {}
    options = await body_of(request)
    if options is not None and not isinstance(options, dict):
        raise Refusal(400, "The request body must be a JSON object")
    return options or {}


def timestamp(moment: float | None) -> str | None:
    """Format epoch seconds as ISO 8601; return None for None."""
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
