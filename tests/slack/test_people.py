"""Tests of reading Slack's user objects: guests, bots, deleted users and strangers."""

import asyncio
from types import SimpleNamespace

import pytest

from bot.domain.installations import Installation
from bot.domain.people import Person, Principal
from bot.domain.user_groups import COUNTS_FOR, UserGroups
from bot.slack.calls import SlackAnswer
from bot.slack.methods import USERGROUPS_USERS_LIST
from bot.slack.people import MAX_TEAMS_AGE_SECONDS, MIN_TEAMS_REREAD_SECONDS, PeopleDirectory, to_person
from bot.store import counts
from bot.support.errors import SlackFailed, SlackLimited, SlackPermanent
from tests.reconciler.world import new_world
from tests.rigs.clock import FakeClock
from tests.rigs.store import memory_store

ALICE = Principal(None, "T1", "U1")


@pytest.mark.parametrize(
    ("keys", "mark"),
    [
        ({"is_restricted": True}, "is_guest"),
        ({"is_ultra_restricted": True}, "is_guest"),
        ({"is_bot": True}, "is_bot"),
        ({"is_workflow_bot": True}, "is_bot"),
        ({"deleted": True}, "is_deleted"),
        ({"is_stranger": True}, "is_stranger"),
        ({"team_id": "T9"}, "is_stranger"),
        ({"team_id": "T9", "enterprise_user": {"teams": ["T9", "T8"]}}, "is_stranger"),
        ({}, None),
        ({"team_id": "T9", "enterprise_user": {"teams": ["T9", "T1"]}}, None),
        ({"is_restricted": False, "deleted": False}, None),
    ],
)
def test_marks(keys, mark):
    person = to_person({"id": "U1", "team_id": "T1", **keys}, ALICE, 5.0)
    marks = {name for name in ("is_guest", "is_bot", "is_deleted", "is_stranger") if getattr(person, name)}
    assert marks == ({mark} if mark else set())


def test_slackbot_is_a_bot():
    assert to_person({"id": "USLACKBOT"}, Principal(None, "T1", "USLACKBOT"), 0).is_bot


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        ({"profile": {"display_name": "Ali", "real_name": "Alice A"}, "name": "alice"}, "Ali"),
        ({"profile": {"display_name": "", "real_name": "Alice A"}, "name": "alice"}, "Alice A"),
        ({"real_name": "Alice A", "name": "alice"}, "Alice A"),
        ({"name": "alice"}, "alice"),
        ({}, "U1"),
    ],
)
def test_names(keys, name):
    assert to_person({"id": "U1", "tz": "Europe/Vienna", **keys}, ALICE, 0).name == name


def test_what_people_cannot_choose():
    user = {"id": "U1", "name": "alice", "profile": {"email": "alice@example.org"}}
    assert to_person(user, ALICE, 0).handle == "alice"
    # Slack may give an unconfirmed address, or none if Usher may not read it.
    assert to_person(user, ALICE, 0).email is None
    assert to_person({**user, "is_email_confirmed": False}, ALICE, 0).email is None
    assert to_person({**user, "is_email_confirmed": True}, ALICE, 0).email == "alice@example.org"
    assert to_person({"id": "U1", "is_email_confirmed": True}, ALICE, 0).email is None


@pytest.mark.parametrize("user", [None, {}, {"id": "U2", "team_id": "T1"}, "U1"])
async def test_an_answer_about_nobody_or_another_is_no_answer(user):
    async with new_world() as world:
        world.slack._users_info = lambda _arguments: {"user": user}
        with pytest.raises(SlackFailed, match="malformed_answer"):
            await world.people.look_up(ALICE)
        assert await world.store.person(ALICE) is None


async def test_everybody_is_read_page_by_page():
    async with new_world() as world:
        for number in range(5):
            world.slack.add_user(f"U{number}")
        world.slack.users["broken"] = {"name": "without an id"}
        # Pavel is from another Slack workspace, which may have installed Usher, too. Only that one knows
        # whether he is a guest.
        world.slack.add_user("UPAVEL", team_id="T9")
        everybody = await world.people.sync()
        assert [person.principal.key for person in everybody] == [f"-:T1:U{number}" for number in range(5)]
        assert (await world.store.perform(counts.count_rows))["people"] == 5
        assert await world.people.sync() == everybody


async def test_five_hundred_unknown_people_at_once_are_read_from_the_list_in_few_calls():
    async with new_world() as world:
        world.slack.page = 500
        class_ = [Principal(None, "T1", f"U{number}") for number in range(500)]
        for person in class_:
            world.slack.add_user(person.user_id, is_restricted=person.user_id.endswith("7"))
        found = await asyncio.gather(*[world.people.look_up(person) for person in class_])
        assert [person.principal for person in found] == class_
        assert sum(person.is_guest for person in found) == 50
        assert world.slack.count("users.info") <= 100
        assert world.slack.count("users.list") == 1
        assert world.slack.over_budget == 0


