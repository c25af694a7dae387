"""The page's way to whoever runs this Slack beside other servers: what the panel shows and switches there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ANSWER_SECONDS = 20.0


class Backstage:
    """Hand the panel's requests on: a browser asks nobody but the server whose page it shows.

    Without an ``address`` there is nobody, and the panel shows traffic alone.
    """

    def __init__(self) -> None:
        self.address = ""
        self._session: aiohttp.ClientSession | None = None

    def install(self, app: web.Application) -> None:
        """Add the page's routes."""
        app.router.add_get("/_page/backstage/{what:state}", self._hand_on)
        app.router.add_post("/_page/backstage/{what:[a-z-]+}", self._hand_on)
        app.cleanup_ctx.append(self._life)

    async def _life(self, _app: web.Application) -> AsyncIterator[None]:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            self._session = session
            yield
            self._session = None

    async def _hand_on(self, request: web.Request) -> web.Response:
        # With status 200 also where there is nobody: a browser's console complains of any other.
        headers = {"Cache-Control": "no-store"}
        if not self.address or self._session is None:
            return web.json_response({"ok": False, "error": "no_backstage"}, headers=headers)
        url = f"{self.address}/_playground/{request.match_info['what']}"
        body = await request.read()
        try:
            async with self._session.request(request.method, url, data=body or None) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            return web.json_response({"ok": False, "error": "backstage_does_not_answer"}, headers=headers)
        return web.Response(body=content, content_type="application/json", headers=headers)
