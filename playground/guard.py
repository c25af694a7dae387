"""Decides who may use a server's control addresses: its own pages, and local programs that aren't browsers.

A browser also sends the requests of pages from elsewhere. Its headers ``Origin`` and ``Sec-Fetch-Site`` tell
that, and ``Host`` shows a name that was made to point here (DNS rebinding).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Mapping

from aiohttp import web
from aiohttp.typedefs import Middleware

#: Names of this machine; no other name in a Host header is believed.
LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: Where servers are controlled, and what the local Slack's page does for the person who sits there.
CONTROLLED = ("/_playground/", "/_page/")
_HOST = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::([0-9]{1,5}))?", re.IGNORECASE)
_USUAL_PORTS = {"http": 80, "https": 443}
_MESSAGES = {
    "foreign_host": "This address works only at 127.0.0.1 or localhost, on this server's own port.",
    "foreign_origin": "This address answers only this server's own pages, and programs on this machine.",
}


def objection(headers: Mapping[str, str], scheme: str, ports: Collection[int]) -> str | None:
    """Return why a request may not control a server that is reached by these ports, or None if it may."""
    host = headers.get("Host", "")
    named = _HOST.fullmatch(host)
    if named is None or int(named[1] or _USUAL_PORTS[scheme]) not in ports:
        return "foreign_host"
    # Programs send neither; a page's own requests have the address of the page, which is this server's.
    if headers.get("Origin", f"{scheme}://{host}").lower() != f"{scheme}://{host}".lower():
        return "foreign_origin"
    if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return "foreign_origin"
    return None


def guard(*ports: int) -> Middleware:
    """Make the middleware that refuses objectionable requests to control addresses.

    ``ports``: those by which a proxy leads here, besides the one that the server listens on.
    """

    @web.middleware
    async def guarding(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.path.startswith(CONTROLLED):
            own = request.transport.get_extra_info("sockname") if request.transport is not None else None
            error = objection(request.headers, request.scheme, {*ports, *(own or ())[1:2]})
            if error is not None:
                refusal = {"ok": False, "error": error, "message": _MESSAGES[error]}
                return web.json_response(refusal, status=403)
        return await handler(request)

    return guarding
