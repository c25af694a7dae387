"""The page of the local Slack with every shape of Usher's messages and views, as axe judges it."""

import json

import pytest
from axe_core_python.base import AXE_SCRIPT

from tests.playground.slack_browser import slack_page
from tests.playground.slack_forms import opened
from tests.playground.slack_help import GENERAL, OLIVIA, section
from tests.rigs.golden_files import list_shapes

pytestmark = pytest.mark.browser

SHAPES = list_shapes()
#: Colours that axe can't judge under an open menu are left out; in a modal nothing lies over them.
RUN = """axe.run(PLACE, { iframes: false, ...OPTIONS }).then((found) => [
  ...found.violations,
  ...(PLACE === "#modal" ? found.incomplete : []).filter((one) => one.nodes.some(
    (node) => node.any.some((check) => check.data?.messageKey === "bgOverlap"))),
].map((one) => `${one.impact} ${one.id}: ${one.nodes.map((node) => node.html.slice(0, 300)).join(" ")}`))"""
#: axe doesn't know that a modal lies above everything, and would leave out its colours.
RAISE = "document.getElementById('modal').style.zIndex = 1000"
#: In the dark a page is the same but for its colours.
LOOKS = {
    "light": {},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}},
}
#: What assistive technology names: the label in place of the words.
BUTTONS = """[...document.querySelectorAll("#messages .button")].map(
  (one) => one.getAttribute("aria-label") || one.textContent)"""


async def judge(page, place="body") -> list[str]:
    """Return what axe finds on the page as it is, in light and in dark colours."""
    await page.browser.ask(RAISE)
    if not await page.browser.ask("!!window.axe"):
        await page.browser.tell("Runtime.evaluate", expression=AXE_SCRIPT)
    wrong = []
    for look, options in LOOKS.items():
        media = [{"name": "prefers-color-scheme", "value": look}]
        await page.browser.tell("Emulation.setEmulatedMedia", features=media)
        found = await page.browser.ask(
            RUN.replace("PLACE", json.dumps(place)).replace("OPTIONS", json.dumps(options))
        )
        assert isinstance(found, list), "axe doesn't run"
        wrong += [f"{look}: {one}" for one in found]
    return wrong


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
        assert await judge(page) == []
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
            if found := await judge(page, f"#{kind}"):
                wrong[name] = found
            if kind == "modal":
                await page.click("#modal .cross")
                await page.browser.until("!document.getElementById('modal').open")
    assert len(views) > 10
    assert wrong == {}


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
