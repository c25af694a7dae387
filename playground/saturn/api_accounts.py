"""Tokens, login links, and the call that returns the caller's account."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from playground.faults import Refusal
from playground.harness import base_url
from playground.pages import redirect
from playground.saturn.asking import COOKIE, body_of, person_of, state_of, visitor


async def create_login_link(request: web.Request) -> web.Response:
    """Create a temporary login link, for administrators only."""
    if not person_of(request).admin:
        raise Refusal(403, "An admin token is required")
    state = state_of(request)
    name = request.match_info["username"]
    code = state.accounts.create_link(name)
    if state.limits.login_link_as is not None:
        code = state.accounts.create_link(state.limits.login_link_as)
    host = state.limits.login_link_host or base_url(request)
    return web.json_response({"login_link": f"{host}/auth/loginlink?code={code}"})


async def open_login_link(request: web.Request) -> web.StreamResponse:
    """Begin a cookie session. Each link works only once."""
    session = state_of(request).accounts.open_link(request.query.get("code", ""))
    if session is None:
        raise Refusal(401, "This login link is invalid, was used or is too old")
    response = redirect("/dash")
    response.set_cookie(COOKIE, session, httponly=True, samesite="Lax", path="/")
    return response


async def user_token(request: web.Request) -> web.StreamResponse:
    """Return the token as a bare JSON string ("the hexadecimal value in quotes", says the guide).

    A browser that isn't signed in is redirected to the login page, and returns here afterwards.
    """
    accounts = state_of(request).accounts
    header = request.headers.get("Authorization")
    if header is not None:
        accounts.by_header(header)
        return web.json_response(header.partition(" ")[2])
    if visitor(request) is None and "text/html" in request.headers.get("Accept", ""):
        return redirect("/login?next=/api/user/token")
    return web.json_response(accounts.user_token(person_of(request)))


async def who_am_i(request: web.Request) -> web.Response:
    """Answer ``username`` and ``id``."""
    person = person_of(request)
    return web.json_response({"id": person.id, "username": person.name, "admin": person.admin})


async def refreshed(request: web.Request) -> dict[str, Any]:
    """Exchange a refresh token, which can be used only once, and return the new tokens."""
    values = await body_of(request)
    if not isinstance(values, dict) or values.get("grant_type") != "refresh_token":
        raise Refusal(400, "grant_type: must be refresh_token")
    if not isinstance(values.get("refresh_token"), str):
        raise Refusal(400, "refresh_token: is required")
    access_token, refresh_token = state_of(request).accounts.refresh(values["refresh_token"])
    return {"access_token": access_token, "refresh_token": refresh_token, "token_type": "token"}


async def refresh(request: web.Request) -> web.Response:
    """Exchange a refresh token, and answer with the new tokens."""
    return web.json_response(await refreshed(request))


def guide_routes() -> list[web.RouteDef]:
    """Return the routes in the published guides."""
    return [
        web.post("/auth/createloginlink/{username}", create_login_link),
        web.get("/auth/loginlink", open_login_link, allow_head=False),
        web.get("/api/user/token", user_token),
    ]


def routes() -> list[web.RouteDef]:
    """Return the routes of this module."""
    return [
        *guide_routes(),
        web.get("/api/user", who_am_i),
        web.post("/api/auth/token", refresh),
    ]
