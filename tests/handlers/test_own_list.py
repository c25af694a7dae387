"""add, alias and forget: a person's own list. Changing it changes nothing at the provider."""

import pytest

from bot.domain.observations import Observed
from bot.domain.workspaces import State
from bot.store import hours, operations, workspaces
from tests.handlers.rig import activate, buttons, invited, words
from tests.rigs.golden import check_golden
from tests.rigs.store import ALICE, observe, refuse

LINK = "https://app.example.test/dash/abc"


async def test_a_pasted_link_adds_a_workspace(bot):
    await activate(bot.store, ALICE, "saturn")
    check_golden("answers/add", await bot.say(f"add <{LINK}> my notebook"))
    row = await bot.workspace("my notebook")
    assert (row.connection, row.remote_id, row.alias, row.origin) == ("saturn", "abc", "my notebook", "added")
    assert bot.wakes


async def test_an_id_that_two_connections_know_is_taken_for_the_linked_one(bot):
    await activate(bot.store, ALICE, "hub")
    await bot.say("add id-1")
    assert (await bot.workspace("id-1")).connection == "hub"


async def test_an_id_that_could_be_at_two_places_is_asked_about(bot):
    for connection in ("saturn", "hub"):
        await activate(bot.store, ALICE, connection)
    assert "Type `/workspace add id-1@Hub` to say which." in words(await bot.say("add id-1"))
    assert "on your list" in words(await bot.say("add id-1@hub"))


@pytest.mark.parametrize("name", ["as thesis", 'as "thesis"', "-> thesis", "thesis"])
async def test_name_of_an_added_workspace_may_follow_as(bot, name):
    await bot.link()
    said = words(await bot.say(f"add https://app.example.test/dash/abc {name}"))
    assert said.startswith("*thesis* on Saturn Cloud is now on your list.")


@pytest.mark.parametrize("join", [" ", ", ", " and "])
async def test_of_two_links_neither_is_taken_for_a_name(bot, join):
    await bot.link()
    answer = await bot.say(f"add https://app.example.test/dash/a{join}https://app.example.test/dash/b")
    assert words(answer) == "I do that for one workspace at a time. Which one first?"
    said = words(await bot.push(answer, "Add https://app.example.test/dash/b"))
    assert said.startswith("*b* on Saturn Cloud is now on your list.")


async def test_adding_without_a_link_of_the_account_asks_for_it_and_waits(bot):
    assert "Link Saturn Cloud" in buttons(await bot.say(f"add {LINK}"))
    assert (await invited(bot))[-1][2]["text"] == f"add {LINK}"
    assert "Link an account" in words(await bot.say("add nonsense"))


async def test_a_name_of_ones_own(bot):
    await bot.link(names=("notebook", "my trainer"))
    check_golden("answers/alias", await bot.say("alias notebook “the big one”"))
    assert (await bot.workspace("the big one")).name == "notebook"
    assert "Starting *the big one*" in words(await bot.say("start the big one"))
    await bot.say("alias my trainer tr")
    assert (await bot.workspace("tr")).name == "my trainer"
    assert "is back to its original name" in words(await bot.say("alias tr --clear"))
    assert (await bot.workspace("my trainer")).alias is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("alias notebook trainer", "You already have a workspace with that name."),
        ("alias notebook TRAINER", "You already have a workspace with that name."),
        ("alias notebook " + "x" * 61, "A name can have 1 to 60 characters."),
        ("alias notebook", "Type `/workspace alias NAME NEW-NAME`"),
        ("alias", "Type `/workspace alias NAME NEW-NAME`"),
        ("alias nothing-like-it nb", "I can't find a workspace called *nothing-like-it*."),
    ],
)
async def test_a_name_that_can_not_be_given(bot, text, said):
    await bot.link(names=("notebook", "trainer"))
    assert said in words(await bot.say(text))
    assert (await bot.workspace("notebook")).alias is None


async def test_ones_own_name_may_be_given_again(bot):
    await bot.link()
    await bot.say("alias notebook nb")
    assert "*nb* is now called *NB* on your list." in words(await bot.say("alias nb NB"))


