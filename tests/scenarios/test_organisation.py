"""A Slack workspace that joins or leaves an organisation: everybody keeps their identity."""

import pytest

from bot.store import accounts
from tests.rigs.scenario import ALICE, BOB, world
from tests.rigs.scenario.people import GENERAL

TEAM, ORG = "T0ACME", "E0ORG"


def seed(enterprise):
    return {"team": {"id": TEAM, "enterprise_id": enterprise, "enterprise_name": "Grid"}}


async def start_again(place):
    """Restart the bot with the token of another installation, and read the list of people."""
    tokens = place.slack.state.tokens
    former = tokens.pop(place.slack.credentials["bot_token"])
    former.value += "-again"
    tokens[former.value] = former
    await place.stop_bot()
    await place.start_bot()
    await place.know_everybody()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(None, ORG, id="joins"),
        pytest.param(ORG, None, id="leaves"),
        pytest.param(ORG, "E1OTHER", id="changes"),
    ],
)
async def test_workspace_changing_organisation_keeps_everything(tmp_path, before, after):
    """Links, cards, buttons, hours, Homes and administrators are kept, even after a restart."""
    settings = {"USHER_ADMINS": ALICE}
    async with world(tmp_path, slack_seed=seed(before), settings=settings) as place:
        slack, alice, key = place.slack.control, place.alice, f"{before or '-'}:{TEAM}:{ALICE}"
        await alice.has_linked("alice")
        await alice.types("start notebook")
        await alice.types("hours training 9-17 mon")
        await alice.types("card notebook")
        (card,) = [one for one in place.person(BOB).sees(GENERAL) if one.kind == "class_card"]
        await place.pass_time(60)
        shown = await alice.types("status notebook")
        slack.join(after)
        for is_again in (False, True):
            if is_again:
                await start_again(place)
            assert "otebook" in (await alice.types("list")).text
            assert "otebook" in (await alice.opens_home()).text
            assert "training" in (await alice.writes("status training"))[-1].text
            assert "9" in (await alice.types("hours")).text
            assert "haven't linked" in (await place.person(BOB).presses(card, "Get my workspace"))[-1].text
            await slack.change_person(ALICE, name="liv")
            assert place.bot.context.installation.is_administrator(place.principal())
        await alice.presses(shown, "Stop")
        await place.pass_time(60)
        assert "topped" in alice.only("stopped").text
        read = place.bot.store.engine.read
        assert {row["principal"] for row in await read(lambda tx: tx.all("SELECT * FROM accounts"))} == {key}
        people = await read(lambda tx: tx.all("SELECT * FROM people"))
        assert {row["principal"].rpartition(":")[0] for row in people} == {key.rpartition(":")[0]}
        assert [row["name"] for row in people if row["principal"] == key] == ["liv"]


async def test_whole_organisation_installing_anew_explains_linking(tmp_path):
    """People have to link again and are told why.

    The team's former links belong to nobody else, and nobody sees them.
    """
    async with world(tmp_path, slack_seed=seed(ORG)) as place:
        await place.alice.links("alice")
        place.slack.state.app.is_enterprise_install = True
        await start_again(place)
        for said in ("start notebook", "list", "link saturn"):
            assert "a link can't move to a new ID." in (await place.alice.types(said)).text
            assert "new ID" not in (await place.person(BOB).types(said)).text
        await place.alice.links("alice")
        (account,) = await place.bot.store.read(accounts.list_accounts, place.principal())
        assert account.principal.key == f"{ORG}:{ORG}:{ALICE}"


async def test_new_user_id_explains_linking(tmp_path):
    """Slack gave a person another id when their workspace joined.

    Usher recognises the e-mail address, and says why to link.
    """
    async with world(tmp_path, slack_seed=seed(None)) as place:
        await place.alice.links("alice")
        place.slack.control.join(ORG)
        address = place.slack.state.people[ALICE].email
        for user, email in (("W0OLIVIA", address), ("W0OTHER", "other@acme.example")):
            await place.slack.control.change_person(user, name="liv", real_name="Liv", email=email)
            place.slack.state.channels[GENERAL].members.add(user)
        await start_again(place)
        assert "a link can't move to a new ID." in (await place.person("W0OLIVIA").types("list")).text
        assert "new ID" not in (await place.person("W0OTHER").types("list")).text
        assert "notebook" in (await place.alice.types("list")).text
        # The accounts proven again now belong to the new id, and nobody is warned about anybody.
        await place.person("W0OLIVIA").links("alice")
        (account,) = await place.bot.store.perform(accounts.list_active_accounts)
        assert account.principal.user_id == "W0OLIVIA"
        assert not [one for one in place.alice.sees() if "tried to link" in one.text]
