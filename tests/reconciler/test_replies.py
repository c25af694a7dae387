"""Answers to clicks: sent at once, at most once, and not at all if they would come too late."""

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.workspaces import State
from bot.messages.blocks import kit, replies
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.texts import notices
from bot.slack.notifier.replies import MAX_ATTEMPTS_PER_WAY
from bot.store import notices as notice_rows
from bot.support.errors import (
    SlackFailed,
    SlackLimited,
    SlackPermanent,
    SlackUnknownOutcome,
    UnknownOutcome,
    Unreachable,
)
from tests.reconciler.fuse import Killed
from tests.rigs.store import ALICE, want_read

URL = "https://hooks.slack.com/actions/1"


async def reply(world, **body):
    await world.store.write(
        notice_rows.add_notices,
        [NewNotice("click-1", NoticeKind.REPLY, "1", ALICE, {"text": "done", "blocks": [], **body})],
    )


async def dead(world):
    return [notice.error for notice in await world.store.read(notice_rows.list_dead_notices)]


@pytest.mark.parametrize(
    "url", ["https://evil.example/1", "http://127.0.0.1:9/1", "http://hooks.slack.com/1"]
)
async def test_an_address_that_is_not_slacks_is_not_followed(world, url):
    await reply(world, response_url=url)
    await world.work()
    assert world.http.posts == []
    assert await dead(world) == ["strange_address"]


@pytest.mark.parametrize("channel", ["DUALICE", "C1"])
async def test_what_an_answer_offers_goes_from_the_message_whose_place_it_took(world, channel):
    """The workspace stops. An answer in a channel is visible only to its reader, so nobody can edit it."""
    workspace = await world.own(state=State.RUNNING)
    await world.store.write(
        notice_rows.add_notices, [NewNotice("asked", NoticeKind.MESSAGE, "1", ALICE, {"text": "?"})]
    )
    await world.work()
    (message,) = world.slack.messages
    press = ButtonValue("stop", workspace.id, seen=workspace.generation)
    blocks = replies.answer("Kept.", [kit.button("Stop", press)]).blocks
    over = {"replaces": True, "over": message["ts"], "channel_id": channel, "response_url": URL}
    await reply(world, text="Kept.", blocks=list(blocks), offers=workspace.id, **over)
    await world.pass_time(60)
    assert (len(world.http.posts), world.slack.updates) == (1, [])
    world.provider.put("r1", State.STOPPED)
    await want_read(world.store, workspace.id)
    await world.pass_time(60)
    shown = [
        ("Kept." in str(one["blocks"]), "action_id" in str(one["blocks"])) for one in world.slack.updates
    ]
    assert shown == ([(True, False)] if channel == "DUALICE" else [])


async def test_a_message_whose_answer_is_lost_goes_on_losing_its_buttons(world):
    workspace = await world.own(state=State.RUNNING)
    press = ButtonValue("stop", workspace.id, seen=workspace.generation)
    blocks = replies.answer("It runs.", [kit.button("Stop", press)]).blocks
    direct = {"channel_id": "DUALICE", "where": "direct"}
    shown = {"text": "It runs.", "blocks": list(blocks), "offers": workspace.id, **direct}
    await world.store.write(
        notice_rows.add_notices, [NewNotice("asked", NoticeKind.REPLY, "1", ALICE, shown)]
    )
    await world.work()
    (message,) = world.slack.messages
    over = {"replaces": True, "over": message["ts"], "channel_id": "DUALICE", "response_url": URL}
    world.http.status = 404
    await reply(world, text="Stopping …", **over)
    world.provider.put("r1", State.STOPPED)
    await want_read(world.store, workspace.id)
    await world.pass_time(60)
    assert world.slack.updates == [], "its answer may still come"
    await world.pass_time(60)
    (message,) = world.slack.messages
    assert (message["text"], list(kit.iterate_buttons(message["blocks"]))) == ("It runs.", [])


async def test_a_reply_to_a_mention_is_ephemeral_in_its_thread(world):
    await reply(world, channel_id="C1", thread_ts="5.0")
    await world.work()
    [sent] = world.slack.ephemerals
    assert (sent["channel"], sent["user"], sent["thread_ts"]) == ("C1", "UALICE", "5.0")


@pytest.mark.parametrize(
    "code", ["restricted_action_read_only_channel", "restricted_action", "user_not_in_channel"]
)
async def test_an_answer_that_a_channel_does_not_take_goes_to_the_person_alone(world, code):
    world.slack.fail("chat.postEphemeral", SlackPermanent("chat.postEphemeral", code))
    await reply(world, channel_id="C1", blocks=[{"type": "divider"}])
    await world.pass_time(30)
    [sent] = world.slack.messages
    assert (sent["channel"], sent.get("thread_ts")) == ("DUALICE", None)
    assert sent["text"] == "I can't post in <#C1>, so here is my answer."
    assert sent["blocks"][1:] == [{"type": "divider"}]
    assert await dead(world) == []


