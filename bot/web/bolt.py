"""Bolt behind our front: one installed workspace, our tenant guard, no second verification, no bodies logged.

``Dispatcher`` is the one door for HTTP and Socket Mode: both hand over a payload whose shape was checked.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.web.front import INCOMING
from bot.web.shapes import LISTENED, Incoming, Malformed
from bot.words import pages as words

if TYPE_CHECKING:
    from collections.abc import Mapping

    import aiohttp
    from pydantic import SecretStr

    from bot.clock import Ids

_log = structlog.get_logger(__name__)

#: Told to Bolt beside the payload; Slack does not sign headers, so no others are passed on.
_PASSED_HEADERS = ("X-Slack-Retry-Num", "X-Slack-Retry-Reason")


@dataclass(frozen=True, slots=True)
class Installation:
    """Hold where Usher is installed, as ``auth.test`` tells it, and the bot's token."""

    team_id: str
    bot_token: SecretStr
    enterprise_id: str | None = None
    is_org: bool = False
    team_name: str = ""
    bot_user_id: str | None = None
    bot_id: str | None = None

    def is_home(self, enterprise_id: str | None, team_id: str | None) -> bool:
        """Say whether an installed team, as a payload names it, is this one; missing ones are not."""
        if team_id == self.team_id and team_id:
            return True
        return self.is_org and enterprise_id is not None and enterprise_id == self.enterprise_id


class OneWorkspaceApp(AsyncApp):
    """Hand every request the app's own client, as there is one token; Bolt would make a new one for each."""

    def _init_context(self, req: AsyncBoltRequest) -> None:
        context = req.context
        context["logger"] = self.logger
        context["token"] = self._token
        context["client"] = self.client
        context["listener_runner"] = self.listener_runner


def build_bolt(
    *,
    installation: Installation,
    api_url: str,
    ids: Ids,
    session: aiohttp.ClientSession | None = None,
) -> AsyncApp:
    """Make the app that listeners are registered at.

    A listener runs whole before its answer leaves (``process_before_response``), so nothing is left running
    when it has been acknowledged, and an exception is answered at once. ``session`` is used for Slack's Web
    API; without one every call opens its own.
    """
    # Below this level Bolt and the SDK log bodies and headers; they copy the level to loggers of their own.
    quiet = logging.getLogger("bot.slack")
    quiet.setLevel(logging.ERROR)
    client = AsyncWebClient(base_url=api_url, logger=quiet, session=session, timeout=10)
    app = OneWorkspaceApp(
        name="bot.slack",
        logger=quiet,
        client=client,
        authorize=_authorize(installation),
        process_before_response=True,
        # Verified in bot.web.front; Socket Mode has nothing to verify.
        request_verification_enabled=False,
        # Answered by the Dispatcher.
        ssl_check_enabled=False,
        url_verification_enabled=False,
        # Not used.
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )

    @app.error
    async def last_resort(error: Exception, body: dict[str, Any]) -> BoltResponse:
        reference = ids.reference()
        _log.error("slack.listener_failed", reference=reference, exc_info=error)
        if "command" in body:
            return BoltResponse(status=200, body=_ephemeral(words.unexpected(reference)))
        return BoltResponse(status=200, body="")

    return app


class Dispatcher:
    """Lead a payload to its listener: protocol requests are answered here, foreign workspaces refused."""

    def __init__(self, app: AsyncApp, installation: Installation) -> None:
        self.app = app
        self._installation = installation

    async def dispatch(self, incoming: Incoming, headers: Mapping[str, str] | None = None) -> BoltResponse:
        """Return the answer for Slack; raises Malformed for what cannot even be read as a request."""
        if incoming.kind == "url_verification":
            return BoltResponse(status=200, body={"challenge": incoming.payload["challenge"]})
        if incoming.kind not in LISTENED:
            if incoming.kind != "ssl_check":
                _log.info("slack.kind_ignored", kind=incoming.kind[:40])
            return BoltResponse(status=200, body="")
        try:
            # The parsed payload is handed over, in the mode that takes one: nothing is parsed a second way.
            request = AsyncBoltRequest(
                body=incoming.payload, headers=dict(headers) if headers else None, mode="socket_mode"
            )
        except (TypeError, ValueError, AttributeError, KeyError, IndexError):
            raise Malformed(incoming.kind) from None
        context = request.context
        if not self._installation.is_home(context.enterprise_id, context.team_id):
            _log.warning("slack.foreign_team_refused", kind=incoming.kind, team=context.team_id)
            return _foreign(incoming.kind)
        response = await self.app.async_dispatch(request)
        if response.status == 404:
            _log.info("slack.nobody_listens", kind=incoming.kind)
            return BoltResponse(status=200, body="")
        return response

    async def over_http(self, request: web.Request) -> web.Response:
        """Serve Slack's address, behind the front."""
        headers = {name: request.headers[name] for name in _PASSED_HEADERS if name in request.headers}
        try:
            response = await self.dispatch(request[INCOMING], headers)
        except Malformed as malformed:
            return web.Response(status=400, text=f"malformed: {malformed}")
        return _to_web(response)


def _to_web(answer: BoltResponse) -> web.Response:
    """Return Bolt's answer as aiohttp sends it; cookies belong to Bolt's pages of installation only."""
    return web.Response(status=answer.status, body=answer.body.encode(), headers=answer.first_headers())


def _authorize(installation: Installation) -> Any:
    result = AuthorizeResult(
        enterprise_id=installation.enterprise_id,
        team_id=installation.team_id,
        bot_token=installation.bot_token.get_secret_value(),
        bot_user_id=installation.bot_user_id,
        bot_id=installation.bot_id,
    )

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
        return result if installation.is_home(enterprise_id, team_id) else None

    return authorize


def _ephemeral(text: str) -> str:
    return json.dumps({"response_type": "ephemeral", "text": text})


def _foreign(kind: str) -> BoltResponse:
    """Refuse with a hint where Slack shows one; the acknowledgement of a click or an event shows nothing."""
    hint = words.foreign_team()
    if kind == "command":
        return BoltResponse(status=200, body=_ephemeral(hint))
    if kind == "block_suggestion":
        return BoltResponse(status=200, body={"options": []})
    if kind == "view_submission":
        view = {
            "type": "modal",
            "title": {"type": "plain_text", "text": words.BRAND},
            "close": {"type": "plain_text", "text": words.CLOSE},
            "blocks": [{"type": "section", "text": {"type": "plain_text", "text": hint}}],
        }
        return BoltResponse(status=200, body={"response_action": "update", "view": view})
    return BoltResponse(status=200, body="")
