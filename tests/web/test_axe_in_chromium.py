"""Accessibility checks of every page with axe: dark and light, narrow and wide."""

from itertools import product

import pytest

from tests.rigs import axe
from tests.web.driver import Chromium, chromium
from tests.web.ide_rig import ide_rig
from tests.web.walks import code_pages, ide_pages, link_pages, there_pages

pytestmark = pytest.mark.browser

LOAD = "(0, eval)(arguments[0])"
RUN = """
const found = await window.axe.run(document, { iframes: false, ...arguments[0] });
return found.violations.map((one) => [one.id, one.impact, one.nodes.map((node) => node.html)]);
"""
WIDER = "return document.documentElement.scrollWidth > document.documentElement.clientWidth"


async def judge(window: Chromium, name: str) -> list[str]:
    """Return axe's findings for the page, and whether it has to be scrolled sideways."""
    wrong = []
    await window.script(LOAD, axe.SCRIPT)
    for (width, height), (look, options) in product(axe.SIZES, axe.LOOKS.items()):
        await window.looks_like(width, height, dark=look == "dark")
        for rule, impact, nodes in await window.script(RUN, options):
            wrong.append(f"{name}, {look}, {width} px: {impact} {rule} {nodes}")
        if await window.script(WIDER):
            wrong.append(f"{name} is wider than {width} px")
    return wrong


@pytest.mark.parametrize(
    ("pages", "options", "count"),
    [((link_pages, there_pages), {}, 14), ((code_pages,), {"sign_in": False}, 3), ((ide_pages,), {}, 12)],
)
async def test_every_page(pages, options, count):
    async with ide_rig(**options) as world, chromium() as window:
        walks = [walk(world, window) for walk in pages]
        seen = {name: await judge(window, name) for walk in walks async for name in walk}
    assert len(seen) == count
    assert [wrong for found in seen.values() for wrong in found] == []
