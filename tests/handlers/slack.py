"""Payloads as Slack sends them, a way to deliver them, and a stand-in for Slack's methods."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp

from bot.domain.installations import Installation
from bot.domain.people import Principal
from bot.slack.bolt_context import MAX_BODY_BYTES, RETRY_NUMBER
from bot.slack.calls import Budget, PacedSlack, SlackAnswer
from bot.slack.tenants import OneTenant
from bot.support.addresses import DIRECT
from bot.support.clock import SystemIds
from bot.support.errors import SlackFailed, SlackPermanent
from bot.web.bolt import build_bolt, dispatch
from bot.web.shapes import read_envelope
from handlers.listeners import register
from handlers.requests.services import Services
from tests.rigs.store import ALICE


@dataclass
class LittleSlack:
    """A SlackCaller for forms and messages that also accepts posts to a response_url.

    ``slow`` keeps forms from opening; ``fails`` has the errors for the next messages.
    """

    url: str = "http://127.0.0.1:9/"
    #: The session, which decides what goes through a proxy, as in a real process.
    session: aiohttp.ClientSession | None = None
    views: list[dict[str, Any]] = field(default_factory=list)
    responses: list[dict[str, Any]] = field(default_factory=list)
    #: Calls of other methods than those for forms.
    posts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    #: The status and body with which posts to a response_url are answered, and errors for other methods.
    answer: tuple[int, str] = (200, "ok")
    refusals: dict[str, SlackFailed] = field(default_factory=dict)
    opens: bool = True
    slow: asyncio.Event | None = None
    #: Errors that the next posts raise before any other answer.
    fails: list[Exception] = field(default_factory=list)
    #: Error codes with which the first views are refused.
    refused_views: list[str] = field(default_factory=list)

    async def call(self, method: str, arguments: Mapping[str, Any]) -> SlackAnswer:
        if method != "views.open":
            if self.fails:
                raise self.fails.pop(0)
            if (refusal := self.refusals.get(method)) is not None:
                raise refusal
            self.posts.append((method, dict(arguments)))
            return SlackAnswer({"ts": "1.1"})
        if self.slow is not None:
            await self.slow.wait()
        if self.refused_views:
            raise SlackPermanent(method, self.refused_views.pop(0))
        self.views.append(dict(arguments))
        if not self.opens:
            raise SlackFailed(method, "expired_trigger_id")
        return SlackAnswer({})

    async def upload(self, url: str, pieces: AsyncIterator[bytes], size: int) -> None:
        raise AssertionError(url)

    async def respond(self, request: web.Request) -> web.Response:
        self.responses.append(await request.json())
        status, text = self.answer
        return web.Response(status=status, text=text)


@asynccontextmanager
async def little_slack() -> AsyncIterator[LittleSlack]:
    slack = LittleSlack()
    app = web.Application()
    app.router.add_post("/respond", slack.respond)
    async with TestServer(app) as server, aiohttp.ClientSession(middlewares=(DIRECT,)) as session:
        slack.url, slack.session = str(server.make_url("/")), session
        yield slack


def bolt_for(services: Services, slack: LittleSlack, **keys: Any) -> AsyncApp:
    installation, token = Installation("T1", bot_user_id="UBOT", bot_id="BBOT"), SecretStr("xoxb-made-up")
    tenants = OneTenant(installation, token, slack)
    app = build_bolt(tenants=tenants, api_url=f"{slack.url}api/", ids=SystemIds(), session=slack.session)
    register(app, services, paced(services, slack), **keys)
    return app


def paced(services: Services, slack: LittleSlack) -> PacedSlack:
    """Return a client that keeps to the rate limits, for listeners."""
    return PacedSlack(slack, Budget(services.store, Installation("T1")), services.clock)


@dataclass
class AppResponse:
    """The status and body of the app's response."""

    status: int
    body: Any


async def send(
    app: AsyncApp, payload: dict[str, Any], room: int | None = None, *, retry: int = 0
) -> AppResponse:
    """Deliver a payload as Socket Mode does.

    ``retry`` is the number of earlier deliveries, and ``room`` the number of bytes available for the answer.
    """
    kind = "slash_commands" if "command" in payload else "interactive"
    context: dict[str, Any] = {RETRY_NUMBER: str(retry)} | ({MAX_BODY_BYTES: room} if room else {})
    response = await dispatch(app, read_envelope(kind, payload), context)
    text = response.body
    return AppResponse(response.status, json.loads(text) if text.startswith("{") else text)


def command(text: str, who: Principal = ALICE, **keys: Any) -> dict[str, Any]:
    return {
        "command": "/workspace",
        "text": text,
        "team_id": who.team_id,
        "user_id": who.user_id,
        "channel_id": "C1",
        "channel_name": "general",
        "trigger_id": f"trigger.{text}.{who.user_id}",
        "response_url": "https://hooks.example.org/1",
        "is_enterprise_install": "false",
    } | keys


def interaction(kind: str, who: Principal = ALICE, **keys: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "user": {"id": who.user_id, "team_id": who.team_id, "username": "x"},
        "team": {"id": "T1", "domain": "acme"},
        "enterprise": None,
        "is_enterprise_install": False,
        "trigger_id": "trigger.1",
    } | keys


def click(action_id: str, value: str = "", who: Principal = ALICE, **keys: Any) -> dict[str, Any]:
    action = {"type": "button", "action_id": action_id, "block_id": "b", "value": value, "action_ts": "1.1"}
    return (
        interaction("block_actions", who)
        | {
            "actions": [action],
            "container": {"type": "message", "message_ts": "9.9", "channel_id": "C1", "is_ephemeral": False},
            "channel": {"id": "C1", "name": "general"},
            "message": {"ts": "9.9"},
            "response_url": "https://hooks.example.org/1",
        }
        | keys
    )


def submission(value: str, who: Principal = ALICE, callback_id: str = "code", **keys: Any) -> dict[str, Any]:
    view = {
        "type": "modal",
        "id": "V1",
        "callback_id": callback_id,
        "blocks": [{"type": "input", "block_id": "code"}],
        "state": {"values": {"code": {"code": {"type": "plain_text_input", "value": value}}}},
    }
    return interaction("view_submission", who) | {"view": view} | keys


def event(
    kind: str, event_id: str = "Ev1", outer: dict[str, Any] | None = None, **keys: Any
) -> dict[str, Any]:
    return {
        "type": "event_callback",
        "team_id": "T1",
        "event_id": event_id,
        "authorizations": [{"team_id": "T1", "enterprise_id": None, "user_id": "UBOT", "is_bot": True}],
        "is_ext_shared_channel": False,
        "event": {"type": kind} | keys,
    } | (outer or {})


#: When messages are sent: the moment at which a test's clock begins.
SAID = "1800000000.000300"


def message(text: str, who: Principal = ALICE, event_id: str = "Ev1", **keys: Any) -> dict[str, Any]:
    told = {"user": who.user_id, "team": who.team_id, "channel": "D1", "channel_type": "im", "ts": SAID}
    return event("message", event_id, text=text, **told | keys)


def mention(text: str, who: Principal = ALICE, **keys: Any) -> dict[str, Any]:
    told = {"user": who.user_id, "team": who.team_id, "channel": "C1", "ts": SAID}
    return event("app_mention", text=text, **told | keys)
