"""Messages stay as they were posted, except for outdated buttons, and each act has only one message."""

import pytest
import pytest_asyncio

from bot.store import notices, operations, workspaces
from tests.rigs.scenario import world
from tests.rigs.scenario.people import BOT
from tests.scenarios.long_waits import waiting


@pytest_asyncio.fixture
async def linked(tmp_path):
    """A world in which Olivia has linked her account."""
    async with world(tmp_path) as ready:
        await ready.alice.has_linked("alice")
        yield ready


#: Kinds of answers to something that a person typed or pressed. They aren't edited.
ANSWERS = ("reply", "message")


def offering(person):
    """Return the kinds of messages with buttons, except answers and the messages about linking."""
    return [
        shown.kind for shown in person.sees() if shown.kind not in ("", "linked", *ANSWERS) and shown.labels
    ]


async def test_after_a_stop_the_ready_message_has_no_buttons_and_the_card_says_so(linked):
    alice = linked.alice
    await alice.writes("start notebook")
    await linked.pass_time(40)
    assert offering(alice) == ["ready"]
    assert alice.told("card") == [], "it went once the message about the end was there"
    before = linked.calls("chat.update", linked.slack)
    await alice.writes("stop notebook")
    await linked.pass_time(40)
    assert [one.kind for one in alice.sees() if one.kind and one.kind != "linked"] == [
        "ready",
        "card",
    ]
    assert offering(alice) == ["card"]
    said = alice.only("ready").short
    assert said.startswith("notebook became ready at "), said
    assert said.endswith("UTC>."), said
    assert alice.only("stopped").labels == ["Start"]
    # The ready message loses its buttons. The card of the stop is edited when it waits, stops, and has
    # stopped.
    assert linked.calls("chat.update", linked.slack) - before <= 4
    await linked.pass_time(300, step=20)
    assert offering(alice) == ["card"]


async def test_message_that_asks_to_wait_goes_once_answered(linked):
    alice = linked.alice
    told = await waiting(linked)
    assert offering(alice) == ["card", "waiting"]
    await alice.presses(told, "Keep waiting")
    await linked.pass_time(20)
    assert offering(alice) == ["card"]
    assert alice.told("waiting") == []


async def test_where_ready_is_switched_off_the_card_stays_live(linked):
    alice = linked.alice
    await alice.types("settings notebook off")
    await alice.types("start notebook")
    await linked.pass_time(40)
    assert offering(alice) == ["card"]
    assert alice.card.labels[:2] == ["Open", "Stop"]


async def test_ready_comes_first_and_alive_whatever_is_asked_meanwhile(linked):
    alice = linked.alice
    await alice.writes("start notebook")
    await linked.pass_time(20)
    for _ in range(25):
        await linked.slack.say(alice.id, BOT, "list")
    await linked.pass_time(40)
    ready = alice.only("ready")
    assert ready.labels[0] == "Open"
    (workspace,) = [
        one
        for one in await linked.bot.store.perform(workspaces.read_workspaces, linked.principal())
        if one.name == "notebook"
    ]
    operation = await linked.bot.store.read(operations.find_latest_operation, workspace.id)
    # Slack accepts one message per second in a conversation. The answers alone would have used all of them.
    assert float(ready.ts) - operation.ended_at <= 2.0
    assert len([each for each in alice.told("reply") if each.ts > ready.ts]) >= 5


async def test_however_many_starts_and_stops_a_change_owes_a_few_updates(linked):
    alice = linked.alice
    for _ in range(3):
        for text in ("start notebook", "stop notebook"):
            await alice.types(text)
            await linked.pass_time(60, step=5)
    assert offering(alice) == ["card"]
    before = linked.calls("chat.update", linked.slack)
    await alice.types("start notebook")
    await linked.pass_time(60, step=5)
    assert offering(alice) == ["ready"]
    assert linked.calls("chat.update", linked.slack) - before <= 8


