"""Saturn Cloud used on behalf of people: linked by an approval, renewed, and acting as configured."""

import json

import pytest

from tests.rigs.scenario.cloud import ADMIN_TOKEN, AMIR, cloud_world


def details(rows):
    return [json.loads(row["detail"]) if isinstance(row["detail"], str) else row["detail"] for row in rows]


@pytest.fixture
def by_admin(tmp_path):
    def make(**saturn):
        return cloud_world(tmp_path, saturn={"linking": ["admin"], **saturn})

    return make


async def test_an_approval_links_and_the_persons_own_token_does_the_work(by_admin):
    async with by_admin() as world:
        alice = world.alice
        await world.approved(alice, "alice")
        assert "Saturn Cloud is linked as *alice*." in alice.only("linked").text
        await alice.types("start notebook")
        await world.pass_time(40)
        assert "*notebook* is ready." in alice.only("ready").text
        (linked,) = details(await world.audit("account.linked"))
        assert (linked["proof"], linked["acts"]) == ("administrator", "admin")
        assert not [one for one in details(await world.audit("call.")) if "acts" in one]


async def test_a_token_that_ran_out_is_renewed_without_a_word(by_admin):
    async with by_admin() as world:
        alice = world.alice
        await world.approved(alice, "alice")
        before = len(alice.sees())
        world.saturn.state.accounts.mark("alice", "revoked")
        await alice.types("start training")
        await world.pass_time(30)
        assert [shown.kind for shown in alice.sees()[before:]] == ["ready"]
        (renewed,) = details(await world.audit("account.renew"))
        assert (renewed["username"], renewed["acts"]) == ("alice", "admin")


async def test_another_persons_token_is_refused_and_remembered(by_admin):
    async with by_admin() as world:
        world.saturn.state.limits.login_link_as = "bob"
        told = await world.approved(world.alice, "alice")
        assert "I couldn't link you to *alice* on Saturn Cloud." in told.text
        assert "somebody else's token" in told.text
        assert "somebody else's token" in world.person(AMIR).sees()[-1].text
        (failed,) = details(await world.audit("approval.failed"))
        assert failed["cause"] == "untrusted"
        assert "opened the account of bob" in failed["said"]
        assert not await world.audit("account.linked")


async def test_a_renewal_that_brings_another_persons_token_is_not_used(by_admin):
    async with by_admin() as world:
        alice = world.alice
        await world.approved(alice, "alice")
        world.saturn.state.accounts.mark("alice", "revoked")
        world.saturn.state.limits.login_link_as = "bob"
        await alice.types("start training")
        await world.pass_time(60)
        assert alice.only("sign_in_refused")
        (held,) = details(await world.audit("account.suspended"))
        assert held["cause"] == "untrusted"
        await world.pass_time(15 * 60)
        assert not alice.told("relink_prompt")
        assert not world.resource("training").live()


async def test_the_administrators_token_drives_where_the_server_wants_it(by_admin):
    async with by_admin(act_as="admin") as world:
        alice = world.alice
        world.saturn.state.admin_only = True
        await world.approved(alice, "alice")
        await alice.types("start notebook")
        await world.pass_time(40)
        assert alice.only("ready")
        await alice.types("stop notebook")
        await world.pass_time(20)
        assert alice.only("stopped")
        rows = await world.audit("call.")
        with_it = [row for row, one in zip(rows, details(rows), strict=True) if one.get("acts") == "admin"]
        assert {(row["action"], row["result"]) for row in with_it} == {
            ("call.read", "sent"),
            ("call.start", "sent"),
            ("call.start", "accepted"),
            ("call.stop", "sent"),
            ("call.stop", "accepted"),
        }
        read = [row["target"] for row in with_it if row["action"] == "call.read"]
        assert len(read) == len(set(read))


async def test_what_is_not_the_persons_own_is_not_touched_with_it(by_admin):
    async with by_admin(act_as="admin") as world:
        alice = world.alice
        await world.approved(alice, "alice")
        theirs = world.resource("analysis", "bob")
        before = world.calls(f"/api/workspaces/{theirs.id}")
        await alice.types(f"add {theirs.id} theirs")
        await world.pass_time(15)
        assert "Not in your account" in (await alice.types("status theirs")).text
        for text in ("start theirs", "stop theirs"):
            await alice.types(text)
            await world.pass_time(30, step=5)
        assert world.calls(f"/api/workspaces/{theirs.id}") == before
        assert not theirs.live()


async def test_an_administrators_token_that_is_refused_is_the_operators_to_change(by_admin):
    async with by_admin(act_as="admin") as world:
        alice = world.alice
        await world.approved(alice, "alice")
        world.saturn.state.accounts.mark("admin", "revoked")
        await alice.types("start training")
        await world.pass_time(30)
        assert "no longer accepts my own key" in alice.card.text
        assert not alice.told("relink_prompt")
        # The operator's administrator has a valid token again, and everything continues by itself.
        accounts = world.saturn.state.accounts
        accounts._tokens[ADMIN_TOKEN].state = "valid"
        await world.pass_time(120, step=5)
        assert alice.only("ready")


async def test_a_request_shows_the_address_that_slack_confirmed_where_it_may_be_read(by_admin):
    async with by_admin() as world:
        alice, amir, people = world.alice, world.person(AMIR), world.bot.services.context.people
        tokens, granted = world.slack.state.tokens.values(), "users:read.email"
        await alice.types("link saturn bob")
        person = world.slack.state.people[alice.id]
        assert f"handle `{person.name}`, e-mail `{person.email}`" in amir.only("approval_request").text
        # Without the scope, the e-mail address is forgotten at the next read of the people.
        for token in tokens:
            token.scopes = tuple(one for one in token.scopes if one != granted)
        await people.sync()
        await alice.types("link saturn root")
        await world.pass_time(5)
        assert "e-mail unknown" in amir.only("approval_request").text
