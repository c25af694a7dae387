"""A proxy for the hub's API and people's servers. It counts requests, injects faults, and passes streams on.

It exists because the Python proxy passes an event stream on only once the stream has ended
(``docs/internals/providers/jupyterhub.md``, "A hub for tests").
"""

from __future__ import annotations

import asyncio
import re

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from playground.faults import act, is_late
from playground.harness import Harness

#: Headers that apply to a single connection (RFC 9110, 7.6.1), and those that aiohttp sets itself.
_OWN = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
}
_STATUS_READ = re.compile(r"/hub/api/users/([^/]+)$")
_START = re.compile(r"^POST /hub/api/users/[^/]+/servers?(?:/[^/]*)?$")
_HUB: web.AppKey[str] = web.AppKey("hub_url", str)
_PAGES: web.AppKey[str] = web.AppKey("pages_url", str)
_LATER: web.AppKey[set[asyncio.Task[web.StreamResponse]]] = web.AppKey("later", set)
_SESSION: web.AppKey[aiohttp.ClientSession] = web.AppKey("session", aiohttp.ClientSession)


def build(
    hub_url: str, session: aiohttp.ClientSession, harness: Harness, proxy_port: int, pages_url: str = ""
) -> web.Application:
    """Build the application to which the hub's own proxy forwards. For the session, see ``client_session``.

    ``pages_url`` is the URL of the hub's own proxy, through which people's servers are reached.
    """
    app = web.Application(client_max_size=64 * 1024**2)
    app[_HUB] = hub_url
    app[_PAGES] = pages_url or hub_url
    app[_SESSION] = session
    app[_LATER] = set()
    harness.install(app, proxy_port)
    harness.watch(_STATUS_READ, 0.0, "no limit is documented", _START)
    app.router.add_route("*", "/{path:.*}", _forward)
    return app


def client_session() -> aiohttp.ClientSession:
    """Create a session that passes everything through unchanged: no cookies, no decompression."""
    return aiohttp.ClientSession(
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=10),
        connector=aiohttp.TCPConnector(limit=0),
    )


async def _forward(request: web.Request) -> web.StreamResponse:
    await request.read()
    if not is_late(request) or request.method in {"GET", "HEAD"}:
        return await _now(request)
    # A real hub can't be told to act later. So keep the request here, and answer as the hub does if a start
    # or stop takes longer.
    later = request.app[_LATER]

    def go(_at: float) -> None:
        task = asyncio.create_task(_now(request))
        later.add(task)
        task.add_done_callback(later.discard)

    act(request, go)
    return web.Response(status=202)


async def _now(request: web.Request) -> web.StreamResponse:
    root = request.app[_PAGES if request.path.startswith("/user/") else _HUB]
    address = URL(root + request.raw_path, encoded=True)
    headers = _passed(request.headers)
    body = await request.read()
    try:
        async with request.app[_SESSION].request(
            request.method,
            address,
            headers=headers,
            data=body or None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as answer:
            return await _pass_on(request, answer)
    except aiohttp.ClientError:
        return web.json_response({"message": "the hub does not answer"}, status=503)


async def _pass_on(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    if answer.content_type != "text/event-stream":
        return web.Response(status=answer.status, headers=_passed(answer.headers), body=await answer.read())
    stream = web.StreamResponse(status=answer.status, headers=_passed(answer.headers))
    await stream.prepare(request)
    try:
        async for chunk in answer.content.iter_any():
            await stream.write(chunk)
        await stream.write_eof()
    except (aiohttp.ClientError, ConnectionResetError, asyncio.CancelledError):
        if request.transport is not None:
            request.transport.abort()
    return stream


def _passed(headers: aiohttp.typedefs.LooseHeaders) -> CIMultiDict[str]:
    kept: CIMultiDict[str] = CIMultiDict()
    for name, value in CIMultiDict(headers).items():
        if name.lower() not in _OWN:
            kept.add(name, value)
    return kept
