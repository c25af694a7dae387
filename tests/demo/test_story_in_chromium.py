"""The demonstration's story at every provider in a real browser, with its mouse and its keyboard alone."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.demo.test_demo import ended, line_with, playing
from tests.playground.browser import Browser, chromium
from tests.rigs.ports import quiet_port

#: The newest message of a conversation.
NEWEST = "#messages > article:last-of-type"
#: What the list of accounts shows of hers, by provider and label.
ACCOUNTS = """Object.fromEntries([...document.querySelectorAll(".whose[open] .account")].map((account) => [
  account.querySelector("h3").textContent,
  Object.fromEntries([...account.querySelectorAll(".field")].map((field) => [
    field.querySelector(".label").textContent, field.querySelector("code").textContent]))]))"""
#: Two status reads, a start of some seconds, and a margin for slow machines.
SECONDS = 60.0


class Olivia:
    """Sit at Olivia's browser: press what she sees, type, and count what she presses."""

    def __init__(self, slack: Browser) -> None:
        self.slack = slack
        self.tabs = [slack]
        self.presses = 0
        self.accounts: dict[str, dict[str, str]] = {}

    async def press(self, selector: str, text: str = "", tab: Browser | None = None) -> None:
        self.presses += 1
        await (tab or self.slack).click(selector, text)

    async def opens(self, selector: str, address: str) -> Browser:
        """Press what opens a tab; return the tab once it has arrived."""
        await self.press(selector)
        self.tabs.append(await self.slack.opened(address))
        return self.tabs[-1]

    async def types(self, words: str) -> None:
        await self.slack.click("#text")
        await self.slack.type(words)
        await self.slack.press("Enter")

    async def sees(self, text: str, tab: Browser | None = None, where: str = "body") -> None:
        """Wait until a page shows a text."""
        tab = tab or self.slack
        try:
            shown = f"document.querySelector({json.dumps(where)}).innerText.includes({json.dumps(text)})"
            await tab.until(shown, SECONDS)
        except AssertionError:
            says = await tab.ask("location.href + '\\n' + document.body.innerText")
            raise AssertionError(f"{text!r} was never seen at {says}") from None

    async def link_page(self, title: str) -> Browser:
        """Ask for a link, open its page, and sign in with Slack there."""
        await self.press("[data-action^=invite]", title)
        page = await self.opens(f"{NEWEST} [data-action^=link_url]", "/link")
        await self.press("a.button.main", tab=page)
        return page

    async def pastes_token(self, title: str, page: Browser) -> None:
        await page.click("#token")
        await page.type(self.accounts[title]["Token"])
        await self.press("form[action='/link/check'] button", tab=page)

    async def confirms(self, title: str, page: Browser) -> None:
        await self.press("form[action='/link/confirm'] button", tab=page)
        await self.sees(f"{title} is linked", page)

    async def fills(self, field: str, value: str) -> None:
        """Type into a field of the form, in place of what stands there."""
        await self.slack.click(f"#modal [data-action='field:{field}'] input")
        await self.slack.press("Control+a")
        await self.slack.type(value)

    async def chooses(self, field: str, letter: str) -> None:
        """Go back to a menu of the form by keyboard, and choose the first option with this letter."""
        menu = json.dumps(f"[data-action='field:{field}']")
        while not await self.slack.ask(f"document.activeElement.matches({menu})"):
            await self.slack.press("Shift+Tab")
        await self.slack.press(letter)


async def on_saturn(olivia: Olivia) -> None:
    await olivia.types("/workspace start notebook")
    page = await olivia.link_page("Saturn Cloud")
    await olivia.pastes_token("Saturn Cloud", page)
    await olivia.confirms("Saturn Cloud", page)
    # The direct message with Usher.
    await olivia.press(".place:has(img)")
    await olivia.sees("notebook is ready.")
    assert olivia.presses <= 6
    ide = await olivia.opens("[data-action^=open_url]", "/login")
    await ide.press("Tab", *"olivia", "Tab")
    await ide.type(olivia.accounts["Saturn Cloud"]["Password"])
    await ide.press("Enter")
    await olivia.sees("The IDE of olivia is running.", ide)
    await olivia.press("[data-action=stop]")
    await olivia.press("#ask button", "Stop")
    await olivia.sees("notebook has stopped on Saturn Cloud.")


