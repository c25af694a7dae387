"""Answers that Slack refuses: they reach the person in another way, once, and reach nobody else."""

import json

import pytest

from bot.slack import methods
from tests.rigs.scenario.stage import inject_fault

CHANNEL = "C0GENERAL"


def refusal(error, status=200):
    return {"status": status, "body": json.dumps({"ok": False, "error": error})}


def private(person, text):
    return [one for one in person.sees(CHANNEL) if text in one.text and one.is_private]


@pytest.mark.parametrize(
    "answer",
    [
        refusal("used_url", 404),
        refusal("expired_url", 404),
        {"status": 403, "body": "action_prohibited"},
        {"status": 410, "body": "channel_is_archived"},
    ],
    ids=["used up", "expired", "prohibited", "archived"],
)
async def test_press_is_answered_though_its_address_is_refused(linked, answer):
    """The start continues, and the person sees the answer to the press in the place where they pressed."""
    alice = linked.alice
    shown = await alice.types("status training")
    inject_fault(linked.slack.harness, "^POST /actions/", times=9, **answer)
    await alice.presses(shown, "Start")
    await linked.pass_time(60, step=5)
    assert len(private(alice, "Starting *training*")) == 1
    assert linked.calls("POST .*/start") == 1
    assert alice.only("ready")
    assert linked.bob.sees(CHANNEL) == []


async def test_press_in_an_archived_channel_is_answered_directly(linked):
    """By then, the channel accepts no messages at all."""
    alice = linked.alice
    shown = await alice.types("status training")
    linked.slack.state.channels[CHANNEL].is_archived = True
    await alice.presses(shown, "Start")
    await linked.pass_time(20)
    told = [one for one in alice.sees() if "Starting *training*" in one.text and one.kind != "card"]
    assert [f"I can't post in <#{CHANNEL}>" in one.text for one in told] == [True]
    assert linked.slack.harness.violations == []


@pytest.mark.parametrize(
    "error", ["invalid_blocks", "invalid_blocks_format", "invalid_arguments", "msg_too_long"]
)
async def test_refused_blocks_of_a_ready_message_become_text_with_the_address(linked, error):
    alice = linked.alice
    await alice.writes("start training")
    await linked.pass_time(2)
    linked.slack_fails(methods.CHAT_POST_MESSAGE, times=1, **refusal(error))
    await linked.pass_time(40, step=2)
    ready = alice.only("ready")
    assert ready.json.get("blocks") in (None, [])
    assert "training is ready." in ready.short
    (status,) = await alice.writes("status training")
    assert f"Open: <{status.address('Open')}>" in ready.short


async def test_ready_message_has_its_address_in_its_text_for_its_owner_only(linked):
    alice = linked.alice
    await alice.mentions("start training")
    await linked.pass_time(40, step=2)
    ready = alice.only("ready")
    assert f"<{ready.address('Open')}>" in ready.short
    channel = json.dumps([one.to_json() for one in linked.slack.state.messages.get(CHANNEL, [])])
    assert ready.address("Open") not in channel


async def test_refused_blocks_after_a_mention_become_text_in_its_place(linked):
    alice = linked.alice
    linked.slack_fails(methods.CHAT_POST_EPHEMERAL, times=1, **refusal("invalid_blocks"))
    await alice.mentions("status report")
    await linked.pass_time(3)
    (said,) = [one for one in alice.sees(CHANNEL) if one.is_private]
    assert (said.json.get("blocks") or [], "report" in said.short) == ([], True)


async def test_answer_comes_soon_after_429_without_a_pause(linked):
    alice = linked.alice
    linked.slack_fails(methods.CHAT_POST_MESSAGE, times=2, status=429)
    await alice.writes("status report")
    await linked.pass_time(8, step=1)
    assert any("report" in one.text for one in alice.hears())
