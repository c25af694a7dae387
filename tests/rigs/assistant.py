"""Slack's assistant, played by the public client of its protocol. Requests are signed as Slack's are."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from playground.slack.dispatch import sign

PATH = "/slack/mcp"


class Signed(httpx2.Auth):
    """Signs each request, and keeps its headers and body so that it can be sent again."""

    requires_request_body = True

    def __init__(self, secret: str, now: Callable[[], float]) -> None:
        self._secret, self._now = secret, now
        self.sent: list[tuple[dict[str, str], bytes]] = []

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        at = str(int(self._now()))
        headers = {
            "Content-Type": "application/json",
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": sign(self._secret, at, request.content),
        }
        request.headers.update(headers)
        self.sent.append((headers, request.content))
        yield request


class Assistant:
    """Calls tools on behalf of people."""

    def __init__(self, client: Client, signed: Signed, http: httpx2.AsyncClient, url: str) -> None:
        self.client, self.signed, self._http, self._url = client, signed, http, url
        #: The results so far, as text.
        self.told: list[str] = []

    async def calls(self, who: dict[str, Any] | None, tool: str, **given: Any) -> str:
        """Call a tool on behalf of ``who``, the user as named in Slack's metadata (None: nobody).

        Return the text of the result, a JSON object.
        """
        meta: Any = None if who is None else {"slack": who}
        result = await self.client.call_tool(tool, given, meta=meta)
        assert [one.type for one in result.content] == ["text"]
        assert result.structured_content is None
        text = result.content[0].text  # as its type just said
        self.told.append(text)
        assert isinstance(json.loads(text), dict)
        return str(text)

    async def finds(self, who: dict[str, Any] | None, tool: str, **given: Any) -> Any:
        """Call a tool on behalf of ``who``, as in ``calls``. Return the decoded result."""
        return json.loads(await self.calls(who, tool, **given))

    async def repeats(self, method: str = "tools/call") -> int:
        """Send the last request of a method again, byte for byte, and return the status."""
        said = f'"{method}"'.encode()
        headers, content = next(one for one in reversed(self.signed.sent) if said in one[1])
        response = await self._http.post(self._url, headers=headers, content=content, auth=None)
        return int(response.status_code)


@asynccontextmanager
async def assistant(address: str, secret: str, now: Callable[[], float]) -> AsyncIterator[Assistant]:
    """Connect as Slack's assistant does."""
    signed, url = Signed(secret, now), f"{address}{PATH}"
    async with (
        httpx2.AsyncClient(auth=signed, trust_env=False, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        yield Assistant(client, signed, http, url)
