"""Until when a workspace runs, on its page: shown in its person's zone, and changed in Slack."""

import json
import re
from datetime import UTC, datetime

import pytest

from bot.domain.people import Person
from bot.domain.workspaces import Timer
from tests.rigs.store import set_timer
from tests.web.ide_rig import ide_rig
from tests.web.rig import ALICE

#: Half past three in the afternoon in Berlin, in winter.
AFTERNOON = datetime(2027, 1, 15, 14, 30, tzinfo=UTC).timestamp()


@pytest.fixture
async def world():
    async with ide_rig() as made:
        made.clock.jump(AFTERNOON - made.clock.now())
        await made.store.save_people(
            [Person(ALICE, "Alice", seen_at=made.clock.now(), time_zone="Europe/Berlin")]
        )
        yield made


async def line(browser, workspace):
    return json.loads(await browser.get(f"/ide/{workspace.id}/state"))["line"]


async def test_the_end_is_shown_in_the_persons_zone_and_follows_its_changes(world):
    workspace = await world.workspace()
    browser = await world.signed_in(page=workspace.id)
    assert await line(browser, workspace) == "Running"
    await set_timer(world.store, workspace, Timer(AFTERNOON + 2.5 * 3600, "stop"))
    assert await line(browser, workspace) == "Running until 18:00"
    await browser.get(f"/ide/{workspace.id}")
    assert "Running until 18:00" in browser.text
    await set_timer(world.store, workspace, Timer(AFTERNOON + 17.5 * 3600, "stop"))
    assert await line(browser, workspace) == "Running until tomorrow at 09:00"
    await set_timer(world.store, workspace, None)
    assert await line(browser, workspace) == "Running"


async def test_it_is_changed_in_slack_where_its_messages_are(world):
    workspace = await world.workspace()
    browser = await world.signed_in(page=workspace.id)
    slack = re.escape(f"https://app.slack.com/client/{ALICE.team_id}")
    for text in ("Stop later in Slack", "Back to Slack"):
        assert re.search(rf'<a [^>]*href="{slack}"[^>]*>{text}</a>', browser.text), text
    await browser.get(f"/ide/{workspace.id}/stop-later")
    assert browser.status == 404
