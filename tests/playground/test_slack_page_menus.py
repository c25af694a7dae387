"""Menus on the page of the local Slack, and how much room a Home takes on a small screen."""

from dataclasses import replace

import pytest

from bot.domain.workspaces import State
from bot.features.home import messages as home_messages
from bot.features.home.model import HomeFacts
from bot.messages.blocks import kit, lists
from tests.messages.card_facts import NOW
from tests.messages.home_rows import row
from tests.playground.browser import Browser
from tests.playground.slack_browser import FOCUS, slack_page
from tests.playground.slack_help import OLIVIA, recorded, slack

pytestmark = pytest.mark.browser

#: A page of a Home: those that run with their ends, those that are down, one that starts.
STATES = [State.RUNNING] * 6 + [State.STOPPED] * 6 + [State.STARTING, State.FAILED, State.GONE]
#: The room that 15 workspaces may take at 390 px.
ROOM = 2000
#: The room that a list of ten may take there.
LIST_ROOM = 700


def full() -> HomeFacts:
    rows = [
        row(f"statistics notebook {number}", state, observed_at=NOW - 20, started_at=NOW - 4000)
        for number, state in enumerate(STATES)
    ]
    rows[0] = replace(rows[0], workspace=replace(rows[0].workspace, stop_at=NOW + 3600, stop_mode="stop"))
    return HomeFacts(now=NOW, command="/workspace", job_command="/job", rows=rows, count=len(rows), running=6)


async def test_fifteen_workspaces_of_a_home_fit_on_a_few_small_screens():
    async with slack(clock=None) as (server, client), recorded(server), Browser.started() as browser:
        await browser.screen(390, 844)
        await client.views_publish(user_id=OLIVIA, view=home_messages.render_home(full()))
        await browser.open(f"{server.state.base_url}/?as={OLIVIA}")
        await browser.until("document.querySelector('.place.current')")
        await browser.ask("[...document.querySelectorAll('.place')].pop().click()")
        await browser.until("!document.getElementById('tabs').hidden")
        await browser.ask("document.querySelector('#tabs [data-tab=home]').click()")
        await browser.until("document.querySelectorAll('#home .overflow').length >= 6")
        height = await browser.ask(
            "(() => { const shown = [...document.querySelectorAll('#home *')]"
            ".map((one) => one.getBoundingClientRect()).filter((box) => box.height);"
            " return Math.max(...shown.map((box) => box.bottom))"
            " - Math.min(...shown.map((box) => box.top)); })()"
        )
        assert 500 < height <= ROOM, height


async def test_ten_workspaces_of_a_list_fit_on_one_small_screen():
    async with slack_page() as page:
        browser = page.browser
        await browser.screen(390, 844)
        listed = lists.workspace_list(full().rows[3:13])
        blocks = list(listed.blocks)
        sent = await page.client.chat_postMessage(channel=OLIVIA, text=listed.text, blocks=blocks)
        await page.open(sent["channel"])
        await browser.until("document.querySelectorAll('#messages .overflow').length >= 3")
        height = await browser.ask(
            "[...document.querySelectorAll('#messages .message')].pop().getBoundingClientRect().height"
        )
        assert 300 < height <= LIST_ROOM, height


async def test_an_option_of_a_menu_is_chosen_by_keys_and_reaches_the_app():
    async with slack_page() as page:
        browser = page.browser
        names = [kit.button(name, name, "w1@2") for name in ("open", "stop", "later", "refresh")]
        sent = await page.client.chat_postMessage(
            channel=OLIVIA, text="card", blocks=[kit.section("*notebook*"), *kit.actions(names)]
        )
        await page.open(sent["channel"])
        await browser.until("document.querySelector('#messages .overflow')")
        await page.focus("#messages .overflow summary")
        await browser.press("Enter")
        await browser.until("document.querySelector('#messages .overflow').open")
        assert await page.text("#messages .overflow .menu button") == "later|refresh"
        await page.click("#messages .overflow .menu button:nth-child(2)")
        await browser.until(f"{FOCUS}.tagName === 'SUMMARY'")
        await page.app.arrived(1)
        [pressed] = [one for one in page.app.seen if one["type"] == "block_actions"]
        assert pressed["actions"][0]["selected_option"]["value"] == "refresh w1@2"
