"""A person's Home: what it shows, what a press in it does, when it is drawn again, and for whom."""

import re

import pytest

from bot.features.home.model import HomeUse
from bot.features.home.use_cases import record_use
from tests.rigs.scenario.cloud import AMIR
from tests.rigs.scenario.sphere import sphere_world
from tests.rigs.scenario.stage import SEED

MANY = {
    **SEED,
    "workspaces": [{"owner": "alice", "name": f"study {number:03}"} for number in range(100)],
}


async def test_home_shows_the_workspaces_and_a_press_starts_one(linked):
    alice = linked.alice
    shown = await alice.opens_home()
    assert all(name in shown.text for name in ("notebook", "training", "report", "broken"))
    assert "4 in all, 1 running" in shown.text
    shown = await alice.presses_home("Start", "*notebook*")
    assert "Starting *notebook*" in shown.text.partition("Your workspaces")[0]
    assert "start" in _row(shown, "notebook")
    await linked.pass_time(45)
    assert "4 in all, 2 running" in alice.home().text
    # The name is the link to the IDE.
    assert f"<{alice.only('ready').address('Open')}|notebook>" in alice.home().text


async def test_a_press_on_an_outdated_home_is_answered_with_how_things_are_now(linked):
    alice = linked.alice
    await alice.opens_home()
    await linked.pass_time(601, step=30)
    await alice.types("stop report")
    await linked.pass_time(25)
    assert "running" in _row(alice.home(), "report")
    shown = await alice.presses_home("Stop", "report")
    assert "running" not in _row(shown, "report")
    assert len(alice.told("ready")) == 0


async def test_what_changes_elsewhere_shows_within_ten_minutes_of_use_and_not_after(linked):
    alice = linked.alice
    await alice.opens_home()
    await linked.pass_time(15)
    published = _published(linked)
    await linked.pass_time(60)
    assert _published(linked) == published, "nothing happened, so nothing is published"
    await alice.types("start training")
    await linked.pass_time(40)
    assert "4 in all, 2 running" in alice.home().text
    await linked.pass_time(600, step=20)
    published = _published(linked)
    await alice.types("stop training")
    await linked.pass_time(60)
    assert alice.only("stopped")
    assert _published(linked) == published
    assert "4 in all, 1 running" in (await alice.opens_home()).text


async def test_a_form_opened_in_home_shows_its_effect_at_once(cloud):
    alice = cloud.alice
    await alice.opens_home()
    await cloud.pass_time(15)
    await alice.presses_home("New workspace")
    assert alice.modal()["callback_id"] == "make"
    before = alice.home().text
    await cloud.slack.fill(alice.id, {"field:name": "thesis"})
    assert (await cloud.slack.submit(alice.id))["ok"]
    await cloud.settle()
    assert "*thesis*" in alice.home().text
    assert "*thesis*" not in before


async def test_settings_changed_in_home_show_at_once(linked):
    alice = linked.alice
    shown = await alice.opens_home()
    assert "I'll message you when a workspace is ready or a run ends." in shown.text
    await alice.presses_home("Change settings")
    assert (await alice.submits(tell=["stopped"]))["ok"]
    assert "I'll message you when a workspace stops by itself." in alice.home().text


async def test_homes_are_drawn_again_after_a_restart(linked):
    await linked.alice.opens_home()
    await linked.stop_bot()
    await linked.start_bot()
    await linked.alice.types("start training")
    await linked.pass_time(40)
    assert "4 in all, 2 running" in linked.alice.home().text


async def test_opening_what_has_not_changed_publishes_nothing(linked):
    alice = linked.alice
    await alice.opens_home()
    await linked.pass_time(15)
    published = _published(linked)
    await alice.opens_home()
    assert _published(linked) == published
    # What Slack lost is published again.
    del linked.slack.state.homes[alice.id]
    await alice.opens_home()
    assert _published(linked) == published + 1


