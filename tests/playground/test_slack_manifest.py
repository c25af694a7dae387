"""Tests of setting up the local Slack from a manifest, including the project's own."""

from pathlib import Path

import pytest

from playground.slack import manifest
from tests.playground.slack_help import GENERAL, OLIVIA, recorded, refusal, section

OWN = Path(__file__).parents[2] / "manifest.yml"
SMALL = """
display_information: {name: Porter}
features:
  bot_user: {display_name: porter}
  app_home: {home_tab_enabled: false, messages_tab_enabled: true}
  slash_commands: [{command: /ws, description: x, should_escape: true}]
oauth_config:
  redirect_urls: [https://porter.example/back]
  scopes: {bot: [chat:write, commands], user: [openid]}
settings:
  event_subscriptions: {request_url: https://porter.example/slack/events, bot_events: [app_mention]}
"""


async def test_only_what_the_manifest_names_is_granted_and_sent(server, client):
    manifest.apply(server.state, manifest.read(SMALL))
    assert server.state.app.request_url == "https://porter.example/slack/events"
    async with recorded(server) as app:
        assert (await refusal(client.users_list()))["needed"] == "users:read"
        home = {"type": "home", "blocks": [section()]}
        assert (await refusal(client.views_publish(user_id=OLIVIA, view=home)))["error"] == "not_enabled"
        await server.say(OLIVIA, GENERAL, "/ws share @chen")
        await server.say(OLIVIA, GENERAL, "@porter hello")
        await server.say(OLIVIA, "@bot", "not subscribed")
        assert [p.get("text") or p["event"]["type"] for p in app.seen] == [
            "share <@U0CHEN|chen>",
            "app_mention",
        ]
        assert (await server.say(OLIVIA, GENERAL, "/workspace"))["error"] == "unknown_command"


async def test_a_disabled_messages_tab_takes_no_direct_messages(server, client):
    server.state.app.messages_tab = False
    told = await refusal(client.chat_postMessage(channel=OLIVIA, text="x"))
    assert told["error"] == "messages_tab_disabled"


async def test_the_projects_own_manifest_fits(server, session):
    told = {"manifest": manifest.read(OWN.read_text("utf-8"))}
    async with session.post(f"{server.state.base_url}/_playground/app", json=told) as response:
        answer = await response.json()
    assert answer["ok"] is True
    assert "/workspace" in answer["commands"]
    assert "chat:write" in answer["scopes"]


@pytest.mark.parametrize("text", ["[", "- a", "name: x"])
def test_what_is_no_manifest_is_refused(text):
    with pytest.raises(ValueError, match="manifest"):
        manifest.read(text)
