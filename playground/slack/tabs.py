"""Slack's own pages in a browser. Their script keeps track of which person each tab belongs to."""

from __future__ import annotations

import html
from functools import partial
from pathlib import Path

from aiohttp import web

from playground.slack.state import State

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' http://127.0.0.1:*; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FILES = {name: Path(__file__).parent / "static" / name for name in ("tab.js", "sign_in.css")}


def install(app: web.Application, state: State) -> None:
    """Add the routes, on the address where people sign in."""
    app.router.add_get("/openid/tab", _tab)
    app.router.add_get("/openid/sign-outs", partial(_sign_outs, state))
    app.router.add_get("/openid/static/{name}", _file)


async def _tab(request: web.Request) -> web.Response:
    """Open a URL in a tab that belongs to a person. The fragment contains the URL and the person."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return page("Something went wrong", "<p>Links open from Slack's own page only.</p>", 403)
    return page("One moment", "<p>Opening the link …</p>")


async def _sign_outs(state: State, _request: web.Request) -> web.Response:
    """List the pages that sign the browser out. All tabs share its cookies, which may be another person's."""
    return web.json_response(state.sign_outs, headers={"Cache-Control": "no-store"})


async def _file(request: web.Request) -> web.StreamResponse:
    path = _FILES.get(request.match_info["name"])
    if path is None:
        raise web.HTTPNotFound
    return web.FileResponse(path, headers={"Cache-Control": "no-cache"})


def page(title: str, body: str, status: int = 200) -> web.Response:
    """Return one of Slack's own pages."""
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/openid/static/sign_in.css">'
        '<script type="module" src="/openid/static/tab.js"></script></head>'
        f"<body><main><h1>{html.escape(title)}</h1>{body}</main></body></html>"
    )
    headers = {
        "Content-Security-Policy": _POLICY,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
    }
    return web.Response(text=text, content_type="text/html", status=status, headers=headers)
