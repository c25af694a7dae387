"""Pages for browsers: login, dashboard, the page of a resource, and the IDE of a running workspace."""

from __future__ import annotations

from html import escape
from typing import Final
from urllib.parse import quote

from aiohttp import web

from playground.pages import local_path, page, redirect
from playground.saturn.asking import COOKIE, state_of, visitor

#: The page where people get their tokens on newer servers.
_PROFILE: Final = "/dash/user-profile"


async def login_page(request: web.Request) -> web.Response:
    """Show the login form."""
    return _login_form(request, request.query.get("next", "/dash"))


async def log_in(request: web.Request) -> web.StreamResponse:
    """Begin a cookie session if the name and password are correct."""
    form = await request.post()
    name, password = str(form.get("username", "")), str(form.get("password", ""))
    onward = str(form.get("next", "/dash"))
    session = state_of(request).accounts.log_in(name, password)
    if session is None:
        return _login_form(request, onward, "That is not the password of this person.", 401)
    response = redirect(local_path(onward, "/dash"))
    response.set_cookie(COOKIE, session, httponly=True, samesite="Lax", path="/")
    return response


async def log_out(request: web.Request) -> web.StreamResponse:
    """End the cookie session."""
    state_of(request).accounts.log_out(request.cookies.get(COOKIE))
    response = redirect("/login")
    response.del_cookie(COOKIE, path="/")
    return response


async def dashboard(request: web.Request) -> web.StreamResponse:
    """Show one's resources."""
    person = visitor(request)
    if person is None:
        return _to_login(request)
    state = state_of(request)
    rows = "".join(
        f'<li><a href="/dash/resources/{resource.type}/{resource.id}">{escape(resource.name)}</a>: '
        f"{escape(resource.status(state.clock.now()))}</li>"
        for resource in state.owned(person, None)
    )
    links = (
        f'<p><a href="{_PROFILE}">User Profile</a></p>'
        '<p><a href="/api/user/token">Show my user token</a></p>'
        '<form method="post" action="/logout"><button>Log out</button></form>'
    )
    return page(f"Resources of {person.name}", f"<ul>{rows}</ul>{links}")


async def profile(request: web.Request) -> web.StreamResponse:
    """Show the person's profile and valid access keys."""
    person = visitor(request)
    if person is None:
        return _to_login(request)
    count = len(state_of(request).accounts.tokens(person))
    form = f'<form method="post" action="{_PROFILE}"><button>New Token</button></form>'
    return page("User Profile", f"<p>{escape(person.name)}</p><h2>Access Keys</h2><p>{count} work.</p>{form}")


async def new_token(request: web.Request) -> web.StreamResponse:
    """Create an access key and show it. It isn't shown again."""
    person = visitor(request)
    if person is None:
        return _to_login(request)
    value, _ = state_of(request).accounts.add_token(person.name, description="User Profile")
    return page("New Token", f"<p>It is shown once: copy all of it.</p><p><code>{escape(value)}</code></p>")


async def resource_page(request: web.Request) -> web.StreamResponse:
    """Show a resource. Its link contains the resource's id."""
    person = visitor(request)
    if person is None:
        return _to_login(request)
    state = state_of(request)
    resource = state.find(person, request.match_info["type"], request.match_info["id"])
    status = resource.status(state.clock.now())
    body = f"<p>{resource.type.capitalize()} of {escape(resource.owner)}: {escape(status)}</p>"
    if resource.type == "workspace" and status == "running":
        body += f'<p><a href="/ide/{resource.id}/">Open the IDE</a></p>'
    return page(resource.name, body)


async def ide(request: web.Request) -> web.StreamResponse:
    """Show the IDE, but only to its signed-in owner."""
    person = visitor(request)
    if person is None:
        return _to_login(request)
    state = state_of(request)
    resource = state.resources.get(request.match_info["id"])
    if resource is None or resource.type != "workspace":
        return page("Not found", "<p>There is no such workspace.</p>", 404)
    if not state.is_owner(person, resource.owner):
        return page("Not yours", "<p>Only the owner of this workspace can open it.</p>", 403)
    if resource.status(state.clock.now()) != "running":
        return page("Not running", "<p>Start the workspace first.</p>", 503)
    return page(resource.name, f"<p>The IDE of {escape(person.name)} is running.</p>")


def _login_form(request: web.Request, onward: str, problem: str = "", status: int = 200) -> web.Response:
    names = state_of(request).accounts.people
    options = "".join(f'<option value="{escape(name)}">{escape(name)}</option>' for name in names)
    return page(
        "Log in to Saturn Cloud (local)",
        f'<p role="alert">{escape(problem)}</p><form method="post" action="/login">'
        f'<input type="hidden" name="next" value="{escape(local_path(onward, "/dash"))}">'
        f'<label>Who are you? <select name="username">{options}</select></label>'
        '<label>Password <input type="password" name="password" autocomplete="off"></label>'
        "<button>Log in</button></form>",
        status,
    )


def _to_login(request: web.Request) -> web.StreamResponse:
    return redirect(f"/login?next={quote(request.path, safe='/')}")


async def home(_request: web.Request) -> web.StreamResponse:
    """Lead to the dashboard."""
    return redirect("/dash")


def routes() -> list[web.RouteDef]:
    """Return the routes of this module."""
    return [
        web.get("/", home),
        web.get("/login", login_page),
        web.post("/login", log_in),
        web.post("/logout", log_out),
        web.get("/dash", dashboard),
        web.get(_PROFILE, profile),
        web.post(_PROFILE, new_token),
        web.get("/dash/resources/{type}/{id}", resource_page),
        web.get("/ide/{id}/", ide),
    ]
