"""The random day of two people in a real browser, with a tab for each, in which they type, press and read."""

import asyncio
import json

import pytest

from tests.playground.browser import Browser
from tests.rigs.scenario import world
from tests.rigs.scenario.people import BOT, GENERAL
from tests.rigs.scenario.workbench import workbench_world
from tests.scenarios.chromium_day import SECONDS, SHOWN, CountInChromium, picture, send
from tests.scenarios.day import ACTS, PRESSED, Day
from tests.scenarios.noise import played


class DayInChromium(Day):
    """A day on which each person uses their own tab.

    Faults and other people's actions don't use a browser.
    """

    def __init__(self, stage, seed, tabs):
        super().__init__(stage, seed)
        self.tabs = tabs

    async def command(self, who, text):
        await self.write(who, f"/workspace {text}")

    async def write(self, who, text):
        tab, before = self.tabs[who], len(self.people[who].sees())
        await self.stage.pass_time(2)
        await send(tab, text)
        assert await self.stage.slack.state.wait_for(lambda: len(self.people[who].sees()) > before, SECONDS)
        await self.stage.settle()

    async def presses(self, who, _name):
        """Press a random button on one of the tab's last messages, which may be an old answer.

        Agree if asked.
        """
        tab, slack = self.tabs[who], self.stage.slack
        shown = list((await tab.ask(SHOWN)).items())[-8:]
        among = [(ts, label) for ts, labels in shown for label in labels if label in PRESSED]
        if not among:
            return
        ts, label = self.chance.choice(among)
        self.pressed.add((who, ts))
        requests = slack.harness.requests.total()
        found = f"""[...document.querySelectorAll('[data-ts="{ts}"] .content button')]"""
        await tab.ask(f"{found}.find((one) => one.textContent === {json.dumps(label)}).click()")
        if await tab.ask("document.getElementById('ask').open"):
            await tab.click("#ask button.danger, #ask button.primary")
        async with asyncio.timeout(SECONDS):
            while slack.harness.requests.total() == requests:  # noqa: ASYNC110 - a request is no event
                await asyncio.sleep(0.02)
        await tab.until("!document.querySelector('[aria-disabled=true]')")
        if await tab.ask("document.getElementById('modal').open"):
            await tab.click("#modal footer .primary")
            await tab.until("!document.getElementById('modal').open")
        await self.stage.settle()

    async def agree(self):
        """Wait until each tab shows exactly the messages and buttons that Slack holds for its person."""
        for who, person in self.people.items():
            held = {shown.ts: shown.labels for shown in person.sees()}
            try:
                async with asyncio.timeout(SECONDS):
                    while (seen := await self.tabs[who].ask(SHOWN)) != held:  # noqa: ASYNC110 - a page tells nobody
                        await asyncio.sleep(0.02)
            except TimeoutError:
                raise AssertionError(f"{who} sees {seen}, not {held}") from None


@pytest.mark.browser
@pytest.mark.thorough
@pytest.mark.timeout(300)
async def test_a_day_in_chromium_keeps_its_answers_and_one_live_message_per_workspace(tmp_path):
    async with world(tmp_path) as stage, Browser.started() as first:
        await stage.alice.links("alice")
        await stage.bob.links("bob")
        tabs = {"alice": first}
        for who, person in (("alice", stage.alice), ("bob", stage.bob)):
            if who not in tabs:
                await first.ask("void window.open('about:blank#second')")
                tabs[who] = await first.opened("second")
            place = stage.slack.state.place(person.id, "@bot").id
            await tabs[who].open(f"{stage.slack_url}/?as={person.id}&channel={place}")
            await tabs[who].until("document.getElementById('modal').open")
            # Close the form that says that the account is linked.
            await tabs[who].click("#modal footer button")
        day = DayInChromium(stage, 3, tabs)
        for _ in range(ACTS):
            await day.act()
            await day.agree()
        stage.heal()
        await stage.pass_time(900, step=10)
        day.look()
        await day.agree()
        assert day.said["fault"] >= 2
        assert day.said["live"] >= 30
        assert len(day.pressed) >= 3
        for who, tab in tabs.items():
            await picture(tab, 1200, 900, tmp_path / f"{who}-1200.png")
            await picture(tab, 390, 844, tmp_path / f"{who}-390.png")
            # A blank tab has no host.
            assert (tab.complaints, tab.hosts - {None}) == ([], {"127.0.0.1"})


@pytest.mark.browser
@pytest.mark.thorough
@pytest.mark.timeout(300)
async def test_a_day_in_chromium_has_two_messages_an_act_and_no_line_that_is_needless_or_untrue(tmp_path):
    async with workbench_world(tmp_path) as stage, Browser.started() as first:
        alice = stage.alice
        await alice.has_linked("alice")
        await alice.has_linked("alice", "wb", is_named=False)
        await stage.pass_time(20)
        await first.ask("void window.open('about:blank#second')")
        tabs = {BOT: first, GENERAL: await first.opened("second")}
        for place, tab in tabs.items():
            channel = stage.slack.state.place(alice.id, place).id
            await tab.open(f"{stage.slack_url}/?as={alice.id}&channel={channel}")
            await tab.until("!!document.getElementById('text')")
        await played(CountInChromium(stage, tabs))
        for tab in tabs.values():
            assert (tab.complaints, tab.hosts - {None}) == ([], {"127.0.0.1"})
