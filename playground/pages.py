"""The common parts of the local providers' stand-in pages."""

from __future__ import annotations

from html import escape

from aiohttp import web

_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}"
    "label{display:block;margin:.5rem 0}"
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"


def page(title: str, body: str, status: int = 200) -> web.Response:
    """Answer with a page: the title is escaped, the body is HTML."""
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{body}</html>"
    )
    headers = {"Content-Security-Policy": _POLICY}
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)


def redirect(location: str) -> web.Response:
    """Answer 302 to another page."""
    return web.Response(status=302, headers={"Location": location})


def local_path(onward: str, otherwise: str) -> str:
    """Return ``onward`` if it is a path that stays on this server, otherwise ``otherwise``."""
    return onward if onward.startswith("/") and not onward.startswith(("//", "/\\")) else otherwise