@pytest.mark.parametrize("code", ["cannot_reply_to_message", "thread_not_found"])
@pytest.mark.parametrize(
    "place",
    [{"channel_id": "C1", "where": "mention"}, {"channel_id": "DUALICE", "where": "direct"}],
    ids=["channel", "direct"],
)
async def test_answer_leaves_a_thread_that_takes_no_replies(world, code, place):
    """The answer may be visible to one person only, or in a conversation limited to one message a second."""
    for method in ("chat.postEphemeral", "chat.postMessage"):
        world.slack.fail(method, SlackPermanent(method, code))
    await reply(world, thread_ts="5.0", **place)
    await world.pass_time(10)
    [sent] = [*world.slack.ephemerals, *world.slack.messages]
    assert (sent["channel"], sent.get("thread_ts")) == (place["channel_id"], None)
    assert await dead(world) == []


async def test_a_late_reply_is_not_sent(world):
    await reply(world, response_url=URL)
    world.clock.advance(61)
    await world.work()
    assert world.http.posts == []
    assert await dead(world) == ["expired"]


# -- refused answers -----------------------------------------------------------------------------------------

BLOCKS = [
    *kit.row("It runs.", [kit.button("Open", "open_url", "w1", url="https://ide.example.org/?a=1&b=2")])
]
ADDRESS = "Open: <https://ide.example.org/?a=1&amp;b=2>"
REFUSED_BLOCKS = (400, b'{"ok": false, "error": "invalid_blocks"}')


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param((404, b'{"ok":false,"error":"used_url"}'), id="used up"),
        pytest.param((404, b'{"ok":false,"error":"expired_url"}'), id="expired"),
        pytest.param((410, b"channel_is_archived"), id="archived"),
        pytest.param((403, b"action_prohibited"), id="prohibited"),
        pytest.param((403, b"some_new_word"), id="unknown word"),
        pytest.param((404, b"<html>"), id="no word"),
        pytest.param((200, b'{"ok": false, "error": "used_url"}'), id="refused with 200"),
        pytest.param((200, b'{"ok": false}'), id="refused without a code"),
    ],
)
@pytest.mark.parametrize("shown", [{}, {"replaces": True}], ids=["new", "over"])
async def test_refused_address_is_replaced_by_an_ephemeral(world, answer, shown):
    """The same answer is sent once, visible only to the person, where they asked."""
    world.http.refusals = [answer]
    await reply(world, response_url=URL, channel_id="C1", thread_ts="5.0", blocks=BLOCKS, **shown)
    await world.pass_time(90, step=5)
    [sent] = world.slack.ephemerals
    assert (sent["channel"], sent["user"], sent["thread_ts"]) == ("C1", "UALICE", "5.0")
    assert (sent["blocks"], len(world.http.posts), world.slack.messages) == (BLOCKS, 1, [])
    assert await dead(world) == []


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ({"channel_id": "DUALICE", "where": "direct"}, "done"),
        ({}, "done"),
        ({"channel_id": "C1"}, "I can't post in <#C1>, so here is my answer."),
        ({"channel_id": "DBOBALICE"}, "done"),
    ],
    ids=["direct", "nowhere", "closed channel", "somebody else's conversation"],
)
async def test_answer_without_another_place_is_a_direct_message(world, place, text):
    world.http.refusals = [(404, b'{"ok":false,"error":"used_url"}')]
    closed = SlackPermanent("chat.postEphemeral", "channel_not_found")
    world.slack.fail("chat.postEphemeral", closed, times=9)
    await reply(world, response_url=URL, **place)
    await world.pass_time(90, step=5)
    [sent] = world.slack.messages
    assert (sent["channel"], sent["text"].partition("\n")[0]) == ("DUALICE", text)
    assert await dead(world) == []


@pytest.mark.parametrize("status", [500, 503, 408, 302])
async def test_answer_that_may_be_shown_is_sent_no_other_way(world, status):
    """The person is told that they may have missed something, but not what."""
    world.http.status = status
    await reply(world, response_url=URL, channel_id="C1")
    await world.pass_time(90, step=5)
    assert (len(world.http.posts), world.slack.ephemerals) == (1, [])
    assert [one["text"] for one in world.slack.messages] == [notices.NOT_CONFIRMED]
    assert await dead(world) == [f"status_{status}"]


@pytest.mark.parametrize("limit", [None, SlackLimited("chat.postMessage", 1.0)], ids=["free", "busy"])
@pytest.mark.parametrize(
    ("method", "place"),
    [
        ("response_url", {"response_url": URL, "channel_id": "C1"}),
        ("chat.postEphemeral", {"channel_id": "C1", "where": "mention"}),
        ("chat.postMessage", {"channel_id": "DUALICE", "where": "direct"}),
    ],
    ids=["response-url", "mention", "direct"],
)
async def test_refused_blocks_are_said_as_text_with_addresses(world, method, place, limit):
    """The text is sent to the same place and at once, even if the process is replaced in between."""
    world.http.refusals = [REFUSED_BLOCKS]
    world.slack.fail(method, SlackPermanent(method, "invalid_blocks"))
    if limit is not None:
        world.slack.fail(method, limit)
    await reply(world, text="It runs.", blocks=BLOCKS, **place)
    await world.notifier.step_notices()
    world.reborn()
    await world.pass_time(4)
    posts = [one for _, one in world.http.posts[1:]]
    sent = [*posts, *world.slack.ephemerals, *world.slack.messages]
    assert [(one["text"], one.get("blocks")) for one in sent] == [(f"It runs.\n{ADDRESS}", None)]
    drawn = [one for _, one in [*world.slack.calls, *world.http.posts] if one.get("blocks")]
    assert len(drawn) == 1
    assert await dead(world) == []