async def test_who_is_not_in_the_list_either_is_not_known():
    async with new_world() as world:
        while await world.line.budget.take("users.info") == 0:
            pass
        with pytest.raises(SlackLimited):
            await world.people.look_up(ALICE)
        assert world.slack.count("users.list") == 1


async def test_a_record_from_the_future_gives_way_to_a_newer_one():
    async with new_world() as world:
        ahead = Person(ALICE, "Ahead", seen_at=world.clock.now() + 1e6)
        await world.store.save_people([ahead])
        world.slack.add_user(ALICE.user_id, name="now")
        await world.people.look_up(ALICE)
        known = await world.store.person(ALICE)
        assert known is not None
        assert known.name == "now"


async def test_enterprise_without_sign_in_is_found_by_its_workspaces(monkeypatch):
    async with new_world() as world:
        pages = {"": (["T5"], "2"), "2": (["T6"], "")}

        def teams(arguments):
            ids, cursor = pages[arguments["cursor"]]
            listed = {} if ids is None else {"teams": [{"id": one} for one in ids]}
            return listed | {"response_metadata": {"next_cursor": cursor}}

        monkeypatch.setattr(world.slack, "_auth_teams_list", teams, raising=False)
        world.installation = Installation(None, "E1", is_org_wide=True)
        world.reborn()

        async def enterprise(team_id):
            who = await world.people.add_enterprise(Principal(None, team_id, "U1"))
            assert (who.team_id, who.user_id) == (team_id, "U1")
            return who.enterprise_id

        # If a whole class asks at once, the list is read once.
        assert await asyncio.gather(*[enterprise("T6") for _ in range(40)]) == ["E1"] * 40
        assert world.slack.count("auth.teams.list") == 2
        # For unknown workspaces the list is read again, but not for each of them.
        world.clock.advance(MIN_TEAMS_REREAD_SECONDS)
        assert await asyncio.gather(*[enterprise("T7") for _ in range(40)]) == [None] * 40
        assert world.slack.count("auth.teams.list") == 4
        # A workspace that has left the enterprise stops counting as part of it.
        pages["2"] = (None, "")
        world.clock.advance(MAX_TEAMS_AGE_SECONDS)
        assert await enterprise("T6") is None
        assert await enterprise("T5") == "E1"
        named = Principal("E9", "T5", "U1")
        assert await world.people.add_enterprise(named) == named


async def test_workspace_that_refuses_the_app_leaves_the_others_read(monkeypatch):
    async with new_world() as world:

        def users(arguments):
            if arguments["team_id"] == "T5":
                raise SlackPermanent("users.list", "team_access_not_granted")
            return {"members": [{"id": "U6", "enterprise_user": {"enterprise_id": "E1", "teams": ["T6"]}}]}

        teams = {"teams": [{"id": "T5"}, {"id": "T6"}]}
        monkeypatch.setattr(world.slack, "_auth_teams_list", lambda _arguments: teams, raising=False)
        monkeypatch.setattr(world.slack, "_users_list", users)
        world.installation = Installation(None, "E1", is_org_wide=True)
        world.reborn()
        assert [person.principal.user_id for person in await world.people.sync()] == ["U6"]


async def test_nobody_asks_for_the_enterprise_of_a_single_workspaces_people():
    async with new_world() as world:
        for who in (ALICE, Principal(None, "T9", "U1")):
            assert await world.people.add_enterprise(who) == who
        assert world.slack.count("auth.teams.list") == 0


async def test_a_group_that_slack_does_not_tell_of_is_as_it_was_for_an_hour_and_then_nobody():
    clock, answers = FakeClock(), {"S1": {"users": ["U1", "U2"]}, "S2": {"users": None}, "S3": {}}
    groups = UserGroups()
    groups.follow(["S1", "S2", "T1:S1", "T9:S1", "U5"], clock.monotonic)
    asked = []

    class Slack:
        budget = SimpleNamespace(installation=Installation("T1"))

        def list_clients(self):
            return [self]

        async def call(self, method, arguments):
            asked.append((method, arguments))
            if isinstance(answers[arguments["usergroup"]], Exception):
                raise answers[arguments["usergroup"]]
            return SlackAnswer(answers[arguments["usergroup"]])

    async with memory_store(clock) as store:
        people = PeopleDirectory(store, Slack())
        await people.read_groups(groups)
        # T9's groups are read with T9's own installation, if there is one.
        assert [arguments for _, arguments in asked] == [
            {"usergroup": "S1"},
            {"usergroup": "S2"},
            {"usergroup": "S1", "team_id": "T1"},
        ]
        assert {method for method, _ in asked} == {USERGROUPS_USERS_LIST}
        everybody = {"U1", "U2", "T1:U1", "T1:U2"}
        assert groups.expand(groups.names) == everybody
        answers["S1"] = SlackFailed(USERGROUPS_USERS_LIST, "no_such_subteam")
        clock.advance(COUNTS_FOR - 1)
        await people.read_groups(groups)
        assert groups.expand(groups.names) == everybody
        clock.advance(1)
        assert groups.expand(groups.names) == frozenset()
