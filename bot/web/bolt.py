"""Slack's payloads led to their listeners: one installed workspace, our tenant guard, no bodies logged.

``Dispatcher`` is the one door for HTTP and Socket Mode: both hand over a payload whose shape was checked.
Each kind has one listener, so the kind itself is the way to it (ADR 9); acks, responses and the reading of
payloads are Bolt's.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web
from slack_bolt.async_app import AsyncAck
from slack_bolt.request.internals import extract_enterprise_id, extract_team_id, extract_user_id
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.web.front import INCOMING
from bot.web.shapes import Incoming, Malformed
from bot.words import pages as words

if TYPE_CHECKING:
    from collections.abc import Mapping

    import aiohttp
    from pydantic import SecretStr

    from bot.clock import Ids
    from handlers.listeners import Listener

_log = structlog.get_logger(__name__)


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


def slack_client(
    installation: Installation, api_url: str, session: aiohttp.ClientSession | None = None
) -> AsyncWebClient:
    """Make what listeners call Slack's Web API with; without a session every call opens its own."""
    # Below this level the SDK logs bodies and headers.
    quiet = logging.getLogger("bot.slack")
    quiet.setLevel(logging.ERROR)
    token = installation.bot_token.get_secret_value()
    return AsyncWebClient(token=token, base_url=api_url, logger=quiet, session=session, timeout=10)


class Dispatcher:
    """Lead a payload to its listener: protocol requests are answered here, foreign workspaces refused.

    ``listeners`` holds one for each kind, by ``Incoming.kind``; other kinds are acknowledged and left alone.
    """

    def __init__(self, listeners: Mapping[str, Listener], installation: Installation, ids: Ids) -> None:
        self._listeners = listeners
        self._installation = installation
        self._ids = ids

    async def dispatch(self, incoming: Incoming) -> BoltResponse:
        """Return the answer for Slack; raises Malformed for what cannot even be read as a request.

        A listener runs whole before its answer leaves, so nothing is left running when it has been
        acknowledged, and an exception is answered at once, before or after the ack.
        """
        kind, payload = incoming.kind, incoming.payload
        listener = self._listeners.get(kind)
        if listener is None:
            return _unheard(incoming)
        try:
            enterprise_id, team_id = extract_enterprise_id(payload), extract_team_id(payload)
            is_own = kind == "event_callback" and self._is_own(payload)
        except (TypeError, ValueError, AttributeError, KeyError, IndexError):
            raise Malformed(kind) from None
        if not self._installation.is_home(enterprise_id, team_id):
            _log.warning("slack.foreign_team_refused", kind=kind, team=team_id)
            return _foreign(kind)
        if is_own:
            return BoltResponse(status=200, body="")
        try:
            ack = AsyncAck()  # type: ignore[no-untyped-call]  # Bolt leaves it without types
            return await listener(ack, payload)
        except Exception as error:  # noqa: BLE001 - the last place: words for the person, the kind for the log
            reference = self._ids.reference()
            _log.error("slack.listener_failed", reference=reference, exc_info=error)
            said = _ephemeral(words.unexpected(reference)) if kind == "command" else ""
            return BoltResponse(status=200, body=said)

    async def over_http(self, request: web.Request) -> web.Response:
        """Serve Slack's address, behind the front."""
        try:
            answer = await self.dispatch(request[INCOMING])
        except Malformed as malformed:
            return web.Response(status=400, text=f"malformed: {malformed}")
        return web.Response(status=answer.status, body=answer.body.encode(), headers=answer.first_headers())

    def _is_own(self, payload: dict[str, Any]) -> bool:
        """Say whether the bot did itself what an event tells of: its own messages are no requests."""
        home = self._installation
        user, bot = extract_user_id(payload), payload["event"].get("bot_id")
        return (user is not None and user == home.bot_user_id) or (bot is not None and bot == home.bot_id)


def _unheard(incoming: Incoming) -> BoltResponse:
    """Answer what no listener exists for: Slack's own questions, and kinds that mean nothing to us."""
    if incoming.kind == "url_verification":
        return BoltResponse(status=200, body={"challenge": incoming.payload["challenge"]})
    if incoming.kind != "ssl_check":
        _log.info("slack.kind_ignored", kind=incoming.kind[:40])
    return BoltResponse(status=200, body="")


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
