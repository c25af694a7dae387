"""A proxy in front of Usher that adds a person and Slack's signature to clients' requests, as Slack does."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from playground.slack.dispatch import sign
from tests.rigs.assistant import PATH

_KEPT = ("MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "Accept")


@asynccontextmanager
async def signer(
    address: str, secret: str, now: Callable[[], float], who: dict[str, Any]
) -> AsyncIterator[str]:
    """Run the proxy, and yield the address that a client calls."""
    async with aiohttp.ClientSession() as session:

        async def forward(request: web.Request) -> web.Response:
            raw = await request.read()
            headers = {name: request.headers[name] for name in _KEPT if name in request.headers}
            if request.method == "POST":
                message = await request.json()
                if message.get("method") == "tools/call":
                    params = message["params"]
                    params["_meta"] = (params.get("_meta") or {}) | {"slack": who}
                raw, at = json.dumps(message).encode(), str(int(now()))
                headers |= {"Content-Type": "application/json", "X-Slack-Request-Timestamp": at}
                headers["X-Slack-Signature"] = sign(secret, at, raw)
            async with session.request(
                request.method, f"{address}{PATH}", data=raw or None, headers=headers
            ) as answer:
                body, kind = await answer.read(), answer.headers.get("Content-Type", "text/plain")
                return web.Response(status=answer.status, body=body, headers={"Content-Type": kind})

        app = web.Application()
        app.router.add_route("*", "/mcp", forward)
        async with TestServer(app) as server:
            yield str(server.make_url("/mcp"))
