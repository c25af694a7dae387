"""Tests of using the local Slack's page without a mouse: commands, conversations, pickers and focus."""

import json

import pytest

from tests.playground.slack_browser import CURRENT, FOCUS, MODAL, slack_page, words
from tests.playground.slack_forms import field, modal, typed
from tests.playground.slack_help import GENERAL, actions, button, section

pytestmark = pytest.mark.browser

VALUE = "document.getElementById('text').value"
DAY = {"type": "datepicker", "action_id": "day", "initial_date": "2026-11-20"}
TIME = {"type": "timepicker", "action_id": "time", "timezone": "Europe/Berlin"}
MOMENT = {"type": "datetimepicker", "action_id": "moment"}
GO = "document.querySelector('[data-action=go]')"


async def test_everything_goes_by_keyboard_from_commands_to_pickers():
    async with slack_page() as page:
        await page.browser.tell("Emulation.setTimezoneOverride", timezoneId="Europe/Berlin")
        await page.open()
        await _commands(page)
        await _conversations(page)
        blocks = [section("when?"), actions(DAY, TIME, MOMENT, button("go"))]
        card = await page.client.chat_postMessage(channel=GENERAL, text="when?", blocks=blocks)
        await page.browser.until(GO)
        await _dates(page)
        await _moment(page)
        await _form(page, card["ts"], blocks)
        await _typed(page)


async def _commands(page):
    """Choose commands from the manifest's list with arrows and Tab. Escape closes the list, Enter sends."""
    browser, app = page.browser, page.app
    await browser.until(f"{FOCUS}.id === 'text'")
    await browser.type("/")
    assert await page.text("[role=option]") == (
        "/job list | runRun jobs · Usher|/workspace start NAMEStart workspaces · Usher"
    )
    await browser.press("ArrowDown", "Tab")
    assert await browser.ask(VALUE) == "/workspace "
    assert await page.text("#hint") == "/workspace start NAME · Start workspaces"
    await browser.type("start notebook")
    await browser.press("Enter")
    await app.arrived(1)
    assert (app.seen[0]["command"], app.seen[0]["text"]) == ("/workspace", "start notebook")
    await browser.type("/jo")
    await browser.press("Escape", "Enter")
    await browser.until(f"{words('.ephemeral .text')} === '/jo is not a valid command.'")
    await browser.type("@ta")
    await browser.press("Enter")
    assert await browser.ask(VALUE) == "@tara "


async def _conversations(page):
    """Switch conversations in the list, with the jump dialog, and with Alt and the arrows."""
    browser = page.browser
    await page.focus(".place.current")
    await browser.press("ArrowUp", "Enter")
    await browser.until(f"{CURRENT}.includes('data-science') && {FOCUS}.id === 'text'")
    await browser.press("Control+k")
    assert await browser.ask("document.getElementById('jump').open")
    await browser.press("Escape")
    await browser.until(f"!document.getElementById('jump').open && {FOCUS}.id === 'text'")
    await browser.press("Alt+ArrowDown")
    await browser.until(f"{CURRENT}.includes('general')")


async def _dates(page):
    """Choose a day in the calendar, and type a time."""
    browser, app = page.browser, page.app
    await page.focus("[data-action=day] input")
    await browser.press("ArrowDown", "ArrowRight", "PageDown")
    assert await browser.ask(f"{FOCUS}.dataset.day") == "2026-12-21"
    await browser.press("Enter")
    await app.arrived(2)
    await browser.until(f"{FOCUS}.closest('[data-action=day]')")
    await page.focus("[data-action=time] input")
    await browser.type("9:41 pm")
    await browser.press("Enter")
    await app.arrived(3)
    picked = [one["actions"][0] for one in app.seen[1:]]
    assert [{key: one[key] for key in one if key not in ("action_ts", "block_id")} for one in picked] == [
        {**DAY, "selected_date": "2026-12-21"},
        {**TIME, "selected_time": "21:41"},
    ]


async def _moment(page):
    """Choose a day and a time, by mouse and keyboard. The app is told once both are set."""
    browser, app = page.browser, page.app
    await browser.until("document.querySelector('[data-action=time] input').value.startsWith('9:41')")
    await page.click("[data-action=moment] .day input")
    await page.click("[data-action=moment] [data-day$='-15']")
    assert len(app.seen) == 3
    await page.focus("[data-action=moment] .time input")
    await browser.press("ArrowDown")
    await browser.until("document.querySelectorAll('[data-action=moment] [role=option]').length === 48")
    await browser.press("ArrowDown", "ArrowDown", "Enter")
    await app.arrived(4)
    moment = f"new Date({app.seen[3]['actions'][0]['selected_date_time']} * 1000)"
    assert (
        await browser.ask(f"`${{{moment}.getDate()}} ${{{moment}.toTimeString()}}`.slice(0, 8)") == "15 00:30"
    )


async def _form(page, ts, blocks):
    """Fill in a form. The focus returns to the button that opened it, although that was redrawn."""
    browser, app, client = page.browser, page.app, page.client
    await browser.ask(f"{GO}.focus()")
    await browser.press("Enter")
    await app.arrived(5)
    form = modal(field(typed("name"), "name"), field(DAY, "day"))
    await client.views_open(trigger_id=app.seen[4]["trigger_id"], view=form)
    await browser.until(f"{MODAL} && {FOCUS}.closest('#modal')")
    await browser.type("notebook")
    await browser.press("Tab")
    await browser.type("2026-02-31")
    await page.focus("#modal [data-action=name] input")
    await browser.until("document.querySelector('#modal .day input').value.includes('20')")
    await page.focus("#modal .day input")
    await browser.type("3 Feb 2027")
    await browser.press("ArrowDown", "Escape")
    assert await browser.ask(MODAL)
    await client.chat_update(channel=GENERAL, ts=ts, text="now", blocks=[section("now"), blocks[1]])
    await browser.until("document.querySelector('#messages').textContent.includes('now')")
    await page.click("#modal footer .primary")
    await app.arrived(6)
    values = app.seen[5]["view"]["state"]["values"]
    assert values["name"]["name"]["value"] == "notebook"
    assert values["day"]["day"] == {"type": "datepicker", "selected_date": "2027-02-03"}
    await browser.until(f"!{MODAL} && {FOCUS} === {GO}")


async def _typed(page):
    """Check how typed times and days are read."""
    times = ["9", "0941", "9.41 pm", "12am", "12:05 PM", "24:00", "13 pm", "soon"]
    days = ["2026-2-3", "2026-02-31", "Feb 3, 2026", "tomorrow", "12345"]
    asked = f"[{json.dumps(times)}.map(to.readTime), {json.dumps(days)}.map(to.readDay)]"
    assert await page.browser.ask(f"import('/_page/static/pickers.js').then((to) => {asked})") == [
        ["09:00", "09:41", "21:41", "00:00", "12:05", None, None, None],
        ["2026-02-03", None, "2026-02-03", None, None],
    ]
