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
    """Return the messages about the notebook that have buttons, by kind."""
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
    assert offering(alice) == []
    assert "Started *notebook* on Saturn Cloud" in alice.card.text
    assert "was linked at" in alice.only("linked").text
    assert alice.only("linked").labels == []
