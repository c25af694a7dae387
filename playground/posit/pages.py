"""Pages for browsers: the sign-in page, the list of a person's sessions, and the IDE of a running session."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from aiohttp import web

from playground.pages import local_path, page, redirect
from playground.posit.accounts import Person
from playground.posit.calls import HARNESS, STATE

COOKIE = "posit_session"


def sign_in_form(onward: str, problem: str = "", status: int = 200) -> web.Response:
    """Return the page that asks for username and password."""
    return page(
        "Sign in to Posit Workbench (local)",
        f'<p role="alert">{escape(problem)}</p><form method="post" action="/auth-sign-in">'
        f'<input type="hidden" name="appUri" value="{escape(local_path(onward, "/home"))}">'
        '<label>Username <input name="username" autocomplete="off"></label>'
        '<label>Password <input type="password" name="password" autocomplete="off"></label>'
        "<button>Sign In</button></form>",
        status,
    )


async def sign_in_page(request: web.Request) -> web.Response:
    """Show the sign-in page. If the request has a token, the client leaked it by following a redirect."""
    if "Authorization" in request.headers:
        request.app[HARNESS].violation("no redirect is followed with the token", request.path)
    return sign_in_form(request.query.get("appUri", "/home"))


async def sign_in(request: web.Request) -> web.StreamResponse:
    """Begin a browser session for a username and its password."""
    form = await request.post()
    onward = local_path(str(form.get("appUri", "/home")), "/home")
    name, password = str(form.get("username", "")), str(form.get("password", ""))
    session = request.app[STATE].accounts.sign_in(name, password)
    if session is None:
        return sign_in_form(onward, "Error: incorrect or invalid username/password", 401)
    response = redirect(onward)
    response.set_cookie(COOKIE, session, httponly=True, samesite="Lax", path="/")
    return response


async def sign_out(request: web.Request) -> web.StreamResponse:
    """End the browser session."""
    request.app[STATE].accounts.sign_out(request.cookies.get(COOKIE))
    response = redirect("/auth-sign-in")
    response.del_cookie(COOKIE, path="/")
    return response


async def home(request: web.Request) -> web.StreamResponse:
    """Show one's sessions."""
    person = _visitor(request)
    if person is None:
        return _to_sign_in(request)
    rows = "".join(
        f'<li><a href="/s/{session.hex}/">{escape(session.name)}</a>: {escape(session.workbench)}, '
        f"{escape(session.state)}</li>"
        for session in request.app[STATE].sessions_of(person)
    )
    button = '<form method="post" action="/auth-sign-out"><button>Sign Out</button></form>'
    return page(f"Sessions of {person.name}", f"<ul>{rows}</ul>{button}")


async def ide(request: web.Request) -> web.StreamResponse:
    """Show the IDE, but only to its signed-in owner."""
    person = _visitor(request)
    if person is None:
        return _to_sign_in(request)
    state = request.app[STATE]
    state.settle()
    digits = request.match_info["hex"]
    session = next((one for one in state.sessions.values() if one.hex == digits), None)
    if session is None or session.ended:
        return page("Not found", "<p>There is no such session.</p>", 404)
    if session.owner != person.name:
        return page("Not yours", "<p>Only the owner of this session can open it.</p>", 403)
    if session.state != "running":
        return page("Not running", f"<p>The session is {escape(session.state)}.</p>", 503)
    return page(session.name, f"<p>{escape(session.workbench)} of {escape(person.name)} is running.</p>")


async def root(_request: web.Request) -> web.StreamResponse:
    """Redirect to the list of sessions."""
    return redirect("/home")


def _visitor(request: web.Request) -> Person | None:
    return request.app[STATE].accounts.by_session(request.cookies.get(COOKIE))


def _to_sign_in(request: web.Request) -> web.StreamResponse:
    onward = quote(request.path, safe="/")
    return redirect(f"/auth-sign-in?appUri={onward}")


def routes() -> list[web.RouteDef]:
    """Return the routes of this module."""
    return [
        web.get("/", root),
        web.get("/home", home),
        web.get("/auth-sign-in", sign_in_page),
        web.post("/auth-sign-in", sign_in),
        web.post("/auth-sign-out", sign_out),
        web.get("/s/{hex}/", ide),
        web.get("/{prefix:[a-z][a-z-]*}/s/{hex}/", ide),
    ]