async def test_unknown_refusal_is_tried_again_then_goes_another_way(world):
    refusal = SlackFailed("chat.postEphemeral", "some_new_word")
    world.slack.fail("chat.postEphemeral", refusal, times=9)
    await reply(world, channel_id="C1")
    await world.pass_time(10)
    assert [one["channel"] for one in world.slack.messages] == ["DUALICE"]
    assert world.slack.count("chat.postEphemeral") == MAX_ATTEMPTS_PER_WAY + 1


@pytest.mark.parametrize(
    ("code", "blocks", "messages", "views"),
    [
        ("not_found", BLOCKS, 1, 0),
        ("not_found", [], 0, 0),
        ("hash_conflict", BLOCKS, 0, 0),
        ("invalid_arguments", BLOCKS, 0, 1),
        ("view_too_large", [], 0, 1),
    ],
    ids=["closed", "closed-to-fill-in", "changed-since", "invalid", "too-large"],
)
async def test_refused_form_says_what_nobody_has_read(world, code, blocks, messages, views):
    """If the person has closed the form, they get its text as a message, if it has a text.

    If Slack rejects the form as invalid or too large, the form shows only its text.
    """
    view = kit.modal("Title", [kit.text_field("name", "Name"), kit.section("It *runs*.")], submit="Go")
    world.slack.fail("views.update", SlackPermanent("views.update", code))
    await reply(world, view=view, view_id="V1", blocks=blocks)
    await world.pass_time(10)
    assert (len(world.slack.messages), len(world.slack.views)) == (messages, views)
    for one in world.slack.views:
        assert one["view"]["blocks"] == [kit.section("It *runs*.")]
        assert (one["view"]["title"], "submit" in one["view"]) == (view["title"], False)


async def test_a_reply_of_unknown_outcome_is_not_repeated(world):
    world.http.error = UnknownOutcome("no answer in time")
    await reply(world, response_url=URL)
    await world.pass_time(90, step=5)
    assert len(world.http.posts) == 1


async def test_a_reply_that_never_left_is_tried_again_while_it_makes_sense(world):
    world.http.error = Unreachable("no connection")
    await reply(world, response_url=URL)
    await world.pass_time(3)
    world.http.error = None
    await world.pass_time(3)
    assert len(world.http.posts) > 1
    assert await dead(world) == []


@pytest.mark.parametrize(("wait", "sent"), [(5.0, 1), (100.0, 0)])
async def test_a_pause_is_kept_while_it_makes_sense(world, wait, sent):
    world.slack.fail("chat.postMessage", SlackLimited("chat.postMessage", wait))
    await reply(world)
    await world.pass_time(90)
    assert len(world.slack.messages) == sent
    assert len(await dead(world)) == 1 - sent


async def test_long_pause_at_the_response_url_is_gone_around(world):
    world.http.status, world.http.headers = 429, {"Retry-After": "3600"}
    await reply(world, response_url=URL, channel_id="C1")
    await world.pass_time(90, step=5)
    assert (len(world.http.posts), len(world.slack.ephemerals)) == (1, 1)
    assert await dead(world) == []


async def test_429_at_the_response_url_is_tried_again(world):
    world.http.status, world.http.headers = 429, {"Retry-After": "2"}
    await reply(world, response_url=URL)
    await world.work()
    world.http.status = 200
    await world.pass_time(5)
    assert len(world.http.posts) == 2
    assert await dead(world) == []


@pytest.mark.parametrize(
    ("kind", "sent"), [(SlackPermanent, 0), (SlackUnknownOutcome, 1)], ids=["refused", "unknown"]
)
async def test_what_slack_does_not_take_is_given_up(world, kind, sent):
    world.slack.fail("chat.postMessage", kind("chat.postMessage", "channel_not_found"))
    await reply(world)
    await world.pass_time(90, step=5)
    assert [one["text"] for one in world.slack.messages] == [notices.NOT_CONFIRMED] * sent
    assert world.slack.count("chat.postMessage") == 1 + sent
    assert await dead(world) == ["channel_not_found"]


async def test_a_kill_during_a_reply_does_not_repeat_it(world):
    world.slack.fail("chat.postMessage", Killed(), after=True)
    await reply(world)
    with pytest.raises(Killed):
        await world.work()
    world.reborn()
    await world.pass_time(120, step=5)
    assert len(world.slack.messages) == 1
