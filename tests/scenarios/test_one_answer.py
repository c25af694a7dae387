"""One answer per question. If Usher has to check first, it says so once, and edits that message if it can."""

import aiohttp

from tests.rigs.scenario.people import GENERAL


async def new_workspace(linked, name):
    """Make a workspace that isn't in Usher's list yet appear at the provider."""
    await linked.pass_time(70, step=10)
    linked.resource("training").spec["name"] = name


async def test_in_a_direct_message_what_is_checked_becomes_what_was_found(linked):
    alice = linked.alice
    await new_workspace(linked, "fresh")
    before = len(alice.sees())
    await alice.writes("status fresh")
    await linked.pass_time(5)
    new = alice.hears(before)
    assert len(new) == 1
    assert "*fresh*" in new[0].text
    assert not any("Checking" in one.text for one in alice.sees())
    # An answer that says that there is no such workspace replaces it, too.
    await linked.pass_time(70, step=10)
    before = len(alice.sees())
    await alice.writes("start nowhere")
    await linked.pass_time(5)
    said = [one.text.split(".")[0] for one in alice.hears(before)]
    assert said == ["I can't find a workspace called *nowhere*"]


async def test_a_start_that_had_to_be_looked_for_says_so_once_until_it_is_ready(linked):
    alice = linked.alice
    await new_workspace(linked, "fresh")
    before = len(alice.sees())
    await alice.writes("start fresh")
    await linked.pass_time(5)
    (answer,) = alice.hears(before)
    assert answer.kind == "message"
    assert "Starting *fresh* on Saturn Cloud" in answer.text
    await linked.pass_time(20)
    assert [one.kind for one in alice.hears(before)] == ["ready"]


async def test_where_the_first_message_is_gone_the_answer_is_a_new_one(linked):
    alice, state = linked.alice, linked.slack.state
    await linked.pass_time(70, step=10)
    before = len(alice.sees())
    await linked.slack.say(alice.id, "@bot", "start nowhere")
    await linked.bot.notifier.step_notices()
    for one in alice.sees()[before:]:
        if "Checking" in one.text:
            state.remove(state.message(state.place(alice.id, "@bot").id, one.ts))
    await linked.pass_time(5)
    new = alice.hears(before)
    assert len(new) == 1
    assert "I can't find a workspace called *nowhere*" in new[0].text


async def test_a_command_is_answered_twice_at_most_as_slack_replaces_nothing_of_it(linked):
    alice = linked.alice
    await linked.pass_time(70, step=10)
    first = await alice.types("start nowhere")
    assert first.text == "Checking Saturn Cloud…"
    await linked.pass_time(10)
    seen = [one for one in alice.sees(GENERAL) if one.ts >= first.ts]
    assert [one.text.split(".")[0] for one in seen] == [
        "Checking Saturn Cloud…",
        "I can't find a workspace called *nowhere*",
    ]
    assert all(one.is_private for one in seen)


async def test_after_a_mention_the_answer_comes_where_it_was_asked_for_and_nowhere_else(linked):
    alice = linked.alice
    await new_workspace(linked, "fresh")
    before, directly = len(alice.sees(GENERAL)), len(alice.sees())
    await alice.mentions("start nowhere")
    await alice.mentions("status fresh")
    await linked.pass_time(5)
    new = alice.hears(before, GENERAL)
    assert [one.text.split("\n")[0].split(".")[0] for one in new] == [
        "Checking Saturn Cloud…",
        "I can't find a workspace called *nowhere*",
        "⚪️ *fresh* · Saturn Cloud",
    ]
    assert all(one.is_private for one in new)
    assert "`@usher add LINK`" in new[1].text
    assert len(alice.sees()) == directly


async def test_an_edit_of_unknown_outcome_is_found_and_not_told_again(linked):
    alice = linked.alice
    await linked.pass_time(70, step=10)
    before = len(alice.sees())
    linked.slack_fails("chat.update", times=1, after=True, drop=True)
    await linked.slack.say(alice.id, "@bot", "start nowhere")
    await linked.pass_time(300, step=20)
    new = alice.hears(before)
    assert [one.text.split(".")[0] for one in new] == ["I can't find a workspace called *nowhere*"]


