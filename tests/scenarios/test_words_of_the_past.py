"""Old messages and events that Slack delivers late: commands ask first, and events are checked with Slack."""

import pytest

from bot.services.caller import MAX_REQUEST_AGE_SECONDS
from bot.store import accounts
from handlers.events import MAX_ANSWERED_AGE_SECONDS
from tests.rigs.scenario import ALICE, ID

HOUR = 3600.0


async def missed(world, *acts):
    """Do something that the bot misses."""
    world.slack.events.hold()
    for act in acts:
        await act()


async def late(world, seconds):
    """Deliver everything that the bot missed, ``seconds`` later.

    Return the messages that the person then gets.
    """
    before = {shown.ts for shown in world.alice.sees()}
    world.clock.advance(seconds)
    await world.settle()
    await world.slack.events.catch_up()
    # Slack accepts only one message per second in each conversation.
    await world.pass_time(3)
    return [shown for shown in world.alice.hears() if shown.ts not in before]


def says(world, text):
    return lambda: world.slack.say(ALICE, "@bot", text)


async def test_a_stop_of_hours_ago_asks_and_stops_nothing_until_it_is_pressed(linked):
    stops = f"POST .*/workspaces/{ID['report']}/stop"
    await missed(linked, says(linked, "stop report"))
    (asked,) = await late(linked, 23 * HOUR)
    assert "I've only just seen what you asked me" in asked.text
    assert "“stop report”. Should I still do it?" in asked.text
    await linked.pass_time(30)
    assert linked.calls(stops) == 0
    # If Slack delivers it again, the bot doesn't ask twice.
    await linked.slack.events.redeliver(next(reversed(linked.slack.events.deliveries)))
    await linked.settle()
    assert (
        len([shown for shown in linked.alice.sees() if "I've only just seen what you asked me" in shown.text])
        == 1
    )
    await linked.alice.presses(asked, "Do it now")
    await linked.pass_time(30)
    assert linked.calls(stops) == 1


async def test_what_is_left_stays_and_the_question_says_so(linked):
    await missed(linked, says(linked, "start notebook"))
    (asked,) = await late(linked, MAX_REQUEST_AGE_SECONDS + 1)
    (left,) = await linked.alice.presses(asked, "Leave it")
    assert (left.ts, left.text, left.labels) == (asked.ts, "Left as it is.", [])
    await linked.pass_time(30)
    assert linked.calls("POST .*/start") == 0


async def test_what_came_within_minutes_is_done(linked):
    await missed(linked, says(linked, "start notebook"))
    answers = await late(linked, MAX_REQUEST_AGE_SECONDS - 10)
    assert [shown.text for shown in answers if "I've only just seen what you asked me" in shown.text] == []
    await linked.pass_time(5)
    assert linked.calls("POST .*/start") == 1


async def test_what_only_shows_something_is_answered(linked):
    await missed(linked, says(linked, "status report"))
    (shown,) = await late(linked, 5 * HOUR)
    assert "|report>*" in shown.text
    assert "Do it now" not in shown.labels


async def test_words_of_days_ago_are_only_logged(linked):
    await missed(linked, says(linked, "stop report"), says(linked, "status report"))
    assert await late(linked, MAX_ANSWERED_AGE_SECONDS + 60) == []
    events = [line["event"] for line in linked.watch.lines()]
    assert events.count("words of long ago not read") == 2


async def test_words_about_what_no_list_has_yet_ask_before_they_wait_for_one(linked):
    await linked.pass_time(5)
    linked.resource("notebook").spec["name"] = "renamed"
    await missed(linked, says(linked, "start renamed"))
    (asked,) = await late(linked, MAX_REQUEST_AGE_SECONDS + 1)
    await linked.pass_time(30)
    assert linked.calls("POST .*/start") == 0
    await linked.alice.presses(asked, "Do it now")
    await linked.pass_time(5)
    assert linked.calls("POST .*/start") == 1


async def test_who_left_and_came_back_meanwhile_keeps_what_is_linked(linked):
    world, person = linked, linked.slack.state.people[ALICE]
    await missed(world, lambda: world.slack.control.change_person(ALICE, deleted=True))
    person.deleted = False
    await late(world, 5 * HOUR)
    assert len(await world.bot.store.read(accounts.list_accounts, world.principal())) == 1
    await missed(world, lambda: world.slack.control.change_person(ALICE, deleted=True))
    await late(world, 2 * MAX_ANSWERED_AGE_SECONDS)
    # The event counts however late it comes, because the person has left.
    assert await world.bot.store.read(accounts.list_accounts, world.principal()) == []


async def test_an_uninstall_of_the_past_is_believed_only_if_slack_lets_nobody_in(linked):
    world = linked
    await missed(world, world.slack.control.uninstall)
    world.slack.control.install_again()
    await late(world, 5 * HOUR)
    assert len(await world.bot.store.read(accounts.list_accounts, world.principal())) == 1


ASKED = "I've only just seen what you asked me"


@pytest.mark.parametrize("newer", ["start notebook", "stop notebook at 23:00"])
async def test_what_a_later_request_for_the_workspace_has_overtaken_asks_first(linked, newer):
    await missed(linked, says(linked, "stop notebook"))
    linked.clock.advance(60)
    await linked.alice.types(newer if newer.startswith("start") else "start notebook")
    await linked.pass_time(40)
    if not newer.startswith("start"):
        await linked.alice.types(newer)
    asked = await late(linked, 60)
    assert [shown.text for shown in asked if ASKED in shown.text]
    await linked.pass_time(30)
    assert linked.calls("POST .*/stop") == 0
    await linked.alice.presses(next(shown for shown in asked if ASKED in shown.text), "Do it now")
    await linked.pass_time(30)
    assert linked.calls("POST .*/stop") == 1


async def test_a_later_request_for_another_workspace_overtakes_nothing(linked):
    await missed(linked, says(linked, "start notebook"))
    linked.clock.advance(60)
    await linked.alice.types("stop report")
    asked = await late(linked, 60)
    assert [shown for shown in asked if ASKED in shown.text] == []
    assert linked.calls(f"POST .*/{ID['notebook']}/start") == 1


async def test_message_that_comes_before_an_older_one_is_done_and_the_older_asks(linked):
    await missed(linked, says(linked, "start notebook"))
    linked.clock.advance(20)
    await missed(linked, says(linked, "stop notebook"))
    linked.slack.events._missed.reverse()
    asked = await late(linked, 20)
    assert [shown.text for shown in asked if "“start notebook”. Should I still do it?" in shown.text]
    assert linked.calls(f"POST .*/{ID['notebook']}/start") == 0


@pytest.mark.parametrize(
    "older", ["cancel notebook", "hours notebook weekdays 9-17", "stop notebook at 23:00"]
)
async def test_nothing_of_before_is_done_to_what_was_asked_for_later(linked, older):
    await missed(linked, says(linked, older))
    linked.clock.advance(60)
    linked.saturn_fails(f"{ID['notebook']}/start$", times=None, status=503)
    await linked.alice.types("start notebook")
    asked = await late(linked, 60)
    assert [shown.text for shown in asked if f"“{older}”. Should I still do it?" in shown.text]
    linked.heal()
    await linked.pass_time(120, step=5)
    assert linked.alice.only("ready")
