"""A person's day on the local Slack's page in a browser, with counts of messages and screenshots."""

import asyncio
import base64
import json

from playground.demo.person import where
from tests.rigs.scenario.people import BOT, GENERAL
from tests.scenarios.noise import Count

#: JavaScript that returns each visible message by its timestamp, with the labels of its buttons.
SHOWN = """Object.fromEntries([...document.querySelectorAll("#messages > article")].map((one) => [
  one.dataset.ts,
  [...one.querySelectorAll(".content [data-action]:not(summary), .content .overflow .menu button")]
    .map((button) => button.textContent)]))"""


#: Timeout for messages to arrive in the page, in seconds. They come over a socket, and late on a busy
#: machine.
SECONDS = 60.0


class CountInChromium(Count):
    """Counts what one person's two tabs show: one on the direct message, and one on the channel."""

    def __init__(self, stage, tabs):
        super().__init__(stage)
        self.tabs = tabs

    async def seen(self):
        """Wait until both tabs show everything that Slack holds for the person, and return that."""
        for place, tab in self.tabs.items():
            held = {one.ts for one in self.alice.sees(place) if one.json.get("thread_ts") in (None, one.ts)}
            async with asyncio.timeout(SECONDS):
                while set(await tab.ask(SHOWN)) != held:  # noqa: ASYNC110 - a page tells nobody
                    await asyncio.sleep(0.02)
        return self.held()

    async def say(self, place, text):
        tab, before = self.tabs[place], len(self.held())
        await send(tab, text)
        await self._until(lambda: len(self.held()) > before)

    async def write(self, text):
        await self.say(BOT, text)

    async def type(self, text):
        await self.say(GENERAL, text if text.startswith("/") else f"/workspace {text}")

    async def press(self, shown, label):
        tab, before = self.tabs[shown.channel], self.held()
        found = f"""[...document.querySelectorAll('[data-ts="{shown.ts}"] .content button')]"""
        await tab.ask(f"{found}.find((one) => one.textContent === {json.dumps(label)}).click()")
        if await tab.ask("document.getElementById('ask').open"):
            await tab.click("#ask button.danger, #ask button.primary")
        if str(where(shown.button(label)).get("value", "")).startswith("ask "):
            await tab.until("document.getElementById('modal').open")
            await tab.click("#modal footer .primary")
            await tab.until("!document.getElementById('modal').open")
        # The answer may replace the message that has the button.
        await self._until(lambda: self.held() != before)

    async def _until(self, is_answered):
        """Wait for the first effect of an action. The page doesn't say when it has sent something."""
        async with asyncio.timeout(SECONDS):
            while not is_answered():
                await self.stage.settle()
                await asyncio.sleep(0.02)


async def send(tab, text):
    """Type and send a message.

    Bring the tab to the front first. Otherwise, keystrokes and clicks are lost.
    """
    value = "document.getElementById('text').value"
    async with asyncio.timeout(SECONDS):
        while await tab.ask(value) != text:
            await tab.tell("Page.bringToFront")
            await tab.ask(f"{value} = ''")
            await tab.click("#text")
            await tab.type(text)
        while await tab.ask(value):
            await tab.tell("Page.bringToFront")
            await tab.press("Enter")


async def picture(tab, width, height, path):
    """Take a screenshot of a tab at a given size, and check that nothing is wider than the screen."""
    await tab.tell("Page.bringToFront")
    await tab.screen(width, height)
    await tab.until(f"innerWidth === {width}")
    await tab.until("document.documentElement.scrollWidth <= innerWidth")
    taken = await tab.tell("Page.captureScreenshot", format="png")
    path.write_bytes(base64.b64decode(taken["data"]))
