"""Every verb, in every place where people can write it: a channel, a direct message, a mention."""

import pytest

from bot.reconciler import lists
from tests.rigs.scenario import ID

GENERAL, QUIET, SCIENCE = "C0GENERAL", "C0QUIET", "C0SCIENCE"


async def said_by_command(person, text):
    return (await person.types(text)).text


async def said_by_message(person, text):
    return "\n".join(shown.text for shown in await person.writes(text))


async def said_by_mention(person, text):
    shown = await person.mentions(text)
    assert all(one.is_private for one in shown)
    return "\n".join(one.text for one in shown)


WAYS = {"command": said_by_command, "message": said_by_message, "mention": said_by_mention}
every_way = pytest.mark.parametrize("say", WAYS.values(), ids=WAYS)


#: What people type before a verb in each place.
PREFIXES = {said_by_command: "/workspace ", said_by_message: "", said_by_mention: "@usher "}
#: Commands and parts of their answers. One person sends them in this order.
SAID = [
    ("list", "Your workspaces"),
    ("status notebook", "*notebook* · Saturn Cloud\nStopped"),
    ("status", "Your workspaces"),
    ("open notebook", "*notebook* is stopped"),
    ("alias notebook", "Type `"),
    ("link", "Linking again replaces it."),
    ("unlink", "Which account do you want to unlink?"),
    ("about", "*Saturn Cloud*: linked as alice"),
    ("help", "start a workspace and get its link in a direct message"),
    ("help start", "If you have only one workspace, `{prefix}start` is enough."),
    ("add", "with a workspace's link or id"),
    ("add nonsense", "That isn't the link or id of a workspace on Saturn Cloud."),
    ("fly me to the moon", "I didn't understand that."),
    ("alias notebook lab", "*notebook* is now called *lab* on your list."),
    ("forget training", "*training* is off your list. Nothing changes on Saturn Cloud"),
]


@every_way
async def test_every_verb_answers_the_same_everywhere(linked, say):
    for text, expected in SAID:
        linked.clock.advance(5)
        said = await say(linked.alice, text)
        assert expected.replace("{prefix}", PREFIXES[say]) in said, (text, said)


@every_way
async def test_starting_and_stopping_work_everywhere(linked, say):
    alice = linked.alice
    said = await say(alice, "start training")
    assert ("Starting *training*" in said) or say is said_by_message
    await linked.pass_time(25)
    assert "*training* is ready" in alice.only("ready").text
    assert "*training* · Saturn Cloud" in await say(alice, "open training")
    await say(alice, "restart training")
    await linked.pass_time(60)
    assert len(alice.told("ready")) == 2
    await say(alice, "stop training")
    await linked.pass_time(30)
    assert alice.only("stopped")


async def test_link_code_opens_the_form_where_slack_can_and_offers_it_where_it_can_not(linked):
    alice = linked.alice
    assert "type the code that the link page shows you" in (await alice.mentions("link code"))[0].text
    (asked,) = await alice.writes("link code")
    await alice.presses(asked, "Enter code")
    assert alice.modal()["title"]["text"] == "Finish linking"
    await linked.slack.close_view(alice.id)
    assert (await linked.slack.say(alice.id, GENERAL, "/workspace link code"))["ok"]
    assert alice.modal()["title"]["text"] == "Finish linking"
    answer = await alice.submits(code="ABCD-2345")
    assert "I'm not waiting for a code from you" in answer["errors"]["code"]


async def test_no_verb_at_all_is_the_list_and_an_empty_mention_is_help(linked):
    assert "Your workspaces" in (await linked.alice.types("")).text
    assert "I start, stop and open your cloud workspaces" in (await linked.alice.mentions(""))[0].text


async def test_a_bare_start_runs_the_only_workspace_and_asks_where_there_are_more(linked):
    await linked.carol.has_linked("carol")
    await linked.carol.types("start")
    await linked.pass_time(25)
    assert "*course* is ready" in linked.carol.only("ready").text

    asked = await linked.alice.types("start")
    assert "Which workspace?" in asked.text
    assert {"Start notebook", "Start training"} <= {label.replace("*", "") for label in asked.labels} or {
        "notebook",
        "training",
    } <= set(asked.labels)


async def test_the_beginning_of_a_name_is_one_press_away_and_case_does_not_matter(linked):
    await linked.alice.presses(await linked.alice.types("START Train"), "Start training")
    await linked.pass_time(25)
    assert "*training* is ready" in linked.alice.only("ready").text


async def test_a_command_works_in_a_channel_in_which_the_bot_is_not(linked):
    answer = await linked.alice.types("start training", QUIET)
    assert answer.is_private
    assert "Starting *training*" in answer.text
    await linked.pass_time(25)
    assert linked.alice.only("ready")


async def test_a_name_of_ones_own_works_with_every_verb_until_it_is_cleared(linked):
    alice = linked.alice
    await alice.types('alias training "deep thought"')
    assert "Starting *deep thought*" in (await alice.types("start deep thought")).text
    await linked.pass_time(25)
    assert "*deep thought* is ready" in alice.only("ready").text
    assert "is back to its original name" in (await alice.types('alias "deep thought" --clear')).text
    assert "|training>*" in (await alice.types("status training")).text
    taken = await alice.types("alias training notebook")
    assert "You already have a workspace with that name." in taken.text


async def test_what_was_forgotten_can_be_brought_back_by_its_name(linked):
    alice = linked.alice
    await alice.types("forget report")
    assert "report" not in (await alice.types("list")).text
    linked.clock.advance(700)
    await lists.refresh(linked.bot.reconciler.engine)
    await linked.settle()
    assert "report" not in (await alice.types("list")).text
    assert "*report* on Saturn Cloud is back on your list." in (await alice.types("add report")).text
    assert "report" in (await alice.types("list")).text


@pytest.mark.parametrize("bare", [{"seeds_only": True}], indirect=True)
async def test_where_there_are_no_lists_workspaces_are_added_by_link_and_by_id(bare):
    alice = bare.alice
    await alice.has_linked("alice")
    await alice.types("list")
    nothing = alice.sees(GENERAL)[-1]
    assert "You don't have any workspaces here yet. To add one, type `/workspace add LINK`" in nothing.text
    page = f"{bare.saturn_url}/dash/resources/workspace/{ID['notebook']}"
    assert "on your list" in (await alice.types(f"add {page} lab")).text
    assert "on your list" in (await alice.types(f"add {ID['training']} gpu")).text
    await bare.pass_time(12)
    await alice.types("start lab")
    await bare.pass_time(45)
    assert "*lab* is ready" in alice.only("ready").text
    assert alice.only("ready").address("Open").endswith(f"/ide/{ID['notebook']}/")


@pytest.mark.parametrize("bare", [{"seeds_only": True}], indirect=True)
async def test_somebody_elses_workspace_that_was_added_by_its_id_is_not_there(bare):
    alice = bare.alice
    await alice.has_linked("alice")
    await alice.types(f"add {bare.resource('analysis', 'bob').id} bobs")
    await alice.types("start bobs")
    await bare.pass_time(30)
    assert bare.resource("analysis", "bob").status(bare.clock.now()) == "stopped"
    assert not alice.told("ready")