async def test_bring_back_of_a_refused_link_changes_nothing(bot):
    account = (await bot.link()).account
    workspace = await bot.workspace()
    await bot.say("forget notebook")
    await refuse(bot.store, account)
    await bot.press("bring_back", workspace.id)
    assert (await bot.store.read(workspaces.find_workspace, workspace.id)).hidden


async def test_forgetting_and_bringing_back(bot):
    await bot.link(names=("notebook", "trainer"))
    check_golden("answers/forget", await bot.say("forget notebook"))
    assert [row.name for row in await bot.store.perform(workspaces.read_workspaces, ALICE)] == ["trainer"]
    assert "I can't find a workspace called" in words(await bot.say("start notebook"))
    assert "is back on your list" in words(await bot.say("add notebook"))
    assert "Starting *notebook*" in words(await bot.say("start notebook"))


async def test_forgetting_calls_off_what_is_under_way(bot):
    await bot.link()
    await bot.say("start")
    row = await bot.workspace()
    await bot.press("forget", row.id)
    assert (await bot.store.read(operations.find_latest_operation, row.id)).cause == "forgotten"


async def test_a_bare_forget_guesses_nothing(bot):
    await bot.link()
    assert "Which workspace?" in words(await bot.say("forget"))
    assert [row.name for row in await bot.store.perform(workspaces.read_workspaces, ALICE)] == ["notebook"]
    assert "Link an account" in words(await bot.say("forget", principal=type(ALICE)(None, "T1", "UNEW")))


async def test_forgetting_what_runs_says_that_nothing_stops_it(bot):
    await bot.link(names=("notebook",))
    row = await bot.workspace("notebook")
    await observe(bot.store, bot.clock, row, Observed(State.RUNNING))
    await bot.say("stop notebook at 18:00")
    assert "It's running, and I won't stop it any more." in words(await bot.say("forget notebook"))


async def see_gone(bot, name):
    await observe(bot.store, bot.clock, await bot.workspace(name), Observed(State.GONE))


async def test_what_was_never_shown_to_its_person_is_not_called_gone(bot):
    """A provider gives the same answer for other people's workspaces as for missing ones."""
    await activate(bot.store, ALICE, "saturn")
    await bot.say("add id-1 theirs")
    await see_gone(bot, "theirs")
    for said in ("list", "status theirs"):
        answer = words(await bot.say(said))
        assert "Not in your account" in answer, said
        assert "o longer exists" not in answer, said
    for said in ("open theirs", "start theirs", "remove theirs"):
        answer = words(await bot.say(said))
        assert "doesn't show *theirs* to your account: it's somebody else's, or there's none." in answer, said


async def test_what_was_shown_before_no_longer_exists(bot):
    await bot.link(names=("notebook",))
    await bot.sees(State.RUNNING)
    await see_gone(bot, "notebook")
    assert "No longer exists" in words(await bot.say("status notebook"))


async def test_add_of_somebody_elses_says_whose_it_is(bot):
    await activate(bot.store, ALICE, "hub")
    bot.services.connections["hub"].find_owner = lambda remote_id: (
        "bob <b>" if remote_id == "id-2" else "alice"
    )
    assert "on your list" in words(await bot.say("add id-1@hub"))
    answer = words(await bot.say("add id-2@hub"))
    assert "That's bob &lt;b&gt;'s on Hub, and I only work with what Hub lists for your account." in answer
    assert await bot.store.read(workspaces.find_by_remote_id, ALICE, "hub", "id-2") is None


async def share(bot, name="theirs", state=State.RUNNING, actions=("open", "start", "stop")):
    """Share a workspace of Bob's with Alice, in addition to her own *notebook*."""
    await bot.link(names=("notebook", name))
    for row in await bot.store.perform(workspaces.read_workspaces, ALICE):
        owner = {"owner": "bob", "actions": frozenset(actions)} if row.name == name else {}
        seen = Observed(state, **owner) if owner else Observed(State.RUNNING)
        await observe(bot.store, bot.clock, row, seen)
    return await bot.workspace(name)


