"""A username at a provider that now belongs to another account: the link is put on hold, and isn't used."""

import json

import pytest

from tests.rigs.scenario.cloud import AMIR, SEED, cloud_world
from tests.rigs.scenario.stage import BOB, CAROL


@pytest.fixture
def world_of(tmp_path):
    def make(act_as="person", **options):
        return cloud_world(tmp_path, saturn={"linking": ["token", "admin"], "act_as": act_as}, **options)

    return make


def give_name_away(world, name="alice"):
    """Rename an account, and give its name to a newcomer with a running workspace."""
    state = world.saturn.state
    state.rename_person(name, f"{name}.old")
    state.accounts.add_person(name)
    secret = state.clone(state.accounts.people[name], {"type": "workspace", "spec": {"name": "secretx"}})
    secret.force("running", state.clock.now())
    state.accounts.mark(f"{name}.old", "expired")
    # The person's workspaces are now under the old name. Nobody here may see the newcomer's.
    readers = world.watch.readers[world.alice.id]
    readers.discard(name)
    readers.add(f"{name}.old")
    return secret


async def details(world, action):
    return [json.loads(row["detail"]) for row in await world.audit(action)]


@pytest.mark.parametrize("act_as", ["person", "admin"])
async def test_a_name_given_to_a_newcomer_rests_the_link(world_of, act_as):
    async with world_of(act_as) as world:
        alice, amir = world.alice, world.person(AMIR)
        await world.approved(alice, "alice")
        await alice.types("start notebook")
        await world.pass_time(60)
        secret = give_name_away(world)
        await world.pass_time(660, step=10)
        told = alice.only("link_resting")
        assert "*alice* is another account there now" in told.text
        (news,) = amir.told("links_resting")
        assert "*alice* is another account there now" in news.text
        listed = await alice.types("list")
        assert "secretx" not in listed.text
        assert "notebook" not in listed.text
        assert "another account there now" in listed.text
        for text in ("stop secretx", f"add {secret.id}", "stop notebook", "status notebook", "open notebook"):
            answer = await alice.types(text)
            assert "another account there now" in answer.text, text
        await world.pass_time(60)
        assert secret.live()
        assert "another account there now" in (await alice.types("about")).text
        home = (await alice.opens_home()).text
        assert "another account there now" in home
        assert "secretx" not in home
        assert "report" not in home, "only what was asked for is still told"
        # The addresses were removed from earlier messages that offered to open something.
        assert not [shown for shown in alice.sees() if "Open" in shown.labels]
        assert len(alice.told("link_resting")) == len(amir.told("links_resting")) == 1
        (rested,) = await details(world, "account.rested")
        assert rested["found"] == world.saturn.state.accounts.people["alice"].id
        assert not [shown for shown in alice.sees() if "No longer exists" in shown.text]


@pytest.mark.parametrize("act_as", ["person", "admin"])
async def test_a_token_that_ran_out_with_the_same_id_changes_nothing(world_of, act_as):
    async with world_of(act_as) as world:
        alice = world.alice
        await world.approved(alice, "alice")
        world.saturn.state.accounts.mark("alice", "expired")
        await alice.types("start notebook")
        await world.pass_time(60)
        assert alice.only("ready")
        assert not alice.told("link_resting")
        assert not world.person(AMIR).told("links_resting")
        assert not await world.audit("account.rested")


async def test_what_time_brings_is_not_done_while_the_link_rests(world_of):
    """Hours start nothing, a planned stop isn't sent, and people are told that neither was done."""
    async with world_of() as world:
        alice, old = world.alice, "alice.old"
        await world.approved(alice, "alice")
        await alice.types("start notebook")
        await alice.types("hours training every day 8:30-9:00")
        await world.pass_time(60)
        await alice.types("stop notebook in 35 minutes")
        give_name_away(world)
        await world.pass_time(3600, step=20)
        assert alice.only("link_resting")
        assert world.resource("notebook", old).live()
        assert not world.calls(f"POST /api/workspaces/{world.resource('training', old).id}/start")
        assert not alice.told("stop_warning")


