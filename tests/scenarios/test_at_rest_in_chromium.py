"""Messages that remain in a browser after a dialogue: buttons work, none is only grey text or a duplicate."""

import asyncio

import pytest

from tests.playground.browser import Browser
from tests.rigs.scenario.conversation import PLACES, Conversation
from tests.rigs.scenario.day import ACTS
from tests.rigs.scenario.people import BOT, GENERAL
from tests.rigs.working import at_work
from tests.scenarios.at_rest import RUN, holds
from tests.scenarios.chromium_day import SECONDS, SHOWN, CountInChromium

DIALOGUE = (
    (BOT, "start notebook"),
    (BOT, "stop notebook in 2 hours"),
    (BOT, "[Cancel it]"),
    (BOT, "[Stop]"),
    (BOT, "start broken"),
    (GENERAL, RUN),
)
#: JavaScript that returns the visible messages that consist only of small grey text.
GREY = """[...document.querySelectorAll("#messages > article:not(.ephemeral)")].filter((one) =>
  one.querySelector(".content .context") && !one.querySelector(
    ".content :is(.section, .header, .actions, .rich, figure, hr)")).map((one) => one.dataset.ts)"""


class AtTabs:
    """Acts at two tabs, one on the direct message and one on the channel, and checks what they show."""

    def __init__(self, stage, tabs):
        self.tabs = tabs
        self.talk, self.hands = Conversation(stage, stage.alice), CountInChromium(stage, tabs)

    async def does(self, place, said):
        self.talk.follow(place, said)
        await self.hands.does(place, said)

    async def holds(self):
        """Check that the tabs show exactly what Slack holds, and that ``holds`` finds nothing wrong."""
        await holds(self.talk)
        for place in PLACES:
            held = {one.ts: one.labels for one in self.talk.person.sees(place) if _is_shown(one)}
            assert await self._shown(place, held) == held
            assert await self.tabs[place].ask(GREY) == []

    async def _shown(self, place, held):
        """Return what a tab shows, once it matches what Slack holds.

        The page doesn't say when it is up to date.
        """
        try:
            async with asyncio.timeout(SECONDS):
                while (shown := await self.tabs[place].ask(SHOWN)) != held:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pass
        return shown


def _is_shown(one):
    return one.json.get("thread_ts") in (None, one.ts)


async def played(folder, acts, *, after_each):
    """Play acts at one person's two tabs. Check the tabs after each act, or at the end."""
    async with at_work(folder) as stage, Browser.started() as first:
        await first.ask("void window.open('about:blank#second')")
        tabs = {BOT: first, GENERAL: await first.opened("second")}
        for place, tab in tabs.items():
            channel = stage.slack.state.place(stage.alice.id, place).id
            await tab.open(f"{stage.slack_url}/?as={stage.alice.id}&channel={channel}")
            # Until the page has received its first state, it can't send anything.
            await tab.until("document.querySelector('.place.current')")
        person = AtTabs(stage, tabs)
        for place, said in acts:
            await person.does(place, said)
            if after_each:
                await person.holds()
        await person.holds()
        for tab in tabs.values():
            assert (tab.complaints, tab.hosts - {None}) == ([], {"127.0.0.1"})
        return person.talk


@pytest.mark.browser
async def test_after_each_act_in_chromium_every_button_works_and_nothing_is_grey_or_twice(tmp_path):
    talk = await played(tmp_path, DIALOGUE, after_each=True)
    assert len(talk.pressed) >= 5


@pytest.mark.browser
@pytest.mark.thorough
@pytest.mark.timeout(300)
async def test_a_day_in_chromium_leaves_buttons_that_work_and_nothing_grey_or_twice(tmp_path):
    talk = await played(tmp_path, ACTS, after_each=False)
    assert len(talk.pressed) >= 10
    assert len(talk.at_rest()) <= len(ACTS)
