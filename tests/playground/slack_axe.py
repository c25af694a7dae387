"""Accessibility checks of the local Slack's page with axe."""

import json
from itertools import product

from tests.playground.browser import Browser
from tests.rigs import axe

#: Colours that axe can't determine are left out when a menu is open. In a modal they count, as nothing covers
#: it.
RUN = """axe.run(PLACE, { iframes: false, ...OPTIONS }).then((found) => [
  ...found.violations,
  ...(PLACE === "#modal" ? found.incomplete : []).filter((one) => one.nodes.some(
    (node) => node.any.some((check) => check.data?.messageKey === "bgOverlap"))),
].map((one) => `${one.impact} ${one.id}: ${one.nodes.map((node) => node.html.slice(0, 300)).join(" ")}`))"""
#: The modal is raised, as axe wouldn't know that it is on top, and would skip its colours.
RAISE = "document.getElementById('modal').style.zIndex = 1000"


async def judge(browser: Browser, place: str = "body") -> list[str]:
    """Return axe's findings for the page as it is, on a phone and a desktop, in light and dark colours."""
    await browser.ask(RAISE)
    if not await browser.ask("!!window.axe"):
        await browser.tell("Runtime.evaluate", expression=axe.SCRIPT)
    wrong = []
    for (width, height), (look, options) in product(axe.SIZES, axe.LOOKS.items()):
        await browser.screen(width, height)
        media = [{"name": "prefers-color-scheme", "value": look}]
        await browser.tell("Emulation.setEmulatedMedia", features=media)
        found = await browser.ask(
            RUN.replace("PLACE", json.dumps(place)).replace("OPTIONS", json.dumps(options))
        )
        assert isinstance(found, list), "axe doesn't run"
        wrong += [f"{look}, {width} px: {one}" for one in found]
    return wrong
