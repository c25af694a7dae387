"""Reads a request: who makes it, and what it contains."""

from __future__ import annotations

import hmac
import math
from typing import Any

from aiohttp import web
from aiohttp.http import HttpProcessingError

from playground.faults import Refusal
from playground.sphere.state import State
from playground.sphere.webhooks import Webhooks
from playground.values import loads

STATE: web.AppKey[State] = web.AppKey("sphere_state", State)
WEBHOOKS: web.AppKey[Webhooks] = web.AppKey("sphere_webhooks", Webhooks)


def state_of(request: web.Request) -> State:
    """Return the server's state."""
    return request.app[STATE]


def now_of(request: web.Request) -> float:
    """Return the server's time."""
    return state_of(request).clock.now()


def check_access(request: web.Request) -> None:
    """Refuse calls without the account's token, and all calls while the server is set to be busy.

    The token is in ``?access_token=``. The vendor's sample sends it as a bearer token, which is also
    accepted.
    """
    state = state_of(request)
    given = request.query.get("access_token")
    if given is None:
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        given = rest.strip() if scheme.lower() == "bearer" else ""
    if not hmac.compare_digest(given.encode(), state.access_token.encode()):
        raise Refusal(401, "Unauthorized access")
    left = state.busy_until - state.clock.now()
    if left > 0:
        raise Refusal(429, "Too many requests", math.ceil(left))


async def json_of(request: web.Request) -> dict[str, Any]:
    """Return the JSON object in the body; raise Refusal 400 if there is none."""
    try:
        values = loads(await request.read() or b"{}")
    except ValueError:
        raise Refusal(400, "The request body is not valid JSON") from None
    if not isinstance(values, dict):
        raise Refusal(400, "The request body must be a JSON object")
    return values


async def fields_of(request: web.Request) -> dict[str, Any]:
    """Return the fields of a form (urlencoded or multipart) or of a JSON object; raise Refusal 400."""
    if request.content_type == "application/json":
        return {key: value for key, value in (await json_of(request)).items() if value is not None}
    return await form_of(request)


async def form_of(request: web.Request) -> dict[str, Any]:
    """Return the fields of a form, urlencoded or multipart; raise Refusal 400."""
    try:
        return dict(await request.post())
    except (ValueError, LookupError, HttpProcessingError):
        raise Refusal(400, "The request body cannot be read") from None


def number(fields: dict[str, Any], name: str, default: int, least: int = 0, most: int | None = None) -> int:
    """Return a whole number, given as JSON or text; raise Refusal 400 if it is invalid."""
    value = fields.get(name, default)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refusal(400, f"{name}: must be an integer")
    if value < least or (most is not None and value > most):
        raise Refusal(400, f"{name}: is out of range")
    return value


def flag(fields: dict[str, Any], name: str, *, default: bool) -> bool:
    """Return a boolean, given as JSON, as a word, or as 0 or 1; raise Refusal 400 if it is invalid."""
    value = fields.get(name, default)
    word = str(value).lower() if isinstance(value, str | int) else ""
    if word not in {"true", "false", "1", "0"}:
        raise Refusal(400, f"{name}: must be true or false")
    return word in {"true", "1"}
