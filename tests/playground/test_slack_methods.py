"""Tests of the local Slack's Web API, with the real client."""

import asyncio

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from tests.playground.slack_help import (
    CHEN,
    GENERAL,
    GRETA,
    OLIVIA,
    QUIET,
    actions,
    button,
    refusal,
    section,
    slack,
)


@pytest.mark.parametrize(
    ("token", "error"),
    [
        ("", "not_authed"),
        ("xoxb-wrong", "invalid_auth"),
        ("revoked", "token_revoked"),
        ("app", "not_allowed_token_type"),
    ],
)
async def test_bad_tokens_are_told_apart(server, client, token, error):
    if token == "revoked":
        token = server.credentials["bot_token"]
        await client.auth_revoke()
    if token == "app":
        token = server.credentials["app_token"]
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{server.state.base_url}/api/auth.test"
    async with aiohttp.ClientSession() as session, session.post(url, headers=headers) as response:
        assert (response.status, (await response.json())["error"]) == (200, error)


async def test_a_token_may_be_a_form_field_but_not_part_of_the_address(server, session):
    url, told = f"{server.state.base_url}/api/auth.test", {"token": server.credentials["bot_token"]}
    async with session.post(url, data=told) as response:
        assert (await response.json())["ok"] is True
    async with session.get(url, params=told) as response:
        assert (await response.json())["error"] == "not_authed"


async def test_unknown_methods_and_missing_scopes_say_so(server, client):
    told = await refusal(client.api_call("reactions.add"))
    assert told == {"ok": False, "error": "unknown_method", "req_method": "reactions.add"}
    told = await refusal(client.conversations_history(channel=GENERAL))
    assert (told["error"], told["needed"]) == ("missing_scope", "channels:history")
    assert "im:history" in told["provided"]
    rules = [found["rule"] for found in server.harness.violations]
    assert rules == ["slack_unknown_method", "slack_missing_scope"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"channel": "U0NOBODY", "text": "x"}, "channel_not_found"),
        ({"channel": "U0USHER", "text": "x"}, "cannot_dm_bot"),
        ({"channel": QUIET, "text": "x"}, "not_in_channel"),
        ({"channel": GENERAL, "text": " "}, "no_text"),
        ({"channel": GENERAL, "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": GENERAL, "text": "x", "blocks": [{"type": "rubbish"}]}, "invalid_blocks"),
        ({"channel": GENERAL, "text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_schema"),
        ({"text": "x"}, "invalid_arguments"),
    ],
)
async def test_messages_that_slack_refuses(server, client, arguments, error):
    told = await refusal(client.api_call("chat.postMessage", json=arguments))
    assert told["error"] == error
    assert all(not messages for messages in server.state.messages.values())


@pytest.mark.parametrize(
    ("restricts", "thread", "error"),
    [
        ("any", None, "restricted_action"),
        ("read_only_channel", None, "restricted_action_read_only_channel"),
        ("read_only_channel", "1.0", "restricted_action_read_only_channel"),
        ("thread_only_channel", None, "restricted_action_thread_only_channel"),
        ("thread_only_channel", "1.0", None),
        ("non_threadable_channel", None, None),
        ("non_threadable_channel", "1.0", "restricted_action_non_threadable_channel"),
        ("", "locked", "restricted_action_thread_locked"),
    ],
)
async def test_a_channel_can_keep_apps_from_posting(server, client, restricts, thread, error):
    channel = server.state.channels[GENERAL]
    channel.restricts, channel.locked = restricts, {"locked"}
    posting = client.chat_postMessage(channel=GENERAL, text="x", thread_ts=thread)
    if error is None:
        assert (await posting)["ok"]
    else:
        assert (await refusal(posting))["error"] == error


async def test_all_blocks_of_a_message_together_are_limited():
    def blocks(characters):
        fields = [{"type": "mrkdwn", "text": "x" * 2000}] * 4
        rest = {"type": "mrkdwn", "text": "x" * (characters - 8000)}
        return [{"type": "section", "fields": fields}, {"type": "section", "text": rest}]

    async with slack() as (server, client):
        sent = await client.chat_postMessage(channel=GENERAL, text="x", blocks=blocks(10_000))
        for refused in (
            client.chat_postMessage(channel=GENERAL, text="x", blocks=blocks(10_001)),
            client.chat_update(channel=GENERAL, ts=sent["ts"], text="x", blocks=blocks(10_001)),
            client.chat_postEphemeral(channel=GENERAL, user=OLIVIA, text="x", blocks=blocks(10_001)),
        ):
            assert (await refusal(refused))["error"] == "msg_blocks_too_long"
        assert len(server.state.messages[GENERAL]) == 1


async def test_deleted_people_get_no_direct_message(server, client):
    await server.change_person(CHEN, deleted=True)
    assert (await refusal(client.chat_postMessage(channel=CHEN, text="x")))["error"] == "user_disabled"
    assert (await refusal(client.conversations_open(users=CHEN)))["error"] == "user_disabled"
    assert (await refusal(client.conversations_open(users="U0NOBODY")))["error"] == "user_not_found"


