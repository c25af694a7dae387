"""Until when a workspace runs, on its page: shown in its person's zone, set, changed and taken back there."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from bot.domain.models import Person, Timer
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


async def stop_at(world, workspace):
    return (await world.store.workspace(workspace.id)).stop_at


async def line(browser, workspace):
    return json.loads(await browser.get(f"/ide/{workspace.id}/state"))["line"]


async def sends(browser, workspace, **fields):
    """Fill the form in and send it."""
    await browser.get(f"/ide/{workspace.id}/stop-later")
    await browser.send(f"/ide/{workspace.id}/stop-later", **fields)


async def test_the_end_is_shown_in_the_persons_zone_and_follows_its_changes(world):
    workspace = await world.workspace()
    browser = await world.signed_in(page=workspace.id)
    assert await line(browser, workspace) == "Running"
    await world.store.change_timer(ALICE, workspace.id, Timer(AFTERNOON + 2.5 * 3600, "stop"))
    assert await line(browser, workspace) == "Running until 18:00"
    await browser.get(f"/ide/{workspace.id}")
    assert "Running until 18:00" in browser.text
    await world.store.change_timer(ALICE, workspace.id, Timer(AFTERNOON + 17.5 * 3600, "stop"))
    assert await line(browser, workspace) == "Running until tomorrow at 09:00"
    await world.store.change_timer(ALICE, workspace.id, None)
    assert await line(browser, workspace) == "Running"


async def test_stop_later_sets_changes_and_takes_back(world):
    workspace = await world.workspace()
    browser = await world.signed_in(page=workspace.id)
    assert f'href="/ide/{workspace.id}/stop-later">Stop later…</a>' in browser.text
    await browser.get(f"/ide/{workspace.id}/stop-later")
    assert "notebook on Sphere Engine runs until somebody stops it." in browser.text
    assert "keep it running" not in browser.text
    await sends(browser, workspace, when="120")
    assert browser.url.endswith(f"/ide/{workspace.id}")
    assert "Running until 17:30" in browser.text
    await sends(browser, workspace, other="6pm")
    assert "Running until 18:00" in browser.text
    await browser.get(f"/ide/{workspace.id}/stop-later")
    assert "notebook on Sphere Engine will be stopped today at 18:00." in browser.text
    await sends(browser, workspace, when="never")
    assert await stop_at(world, workspace) is None
    assert [row["action"] for row in await world.store.audit_entries()].count("workspace.timer") == 3


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Choose a time"),
        ({"other": "soon"}, "I can&#39;t read soon as a time"),
        ({"when": "7"}, "Choose"),
    ],
)
async def test_what_is_no_time_is_said_at_the_form(world, fields, said):
    workspace = await world.workspace()
    browser = await world.signed_in(page=workspace.id)
    await sends(browser, workspace, **fields)
    assert said in browser.text
    assert await stop_at(world, workspace) is None


async def test_what_ends_for_good_is_asked_about_first(world):
    workspace = await world.workspace(is_kept=False)
    browser = await world.signed_in(page=workspace.id)
    await sends(browser, workspace, other="18:00")
    assert "This will end notebook on Sphere Engine for good today at 18:00" in browser.text
    assert await stop_at(world, workspace) is None
    await browser.send(f"/ide/{workspace.id}/stop-later")
    row = await world.store.workspace(workspace.id)
    assert (row.stop_at, row.stop_agreed) == (AFTERNOON + 2.5 * 3600, True)


async def test_nobody_else_sets_it_and_no_other_page_does(world):
    workspace = await world.workspace()
    browser = await world.signed_in(page=workspace.id)
    await browser.get(f"/ide/{workspace.id}/stop-later")
    await browser.send(f"/ide/{workspace.id}/stop-later", other="18:00", form="forged")
    assert browser.status == 403
    stranger = await world.signed_in("U0BOB", workspace.id)
    await stranger.get(f"/ide/{workspace.id}/stop-later")
    assert stranger.status == 404
    assert await stop_at(world, workspace) is None
