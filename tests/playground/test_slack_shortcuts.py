"""Tests of shortcuts in the local Slack: who has them, where, and what they send."""

import pytest

from bot.slack.manifest import http_manifest
from playground.slack import manifest
from playground.slack.errors import SlackError
from tests.playground.browser import Browser
from tests.playground.slack_forms import plain
from tests.playground.slack_help import (
    CHEN,
    GENERAL,
    OLIVIA,
    PAVEL,
    SCIENCE,
    actions,
    button,
    recorded,
    slack,
)

NAME = plain("R&amp;D &lt;main&gt;")
URL = "https://usher.example.org"
ON_MESSAGES = {
    "callback_id": "run_as_job",
    "type": "message",
    "name": "Run as a job",
    "description": "Run it",
}


def set_up(server, *shortcuts):
    address, made = server.state.app.request_url, http_manifest(URL)
    made["features"]["shortcuts"] += shortcuts
    manifest.apply(server.state, made)
    server.state.app.request_url = address


async def test_what_slack_does_not_offer_can_not_be_chosen(server, client, app):
    set_up(server, ON_MESSAGES)
    ts = (await server.say(CHEN, GENERAL, "hello"))["ts"]
    await client.chat_postEphemeral(channel=GENERAL, user=OLIVIA, text="only you")
    hidden = server.seen(OLIVIA, GENERAL)[-1]["ts"]
    for wrong in (
        (OLIVIA, "no_such", None, None),
        (OLIVIA, "start_workspace", GENERAL, ts),
        (OLIVIA, "run_as_job", None, None),
        (PAVEL, "run_as_job", SCIENCE, ts),
        (PAVEL, "start_workspace", None, None),
    ):
        with pytest.raises(SlackError, match="no_such_shortcut"):
            await server.shortcut(*wrong)
    for gone in (hidden, "9.9"):
        with pytest.raises(SlackError, match="message_not_found"):
            await server.shortcut(OLIVIA, "run_as_job", GENERAL, gone)


async def test_the_page_knows_the_shortcuts_of_the_manifest(server):
    set_up(server)
    assert server.sees(OLIVIA)["app"]["shortcuts"] == [
        {"callback_id": "start_workspace", "name": "Start a workspace", "type": "global"}
    ]


@pytest.mark.browser
async def test_both_kinds_are_pressed_on_the_page():
    async with slack(clock=None) as (server, client), recorded(server) as app:
        set_up(server, ON_MESSAGES)
        await client.chat_postMessage(channel=GENERAL, text="R&amp;D", blocks=[actions(button(text=NAME))])
        async with Browser.started() as browser:
            await browser.open(f"{server.state.base_url}/?as={OLIVIA}")
            await browser.until("document.querySelector('#shortcuts button')")
            assert await browser.ask("document.querySelector('.actions .button').textContent") == "R&D <main>"
            await browser.ask("document.querySelector('#shortcuts button').click()")
            await app.arrived(1)
            await browser.ask("document.querySelector('.message-actions button').click()")
            await app.arrived(2)
            assert [one["type"] for one in app.seen] == ["shortcut", "message_action"]
            assert browser.complaints == []
