"""Helpers for tests of the local Slack: a fixed clock, an app that records requests, a real client."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from playground.harness import Clock
from playground.slack import SlackServer, build

OLIVIA, CHEN, TARA, AMIR, GRETA, PAVEL = "U0OLIVIA", "U0CHEN", "U0TARA", "U0AMIR", "U0GRETA", "U0PAVEL"
GENERAL, SCIENCE, TRAINING, QUIET = "C0GENERAL", "C0SCIENCE", "C0TRAINING", "C0QUIET"


class Recorder:
    """An app behind a request URL, which records what it receives and answers as the test says."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        #: Events about the app's own messages, which a bot has to ignore.
        self.own: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self.raw: list[tuple[dict[str, str], bytes]] = []
        self.answer: Callable[[dict[str, Any]], Awaitable[web.Response] | web.Response] = lambda _p: (
            web.Response()
        )

    async def arrived(self, count: int) -> None:
        """Wait until this many payloads have arrived."""
        async with asyncio.timeout(10):
            while len(self.seen) < count:
                self._news.clear()
                await self._news.wait()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.raw.append((dict(request.headers), body))
        if request.content_type == "application/json":
            payload = json.loads(body)
        else:
            form = {key: values[0] for key, values in parse_qs(body.decode(), keep_blank_values=True).items()}
            payload = json.loads(form["payload"]) if "payload" in form else form
        event = payload.get("event")
        mine = (
            isinstance(event, dict)
            and event["type"] == "message"
            and ("bot_id" in event or "subtype" in event)
        )
        (self.own if mine else self.seen).append(payload)
        self._news.set()
        made = self.answer(payload)
        return made if isinstance(made, web.Response) else await made


@asynccontextmanager
async def recorded(server: SlackServer) -> AsyncIterator[Recorder]:
    """Serve a recorder, and set it as the app's request URL."""
    recorder, app = Recorder(), web.Application()
    app.router.add_post("/slack/events", recorder.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.state.app.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    try:
        yield recorder
    finally:
        await runner.cleanup()


class FixedClock(Clock):
    """A clock that only moves when the test moves it."""

    def __init__(self) -> None:
        super().__init__(lambda: 1_800_000_000.0)


@asynccontextmanager
async def slack(**options: Any) -> AsyncIterator[tuple[SlackServer, AsyncWebClient]]:
    """Run a local Slack, and yield it with a client that has the bot's token."""
    options.setdefault("clock", FixedClock())
    options.setdefault("limits", False)
    server = build(**options)
    async with server.running() as url:
        token = server.credentials["bot_token"]
        yield server, AsyncWebClient(token=token, base_url=f"{url}/api/", retry_handlers=[])


async def refusal(awaitable: Awaitable[Any]) -> dict[str, Any]:
    """Return the body of Slack's answer to a call that it refuses."""
    with pytest.raises(SlackApiError) as caught:
        await awaitable
    data: dict[str, Any] = caught.value.response.data
    return data


def section(text: str = "Hello") -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(action_id: str = "go", **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": "Go"}, **more}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "block_id": "acts", "elements": list(elements)}
