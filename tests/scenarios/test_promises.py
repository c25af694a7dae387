"""Usher doesn't promise anything that it can't do.

If it can't keep a promise that it made, it says so once, along with what the person can do.
"""

import json

import pytest

from bot.store import workspaces
from tests.rigs.scenario.cloud import ADMIN_TOKEN, cloud_world
from tests.rigs.scenario.workbench import workbench_world

MINUTE, HOUR = 60, 3600


def take_token(world):
    """Make the provider refuse Olivia's linked token, and make Usher notice."""
    world.saturn.state.accounts.mark("alice", "revoked")


def give_token(world):
    """Make the provider accept the token again."""
    for token in world.saturn.state.accounts._tokens.values():
        token.state = "valid"


async def runs(world, *names):
    for name in names:
        await world.alice.types(f"start {name}")
    await world.pass_time(60, step=5)


async def test_planned_stop_is_told_once_while_refused(linked):
    """Two stops are planned for the same time.

    They aren't announced; one message explains why, and then they are carried out.
    """
    alice = linked.alice
    await runs(linked, "notebook", "training")
    for name in ("notebook", "training"):
        await alice.types(f"stop {name} in 60 min")
    take_token(linked)
    await alice.types("status notebook")
    await linked.pass_time(45 * MINUTE, step=30)
    assert "Link again" in alice.only("sign_in_refused").labels
    assert "but I can't do that: Saturn Cloud refuses your sign-in" in (await alice.types("list")).text
    asked = await alice.types("how long will notebook run?")
    assert "but I can't do that: Saturn Cloud refuses your sign-in" in asked.text
    assert "keeps running until" not in asked.text
    await linked.pass_time(20 * MINUTE, step=20)
    assert alice.told("stop_warning") == []
    told = alice.only("planned_stop_failed")
    assert "I couldn't stop *notebook* and *training* at " in told.text
    assert "Saturn Cloud refuses your sign-in. As far as I know, they're still running." in told.text
    assert sorted(told.labels) == ["Link again", "View notebook", "View training"]
    await linked.pass_time(10 * HOUR, step=600)
    assert alice.only("planned_stop_failed")
    give_token(linked)
    await alice.types("list")
    await linked.pass_time(HOUR, step=20)
    assert len(alice.told("stop_warning")) == 2
    assert linked.calls("POST .*/stop") == 2
    assert all("Link again" not in shown.labels for shown in alice.sees())


@pytest.mark.parametrize("act", ["start notebook", "stop training"])
async def test_card_says_once_that_the_sign_in_is_refused(linked, act):
    alice = linked.alice
    await runs(linked, "training")
    take_token(linked)
    await alice.types(act)
    await linked.pass_time(5 * MINUTE, step=20)
    assert alice.card.text.count("sign-in") == 1, alice.card.text
    assert "Link again" in alice.card.labels


@pytest.mark.parametrize("acts", [["start notebook"], ["start notebook", "stop training"]])
async def test_list_says_once_that_the_sign_in_is_refused(linked, acts):
    alice = linked.alice
    await runs(linked, "training")
    take_token(linked)
    for act in acts:
        await alice.types(act)
    await linked.pass_time(5 * MINUTE, step=20)
    for shown in (await alice.types("list"), await alice.opens_home()):
        told = json.dumps(shown.json["blocks"])
        assert told.count("refuses your sign-in") == 1
        assert shown.labels.count("Link again") == 1
        assert told.count("I can't") == (len(acts) == 1)


async def test_what_is_planned_while_refused_waits_for_the_link(linked):
    alice = linked.alice
    await runs(linked, "notebook")
    take_token(linked)
    await alice.types("status notebook")
    await linked.pass_time(10 * MINUTE, step=20)
    for said in (
        "stop notebook in 2h",
        "hours notebook weekdays 9:00-18:00",
        "hours training tomorrow 8:00",
    ):
        answer = await alice.types(said)
        assert "Saturn Cloud refuses your sign-in, so I can't plan that." in answer.text
        assert "Link again" in answer.labels