async def test_every_process_sees_a_link_that_rests_as_resting(world_of):
    """The hold is stored in a row, so a restart doesn't forget it, and nobody is told again."""
    async with world_of() as world:
        alice = world.alice
        await world.approved(alice, "alice")
        await alice.types("start notebook")
        await world.pass_time(60)
        give_name_away(world)
        await world.pass_time(660, step=10)
        await world.stop_bot()
        await world.start_bot()
        await world.pass_time(60)
        assert "another account there now" in (await alice.types("list")).text
        assert len(alice.told("link_resting")) == 1


async def test_an_approval_of_the_same_name_again_rests_the_link_that_it_would_prolong(world_of):
    """Nobody has noticed yet that it is another account.

    A new approval can only replace a link that is on hold.
    """
    async with world_of() as world:
        alice = world.alice
        await world.approved(alice, "alice")
        world.saturn.state.remove_person("alice")
        world.saturn.state.accounts.add_person("alice")
        await world.approved(alice, "alice")
        assert alice.only("link_resting")
        (failed,) = await details(world, "approval.failed")
        assert failed["cause"] == "another_account"
        await world.pass_time(60)
        await world.approved(alice, "alice")
        await world.pass_time(10)
        assert len(await world.audit("account.linked")) == 2


async def test_a_proof_of_the_same_account_goes_on_with_what_was_planned(world_of):
    async with world_of() as world:
        alice, state = world.alice, world.saturn.state
        await world.approved(alice, "alice")
        await alice.types("start notebook")
        await world.pass_time(60)
        await alice.types("stop notebook in 40 minutes")
        give_name_away(world)
        await world.pass_time(660, step=10)
        assert alice.told("link_resting")
        await alice.links("alice.old")
        await world.pass_time(60)
        listed = await alice.types("list")
        assert "notebook" in listed.text
        assert "secretx" not in listed.text
        await world.pass_time(2400, step=30)
        assert not world.resource("notebook", "alice.old").live()
        (_, linked) = await details(world, "account.linked")
        assert linked["rested"]
        assert linked["remote_id"] == state.accounts.people["alice.old"].id


async def test_a_proof_of_another_account_ends_what_was_planned(world_of):
    async with world_of() as world:
        alice = world.alice
        await world.approved(alice, "alice")
        await alice.types("start notebook")
        await world.pass_time(60)
        await alice.types("stop notebook in 40 minutes")
        give_name_away(world)
        await world.pass_time(660, step=10)
        await alice.links("bob")
        await world.pass_time(3000, step=30)
        listed = await alice.types("list")
        assert "analysis" in listed.text
        assert "training" not in listed.text
        assert world.resource("notebook", "alice.old").live()
        assert not world.resource("notebook", "bob").live()


async def test_an_administrators_approval_links_the_other_account_and_tells_both(world_of):
    async with world_of() as world:
        alice, amir = world.alice, world.person(AMIR)
        await world.approved(alice, "alice")
        await alice.types("start notebook")
        await world.pass_time(60)
        give_name_away(world)
        await world.pass_time(660, step=10)
        (news,) = amir.told("links_resting")
        world.watch.may_read(alice.id, "alice")
        await amir.presses(news, "Approve")
        await world.pass_time(60)
        listed = await alice.types("list")
        assert "secretx" in listed.text
        assert "notebook" not in listed.text
        assert [shown.kind for shown in alice.sees()][-2:].count("linked") == 1
        assert amir.told("approval_ended")
        assert [row["result"] for row in await world.audit("approval.approved")] == ["ok", "ok"]
        # A second press does nothing.
        (late,) = await amir.presses_late(news, "Approve")
        assert "Too late" in late.text
        assert len(await world.audit("account.linked")) == 2


