"""Messages stay true: two about a workspace offer something, those before become one line."""

from __future__ import annotations

import pytest_asyncio

from tests.rigs.scenario import world
from tests.scenarios.test_long_waits import waiting


@pytest_asyncio.fixture
async def linked(tmp_path):
    """A world in which Olivia has linked her account and deadlines are short."""
    async with world(tmp_path, settings={"USHER_DEADLINE_MINUTES": 3}) as ready:
        await ready.alice.links("alice")
        yield ready


def offering(person):
    """Return the messages that have buttons, by kind, but what the linking said."""
    return [shown.kind for shown in person.sees() if shown.kind not in ("", "linked") and shown.labels]


async def test_after_a_stop_the_card_and_the_notice_of_the_start_are_one_line_each(linked):
    alice = linked.alice
    await alice.types("start notebook")
    await linked.pass_time(40)
    assert offering(alice) == ["card", "ready"]
    before = linked.calls("chat.update", linked.slack)
    await alice.types("stop notebook")
    await linked.pass_time(40)
    assert offering(alice) == ["card", "stopped"]
    assert alice.told("card")[0].text.startswith("Started *notebook* on Saturn Cloud at ")
    assert alice.only("ready").text.startswith("*notebook* on Saturn Cloud was ready at ")
    assert alice.told("card")[1].labels == alice.only("stopped").labels == ["Start"]
    # The card of the stop goes from waiting over stopping to stopped.
    assert linked.calls("chat.update", linked.slack) - before <= 6
    await linked.pass_time(300, step=20)
    assert offering(alice) == ["card", "stopped"]


async def test_a_stop_at_the_provider_redraws_what_is_live(linked):
    alice = linked.alice
    await alice.types("start notebook")
    await linked.pass_time(40)
    linked.resource("notebook").stop(linked.clock.now())
    await linked.pass_time(120, step=10)
    assert alice.card.labels[0] == "Start"
    assert "Stop" not in alice.card.labels
    assert alice.only("ready").labels == []
    assert "was ready at" in alice.only("ready").text


async def test_a_time_out_and_what_comes_after_it_leave_two_messages_with_buttons(linked):
    alice = linked.alice
    told = await waiting(linked)
    assert offering(alice) == ["card", "waiting"]
    await alice.presses(told, "Keep waiting")
    await linked.pass_time(5)
    assert offering(alice) == ["card"]
    assert "was taking longer than usual at" in alice.only("waiting").text


async def test_however_many_starts_and_stops_a_change_owes_a_few_updates(linked):
    alice = linked.alice
    for _ in range(3):
        for text in ("start notebook", "stop notebook"):
            await alice.types(text)
            await linked.pass_time(60, step=5)
    assert offering(alice) == ["card", "stopped"]
    before = linked.calls("chat.update", linked.slack)
    await alice.types("start notebook")
    await linked.pass_time(60, step=5)
    assert offering(alice) == ["card", "ready"]
    assert linked.calls("chat.update", linked.slack) - before <= 10


async def test_a_message_that_can_no_longer_be_edited_is_given_up_quietly(linked):
    alice = linked.alice
    await alice.types("start notebook")
    await linked.pass_time(40)
    ready = alice.only("ready")
    state = linked.slack.state
    state.remove(state.message(state.place(alice.id, "@bot").id, ready.ts))
    await alice.types("stop notebook")
    await linked.pass_time(60, step=5)
    assert offering(alice) == ["card", "stopped"]
    assert await linked.bot.store.dead_notices() == []


async def test_an_old_answer_in_a_channel_is_answered_with_how_things_are(linked):
    alice = linked.alice
    await alice.types("start notebook")
    await linked.pass_time(40)
    old = await alice.types("status notebook")
    await alice.types("stop notebook")
    await linked.pass_time(60, step=5)
    await alice.types("start notebook")
    await linked.pass_time(60, step=5)
    stops = linked.calls("POST .*/stop")
    answer = (await alice.presses(old, "Stop"))[-1]
    assert "so I did nothing" in answer.text
    assert "Running" in answer.text
    await linked.pass_time(30)
    assert linked.calls("POST .*/stop") == stops


async def test_unlinking_leaves_no_button_of_its_workspaces(linked):
    alice = linked.alice
    await alice.types("start notebook")
    await linked.pass_time(40)
    asked = await alice.types("unlink saturn")
    for label in [each for each in asked.labels if each.startswith("Unlink")]:
        await alice.presses(asked, label)
    await linked.pass_time(30)
    assert offering(alice) == ["unlinked"]
    assert alice.only("unlinked").labels == ["Link Saturn Cloud"]
    assert "Started *notebook* on Saturn Cloud" in alice.card.text
    assert "was linked at" in alice.only("linked").text
    assert alice.only("linked").labels == []


def said(person):
    """Return what the bot wrote as answers in direct messages: the first line and the buttons of each."""
    return [
        (one.text.split("\n")[0], one.labels) for one in person.sees() if one.kind in ("reply", "message")
    ]