async def test_a_post_to_a_commands_address_replaces_nothing(linked):
    alice = linked.alice
    first = await alice.types("help")
    state = linked.slack.state
    url = next(one for path, one in reversed(state.response_urls.items()) if path.startswith("/commands/"))
    body = {"text": "new", "replace_original": True}
    async with (
        aiohttp.ClientSession() as session,
        session.post(linked.slack_url + url.path, json=body) as got,
    ):
        assert got.status == 200
    seen = [one for one in alice.sees(GENERAL) if one.ts >= first.ts]
    assert [one.text for one in seen][-1] == "new"
    assert seen[0].text == first.text


def new_since(person, before):
    """Return the kinds of the bot's direct messages since then.

    An ephemeral answer's kind is ``ephemeral``.
    """
    return ["ephemeral" if one.is_private else one.kind for one in person.hears(before)]


async def test_unlinking_is_told_once_with_the_next_step(just_linked):
    alice = just_linked.alice
    before = len(alice.sees())
    await alice.presses(alice.only("linked"), "Unlink")
    await just_linked.pass_time(10)
    assert new_since(alice, before) == ["unlinked"]
    told = alice.only("unlinked")
    assert told.labels == ["Link again"]
    await alice.links("alice", asked=told)
    await just_linked.pass_time(10)
    assert alice.only("unlinked").labels == []
    assert len(alice.told("linked")) == 2


async def test_a_press_in_a_direct_message_is_told_by_its_card_alone(linked):
    alice = linked.alice
    await alice.writes("start notebook")
    await linked.pass_time(40)
    for kind, label, result in (("ready", "Stop", "card"), ("stopped", "Start", "ready")):
        before = len(alice.sees())
        await alice.presses(alice.told(kind)[-1], label)
        assert new_since(alice, before) == ["card"]
        await linked.pass_time(60, step=5)
        assert new_since(alice, before) == ["card" if result == "stopped" else result]
        assert alice.told(result)


async def test_press_for_several_is_told_in_one_message(linked):
    alice = linked.alice
    await alice.writes("start notebook")
    await linked.pass_time(40)
    before = len(alice.sees())
    *_, asked = await alice.writes("stop all")
    await alice.presses(asked, "Stop 2 workspaces")
    await linked.pass_time(60, step=5)
    # The question was replaced by the answer to the press, which was replaced by the message about the end.
    assert asked.ts not in {one.ts for one in alice.sees()}
    assert sorted(new_since(alice, before)) == ["results"]
    told = alice.only("results")
    assert "*notebook* and *report* have stopped." in told.text.replace(
        "*report* and *notebook*", "*notebook* and *report*"
    )
    assert sorted(told.labels) == ["Start notebook", "Start report"]
    # The button of the workspace that was started again is gone. The other one keeps its button.
    await alice.presses(told, "Start notebook")
    await linked.pass_time(60, step=5)
    assert alice.only("results").labels == ["Start report"]


async def test_a_press_on_what_only_one_person_sees_is_told_by_the_card_that_comes_there(just_linked):
    alice = just_linked.alice
    shown = await alice.types("status report", channel="@bot")
    before = len(alice.sees())
    await alice.presses(shown, "Stop")
    await just_linked.pass_time(60, step=5)
    assert new_since(alice, before) == ["card"]
    assert alice.only("stopped")


async def test_a_press_that_does_something_else_than_its_card_says_is_answered(linked):
    alice = linked.alice
    await alice.writes("start notebook")
    await linked.pass_time(40)
    ready = alice.only("ready")
    await alice.presses(ready, "Stop")
    told = await alice.presses_late(ready, "Stop")
    (answer,) = [one for one in told if one.is_private]
    assert "is already stopping" in answer.text
