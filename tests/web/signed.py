"""Requests signed as Slack signs them, and a front that passes them to a recorder."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from pydantic import SecretStr

from bot.web.front import MAX_BYTES, Front
from bot.web.health import Metrics
from bot.web.replays import Replays
from tests.rigs.clock import FakeClock

SECRET = "a-signing-secret-of-the-tests"
TEAM = "T0HOME"
FORM = "application/x-www-form-urlencoded"


def headers_for(
    clock: FakeClock, raw: bytes, *, content_type: str = FORM, secret: str = SECRET, at: float | None = None
) -> dict[str, str]:
    """Return the headers that Slack sends with a body."""
    timestamp = str(int(clock.now() if at is None else at))
    base = b"v0:" + timestamp.encode() + b":" + raw
    signature = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {
        "Content-Type": content_type,
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature,
    }


def command(text: str = "list", **changes: Any) -> dict[str, Any]:
    """Return a slash command's fields."""
    fields = {
        "command": "/workspace",
        "text": text,
        "team_id": TEAM,
        "user_id": "U0ALICE",
        "channel_id": "C0GENERAL",
        "trigger_id": "1.2.abc",
        "response_url": "https://hooks.example/commands/1",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def click(**changes: Any) -> dict[str, Any]:
    """Return a button's payload."""
    return {
        "type": "block_actions",
        "team": {"id": TEAM},
        "user": {"id": "U0ALICE", "team_id": TEAM},
        "channel": {"id": "C0GENERAL"},
        "container": {"type": "message", "message_ts": "1.1"},
        "trigger_id": "1.2.abc",
        "actions": [
            {"type": "button", "action_id": "start", "block_id": "b", "value": "w", "action_ts": "1.3"}
        ],
        **changes,
    }


def event(**changes: Any) -> dict[str, Any]:
    """Return the event of a direct message."""
    return {
        "type": "event_callback",
        "event_id": "Ev1",
        "team_id": TEAM,
        "authorizations": [{"team_id": TEAM, "enterprise_id": None, "user_id": "U0BOT", "is_bot": True}],
        "event": {
            "type": "message",
            "channel_type": "im",
            "channel": "D1",
            "user": "U0ALICE",
            "text": "list",
        },
        **changes,
    }


def form(fields: dict[str, Any]) -> bytes:
    """Encode a form."""
    return urlencode(fields).encode()


def interaction(payload: Any) -> bytes:
    """Encode an interaction as Slack does, as JSON within a form."""
    return form({"payload": payload if isinstance(payload, str) else json.dumps(payload)})


class Reasons(Metrics):
    """Collect the reasons of refusals."""

    def __init__(self, reasons: list[str] | None) -> None:
        super().__init__()
        self._reasons = reasons if reasons is not None else []

    def request_refused(self, reason: str) -> None:
        self._reasons.append(reason)


def guarded(clock: FakeClock, handler: Any, refused: list[str] | None = None) -> web.Application:
    """Return an application with the front before a handler."""
    front = Front(SecretStr(SECRET), clock, Replays(clock.monotonic), Reasons(refused))
    app = web.Application(client_max_size=MAX_BYTES)
    app.router.add_route("*", "/slack/events", front.guard(handler))
    return app
