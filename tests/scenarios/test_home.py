"""A person's Home tab: its contents, its buttons, when it is published again, and for whom."""

import re

import pytest

from playground.faults import fault_from
from tests.rigs.scenario.stage import SEED

MANY = {
    **SEED,
    "workspaces": [{"owner": "alice", "name": f"study {number:03}"} for number in range(100)],
}


async def test_home_shows_the_list_and_a_press_starts_one(linked):
    alice = linked.alice
    shown = await alice.opens_home()
    assert all(name in shown.text for name in ("notebook", "training", "report", "broken"))
    assert "Page updated at" in shown.text
    shown = await alice.presses_home("Start", "*notebook*")
    assert "Starting *notebook*" in shown.text.partition("Your workspaces")[0]
    assert "start" in _row(shown, "notebook")
    await linked.pass_time(45)
    # The start has ended by now, so the name links to the IDE.
    assert f"<{alice.only('ready').address('Open')}|notebook>" in alice.home().text
    assert "Starting" not in alice.home().text


async def test_start_from_elsewhere_does_not_publish_home(linked):
    alice = linked.alice
    await alice.opens_home()
    await linked.pass_time(15)
    published = _published(linked)
    await alice.types("start training")
    await linked.pass_time(60)
    assert alice.only("ready")
    assert _published(linked) == published
    assert "running" in _row(await alice.opens_home(), "training")


async def test_press_on_an_outdated_home_shows_how_things_are(linked):
    alice = linked.alice
    await alice.opens_home()
    await alice.types("stop report")
    await linked.pass_time(25)
    assert "running" in _row(alice.home(), "report")
    shown = await alice.presses_home("Stop", "report")
    assert "running" not in _row(shown, "report")


async def test_form_opened_in_home_shows_its_effect(cloud):
    alice = cloud.alice
    await alice.opens_home()
    await alice.presses_home("New workspace")
    assert alice.modal()["callback_id"] == "make"
    before = alice.home().text
    await cloud.slack.fill(alice.id, {"field:name": "thesis"})
    assert (await cloud.slack.submit(alice.id))["ok"]
    await cloud.settle()
    assert "*thesis*" in alice.home().text
    assert "*thesis*" not in before


async def test_home_before_anything_is_linked_offers_to_link(bare):
    alice = bare.alice
    shown = await alice.opens_home()
    assert shown.text.startswith("I start, stop and open your cloud workspaces")
    shown = await alice.presses_home("Link Saturn Cloud")
    assert shown.address("Link Saturn Cloud").startswith("http")
    await alice.has_linked("alice")
    await bare.pass_time(15)
    assert all(name in alice.home().text for name in ("notebook", "training"))
    assert "Link Saturn Cloud" not in alice.home().labels


@pytest.mark.parametrize("bare", [{"saturn_seed": MANY}], indirect=True)
async def test_a_hundred_workspaces_are_paged(bare):
    alice = bare.alice
    await alice.has_linked("alice")
    shown = await alice.opens_home()
    assert "study 015" in shown.text
    shown = await alice.presses_home("More")
    assert "study 025" in shown.text
    assert "study 015" not in shown.text
    await alice.presses_home("Refresh")
    await bare.pass_time(15)
    assert "study 025" in alice.home().text
    assert len(shown.json["blocks"]) <= 100


async def test_unlink_takes_everything_from_home_over_an_outage_and_restart(linked):
    alice = linked.alice
    assert "notebook" in (await alice.opens_home()).text
    linked.slack.harness.faults.append(fault_from({"path": "/api/views.publish", "status": 503, "times": 5}))
    await alice.types("unlink saturn --yes")
    await linked.settle()
    assert "notebook" in alice.home().text
    await linked.stop_bot()
    await linked.start_bot()
    await linked.pass_time(120)
    assert not any(name in alice.home().text for name in ("notebook", "training", "report", "broken"))
    assert "Link" in str(alice.home().labels)


async def test_nothing_is_published_for_people_who_never_opened_home(linked):
    await linked.alice.types("unlink saturn --yes")
    await linked.pass_time(15)
    assert _published(linked) == 0


async def test_home_of_a_guest_says_why_it_is_empty(cloud):
    shown = await cloud.person("U0GRETA").opens_home()
    assert "guest" in shown.text.lower()


def _published(world):
    return world.calls("POST /api/views.publish", world.slack)


def _row(shown, name):
    """Return the text of a workspace's section."""
    texts = [str(block.get("text", {}).get("text", "")) for block in shown.json["blocks"]]
    found = (text for text in texts if re.match(rf"\S+ \*(?:<[^|]*\|)?{name}>?\*", text))
    return next(found).lower()
