"""Connects the page to the program that runs this Slack next to other servers: statistics and switches."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

from playground.values import checked, loads

ANSWER_SECONDS = 20.0
#: URLs to which requests may be forwarded: only those on this machine.
_HERE = re.compile(r"http://127\.0\.0\.1:[0-9]{1,5}")


class Backstage:
    """Forwards the panel's requests to the program that controls the servers.

    The panel can't send them there itself, because its browser only contacts the server of its page. Until
    the program has sent its URL, the panel shows only the traffic.
    """

    def __init__(self) -> None:
        self._address = ""
        self._session: aiohttp.ClientSession | None = None

    def install(self, app: web.Application) -> None:
        """Add the routes for the page."""
        app.router.add_get("/_page/backstage/{what:state}", self._hand_on)
        app.router.add_post("/_page/backstage/{what:[a-z-]+}", self._hand_on)
        app.cleanup_ctx.append(self._life)

    def install_control(self, app: web.Application) -> None:
        """Add the route to which the program sends its URL."""
        app.router.add_post("/_playground/backstage", self._take_address)

    async def _life(self, _app: web.Application) -> AsyncIterator[None]:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            self._session = session
            yield
            self._session = None

    async def _take_address(self, request: web.Request) -> web.Response:
        address = checked(loads(await request.read()), ("address",))["address"]
        if not isinstance(address, str) or not _HERE.fullmatch(address):
            raise ValueError("an address of this machine is needed: http://127.0.0.1:PORT")
        self._address = address
        return web.json_response({"ok": True})

    async def _hand_on(self, request: web.Request) -> web.Response:
        # Use status 200 even for errors, because browsers log any other status on their console.
        headers = {"Cache-Control": "no-store"}
        if not self._address or self._session is None:
            return web.json_response({"ok": False, "error": "no_backstage"}, headers=headers)
        url = f"{self._address}/_playground/{request.match_info['what']}"
        body = await request.read()
        try:
            async with self._session.request(request.method, url, data=body or None) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            return web.json_response({"ok": False, "error": "backstage_does_not_answer"}, headers=headers)
        return web.Response(body=content, content_type="application/json", headers=headers)
