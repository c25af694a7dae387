"""Hours set in a real browser: by a sentence, by the form from a card's menu, and from Home."""

import asyncio
import json

import pytest

from bot.domain.hours import written
from tests.playground.browser import Browser
from tests.rigs.scenario import world
from tests.scenarios.test_day_in_chromium import SECONDS, picture

#: The sizes that are looked at: name, width and height in pixels.
SIZES = (("desktop", 1200, 1100), ("phone", 390, 844))


class Sitting:
    """Sit at a tab as Olivia, and keep pictures of what it shows."""

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
        await self.tab.click("#text")
        await self.tab.type(text)
        await self.tab.press("Enter")
        async with asyncio.timeout(SECONDS):
            while len(self.stage.alice.sees()) < before + 2:
                await asyncio.sleep(0.02)
                await self.stage.settle()

    async def reads(self, place, text):
        await self.tab.until(f"document.querySelector('{place}').textContent.includes({json.dumps(text)})")

    async def saves(self, says):
        """Send the form, read what is answered in its place, and close it."""
        await self.tab.click("#modal footer .primary")
        await self.reads("#modal", says)
        await self.stage.settle()
        await self.tab.click("#modal footer button")
        await self.tab.until("!document.getElementById('modal').open")

    async def picks(self, name):
        """Choose a workspace in the form's menu."""
        menu = "document.querySelector('#modal select')"
        option = f"[...{menu}.options].find((one) => one.textContent.startsWith({json.dumps(name)}))"
        await self.tab.ask(
            f"{menu}.value = {option}.value; {menu}.dispatchEvent(new Event('change', {{ bubbles: true }}))"
        )

    async def goes_home(self, text):
        """Open the Home, whose request may take a while to arrive, and read it once it is drawn."""
        await self.tab.ask("document.querySelector('#tabs [data-tab=home]').click()")
        is_read = f"document.querySelector('#home').textContent.includes({json.dumps(text)})"
        async with asyncio.timeout(SECONDS):
            while not await self.tab.ask(is_read):
                await self.stage.pass_time(1)


@pytest.mark.browser
@pytest.mark.timeout(180)
async def test_hours_by_a_sentence_by_the_form_of_a_card_and_from_home(tmp_path):
    async with world(tmp_path) as stage, Browser.started() as tab:
        await stage.alice.links("alice")
        sitting = Sitting(stage, tab, tmp_path)
        await sitting.opens()

        await sitting.writes("start my notebook every weekday at 9")
        await sitting.reads("#messages", "weekdays from 9:00 AM")
        await sitting.looks_at("sentence")

        await sitting.writes("start training")
        await stage.pass_time(60)
        await tab.click("#messages button", "Hours…")
        await sitting.reads("#modal", "Leave one empty")
        await sitting.looks_at("form")
        await sitting.saves("weekdays 9:00 AM")
        await sitting.looks_at("set")

        await sitting.goes_home("Hours: weekdays 9:00 AM")
        await sitting.looks_at("home")
        await tab.click("#home button", "Hours…")
        await sitting.reads("#modal", "Workspace")
        await sitting.picks("report")
        await sitting.looks_at("form-of-all")
        await sitting.saves("has hours now")
        await stage.pass_time(15)
        await tab.until("document.querySelector('#home').textContent.split('Hours: ').length === 4")
        rules = await stage.bot.store.rules(stage.principal())
        said = sorted(written(one.wanted) for one in rules)
        assert said == ["weekdays 09:00", "weekdays 09:00-18:00", "weekdays 09:00-18:00"]
        assert (tab.complaints, tab.hosts - {None}) == ([], {"127.0.0.1"})