@pytest.mark.parametrize("where", ["command", "direct message"])
async def test_stop_while_refused_is_answered_with_what_helps(linked, where):
    alice = linked.alice
    await runs(linked, "training")
    take_token(linked)
    await alice.types("status training")
    await linked.pass_time(10 * MINUTE, step=20)
    if where == "command":
        answer = await alice.types("stop training")
        assert (
            "I couldn't stop *training* on Saturn Cloud yet: Saturn Cloud refuses your sign-in."
            in answer.text
        )
    else:
        await alice.writes("stop training")
        await linked.pass_time(5)
        answer = alice.card
        assert "I can't stop it yet: Saturn Cloud refuses your sign-in." in answer.text
    assert "Link again" in answer.labels
    await linked.pass_time(40 * MINUTE, step=20)
    told = alice.told("waiting")[-1:]
    assert all("yet: Saturn Cloud refuses your sign-in" in shown.text for shown in told)
    assert all("Keep waiting" not in shown.labels for shown in alice.sees())
    give_token(linked)
    await linked.pass_time(90 * MINUTE, step=30)
    assert linked.calls("POST .*/stop") == 1


async def test_start_by_hours_is_told_soon_while_refused(linked):
    alice = linked.alice
    await alice.types("hours notebook every day 9:00-18:00")
    take_token(linked)
    await alice.types("status notebook")
    await linked.pass_time(26 * HOUR, step=60)
    told = alice.only("waiting")
    assert "I couldn't start *notebook* on Saturn Cloud yet: Saturn Cloud refuses your sign-in." in told.text
    assert "Link again" in told.labels


async def test_what_cannot_be_suspended_is_refused_when_it_is_planned(tmp_path):
    async with workbench_world(tmp_path) as world:
        alice = world.alice
        await alice.has_linked("alice", "wb", is_named=False)
        await alice.types("status lab")
        await world.pass_time(30, step=5)
        twelve = await alice.types("suspend lab at 11:40pm")
        answer = await alice.types("suspend lab at 23:40")
        assert "*lab* can't be suspended on Workbench" in answer.text
        (label,) = answer.labels
        assert (twelve.labels, label) == (["End it at 11:40 PM"], "End it at 23:40"), (
            "by the clock they typed"
        )
        assert (await world.bot.store.perform(workspaces.read_workspaces, world.principal()))[
            0
        ].stop_at is None
        (asked,) = await alice.presses(answer, label)
        assert "This will end *lab* on Workbench for good" in asked.text
        assert "End it then" in asked.labels


async def test_removed_connection_keeps_its_title(tmp_path):
    """Usher promises nothing for it, and says that its link has ended, with the title that people know."""
    async with workbench_world(tmp_path) as world:
        alice = world.alice
        await alice.has_linked("alice", "wb", is_named=False)
        await world.pass_time(20, step=5)
        await alice.types("suspend analysis in 30 min")
        await world.stop_bot()
        # The connection is no longer in the connections file.
        kept = type(world).connections
        type(world).connections = lambda self: {"saturn": kept(self)["saturn"]}
        try:
            await world.start_bot()
        finally:
            type(world).connections = kept
        assert "on *Workbench*, which isn't set up any more" in (await alice.types("list")).text
        await world.pass_time(40 * MINUTE, step=20)
        assert alice.told("stop_warning") == []
        told = alice.only("planned_stop_failed")
        assert "I couldn't suspend *analysis* at " in told.text
        assert "I'm not connected to Workbench any more" in told.text
        answer = await alice.types("unlink workbench")
        assert "Workbench" in answer.text
        (done,) = await alice.presses(answer, "Unlink")
        assert "You're unlinked from Workbench" in done.text


async def test_open_request_stands_in_the_list_of_approvals(tmp_path):
    by_admins = {"linking": ["token", "admin"], "admin_token": ADMIN_TOKEN}
    async with cloud_world(tmp_path, saturn_connection=by_admins) as world:
        await world.alice.types("link saturn bob")
        await world.pass_time(2 * HOUR, step=600)
        listed = await world.person("U0AMIR").types("approvals")
        assert "wants to be linked to *bob*" in listed.text
        assert {"Approve", "Deny"} <= set(listed.labels)
        assert "bob" not in (await world.alice.types("approvals")).text
