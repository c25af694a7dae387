"""Bolt apps as Usher builds them, with the tests' listeners."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr
from slack_bolt.async_app import AsyncApp

from bot.domain.installations import Installation
from bot.slack.tenants import OneTenant
from bot.web.bolt import build_bolt
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.slack import FakeSlack
from tests.web.signed import TEAM

NOWHERE = "http://127.0.0.1:9/api/"
HOME = Installation(TEAM, bot_user_id="U0BOT", bot_id="B0BOT")
TOKEN = SecretStr("xoxb-canary-token")
ANYTHING = re.compile("")

#: The methods that register a listener for everything of a kind.
REGISTER = {
    "command": AsyncApp.command,
    "block_actions": AsyncApp.block_action,
    "view_submission": AsyncApp.view_submission,
    "block_suggestion": AsyncApp.block_suggestion,
    "event_callback": AsyncApp.event,
}


def bolt_with(
    listeners: Mapping[str, Any] | None = None, home: Installation = HOME, api_url: str = NOWHERE
) -> AsyncApp:
    """Return an app with a listener for each named kind."""
    app = build_bolt(
        tenants=OneTenant(home, TOKEN, FakeSlack(FakeClock())), api_url=api_url, ids=CountingIds()
    )
    for kind, listener in (listeners or {}).items():
        REGISTER[kind](app, ANYTHING)(listener)
    return app


def noting(calls: list[str], kind: str = "") -> Any:
    """Return a listener that acknowledges, and records its kind, or else the type that it received."""

    async def listen(ack: Any, body: dict[str, Any]) -> Any:
        calls.append(kind or body.get("type", "command"))
        return await ack()

    return listen
