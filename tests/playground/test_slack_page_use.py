"""Tests of using the local Slack's page: unread messages, threads, files, and a small screen."""

import asyncio
import base64
import json

import pytest

from tests.playground.slack_browser import FOCUS, MODAL, slack_page, words
from tests.playground.slack_forms import field, opened, typed
from tests.playground.slack_help import CHEN, GENERAL, OLIVIA, TARA, section

pytestmark = pytest.mark.browser

DOT = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
LOG = "".join(f"line {number}\n" for number in range(20))


async def test_what_is_new_stands_out_until_it_is_read_in_conversations_threads_and_files():
    async with slack_page() as page:
        server, client, browser = page.server, page.client, page.browser
        await server.say(OLIVIA, GENERAL, "old")
        parent = (await server.say(TARA, GENERAL, "hello all"))["ts"]
        await server.say(TARA, GENERAL, "@olivia look")
        await server.say(TARA, GENERAL, "<b>first</b> reply", parent)
        card = await client.chat_postMessage(channel=OLIVIA, text="job", blocks=[section("*job*")])
        thread = {"channel": card["channel"], "thread_ts": card["ts"]}
        await client.files_upload_v2(**thread, content=LOG, filename="output.log", title="Output")
        await client.files_upload_v2(channel=card["channel"], file=DOT, filename="dot.gif", title="Dot")
        await page.open(card["channel"])
        # A channel with unread messages is marked, and shows its number of mentions. The open conversation
        # counts as read.
        await browser.until("document.title.startsWith('(1) Olivia')")
        assert await page.text(".place.unread") == "#general 1"
        label = await browser.ask("document.querySelector('.place.unread').ariaLabel")
        assert label == "#general, 1 for you, 2 unread"
        await _files(page)
        await page.click(".place.unread")
        await browser.until("document.querySelector('.new-line')")
        order = await browser.ask(
            "[...document.getElementById('messages').children].map((one) => one.className)"
        )
        assert order == ["message", "new-line", "message", "message follows"]
        await browser.until("!document.querySelector('.place.unread')")
        assert (page.unread(), await browser.ask("document.title.slice(0, 6)")) == (0, "Olivia")
        await _thread(page, parent)
        # Messages that arrive while another conversation is open make the channel bold again.
        await browser.press("Control+k")
        await browser.type("ush")
        await browser.press("Enter")
        await browser.until("document.querySelector('.place.current').textContent.includes('Usher')")
        for number in range(40):
            await server.say(TARA, GENERAL, f"again {number}")
        await browser.until(f"{words('.place.unread')} === '#general'")
        # A reader who has scrolled up is told of new messages below, and can jump there.
        await page.click(".place.unread")
        await browser.until("document.querySelectorAll('#messages .message').length === 44")
        await browser.ask("document.getElementById('messages').scrollTop = 0")
        await server.say(TARA, GENERAL, "last")
        await browser.until("!document.getElementById('newer').hidden")
        await page.click("#newer")
        await browser.until("document.getElementById('newer').hidden")
        at_end = (
            "(({scrollTop, clientHeight, scrollHeight}) => scrollTop + clientHeight >= scrollHeight - 1)"
            "(document.getElementById('messages'))"
        )
        assert await browser.ask(at_end)
        await browser.ask("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        await browser.screen(700, 500)
        await browser.until(at_end)
        await browser.screen(1200, 800)


async def _files(page):
    """View an image and a text file in a thread, download it, and expand it."""
    browser = page.browser
    await browser.until("document.querySelector('#messages .picture img')?.naturalWidth === 1")
    assert await page.text("#messages .file small") == "dot.gif · 42 bytes"
    assert (await page.text(".replies")).startswith("1 reply1 newLast reply ")
    await page.click(".replies")
    await browser.until("document.querySelector('#thread .file')")
    assert await page.text("#thread .file small") == "output.log · 150 bytes"
    assert await page.text("#thread .more") == "15 more lines in the file"
    link = "document.querySelector('#thread .file a')"
    assert await browser.ask(f"{link}.download") == "output.log"
    assert await browser.ask(f"fetch({link}.href).then((answer) => answer.text())") == LOG
    await page.focus("#thread .file .title")
    await browser.press("Enter")
    await browser.until("document.querySelector('#viewer pre')")
    assert await page.text("#viewer pre") == LOG
    await browser.press("Escape")
    await browser.until(f"!document.getElementById('viewer').open && {FOCUS}.className === 'title'")


async def _thread(page, parent):
    """Read and write in a thread, once also to the channel. What is typed never becomes markup."""
    browser = page.browser
    await page.focus(".replies")
    await browser.press("Enter")
    await browser.until(f"{FOCUS}.id === 'thread-text'")
    assert "<b>first</b> reply" in await page.text("#thread-messages .text")
    await page.click("#broadcast")
    await page.focus("#thread-text")
    await browser.type("two\nlines")
    await browser.press("Enter")
    await browser.until(f"{words('.replies b')} === '2 replies'")
    sent = page.server.thread(OLIVIA, GENERAL, parent)[-1]
    assert (sent["text"], sent["thread_ts"]) == ("two\nlines", parent)
    assert "replied to a thread" in await page.text("#messages article")
    await browser.press("Escape")
    assert await browser.ask(f"document.getElementById('thread').hidden && {FOCUS}.className") == "replies"


async def test_on_a_small_screen_one_thing_is_seen_at_a_time():
    async with slack_page() as page:
        server, browser = page.server, page.browser

        async def box(selector):
            found = f"document.querySelector('{selector}').getBoundingClientRect()"
            shown = await browser.ask(f"(({{x, y, width, height}}) => `${{[x, y, width, height]}}`)({found})")
            return json.loads(f"[{shown}]")

        parent = (await server.say(TARA, GENERAL, "hello"))["ts"]
        await server.say(TARA, GENERAL, "reply", parent)
        await browser.screen(390, 800)
        await browser.open(f"{server.state.base_url}/?as={OLIVIA}")
        await browser.until("document.querySelector('.place.unread')")
        below = [0, 42, 390, 758]
        assert (await box(".side"), await box(".stage")) == (below, [0, 0, 0, 0])
        # Messages count as read only once they are seen.
        assert page.unread() == 1
        await page.click(".place.unread")
        await browser.until("!document.querySelector('.place.unread')")
        assert (await box(".side"), await box(".stage")) == ([0, 0, 0, 0], below)
        await page.click(".replies")
        await browser.until(f"{FOCUS}.id === 'thread-text'")
        assert await box("#thread") == below
        await opened(server, page.client, page.app, field(typed("name"), "name"))
        await browser.until(MODAL)
        assert await box("#modal") == [0, 0, 390, 800]
        assert await browser.ask("document.documentElement.scrollWidth") == 390
        await browser.press("Escape")
        await browser.until(f"!{MODAL} && {FOCUS}.id === 'thread-text'")
        await browser.press("Escape")
        await page.click("#back")
        assert await browser.ask(f"{FOCUS}.textContent") == "#general"
        unnamed = (
            "[...document.querySelectorAll('button, a, input, select, textarea')].filter((one) => "
            "!(one.ariaLabel || one.textContent.trim() || one.labels?.length)).length"
        )
        assert await browser.ask(unnamed) == 0


@pytest.mark.thorough
async def test_everybody_has_a_tab_of_their_own_at_once():
    async with slack_page() as page:
        people = [one.id for one in page.server.state.people.values() if not one.is_bot and one.role != "bot"]
        for user in [*people, TARA, TARA]:
            address = f"{page.server.state.base_url}/?as={user}"
            await page.browser.tell("Target.createTarget", url=address, background=True)
        async with asyncio.timeout(20):
            while page.server.harness.requests["GET /_page/changes"] < len(people) + 2:
                await page.browser.ask("1")
        # More tabs are open than a browser has connections to a host, and messages still arrive immediately.
        await page.open()
        await page.focus("#text")
        await page.browser.type("hello")
        await page.browser.press("Enter")
        await page.browser.until(f"{words('#messages .text')} === 'hello'")
        assert page.server.seen(TARA, GENERAL)[-1]["text"] == "hello"


async def test_times_are_those_of_whoever_reads_them():
    """In the browser's own zone, Chen's nine o'clock would be shown as one in the morning."""
    async with slack_page() as page:
        await page.browser.tell("Emulation.setTimezoneOverride", timezoneId="America/New_York")
        stamp = "<!date^1800000000^{date_short} {time}|then>"
        await page.client.chat_postMessage(channel=GENERAL, text=stamp)
        for person, shown in ((OLIVIA, "Jan 15, 2027 8:00 AM"), (CHEN, "Jan 15, 2027 4:00 PM")):
            await page.browser.open(f"{page.server.state.base_url}/?as={person}&channel={GENERAL}")
            times = "[...document.querySelectorAll('#messages article time')].map((one) => one.textContent)"
            await page.browser.until(f"{times}.length > 1")
            read = [time.replace("\u202f", " ") for time in await page.browser.ask(times)]
            assert read[-1] == shown