async def at_the_hub(olivia: Olivia) -> None:
    before = olivia.presses
    await olivia.types("/workspace start training@hub")
    page = await olivia.link_page("Team hub")
    await page.click("#username_input")
    await page.type("olivia")
    await page.press("Tab")
    await page.type(olivia.accounts["Team hub"]["Password"])
    await olivia.press("#login_submit", tab=page)
    await olivia.confirms("Team hub", page)
    await olivia.slack.tell("Page.bringToFront")
    await olivia.sees("training is ready.")
    assert olivia.presses - before <= 6
    ide = await olivia.opens("[data-action^=open_url]", "/user/olivia/training")
    await olivia.sees("The light server of olivia is running.", ide)


async def on_workbench(olivia: Olivia) -> None:
    await olivia.types("/workspace link posit")
    page = await olivia.link_page("Workbench")
    await olivia.pastes_token("Workbench", page)
    await olivia.confirms("Workbench", page)
    await olivia.types("/workspace new posit")
    await olivia.fills("name", "paper")
    await olivia.chooses("ide", "R")
    await olivia.press("#modal footer .primary")
    await olivia.sees("paper is ready.")
    ide = await olivia.opens("[data-action^=open_url]", "/auth-sign-in")
    await ide.press("Tab")
    await ide.type("olivia")
    await ide.press("Tab")
    await ide.type(olivia.accounts["Workbench"]["Password"])
    await ide.press("Enter")
    await olivia.sees("RStudio of olivia is running.", ide)
    await olivia.types("/job run posit --cluster Local -- Rscript train.R")
    await olivia.slack.until("document.querySelector('.replies')", SECONDS)
    await olivia.press(".replies")
    await olivia.sees("epoch 20: loss falls", where="#thread")
    await olivia.press("#thread-close")


async def on_sphere_engine(olivia: Olivia) -> None:
    await olivia.types("/workspace new courses")
    await olivia.fills("name", "lesson")
    await olivia.chooses("project", "C")
    await olivia.press("#modal footer .primary")
    await olivia.sees("lesson is ready.")
    ide = await olivia.opens("[data-action^=open_url]", "/ide/")
    await olivia.press("a.button.main", tab=ide)
    await olivia.sees("Running", ide, "#line")
    await ide.until("document.querySelector('#frame iframe').clientHeight > 100")
    async with asyncio.timeout(20):
        while await shown_within(ide, "document.querySelector('#ide:not([hidden]) #run').id") != "run":  # noqa: ASYNC110 - the frame is no page of ours
            await asyncio.sleep(0.05)


async def shown_within(page: Browser, expression: str) -> Any:
    """Evaluate an expression in the frame of a page."""
    (frame,) = (await page.tell("Page.getFrameTree"))["frameTree"]["childFrames"]
    world = await page.tell("Page.createIsolatedWorld", frameId=frame["frame"]["id"])
    asked = {"contextId": world["executionContextId"], "returnByValue": True}
    return (await page.tell("Runtime.evaluate", expression=expression, **asked))["result"].get("value")


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine")
async def test_the_whole_story_by_mouse_and_keyboard(tmp_path):
    async with (
        playing(tmp_path, "demo", "--light", "--port", str(quiet_port())) as process,
        Browser.started(tmp_path / "browser") as slack,
    ):
        olivia = Olivia(slack)
        await slack.open((await line_with(process, "#key=")).strip())
        await slack.until("document.activeElement.id === 'text'")
        await olivia.sees("Olivia", where="#my-name")
        listed = await olivia.opens("#accounts-open", "/accounts")
        await listed.until("document.querySelector('.whose[open]')")
        olivia.accounts = await listed.ask(ACCOUNTS)
        olivia.presses = 0
        for play in (on_saturn, at_the_hub, on_workbench, on_sphere_engine):
            await play(olivia)
        for tab in olivia.tabs:
            title = await tab.ask("document.title")
            assert (title, tab.complaints, tab.hosts) == (title, [], {"127.0.0.1"})
        process.terminate()
        status, _ = await ended(process)
        assert status == 0
