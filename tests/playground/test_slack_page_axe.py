"""Accessibility checks of the local Slack's page, with every shape of Usher's messages and views."""

import pytest

from tests.playground.slack_axe import judge
from tests.playground.slack_browser import slack_page
from tests.playground.slack_forms import opened
from tests.playground.slack_help import GENERAL, OLIVIA, TARA, section
from tests.rigs.golden_files import list_shapes

pytestmark = pytest.mark.browser

SHAPES = list_shapes()
#: The accessible names of buttons: the label if there is one, otherwise the text.
BUTTONS = """[...document.querySelectorAll("#messages .button")].map(
  (one) => one.getAttribute("aria-label") || one.textContent)"""


async def test_page_with_every_message():
    messages = {name: shape for name, shape in SHAPES.items() if "type" not in shape}
    labels = []
    async with slack_page() as page:
        for message in messages.values():
            await page.client.chat_postMessage(
                channel=GENERAL, text=message["text"], blocks=message["blocks"]
            )
            labels += [
                element["accessibility_label"]
                for block in message["blocks"]
                for element in (*block.get("elements", ()), block.get("accessory", {}))
                if "accessibility_label" in element
            ]
        await page.open()
        count = "document.querySelectorAll('#messages article').length"
        await page.browser.until(f"{count} === {len(messages)}")
        assert len(messages) > 60
        assert await judge(page.browser) == []
        assert set(labels) <= set(await page.browser.ask(BUTTONS))


@pytest.mark.parametrize("kind", ["modal", "home"])
async def test_page_with_every_view(kind):
    views = {name: shape for name, shape in SHAPES.items() if shape.get("type") == kind}
    wrong = {}
    async with slack_page() as page:
        page.server.state.app.home_tab = True
        await page.open()
        for name, view in views.items():
            if kind == "modal":
                await opened(page.server, page.client, page.app, **view)
                await page.browser.until("document.getElementById('modal').open")
            else:
                await page.client.views_publish(user_id=OLIVIA, view=view)
                await page.open(page.server.state.direct_message(OLIVIA).id)
                await page.click("#tabs [data-tab=home]")
                await page.browser.until("document.querySelector('#home > *')")
            if found := await judge(page.browser, f"#{kind}"):
                wrong[name] = found
            if kind == "modal":
                await page.click("#modal .cross")
                await page.browser.until("!document.getElementById('modal').open")
    assert views
    assert wrong == {}


async def test_page_with_what_opens_beside_the_messages():
    """The list of people, the panel, the jump to a conversation, and a channel with unread messages."""
    async with slack_page() as page:
        await page.open(page.server.state.direct_message(OLIVIA).id)
        await page.server.say(TARA, GENERAL, f"<@{OLIVIA}> look")
        await page.browser.until("document.querySelector('.place .badge-count')")
        assert await judge(page.browser) == []
        for opener in ("#people-open", "#panel-button", "#jump-open"):
            await page.click(opener)
            assert await judge(page.browser) == [], opener


async def test_section_is_folded_unless_it_expands():
    long = "\n".join(map(str, range(20)))
    async with slack_page() as page:
        for more in ({}, {"expand": True}):
            await page.client.chat_postMessage(channel=GENERAL, text="x", blocks=[{**section(long), **more}])
        await page.open()
        await page.browser.until("document.querySelectorAll('#messages article').length === 2")
        assert await page.text("#messages article .more") == "See more"
        await page.click("#messages .more")
        assert await page.text("#messages .more") == ""
