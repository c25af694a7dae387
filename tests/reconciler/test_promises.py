"""A message sent while Usher was checking becomes the answer, if it's still recent and can be edited."""

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.workspaces import State
from bot.messages.blocks import kit
from bot.messages.blocks.button_values import ButtonValue
from bot.store import counts, inbox, notices, slack_rate_limits
from bot.support.errors import SlackPermanent, SlackUnknownOutcome
from tests.rigs.store import ALICE, want_read

ASKED = "event/1"


def checking(**more):
    body = {"text": "Checking Fake Cloud…", "blocks": [], "where": "direct", "channel_id": "DUALICE"} | more
    return NewNotice(ASKED, NoticeKind.REPLY, "1", ALICE, body)


def found():
    body = {"text": "Here it is.", "blocks": [], "becomes": ASKED}
    return NewNotice(f"{ASKED}/replay", NoticeKind.MESSAGE, "1", ALICE, body)


def texts(world):
    return [message["text"] for message in world.slack.messages]


async def test_what_was_said_before_becomes_the_answer(world):
    await world.store.write(notices.add_notices, [checking()])
    await world.pass_time(3)
    assert texts(world) == ["Checking Fake Cloud…"]
    await world.store.write(notices.add_notices, [found()])
    await world.pass_time(3)
    assert texts(world) == ["Here it is."]
    assert (await world.store.perform(counts.count_rows))["pending_notices"] == 0


async def test_what_is_being_sent_just_now_is_waited_for(world):
    await world.store.write(notices.add_notices, [checking(), found()])
    await world.pass_time(5)
    assert texts(world) == ["Here it is."]


async def test_what_was_not_sent_yet_never_is(world):
    await world.store.write(notices.add_notices, [checking()])
    (reply,) = await world.store.perform(notices.claim_notices, 1, 60.0, {0: 1.0})
    await world.store.write(notices.retry_notice, reply, 30.0, error="ratelimited")
    await world.store.write(notices.add_notices, [found()])
    await world.pass_time(60, step=5)
    assert texts(world) == ["Here it is."]


@pytest.mark.parametrize("is_answer_sent", [True, False])
async def test_answer_that_promises_more_becomes_that(world, is_answer_sent):
    """The note about checking, the first answer, and the result of the check are one message."""
    await world.store.write(notices.add_notices, [checking()])
    await world.pass_time(3)
    await world.store.write(notices.add_notices, [found()])
    if is_answer_sent:
        await world.pass_time(3)
    else:
        (answer,) = await world.store.perform(notices.claim_notices, 1, 60.0)
        await world.store.write(notices.retry_notice, answer, 30.0, error="ratelimited")
    body = {"text": "It was so already.", "blocks": [], "becomes": f"{ASKED}/replay"}
    await world.store.write(
        notices.add_notices, [NewNotice("operation_1", NoticeKind.MESSAGE, "1", ALICE, body)]
    )
    await world.pass_time(60, step=5)
    assert texts(world) == ["It was so already."]
    assert await world.store.read(inbox.was_answered, f"{ASKED}/replay")


async def test_an_answer_whose_blocks_slack_refuses_becomes_its_text_in_the_same_place(world):
    await world.store.write(notices.add_notices, [checking()])
    await world.pass_time(3)
    world.slack.fail("chat.update", SlackPermanent("chat.update", "msg_blocks_too_long"))
    answer = found()
    answer.body["blocks"] = [{"type": "divider"}]
    await world.store.write(notices.add_notices, [answer])
    await world.pass_time(3)
    assert [(one["text"], one["blocks"]) for one in world.slack.messages] == [("Here it is.", [])]


@pytest.mark.parametrize("code", ["message_not_found", "cant_update_message", "edit_window_closed"])
async def test_what_can_not_be_edited_is_followed_by_a_message(world, code):
    await world.store.write(notices.add_notices, [checking()])
    await world.pass_time(3)
    world.slack.fail("chat.update", SlackPermanent("chat.update", code))
    await world.store.write(notices.add_notices, [found()])
    await world.pass_time(3)
    assert texts(world) == ["Checking Fake Cloud…", "Here it is."]


async def test_what_a_promise_offered_is_forgotten_though_nobody_knew_that_it_became_the_answer(world):
    workspace = await world.own(state=State.RUNNING)
    stop = kit.button("Stop", ButtonValue("stop", workspace.id, seen=workspace.generation))
    await world.store.write(
        notices.add_notices, [checking(offers=workspace.id, blocks=kit.actions([stop]), moments=[])]
    )
    await world.pass_time(3)
    world.slack.fail("chat.update", SlackUnknownOutcome("chat.update", "no_answer"), after=True)
    await world.store.write(notices.add_notices, [found()])
    await world.pass_time(30)
    world.provider.put("r1", State.STOPPED)
    await want_read(world.store, workspace.id)
    await world.pass_time(60)
    assert texts(world) == ["Here it is."]
    assert world.slack.count("chat.update") == 1


async def test_after_two_minutes_the_answer_is_a_message_that_notifies(world):
    await world.store.write(notices.add_notices, [checking()])
    await world.pass_time(125, step=5)
    await world.store.write(notices.add_notices, [found()])
    await world.pass_time(3)
    assert texts(world) == ["Checking Fake Cloud…", "Here it is."]


async def test_an_answer_does_not_wait_for_room_that_cards_have_used_up(world):
    await world.store.write(notices.add_notices, [checking()])
    await world.pass_time(3)
    while await world.store.write(slack_rate_limits.take_slack_call, "T1", "chat.update", most=45) == 0:
        pass
    await world.store.write(notices.add_notices, [found()])
    await world.pass_time(3)
    assert texts(world) == ["Checking Fake Cloud…", "Here it is."]
