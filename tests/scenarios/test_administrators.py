"""Administrators of several Slack workspaces: the things that each can decide, see and end."""

import json

import pytest
import pytest_asyncio

from bot.domain.people import Principal
from bot.messages.texts.refusals import explain_refusal
from bot.services import approvals as approvals_use_cases
from bot.services import courses as courses_use_cases
from bot.services.caller import Caller
from bot.store import approvals as approval_rows
from bot.store import courses as class_rows
from bot.support.errors import Refused
from tests.rigs.approvals import list_open_approvals
from tests.rigs.scenario.cloud import ADMIN_TOKEN, SEED
from tests.rigs.scenario.people import GENERAL
from tests.rigs.scenario.several import FIRST, SECOND, several

#: Amir administers Acme Research, Chen administers Beta Labs, and Tara, from Acme Research, administers all
#: of Usher.
AMIR, CHEN, TARA = Principal(None, FIRST, "U0AMIR"), Principal(None, SECOND, "U0CHEN"), "U0TARA"
NAMED = {
    "USHER_ADMINS": f"{FIRST}:U0AMIR, {SECOND}:U0CHEN, {TARA}",
    "USHER_SLACK_WORKSPACES": f"{FIRST}, *",
}
OTHER = r"policy\.other_workspace"
BY_ADMINS = {"linking": ["token", "admin"], "admin_token": ADMIN_TOKEN}


@pytest_asyncio.fixture
async def places(tmp_path):
    options = {"settings": NAMED, "saturn_seed": SEED, "saturn_connection": BY_ADMINS}
    async with several(tmp_path, **options) as ready:
        await ready.installs(FIRST)
        await ready.installs(SECOND)
        # In the second workspace, this id belongs to somebody else.
        await ready.slacks[SECOND].change_person("U0OLIVIA", name="oscar", real_name="Oscar Obi")
        await ready.know_everybody()
        yield ready


def asked(person):
    return [shown for shown in person.sees() if shown.kind == "approval_request"]


def words(shown):
    """Return everything in a message, including the questions of its buttons."""
    return json.dumps(shown.json, ensure_ascii=False)


async def test_a_request_is_decided_where_it_is_from_and_names_who_and_where(places):
    services = places.bot.services
    oscar = places.at(SECOND, "U0OLIVIA")
    amir, chen, tara = places.at(FIRST, "U0AMIR"), places.at(SECOND, "U0CHEN"), places.at(FIRST, TARA)
    await oscar.types("link saturn bob")
    # Nobody in the other workspace is asked, and nobody there can decide.
    assert asked(amir) == []
    assert "bob" not in (await amir.types("approvals")).text
    (approval,) = await services.store.engine.read(list_open_approvals)
    forged = Caller(services.context, AMIR, "forged")
    with pytest.raises(Refused, match=OTHER):
        await forged.run(approvals_use_cases.decide, approval.id, "bob", approve=True)
    assert (await services.store.read(approval_rows.find_request, approval.id)).state == "requested"
    # Their own administrator sees a mention and the workspace's name. The administrator of all of Usher sees
    # a name instead of the mention.
    (own,), (others,) = asked(chen), asked(tara)
    assert "<@U0OLIVIA> (*Beta Labs*) wants to be linked to *bob*" in words(own)
    assert "oscar (*Beta Labs*) wants to be linked to *bob*" in words(others)
    listed = await tara.types("approvals")
    for shown in (own, others, await chen.types("approvals"), listed):
        assert "shown as “oscar (Beta Labs)”, will be able to act as bob" in words(shown)
    assert "<@U0OLIVIA>" not in words(others) + words(listed)
    places.watch.may_read("U0OLIVIA", "bob")
    (answer,) = await tara.presses(others, "Approve")
    assert "link oscar (*Beta Labs*), and tell both" in words(answer)
    await places.pass_time(15)
    assert "oscar (*Beta Labs*) is now linked to *bob*" in words(tara.only("approval_ended"))
    assert "tara (*Acme Research*) approved it" in words(asked(chen)[0])


async def test_another_username_changes_the_message_that_is_there(places):
    oscar, chen = places.at(SECOND, "U0OLIVIA"), places.at(SECOND, "U0CHEN")
    await oscar.types("link saturn bob")
    (before,) = asked(chen)
    await oscar.types("link saturn root")
    await places.pass_time(10)
    (after,) = asked(chen)
    assert after.ts == before.ts
    assert "*root*" in words(after)
    assert "*bob*" not in words(after)


async def test_a_class_is_ended_by_its_own_administrators_and_those_of_all(places):
    services = places.bot.services
    oscar, chen = places.at(SECOND, "U0OLIVIA"), places.at(SECOND, "U0CHEN")
    await oscar.links("bob")
    await oscar.types("card analysis --title Statistics")
    (card,) = [one for one in oscar.sees(GENERAL) if one.kind == "class_card"]
    key = card.button("Get my workspace")["value"]
    forged = Caller(services.context, AMIR, "forged")
    with pytest.raises(Refused, match=OTHER):
        await forged.read(courses_use_cases.list_problems, key)
    with pytest.raises(Refused, match=OTHER):
        await forged.run(courses_use_cases.stop_all, key)
    # Nobody from another workspace can join it, either.
    with pytest.raises(Refused) as refused:
        await forged.run(courses_use_cases.enroll, key)
    assert refused.value.rule == "class.unknown"
    assert "is for people in another Slack workspace" in explain_refusal(refused.value)
    assert (await services.store.read(class_rows.find_card, key)).closed_at is None
    await oscar.presses(card, "Get my workspace")
    await places.pass_time(40)
    tara_ = Principal(None, FIRST, TARA)
    await Caller(services.context, tara_, "by tara").run(courses_use_cases.stop_all, key)
    await places.pass_time(10)
    (card,) = [one for one in chen.sees(GENERAL) if one.kind == "class_card"]
    said = words(card) + words(oscar.only("stop_warning"))
    assert said.count("tara (*Acme Research*)") == 2
    assert f"<@{TARA}>" not in said
