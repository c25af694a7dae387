"""The baseline for requests: a bare Bolt app with a single listener, which only acknowledges.

It uses Bolt's own signature check, and writes no access log. At ``/refused``, aiohttp alone reads a request
and refuses it. Run it with ``python -m benchmarks.bare_bolt API_URL BOT_TOKEN SIGNING_SECRET``.
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.async_app import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from playground.harness import serve_until_stopped


async def _only_ack(ack: AsyncAck) -> None:
    await ack()


async def _refuse(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(status=401)


async def _run(api_url: str, token: str, secret: str) -> None:
    app = AsyncApp(client=AsyncWebClient(token=token, base_url=api_url), signing_secret=secret)
    app.command("/workspace")(_only_ack)
    served = app.web_app(path="/slack/events")
    served.router.add_post("/refused", _refuse)
    await serve_until_stopped(served, 0, {})


if __name__ == "__main__":
    asyncio.run(_run(*sys.argv[1:]))
