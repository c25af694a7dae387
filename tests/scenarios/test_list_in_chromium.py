"""The list and the Home tab of a person with forty workspaces, in a real browser.

Home shows them in pages.
"""

import re

import pytest

from tests.playground.browser import Browser
from tests.rigs.scenario.cloud import SEED, cloud_world
from tests.scenarios.chromium_sitting import Sitting

MORE = [{"owner": "alice", "name": f"study-{number:02}"} for number in range(40)]
#: JavaScript that returns the whole text of the last message.
LAST = "[...document.querySelectorAll('#messages > article .content')].at(-1).innerText"
NAMES = re.compile(r"^\W+ (\S+) · Saturn Cloud$", re.MULTILINE)


@pytest.mark.browser
@pytest.mark.timeout(180)
async def test_list_of_many_is_short_and_home_has_pages_of_all(tmp_path):
    seed = {**SEED, "workspaces": [*MORE, {"owner": "alice", "name": "notebook"}]}
    async with cloud_world(tmp_path, saturn_seed=seed) as stage, Browser.started() as tab:
        await stage.alice.links("alice")
        await stage.pass_time(5)
        for name in ("study-31", "study-07", "study-22"):
            await stage.alice.types(f"start {name}")
            await stage.pass_time(60)
        await stage.alice.types("stop study-22")
        await stage.pass_time(60)
        sitting = Sitting(stage, tab, tmp_path)
        await sitting.opens()
        await sitting.writes("list")
        await sitting.reads("#messages", "Show all 41")
        read = await tab.ask(LAST)
        shown = NAMES.findall(read)
        assert shown[:3] == ["study-07", "study-31", "study-22"]
        assert len(shown) == 7
        assert "and 34 more" in read
        await sitting.looks_at("list")
        await sitting.goes_home("21 more")
        await sitting.looks_at("home")
        assert (tab.complaints, tab.hosts - {None}) == ([], {"127.0.0.1"})