async def test_a_link_that_rests_can_be_unlinked(world_of):
    async with world_of() as world:
        alice = world.alice
        await world.approved(alice, "alice")
        await alice.types("start notebook")
        await world.pass_time(60)
        give_name_away(world)
        await world.pass_time(660, step=10)
        await alice.presses(await alice.types("unlink saturn"), "Unlink")
        await world.pass_time(10)
        assert "not linked" in (await alice.types("about")).text


async def test_a_renamed_account_goes_on_under_its_new_name(world_of):
    async with world_of("admin") as world:
        alice = world.alice
        await world.approved(alice, "alice")
        await alice.types("start notebook")
        await world.pass_time(60)
        world.saturn.state.rename_person("alice", "alice.old")
        world.watch.may_read(alice.id, "alice.old")
        await world.pass_time(700, step=10)
        assert "notebook" in (await alice.types("list")).text
        assert "linked as alice.old" in (await alice.types("about")).text
        await alice.types("stop notebook")
        await world.pass_time(60)
        assert not world.resource("notebook", "alice.old").live()
        assert not alice.told("link_resting")
        (renamed,) = await details(world, "account.renamed")
        assert (renamed["former"], renamed["username"]) == ("alice", "alice.old")


@pytest.mark.parametrize("act_as", ["person", "admin"])
async def test_an_id_that_is_missing_for_once_neither_rests_nor_acts(world_of, act_as):
    async with world_of(act_as) as world:
        alice = world.alice
        await world.approved(alice, "alice")
        await alice.types("start notebook")
        await world.pass_time(60)
        person = world.saturn.state.accounts.people["alice"]
        known, person.id = person.id, None
        world.saturn.state.accounts.mark("alice", "expired")
        await world.pass_time(660, step=10)
        await alice.types("stop notebook")
        await world.pass_time(60)
        assert world.resource("notebook").live()
        assert not alice.told("link_resting")
        person.id = known
        await world.pass_time(600, step=10)
        assert not world.resource("notebook").live()
        assert not await world.audit("account.rested")


async def test_a_server_that_was_set_up_anew_is_one_piece_of_news(world_of):
    async with world_of() as world:
        people = {"alice": world.alice, "bob": world.person(BOB), "carol": world.person(CAROL)}
        for name, person in people.items():
            await world.approved(person, name)
        state = world.saturn.state
        for name in people:
            state.remove_person(name)
            state.accounts.add_person(name)
        await world.alice.types("list")
        await world.pass_time(3700, step=30)
        for name, person in people.items():
            assert f"*{name}* is another account" in person.only("link_resting").text
        (news,) = world.person(AMIR).told("links_resting")
        assert "The usernames of 3 people are other accounts on Saturn Cloud now" in news.text
        assert len(await world.audit("account.rested")) == 3


async def test_a_newcomers_proof_rests_the_link_of_the_name(world_of):
    """Names of deleted accounts are reused.

    A person who proves to own the name isn't refused because of its former owner.
    """
    async with world_of() as world:
        alice, carol = world.alice, world.person(CAROL)
        await world.approved(alice, "alice")
        world.saturn.state.remove_person("alice")
        world.saturn.state.accounts.add_person("alice")
        await carol.links("alice")
        await world.pass_time(60)
        assert carol.told("linked")
        assert alice.only("link_resting")
        assert "another account" in (await alice.types("list")).text


async def test_an_approval_of_a_name_that_moved_meanwhile_links_nobody(tmp_path):
    options = {"saturn_seed": {**SEED, "dialect": "2026"}, "saturn": {"linking": ["admin"]}}
    async with cloud_world(tmp_path, **options) as world:
        alice, amir = world.alice, world.person(AMIR)
        await alice.types("link saturn alice")
        await world.pass_time(10)
        request = [shown for shown in amir.sees() if "Approve" in shown.labels][-1]
        world.saturn.state.remove_person("alice")
        world.saturn.state.accounts.add_person("alice")
        await amir.presses(request, "Approve")
        await world.pass_time(30)
        assert not await world.audit("account.linked")
        (failed,) = await details(world, "approval.failed")
        assert failed["cause"] == "another_account"
