"""A person who sets hours on the local Slack's page."""

import asyncio
import json

from tests.scenarios.chromium_day import SECONDS, picture, send

#: Screen sizes to check: name, width and height in pixels.
SIZES = (("desktop", 1200, 1100), ("phone", 390, 844))


class Sitting:
    """Uses a tab as Olivia, and keeps screenshots of it."""

    def __init__(self, stage, tab, folder):
        self.stage = stage
        self.tab = tab
        self._folder = folder

    async def opens(self):
        await self.tab.screen(*SIZES[0][1:])
        place = self.stage.slack.state.place(self.stage.alice.id, "@bot").id
        await self.tab.open(f"{self.stage.slack_url}/?as={self.stage.alice.id}&channel={place}")
        await self.tab.until("document.getElementById('modal').open")
        await self.tab.click("#modal footer button")

    async def looks_at(self, name):
        for size, width, height in SIZES:
            await picture(self.tab, width, height, self._folder / f"{name}-{size}.png")
        await self.tab.screen(*SIZES[0][1:])

    async def writes(self, text):
        before = len(self.stage.alice.sees())
        await self.stage.pass_time(2)
        await send(self.tab, text)
        async with asyncio.timeout(SECONDS):
            while len(self.stage.alice.sees()) < before + 2:
                await asyncio.sleep(0.02)
                await self.stage.settle()

    async def reads(self, place, text):
        await self.tab.until(f"document.querySelector('{place}').textContent.includes({json.dumps(text)})")

    async def saves(self, says):
        """Send the form, check the answer that replaces it, and close it."""
        await self.tab.click("#modal footer .primary")
        await self.reads("#modal", says)
        await self.stage.settle()
        await self.tab.click("#modal footer button")
        await self.tab.until("!document.getElementById('modal').open")

    async def picks(self, name):
        """Select a workspace in the form's menu."""
        menu = "document.querySelector('#modal select')"
        option = f"[...{menu}.options].find((one) => one.textContent.startsWith({json.dumps(name)}))"
        await self.tab.ask(
            f"{menu}.value = {option}.value; {menu}.dispatchEvent(new Event('change', {{ bubbles: true }}))"
        )

    async def goes_home(self, text):
        """Open the Home tab, and wait until it shows the given text.

        Its request may take a while to arrive.
        """
        await self.tab.ask("document.querySelector('#tabs [data-tab=home]').click()")
        is_read = f"document.querySelector('#home').textContent.includes({json.dumps(text)})"
        async with asyncio.timeout(SECONDS):
            while not await self.tab.ask(is_read):
                await self.stage.pass_time(1)
