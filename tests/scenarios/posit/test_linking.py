"""Linking a Workbench account, with one's own token or as a username that an administrator approved."""

import re

import pytest
import pytest_asyncio

from tests.rigs.scenario.workbench import workbench_world

AMIR = "U0AMIR"


@pytest_asyncio.fixture
async def bare(tmp_path):
    """A world in which nobody has linked an account, and links have to be approved by administrators."""
    async with workbench_world(tmp_path, workbench={"linking": ["admin"]}) as ready:
        yield ready


async def test_an_own_token_links_and_the_waiting_command_goes_on(tmp_path):
    async with workbench_world(tmp_path, workbench={"linking": ["token"]}) as world:
        alice = world.alice
        asked = await alice.types("list wb")
        await alice.links("alice", "wb", asked=await alice.types("link wb"))
        linked = alice.only("linked")
        assert linked.text.startswith("Workbench is linked.")
        listed = (await alice.types("list")).text
        assert re.search(r"\|analysis>\* · Workbench\nRunning", listed)
        assert "*thesis* · Workbench\nSuspended" in listed
        assert asked.is_private


async def test_an_administrator_approves_whom_somebody_acts_as(bare):
    alice, amir = bare.alice, bare.person(AMIR)
    told = await alice.types("link wb alice")
    assert "I've asked the Usher admins to link you to *alice* on Workbench." in told.text
    (request,) = amir.sees()
    assert "wants to be linked to *alice* on Workbench." in request.text
    assert request.labels == ["Approve", "Deny"]
    assert bare.asked("get_users") == 0
    bare.watch.may_read(alice.id, "alice")
    await amir.presses(request, "Approve")
    await bare.pass_time(3)
    linked = alice.only("linked").text
    assert "Workbench is linked as *alice*. Sign in there as alice to open workspaces." in linked
    assert any("is now linked to *alice* on Workbench." in shown.text for shown in amir.sees())
    await alice.types("start thesis")
    await bare.pass_time(20)
    ready = alice.only("ready")
    assert "signed in" not in ready.text
    assert bare.session("thesis").launched_by == "super"
    users = {(token, user) for token, user, method in bare.posit.harness.by_account if "session" in method}
    assert users == {("super", "alice")}
    form = await bare.opens_form(alice, "new wb")
    assert form.words == ("On *Workbench*, with your own account *alice*.",)
    await bare.fills(alice, ide="RStudio", name="paper")
    await bare.sends(alice)
    await bare.pass_time(20)
    assert (bare.session("paper").owner, bare.session("paper").launched_by) == ("alice", "super")
    await alice.types("stop analysis --yes")
    await bare.pass_time(20)
    assert alice.only("stopped")


async def test_what_an_administrator_denies_is_told_to_the_person(bare):
    alice, amir = bare.alice, bare.person(AMIR)
    await alice.types("link wb bob")
    await amir.presses(amir.sees()[0], "Deny")
    await bare.pass_time(3)
    assert "Your request for *bob* on Workbench wasn't approved." in alice.sees()[-1].text
    assert bare.asked("get_users") == 0


@pytest.mark.parametrize(("label", "done"), [("Approve", "approved"), ("Deny", "denied")])
async def test_once_one_administrator_has_decided_the_others_see_who_and_how(tmp_path, label, done):
    settings = {"USHER_ADMINS": f"{AMIR},U0CHEN"}
    async with workbench_world(tmp_path, workbench={"linking": ["admin"]}, settings=settings) as world:
        amir, chen = world.person(AMIR), world.person("U0CHEN")
        await world.alice.types("link wb alice")
        await world.pass_time(2)
        assert [len(one.only("approval_request").labels) for one in (amir, chen)] == [2, 2]
        await amir.presses(amir.only("approval_request"), label)
        await world.pass_time(10)
        told = chen.only("approval_request")
        assert told.labels == []
        assert f"<@U0OLIVIA> wanted to be linked to *alice* on Workbench. <@{AMIR}> {done} it." in told.text
        assert amir.only("approval_request").labels == []
        await world.pass_time(60, step=10)
        assert chen.only("approval_request").text == told.text


async def test_nobody_else_approves(bare):
    """A person who sends the button's value without being an administrator is refused."""
    alice, bob, amir = bare.alice, bare.bob, bare.person(AMIR)
    await alice.types("link wb alice")
    button = amir.sees()[0].button("Approve")
    told = await bob.types("list")
    message = bare.slack.state.message("C0GENERAL", told.ts)
    message.blocks.append({"type": "actions", "block_id": "forged", "elements": [button]})
    (refused,) = await bob.clicks(told, button["action_id"])
    assert "Only Usher admins can do that." in refused.text
    await bare.pass_time(3)
    assert not alice.told("linked")


async def test_administrators_are_told_of_the_server_and_others_are_not(bare):
    alice, amir = bare.alice, bare.person(AMIR)
    refused = await alice.types("about wb")
    assert "Only Usher admins can do that. Ask one of them." in refused.text
    assert bare.asked("version") == 0
    before = len(amir.sees("C0GENERAL"))
    await amir.types("about wb")
    await bare.pass_time(2)
    told = amir.sees("C0GENERAL")[before:][-1]
    assert told.is_private
    for words in (
        "*Workbench*",
        "Version: 2024.12.0",
        "Features: launcher-sessions",
        "*5 people*",
        "`alice` user",
        "`dora` user (not active)",
        "`erik` admin",
        "`admin` super-admin",
    ):
        assert words in told.text, told.text


async def test_a_token_of_too_low_a_level_is_a_true_sentence(tmp_path):
    async with workbench_world(
        tmp_path, workbench={"linking": ["admin"], "super_admin_token": "an-administrators-token"}
    ) as world:
        people = world.posit.state.accounts.people
        world.posit.state.accounts.mint("low", "admin", "read", people["erik"], "an-administrators-token")
        alice, amir = world.alice, world.person(AMIR)
        await alice.types("link wb alice")
        await amir.presses(amir.sees()[0], "Approve")
        await world.pass_time(3)
        world.watch.may_read(alice.id, "alice")
        await alice.types("start thesis")
        await world.pass_time(30)
        failed = alice.only("failed")
        assert "I couldn't start *thesis* on Workbench." in failed.text
        assert "The connection's token has to be a super-admin's with write access" in failed.text
        assert world.session("thesis").state == "suspended"
