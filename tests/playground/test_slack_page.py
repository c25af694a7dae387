"""Tests of the local Slack's page: its JSON API, its command line, and the page in a browser."""

import asyncio
import json
import signal
import sys

import aiohttp
import pytest
from aiohttp import web

from tests.playground.browser import Browser
from tests.playground.slack_help import (
    GENERAL,
    OLIVIA,
    QUIET,
    TARA,
    actions,
    button,
    recorded,
    section,
    slack,
)


class PageClient:
    """A client of the page's API over HTTP."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session, self._base = session, base

    async def post(self, path: str, **told):
        async with self._session.post(f"{self._base}/_page/{path}", json=told) as response:
            return response.status, await response.json()

    async def get(self, path: str, **query):
        async with self._session.get(f"{self._base}/_page/{path}", params=query) as response:
            return await response.json()


async def test_the_page_api_speaks_presses_and_submits(server, client, app, session):
    page = PageClient(session, server.state.base_url)
    app.answer = lambda _p: web.json_response({"text": "Here", "blocks": [actions(button("go"))]})
    _, told = await page.post("say", **{"as": OLIVIA, "channel": "#general", "text": "/workspace list"})
    assert told["ok"] is True
    state = await page.get("state", **{"as": OLIVIA})
    general = next(one for one in state["channels"] if one["id"] == GENERAL)
    assert (general["unread"], state["messages"][GENERAL][0]["ephemeral"]) == (1, True)
    assert (await page.get("state", **{"as": TARA}))["messages"][GENERAL] == []
    await page.post("read", **{"as": OLIVIA, "channel": GENERAL})
    state = await page.get("state", **{"as": OLIVIA})
    assert next(one for one in state["channels"] if one["id"] == GENERAL)["unread"] == 0
    app.answer = lambda _p: web.Response()
    pressed = {"as": OLIVIA, "channel": GENERAL, "ts": told["ts"], "action_id": "go"}
    assert (await page.post("press", **pressed))[1]["ok"] is True
    view = {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Hello"},
        "submit": {"type": "plain_text", "text": "Go"},
        "blocks": [section()],
    }
    await client.views_open(trigger_id=app.seen[-1]["trigger_id"], view=view)
    assert (await page.get("state", **{"as": OLIVIA}))["view"]["title"]["text"] == "Hello"
    assert (await page.post("submit", **{"as": OLIVIA, "values": {}}))[1]["ok"] is True
    assert (await page.post("close", **{"as": OLIVIA}))[1] == {"ok": True, "closed": []}


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"as": TARA, "channel": QUIET, "text": "x"}, "not_in_channel"),
        ({"as": "U0NOBODY", "channel": GENERAL, "text": "x"}, "user_not_found"),
        ({"as": OLIVIA, "channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"as": OLIVIA, "text": "x"}, "missing 'channel'"),
        ({"as": [OLIVIA], "channel": GENERAL, "text": 1}, "wrong type: as, text"),
    ],
)
async def test_the_page_api_refuses_what_a_client_could_not_do(server, session, told, error):
    status, answer = await PageClient(session, server.state.base_url).post("say", **told)
    assert (status, answer["error"]) == (400, error)


async def test_a_long_request_ends_when_something_changes(server, session):
    page = PageClient(session, server.state.base_url)
    since = (await page.get("state", **{"as": OLIVIA}))["version"]
    waiting = asyncio.create_task(page.get("state", **{"as": OLIVIA, "since": since}))
    await server.say(TARA, GENERAL, "hello")
    assert (await waiting)["messages"][GENERAL][0]["text"] == "hello"


@pytest.mark.browser
async def test_the_home_tab_opens_before_there_was_a_message_and_its_buttons_can_be_pressed():
    async with slack(clock=None) as (server, client), recorded(server) as app, Browser.started() as browser:
        await browser.open(f"{server.state.base_url}/?as={OLIVIA}")
        await browser.until("document.querySelector('.place.current')")
        await browser.ask("[...document.querySelectorAll('.place')].pop().click()")
        await app.arrived(1)
        await browser.until("!document.getElementById('tabs').hidden")
        await browser.ask("document.getElementById('newer').hidden = false")
        await browser.ask("document.querySelector('#tabs [data-tab=home]').click()")
        await app.arrived(2)
        assert await browser.ask("document.getElementById('newer').hidden")
        assert [one["event"]["tab"] for one in app.seen] == ["messages", "home"]
        home = {"type": "home", "blocks": [section("Your *workspaces*"), actions(button("go"))]}
        await client.views_publish(user_id=OLIVIA, view=home)
        await browser.until("document.querySelector('#home .button')")
        await browser.ask("document.querySelector('#home .button').click()")
        await app.arrived(3)
        pressed = app.seen[-1]
        assert (pressed["view"]["type"], pressed["actions"][0]["action_id"]) == ("home", "go")
        assert "response_url" not in pressed
        # When the home tab is updated, an element that still exists keeps the focus.
        await browser.ask("document.querySelector('#home .button').focus()")
        home["blocks"] = [section("Your *jobs*"), actions(button("go")) | {"block_id": "other"}]
        await client.views_publish(user_id=OLIVIA, view=home)
        await browser.until("document.querySelector('#home').textContent.includes('jobs')")
        assert await browser.ask("document.activeElement.dataset.block") == "other"
        assert browser.complaints == []


GIVEN = {"bot_token", "app_token", "signing_secret", "client_id", "client_secret", "team_id"}


async def test_the_command_prints_one_ready_line_and_ends_when_told_to_and_a_wrong_seed_is_refused(tmp_path):
    seed = tmp_path / "seed.json"
    seed.write_text('{"people": [{"id": "U1", "name": "ann", "real_name": "Ann"}], "bot_token": "xoxb-1"}')
    command = [sys.executable, "-m", "playground", "slack", "--port", "0", "--no-limits", "--seed", str(seed)]
    for end in (signal.SIGINT, signal.SIGTERM):
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        ready = json.loads(await process.stdout.readline())
        given = ready["credentials"]
        assert (ready["ready"], given["bot_token"]) == (True, "xoxb-1")
        assert given["api_url"] == f"{ready['url']}/api/"
        assert set(given) >= GIVEN
        process.send_signal(end)
        assert await process.communicate() == (b"", None)
        assert process.returncode == 0
    seed.write_text('{"peeple": []}')
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, words = await process.communicate()
    assert (process.returncode, words) == (1, b"playground slack: seed: unknown peeple\n")


async def test_redirect_opens_a_direct_message_as_its_person():
    async with slack() as (server, _), aiohttp.ClientSession() as session:
        direct = server.state.direct_message(TARA)
        for channel, target in ((direct.id, f"/?channel={direct.id}&as={TARA}"), ("C0NONE", "/")):
            url = f"{server.state.base_url}/app_redirect?team=T0ACME&channel={channel}"
            async with session.get(url, allow_redirects=False) as answer:
                assert (answer.status, answer.headers["Location"]) == (302, target)