async def test_what_is_shared_is_listed_as_its_owners(bot):
    await share(bot)
    for said in ("list", "status theirs"):
        assert "*theirs* · bob's · Saturn Cloud" in words(await bot.say(said))
    assert "*notebook* · Saturn Cloud" in words(await bot.say("list"))


@pytest.mark.parametrize(
    "text", ["stop all", "please stop all my workspaces", "stop all at 23:00", "forget all"]
)
async def test_all_means_the_persons_own(bot, text):
    await share(bot)
    answer = await bot.say(text)
    assert "theirs" not in str(answer.blocks)
    assert "notebook" in str(answer.blocks)


async def test_a_verb_without_a_name_means_the_only_workspace_of_ones_own(bot):
    await share(bot, state=State.STOPPED)
    await bot.say("stop")
    assert (
        await bot.store.read(operations.find_latest_operation, (await bot.workspace("notebook")).id)
    ).is_open
    assert await bot.store.read(operations.find_latest_operation, (await bot.workspace("theirs")).id) is None


async def test_only_what_the_share_allows_is_offered_and_done(bot):
    await share(bot, actions=("open",))
    offered = buttons(await bot.say("status theirs"))
    assert "Open" in offered
    assert {"Stop", "Remove", "Restart"}.isdisjoint(offered)
    for text in ("stop theirs", "restart theirs", "remove theirs"):
        assert "I can't do that with it. Ask its owner." in words(await bot.say(text)), text
        found = await bot.store.read(operations.find_latest_operation, (await bot.workspace("theirs")).id)
        assert found is None, text


@pytest.mark.parametrize("state", [State.RUNNING, State.STOPPED])
@pytest.mark.parametrize("actions", [("open",), ("open", "stop"), ("open", "start")])
@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("hours theirs weekdays 9-17", {"start", "stop"}),
        ("hours theirs weekdays until 17", {"stop"}),
        ("stop theirs at 23:00", {"stop"}),
        ("start theirs tomorrow at 9", {"start"}),
        ("start theirs for 2h", {"start", "stop"}),
    ],
)
async def test_nothing_is_planned_that_somebody_elses_doesnt_allow(bot, text, needs, actions, state):
    await share(bot, state=state, actions=actions)
    said = words(await bot.say(text))
    workspace = await bot.workspace("theirs")
    rules = await bot.store.read(hours.list_rules, workspace.id)
    if not needs <= set(actions):
        assert (workspace.stop_at, rules) == (None, [])
        assert not text.startswith("hours") or "I can't do that with it. Ask its owner." in said
    elif text.startswith("hours"):
        assert rules


@pytest.mark.parametrize("actions", [("open",), ("open", "start")])
async def test_open_offers_to_start_what_may_be_started(bot, actions):
    await share(bot, state=State.STOPPED, actions=actions)
    opened = await bot.say("open theirs")
    assert ("Start" in buttons(opened)) is ("start" in actions)
    assert ("I can't start it. Ask its owner." in words(opened)) is ("start" not in actions)


async def test_what_is_no_longer_shared_does_not_no_longer_exist(bot):
    await share(bot)
    await see_gone(bot, "theirs")
    for said in ("list", "status theirs"):
        assert "o longer exists" not in words(await bot.say(said)), said
    assert "doesn't show *theirs* to your account" in words(await bot.say("open theirs"))


async def test_forgotten_name_that_looks_like_a_link_is_brought_back(bot):
    await bot.link(names=("v1.2/test",))
    await bot.say("forget v1.2/test")
    assert "is back on your list" in words(await bot.say("add v1.2/test"))


async def test_two_forgotten_of_the_same_name_are_brought_back_one_by_one(bot):
    await bot.link()
    await bot.link(connection="hub", username="al")
    for connection in ("saturn", "hub"):
        await bot.say(f"forget notebook@{connection}")
    asked = await bot.say("add notebook")
    assert set(buttons(asked)) == {"Add notebook@Hub", "Add notebook@Saturn Cloud"}
    assert "*notebook* on Hub is back on your list" in words(await bot.push(asked, "Add notebook@Hub"))
    assert (await bot.workspace()).connection == "hub"