async def test_a_message_that_can_no_longer_be_edited_is_given_up_quietly(linked):
    alice = linked.alice
    await alice.types("start notebook")
    await linked.pass_time(40)
    ready = alice.only("ready")
    state = linked.slack.state
    state.remove(state.message(state.place(alice.id, "@bot").id, ready.ts))
    await alice.types("stop notebook")
    await linked.pass_time(60, step=5)
    assert offering(alice) == ["card"]
    assert await linked.bot.store.read(notices.list_dead_notices) == []


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


async def test_unlinking_leaves_no_button_of_its_workspaces(just_linked):
    alice = just_linked.alice
    await alice.writes("start notebook")
    await just_linked.pass_time(40)
    asked = await alice.types("unlink saturn")
    for label in [each for each in asked.labels if each.startswith("Unlink")]:
        await alice.presses(asked, label)
    await just_linked.pass_time(30)
    assert offering(alice) == []
    assert alice.told("unlinked") == []
    assert "*notebook* is ready." in alice.only("ready").text
    assert "Unlink" not in alice.only("linked").labels


async def test_answers_stay_as_they_were_said(linked):
    alice = linked.alice
    await alice.writes("start notebook")
    await linked.pass_time(40)
    for text in ("list", "status notebook", "strt training", "help"):
        await alice.writes(text)
        await linked.pass_time(5)
    before = [(shown.short, shown.labels) for shown in alice.sees() if shown.kind in ANSWERS]
    assert len(before) == 4
    assert "Open" in before[1][1]
    assert before[2][1] == ["Start training"]
    await alice.writes("stop notebook")
    await alice.types("start training")
    await linked.pass_time(60, step=5)
    linked.resource("report").stop(linked.clock.now())
    await alice.types("unlink saturn --yes")
    await linked.pass_time(4000, step=400)
    after = [(shown.short, shown.labels) for shown in alice.sees() if shown.kind in ANSWERS]
    # The guess offered something that has been done since, so it was removed. The list and the state say as
    # of when they are true.
    listed, state, _, help_ = before
    assert after[:3] == [listed, state, help_]


async def test_a_list_is_redrawn_by_its_own_press_only(linked):
    alice = linked.alice
    await alice.writes("list")
    first = alice.only("reply")
    await alice.types("start notebook")
    await linked.pass_time(60, step=5)
    assert alice.only("reply").text == first.text
    await alice.presses(first, "Refresh")
    await linked.pass_time(10)
    assert len(alice.told("reply")) == 1
    assert "Stop" in alice.only("reply").labels
    assert alice.only("reply").text != first.text


async def warned(linked):
    """Start a workspace with a planned stop, and return the warning of the stop."""
    await linked.alice.writes("start notebook")
    await linked.pass_time(40)
    await linked.alice.types("stop notebook in 15 min")
    await linked.pass_time(330, step=10)
    return linked.alice.only("stop_warning")


async def goes(linked, ts):
    """Check that an answer is removed once its planned stop no longer applies."""
    await linked.pass_time(60, step=5)
    assert ts not in {one.ts for one in linked.alice.sees()}


@pytest.mark.parametrize("then", ["stop notebook", "stop notebook in 2 hours", "unlink saturn --yes"])
async def test_planned_stop_that_was_changed_is_said_nowhere(linked, then):
    alice, warning = linked.alice, await warned(linked)
    *_, answer = await alice.presses(warning, "1 hour more")
    assert answer.labels == ["Keep running"]
    await alice.types(then)
    await goes(linked, warning.ts)


async def test_planned_stop_that_was_cancelled_is_said_nowhere(linked):
    alice, warning = linked.alice, await warned(linked)
    await alice.types("stop notebook in 2 hours")
    *_, answer = await alice.presses(warning, "Keep running")
    assert answer.labels == ["Keep running"]
    await alice.types("keep notebook")
    await goes(linked, warning.ts)


async def test_an_answered_question_becomes_its_answer(linked):
    alice = linked.alice
    await alice.writes("start notebook")
    await linked.pass_time(40)
    await alice.writes("stop notebook in 2 hours")
    planned = alice.told("reply")[-1]
    assert planned.labels == ["Cancel it"]
    await alice.presses(planned, "Cancel it")
    await linked.pass_time(30)
    last = alice.told("reply")[-1]
    assert (last.text, last.labels) == ("*notebook* keeps running. No stop is planned.", [])
