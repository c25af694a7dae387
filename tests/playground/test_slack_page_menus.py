"""Tests of menus on the local Slack's page, and of a Home's height on a small screen."""

import pytest

from bot.domain.workspaces import State
from bot.messages.blocks import kit
from tests.playground.slack_browser import FOCUS, slack_page
from tests.playground.slack_help import OLIVIA

pytestmark = pytest.mark.browser

#: A page of Home: running workspaces with their ends, stopped ones, and one that is starting.
STATES = [State.RUNNING] * 6 + [State.STOPPED] * 6 + [State.STARTING, State.FAILED, State.GONE]
#: Pixels of height that 15 workspaces may take on a screen 390 px wide.
ROOM = 2000


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
