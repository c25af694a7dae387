"""Decides who may use a server's control routes: its own pages, and local programs that aren't browsers.

Pages from elsewhere can make a browser send requests to these routes. The headers ``Origin`` and
``Sec-Fetch-Site`` reveal such requests, and ``Host`` reveals a foreign name that resolves to this machine
(DNS rebinding).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Mapping

from aiohttp import web
from aiohttp.typedefs import Middleware

#: The names of this machine. Requests with any other name in their Host header are refused.
LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: Path prefixes of the routes that control a server, and of those by which the local Slack's page acts for
#: its user.
CONTROLLED = ("/_playground/", "/_page/")
_HOST = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::([0-9]{1,5}))?", re.IGNORECASE)
_USUAL_PORTS = {"http": 80, "https": 443}
_MESSAGES = {
    "foreign_host": "This address works only at 127.0.0.1 or localhost, on this server's own port.",
    "foreign_origin": "This address answers only this server's own pages, and programs on this machine.",
}


def objection(headers: Mapping[str, str], scheme: str, ports: Collection[int]) -> str | None:
    """Return why a request must not control a server on these ports, or None if it may."""
    host = headers.get("Host", "")
    named = _HOST.fullmatch(host)
    if named is None or int(named[1] or _USUAL_PORTS[scheme]) not in ports:
        return "foreign_host"
    # Programs other than browsers send neither Origin nor Sec-Fetch-Site. For requests from the server's own
    # pages, the origin is this server.
    if headers.get("Origin", f"{scheme}://{host}").lower() != f"{scheme}://{host}".lower():
        return "foreign_origin"
    if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return "foreign_origin"
    return None


def guard(*ports: int) -> Middleware:
    """Return the middleware that refuses requests to control routes if ``objection`` objects.

    ``ports`` are the ports of proxies in front of this server. The server's own port is always allowed.
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