async def test_refresh_reads_what_no_list_tells(tmp_path):
    async with sphere_world(tmp_path) as world:
        alice = world.alice
        await world.makes(alice, name="homework")
        shown = await alice.opens_home()
        assert re.search(r"/ide/[\w-]+\|homework>", shown.text)
        (machine,) = world.machines()
        await world.pass_time(15)
        read = world.calls(f"GET .*{machine.id}", world.sphere)
        published = _published(world)
        await alice.presses_home("Refresh")
        assert world.calls(f"GET .*{machine.id}", world.sphere) == read + 1
        assert _published(world) == published + 1, "a press always brings a view"


async def test_home_before_anything_is_linked_offers_to_link(bare):
    alice = bare.alice
    shown = await alice.opens_home()
    assert "I start, stop and open" in shown.text
    assert "Link an account below" in shown.text
    shown = await alice.presses_home("Link")
    assert shown.address("Open the link page").startswith("http")
    await alice.has_linked("alice")
    await bare.pass_time(15)
    assert "4 in all, 1 running" in alice.home().text
    assert "Linked as alice" in alice.home().text


@pytest.mark.parametrize("bare", [{"saturn_seed": MANY}], indirect=True)
async def test_a_hundred_workspaces_are_paged(bare):
    alice = bare.alice
    await alice.has_linked("alice")
    shown = await alice.opens_home()
    assert "Page 1 of 7" in shown.text
    shown = await alice.presses_home("Next page")
    assert "Page 2 of 7" in shown.text
    assert "study 015" in shown.text
    assert {"Previous page", "Next page"} <= set(shown.labels)
    await alice.presses_home("Start", "*study 016*")
    assert "Page 2 of 7" in alice.home().text
    assert "Page 1 of 7" in (await alice.presses_home("Previous page")).text


async def test_administrators_switch_to_the_totals_and_back_and_nobody_else_does(cloud):
    await cloud.alice.opens_home()
    assert "Show everybody's totals" not in cloud.alice.home().labels
    amir = cloud.person(AMIR)
    await amir.opens_home()
    shown = await amir.presses_home("Show everybody's totals")
    assert "Slow starts" in shown.text
    assert "1 of 4 workspaces running" in shown.text
    assert "notebook" not in shown.text
    assert "Your workspaces" in (await amir.presses_home("Show my workspaces")).text
    # Whatever a payload asks for, the policy is asked again when it is drawn.
    await cloud.bot.services.create_caller(cloud.principal()).run(record_use, HomeUse(is_totals=True))
    await cloud.settle()
    assert "Slow starts" not in cloud.alice.home().text


async def test_an_administrator_decides_in_their_home(cloud):
    await cloud.person("U0CHEN").types("link saturn bob")
    amir = cloud.person(AMIR)
    shown = await amir.opens_home()
    assert "Waiting for you" in shown.text
    cloud.watch.may_read("U0CHEN", "bob")
    shown = await amir.presses_home("Approve")
    await cloud.pass_time(15)
    assert "Waiting for you" not in amir.home().text


async def test_home_has_one_way_to_link_and_the_other_after_its_press(cloud):
    shown = await cloud.bob.opens_home()
    assert "Ask to link" not in shown.text
    pressed = await cloud.bob.presses_home("Link")
    assert "Open the link page" in pressed.labels
    assert "No token? Press *Ask to link Saturn Cloud*" in pressed.text
    await cloud.bob.presses_home("Ask to link Saturn Cloud")
    assert cloud.bob.modal()["callback_id"] == "ask_link"


async def test_a_press_that_cannot_be_written_is_not_acknowledged(linked):
    await linked.alice.opens_home()
    refresh = linked.alice.home().place("Refresh")
    await linked.bot.store.close()
    answer = await linked.slack.press(linked.alice.id, "home", None, **refresh)
    assert answer["status"] == 503


def _published(world):
    return world.calls("POST /api/views.publish", world.slack)


def _row(shown, name):
    """Return what the section of a workspace says."""
    texts = [str(block.get("text", {}).get("text", "")) for block in shown.json["blocks"]]
    found = (text for text in texts if re.match(rf"\*(?:<[^|]*\|)?{name}>?\*\n", text))
    return next(found).partition("\n")[2].lower()
