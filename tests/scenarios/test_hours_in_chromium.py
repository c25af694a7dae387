"""Hours that are set in a real browser, by a command and by the form on a card, in Home and in the list."""

import pytest

from bot.domain.time_parsing import write_hours
from bot.store import hours as store
from tests.playground.browser import Browser
from tests.rigs.scenario import world
from tests.scenarios.chromium_sitting import Sitting


@pytest.mark.browser
@pytest.mark.timeout(180)
async def test_hours_by_a_command_and_by_the_form_of_a_card_of_home_and_of_all(tmp_path):
    async with world(tmp_path) as stage, Browser.started() as tab:
        await stage.alice.links("alice")
        sitting = Sitting(stage, tab, tmp_path)
        await sitting.opens()

        await sitting.writes("hours notebook weekdays 9:00")
        await sitting.reads("#messages", "weekdays from 9:00 AM")
        await sitting.looks_at("command")

        await sitting.writes("start training")
        await stage.pass_time(60)
        await tab.click("#messages button", "Hours…")
        await sitting.reads("#modal", "Leave one empty")
        await sitting.looks_at("form")
        await sitting.saves("weekdays 9:00 AM")
        await sitting.looks_at("set")

        await sitting.goes_home("Hours: weekdays 9:00 AM")
        await sitting.looks_at("home")
        # The first button is in the row of *report*.
        buttons = "[...document.querySelectorAll('#home button')]"
        await tab.ask(f"{buttons}.find((one) => one.textContent === 'Hours…').click()")
        await sitting.reads("#modal", "report on Saturn Cloud has no working hours.")
        await sitting.looks_at("form-of-home")
        await sitting.saves("weekdays 9:00 AM")
        await stage.pass_time(15)
        await tab.until("document.querySelector('#home').textContent.split('Hours: ').length === 4")

        await tab.click("#tabs button", "Messages")
        await sitting.writes("hours")
        await sitting.looks_at("list")
        await tab.click("#messages button", "Hours…")
        await sitting.reads("#modal", "Workspace")
        await sitting.picks("broken")
        await sitting.looks_at("form-of-all")
        await sitting.saves("weekdays 9:00 AM")
        rules = await stage.bot.store.read(store.list_rules_of_person, stage.principal())
        said = sorted(write_hours(one.wanted) for one in rules)
        assert said == ["weekdays 09:00", *["weekdays 09:00-18:00"] * 3]
        assert (tab.complaints, tab.hosts - {None}) == ([], {"127.0.0.1"})