async def test_start_status_stop_leave_buttons_on_two_messages_and_no_untrue_one(linked):
    alice = linked.alice
    await alice.writes("start notebook")
    await linked.pass_time(40)
    assert offering(alice) == ["card", "ready"]
    await alice.writes("status notebook")
    await linked.pass_time(10)
    assert offering(alice) == ["card", "reply"]
    assert alice.only("reply").labels == ["Open", "Stop", "Refresh", "View on Saturn Cloud"]
    assert "was ready at" in alice.only("ready").text
    await alice.writes("stop notebook")
    await linked.pass_time(2)
    assert [shown.labels for shown in alice.told("card")] == [[], ["Refresh"]]
    await linked.pass_time(40)
    assert offering(alice) == ["card", "stopped"]
    assert said(alice)[0][0].startswith("You asked about *notebook* on Saturn Cloud at ")
    await linked.pass_time(300, step=20)
    assert offering(alice) == ["card", "stopped"]


async def test_what_is_said_about_a_workspace_is_drawn_again_when_it_changes(linked):
    alice = linked.alice
    await alice.writes("start notebook")
    await linked.pass_time(40)
    await alice.writes("status notebook")
    assert alice.only("reply").labels[:2] == ["Open", "Stop"]
    linked.resource("notebook").stop(linked.clock.now())
    await linked.pass_time(120, step=10)
    answer = alice.only("reply")
    assert "Stopped" in answer.text
    assert "As of" in answer.text
    assert answer.labels == ["Start", "Refresh", "View on Saturn Cloud"]


async def test_a_list_of_what_runs_has_what_runs_when_it_is_drawn_again(linked):
    alice = linked.alice
    # A message that it is ready would take the list's place.
    await alice.types("notify training off")
    (shown,) = await alice.writes("list running")
    assert "*report*" in shown.text
    assert "*training*" not in shown.text
    await alice.types("start training")
    await linked.pass_time(40)
    again = next(one for one in alice.sees() if one.ts == shown.ts)
    assert again.text.startswith("*Your running workspaces*")
    assert "*training*" in again.text
    linked.resource("report").stop(linked.clock.now())
    await alice.types("status report")
    await linked.pass_time(40)
    again = next(one for one in alice.sees() if one.ts == shown.ts)
    assert "*training*" in again.text
    assert "*report*" not in again.text
    await alice.types("stop training")
    await linked.pass_time(60)
    again = next(one for one in alice.sees() if one.ts == shown.ts)
    assert (again.labels, again.text.split(" at ")[0]) == ([], "You asked for your workspaces")


async def test_a_list_stays_true_and_only_the_newest_has_buttons(linked):
    alice = linked.alice
    await alice.writes("list")
    first = alice.only("reply")
    await alice.presses(first, "Start")
    await linked.pass_time(60, step=5)
    # The notice is newer, so what is offered for the workspace is on that and on its card.
    assert alice.only("reply").labels == []
    await alice.writes("list")
    await linked.pass_time(10)
    _, drawn = alice.told("reply")
    assert "Stop" in drawn.labels
    await alice.presses(drawn, "Refresh")
    await linked.pass_time(10)
    assert len(alice.told("reply")) == 2
    await alice.writes("list")
    await linked.pass_time(10)
    _, old, new = alice.told("reply")
    assert (old.labels, old.text.split(" at ")[0]) == ([], "You asked for your workspaces")
    assert new.labels == drawn.labels


async def test_a_planned_stop_is_offered_to_be_taken_back_until_it_is(linked):
    alice = linked.alice
    await alice.writes("start notebook")
    await linked.pass_time(40)
    await alice.writes("stop notebook in 2 hours")
    planned = alice.only("reply")
    assert planned.labels == ["Keep running"]
    await linked.pass_time(5)
    assert offering(alice) == ["card", "reply"]
    await alice.presses(planned, "Keep running")
    await linked.pass_time(30)
    (told, labels) = said(alice)[-1]
    assert (told, labels) == ("*notebook* keeps running. I won't stop it.", [])


async def test_a_guess_loses_its_button_once_it_was_taken_or_something_newer_was_said(linked):
    alice = linked.alice
    await alice.writes("strt notebook")
    assert said(alice)[-1][1] == ["start notebook"]
    await alice.writes("strt training")
    await linked.pass_time(10)
    assert [labels for _, labels in said(alice)] == [[], ["start training"]]
    await alice.presses(alice.told("reply")[-1], "start training")
    await linked.pass_time(10)
    assert [labels for _, labels in said(alice)] == [[], []]
    assert "removed its buttons" in alice.told("reply")[-1].text


async def test_an_answer_of_unknown_outcome_is_found_and_edited_like_any_other(linked):
    alice = linked.alice
    linked.slack_fails("chat.postMessage", times=1, after=True, drop=True)
    await alice.writes("status notebook")
    await alice.types("start notebook")
    await linked.pass_time(90, step=10)
    assert len(alice.told("reply")) == 1
    assert offering(alice) == ["card", "ready"]


async def test_whatever_is_asked_one_message_besides_the_card_offers_something(linked):
    alice = linked.alice
    await alice.writes("start notebook")
    await linked.pass_time(40)
    for text in ("list", "status notebook", "start training", "stop all", "kill notebook"):
        await alice.writes(text)
        await linked.pass_time(40)
        if text != "start training":
            assert len([one for one in alice.told("reply") if one.labels]) == 1, text
            assert alice.told("reply")[-1].labels
            assert alice.told("ready")[0].labels == []
    question, newest = alice.told("reply")[-2:]
    assert "I've removed its buttons" in question.text
    assert newest.labels == ["Stop notebook"]