async def test_an_update_keeps_what_is_not_given_and_takes_own_messages_only(server, client):
    sent = await client.chat_postMessage(
        channel=GENERAL,
        text="one",
        blocks=[section()],
        metadata={"event_type": "a", "event_payload": {"k": 1}},
    )
    told = await client.chat_update(channel=GENERAL, ts=sent["ts"], text="two")
    assert (told["text"], told["message"]["blocks"][0]["type"]) == ("two", "section")
    assert server.state.message(GENERAL, sent["ts"]).metadata["event_payload"] == {"k": 1}
    said = await server.say(OLIVIA, GENERAL, "hello")
    assert (await refusal(client.chat_update(channel=GENERAL, ts=said["ts"], text="x")))["error"] == (
        "cant_update_message"
    )
    assert (await refusal(client.chat_update(channel=GENERAL, ts="1.2", text="x")))[
        "error"
    ] == "message_not_found"
    long = await refusal(client.chat_update(channel=GENERAL, ts=sent["ts"], text="x" * 4001))
    assert long["error"] == "msg_too_long"
    await client.chat_delete(channel=GENERAL, ts=sent["ts"])
    assert server.state.message(GENERAL, sent["ts"]) is None


async def test_an_ephemeral_message_is_seen_by_one_member_and_cannot_be_updated(server, client):
    told = await client.chat_postEphemeral(channel=GENERAL, user=OLIVIA, text="for you")
    assert [m["text"] for m in server.seen(OLIVIA, GENERAL)] == ["for you"]
    assert server.seen(CHEN, GENERAL) == []
    assert (await refusal(client.chat_update(channel=GENERAL, ts=told["message_ts"], text="x")))["error"] == (
        "message_not_found"
    )
    outside = await refusal(client.chat_postEphemeral(channel=GENERAL, user=GRETA, text="x"))
    assert outside["error"] == "user_not_in_channel"


async def test_history_pages_newest_first_within_bounds(server, client):
    sent = []
    for number in range(5):
        server.harness.clock.advance(1)
        sent.append(await client.chat_postMessage(channel=OLIVIA, text=str(number)))
    channel, stamps = sent[0]["channel"], [one["ts"] for one in sent]
    first = await client.conversations_history(channel=channel, limit=2)
    assert [m["text"] for m in first["messages"]] == ["4", "3"]
    assert first["has_more"] is True
    cursor = first["response_metadata"]["next_cursor"]
    second = await client.conversations_history(channel=channel, limit=2, cursor=cursor)
    assert [m["text"] for m in second["messages"]] == ["2", "1"]
    between = {"channel": channel, "oldest": stamps[1], "latest": stamps[3]}
    assert [m["text"] for m in (await client.conversations_history(**between))["messages"]] == ["2"]
    whole = await client.conversations_history(**between, inclusive=True)
    assert [m["text"] for m in whole["messages"]] == ["3", "2", "1"]
    bad = await refusal(client.conversations_history(channel=channel, oldest="yesterday"))
    assert bad["error"] == "invalid_ts_oldest"


async def test_reading_methods_take_no_json(client):
    told = await refusal(client.api_call("users.info", json={"user": OLIVIA}))
    assert told["error"] == "invalid_arguments"
    assert told["response_metadata"]["messages"] == ["[ERROR] missing required field: user"]


async def test_budgets_hold_on_the_servers_clock_and_can_be_switched_off():
    async with slack(limits=True) as (server, client):
        await client.chat_postMessage(channel=GENERAL, text="1", blocks=[section(), actions(button())])
        with pytest.raises(SlackApiError, match="ratelimited") as caught:
            await client.chat_postMessage(channel=GENERAL, text="2")
        assert caught.value.response.status_code == 429
        assert caught.value.response.headers["Retry-After"] == "1"
        server.harness.clock.advance(1)
        sent = await client.chat_postMessage(channel=GENERAL, text="2")
        for number in range(50):
            await client.chat_update(channel=GENERAL, ts=sent["ts"], text=f"{number}")
        assert (await refusal(client.chat_update(channel=GENERAL, ts=sent["ts"], text="x")))[
            "error"
        ] == "ratelimited"
        server.harness.clock.advance(60)
        await client.chat_update(channel=GENERAL, ts=sent["ts"], text="later")
        assert [found["rule"] for found in server.harness.violations] == ["rate_limit"] * 2
        server.budgets.on = False
        for _ in range(60):
            await client.chat_update(channel=GENERAL, ts=sent["ts"], text="x")


async def test_a_message_counts_when_it_came_however_slow_slack_is_to_post_it():
    async with slack(limits=True) as (server, client), aiohttp.ClientSession() as session:
        fault = {"path": "/api/chat.postMessage", "delay_s": 0.3}
        await session.post(f"{server.state.base_url}/_playground/faults", json=fault)
        slow = asyncio.create_task(client.chat_postMessage(channel=GENERAL, text="first"))
        async with asyncio.timeout(5):
            while not server.harness.requests["POST /api/chat.postMessage"]:  # noqa: ASYNC110 - it is the server's own count
                await asyncio.sleep(0)
        server.harness.clock.advance(1)
        await client.chat_postMessage(channel=GENERAL, text="second")
        assert not slow.done(), "the second was posted before the first"
        await slow
        assert server.harness.violations == []
